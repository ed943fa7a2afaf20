"""The JSON API: what each operation takes, who may call it, and what it answers, in one place.

A resource makes an `Api` and describes each view where it is defined; the description is what is
enforced before the view runs and what the OpenAPI document says. Views get what they asked for as
keyword arguments: ``account``, but of a public resource, the parameters of the path, and ``query``
and ``body`` where described. They do not commit: an answer below 400 is committed, anything else is
rolled back.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, request

from target_app import accounts, bodies, caching, database, idempotency
from target_app.accounts import Account
from target_app.validation import Field, Parameter, check, check_patch, check_query

PREFIX = "/api/v1"
_BAD = 400

View = Callable[..., Response]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one method on one path does."""

    name: str
    method: str
    path: str
    """As Flask writes it, after the prefix."""
    resource: str
    summary: str
    answers: Mapping[int, Schema | None]
    """JSON Schema of the body by status, None for no body; those of errors are added."""
    allow: frozenset[str] = frozenset()
    """The roles that may call it."""
    prefix: str = PREFIX
    """What comes before the path."""
    public: bool = False
    """Whether it is answered without a token; it can only read, then."""
    query: Mapping[str, Parameter] = field(default_factory=dict)
    body: Mapping[str, Field] | None = None
    idempotent: bool = False
    """Whether an ``Idempotency-Key`` is honoured."""
    versioned: bool = False
    """Whether answers carry an ``ETag``, and ``If-Match`` is honoured."""
    cached_s: float | None = None
    """How old an answer may be when caching is switched on; None for not at all."""
    body_bytes: int | None = None
    """How long its body may be, where that is not what holds for all."""

    @property
    def writes(self) -> bool:
        """Whether it is more than reading."""
        return self.method not in {"GET", "HEAD"}


class Api:
    """
    The operations of one resource.

    Parameters
    ----------
    resource : str
        Its name, in the plural.
    prefix : str
        What its paths begin with.
    public : bool
        Whether it is answered without a token.
    """

    def __init__(self, resource: str, *, prefix: str = PREFIX, public: bool = False) -> None:
        self.blueprint = Blueprint(resource, f"target_app.{resource}")
        self.prefix = prefix
        self.public = public
        self.operations: list[Operation] = []

    def operation(self, method: str, path: str, **description: Any) -> Callable[[View], View]:
        """
        Describe a view, and register it.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Path below the prefix.
        **description
            Fields of `Operation`; the summary is the first line of the view's docstring.

        Returns
        -------
        callable
            Decorates the view.
        """

        def register(view: View) -> View:
            summary = (inspect.getdoc(view) or "").partition("\n")[0]
            operation = Operation(
                name=view.__name__,
                method=method,
                path=path,
                resource=self.blueprint.name,
                summary=summary,
                prefix=self.prefix,
                public=self.public,
                **description,
            )
            self.operations.append(operation)
            served = caching.cached(_serve(operation, view), operation.cached_s)
            self.blueprint.add_url_rule(path, view.__name__, served, methods=[method])
            return view

        return register

    def get(self, path: str, **description: Any) -> Callable[[View], View]:
        """Describe a view that reads; parameters as of `operation`."""
        return self.operation("GET", path, **description)

    def post(self, path: str, **description: Any) -> Callable[[View], View]:
        """Describe a view that creates; parameters as of `operation`."""
        return self.operation("POST", path, **description)

    def patch(self, path: str, **description: Any) -> Callable[[View], View]:
        """Describe a view that changes; parameters as of `operation`."""
        return self.operation("PATCH", path, **description)

    def delete(self, path: str, **description: Any) -> Callable[[View], View]:
        """Describe a view that removes; parameters as of `operation`."""
        return self.operation("DELETE", path, **description)


def _serve(operation: Operation, view: View) -> View:
    """Surround a view with what its description asks for."""

    @functools.wraps(view)
    def serve(**path: Any) -> Response:
        if operation.public:
            return view(**path, **_input(operation))
        account = accounts.by_token()
        accounts.require(account, operation.allow, writes=operation.writes)
        given = path | _input(operation)
        run = functools.partial(view, account=account, **given)
        if operation.writes:
            return _write(operation, account, run)
        return caching.answered(operation.resource, operation.cached_s, account, run)

    return serve


def _input(operation: Operation) -> dict[str, Any]:
    """Check what came with the request against the description."""
    given: dict[str, Any] = {}
    query = check_query(operation.query, request.args)
    if operation.query:
        given["query"] = query
    if operation.body is not None:
        hold_against = check_patch if operation.method == "PATCH" else check
        given["body"] = hold_against(operation.body, bodies.read_json(operation.body_bytes))
    return given


def _write(operation: Operation, account: Account, view: Callable[[], Response]) -> Response:
    """Run a view that writes, in one transaction with the memory of its key."""
    if operation.idempotent:
        key = idempotency.key_of_request()
        if key is not None:
            view = functools.partial(idempotency.once, key, account.id, view)
    answer = view()
    if answer.status_code < _BAD:
        database.commit()
        caching.wrote(operation.resource)
    return answer


def operations(apis: Sequence[Api]) -> list[Operation]:
    """
    Give all operations of some resources.

    Parameters
    ----------
    apis : sequence of Api
        The resources.

    Returns
    -------
    list of Operation
        In the order of their definition.
    """
    return [operation for api in apis for operation in api.operations]
