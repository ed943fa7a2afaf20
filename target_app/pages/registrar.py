"""How a page is described and guarded: the pages' counterpart of `target_app.api`.

A subject makes a `Pages` and describes each view where it is defined. Views get as keyword
arguments ``account`` always (None on a public page that nobody has signed in for), ``query`` where
described, and the parameters of the path. They do not commit: an answer below 400 to a form is
committed, anything else is rolled back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict

from target_app import accounts, bodies, caching, database, pages, sessions
from target_app.validation import Parameter, check_query

_BAD = 400

View = Callable[..., Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one method on one path shows or takes."""

    method: str
    path: str
    allow: frozenset[str] | None
    """The roles that may see it; None for everybody, signed in or not."""
    query: Mapping[str, Parameter] = field(default_factory=dict)
    cached_s: float | None = None
    """How old the published cache may make it (`target_app.caching`); None for not at all."""
    resource: str | None = None
    """What a form writes to, so that what is remembered of it can be forgotten."""

    @property
    def writes(self) -> bool:
        """Whether it takes a form."""
        return self.method == "POST"


class Pages:
    """
    The pages of one subject.

    Parameters
    ----------
    subject : str
        Its name.
    module : str, optional
        The module of an extension that has templates of its own, in a folder beside it.
    """

    def __init__(self, subject: str, module: str | None = None) -> None:
        where = module or f"target_app.pages.{subject}"
        templates = "templates" if module else None
        self.blueprint = Blueprint(f"{subject}_pages", where, template_folder=templates)
        self.described: list[Page] = []

    def get(self, path: str, **description: Any) -> Callable[[View], View]:
        """
        Describe a view that shows a page, and register it.

        Parameters
        ----------
        path : str
            Where.
        **description
            Fields of `Page`.

        Returns
        -------
        callable
            Decorates the view.
        """
        return self._register(Page(method="GET", path=path, **description))

    def post(self, path: str, **description: Any) -> Callable[[View], View]:
        """Describe a view that takes a form; parameters as of `get`."""
        return self._register(Page(method="POST", path=path, **description))

    def _register(self, page: Page) -> Callable[[View], View]:
        def register(view: View) -> View:
            self.described.append(page)
            # The cache is outermost, as the published one is: see `target_app.caching`.
            served = caching.cached(_serve(page, view), page.cached_s)
            self.blueprint.add_url_rule(page.path, view.__name__, served, methods=[page.method])
            return view

        return register


def _serve(page: Page, view: View) -> View:
    """Surround a view with what its description asks for."""

    @functools.wraps(view)
    def serve(**given: Any) -> Response:
        account = sessions.viewer()
        if page.allow is not None:
            if account is None:
                return _to_sign_in()
            accounts.require(account, page.allow, writes=page.writes)
        if page.query:
            given["query"] = check_query(page.query, _filled(page.query))
        if not page.writes:
            return view(account=account, **given)
        bodies.read()
        sessions.check_form()
        answer = view(account=account, **given)
        if answer.status_code < _BAD:
            database.commit()
            if page.resource is not None:
                caching.wrote(page.resource)
        return answer

    return serve


def _filled(parameters: Mapping[str, Parameter]) -> MultiDict[str, str]:
    """Give what a query says: a form sends the fields left empty too, and links carry strangers."""
    return MultiDict(
        (name, value)
        for name, value in request.args.items(multi=True)
        if name in parameters and value.strip()
    )


def _to_sign_in() -> Response:
    """Lead to the page for signing in, and from there back to the page or to that of the form."""
    path = request.path
    if request.method == "POST":
        addresses = current_app.create_url_adapter(request)
        while addresses is not None and path and not addresses.test(path, method="GET"):
            path = path.rpartition("/")[0]
    elif request.query_string:
        path = request.full_path
    return pages.see_other(f"/login?next={quote(path or '/', safe='/')}")
