"""``/api/v1/feedback``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import and_, bindparam, insert, select, true, update
from sqlalchemy import exists as there_is
from werkzeug.exceptions import NotFound

from target_app import answers, changes, conditions, database, portfolios, responses, schemas
from target_app.accounts import EVERYBODY, Account
from target_app.api import Api
from target_app.models import FEEDBACK_STATUSES, Feedback, User, table_of
from target_app.paging import PAGE, Listing
from target_app.portfolios import NOBODY, Link
from target_app.problems import Conflict, FieldError, Invalid
from target_app.rules import RECORD, Choice, Email, Text, Whole
from target_app.validation import Field, Parameter

api = Api("feedback")

_feedback, _users = table_of(Feedback), table_of(User)
FIELDS = {
    name: _feedback.c[name]
    for name in (
        "id",
        "customer_id",
        "name",
        "email",
        "content",
        "score",
        "nps",
        "status",
        "created_at",
        "first_response_at",
        "resolved_at",
        "assigned_to",
        "version",
    )
}

FORM_SCHEMA = {
    "content": Field(Text(500, lines=True)),
    "name": Field(Text(50)),
    "email": Field(Email(100)),
}
"""What anybody may tell on the public form; the API takes this and a little more."""

SCHEMA = FORM_SCHEMA | {
    "customer_id": Field(RECORD, required=False),
    "score": Field(Whole(1, 5), required=False),
    "nps": Field(Whole(0, 10), required=False),
}
"""Of new feedback. On the portal it is the customer's own; a sales rep names one of the own."""

HANDLERS = frozenset({"support", "manager", "admin"})
"""The roles that answer feedback, and that it may be assigned to."""

_CHANGES = {
    "status": Field(Choice(("resolved",))),
    "assigned_to": Field(RECORD, required=False),
}
_LISTED = schemas.record(FIELDS)
_RESPONSES: schemas.Schema = {"type": "array", "items": responses.RECORD}
_ANSWER = schemas.record(FIELDS, responses=_RESPONSES)
_FILTERS = PAGE | {
    "status": Parameter(
        Choice(FEEDBACK_STATUSES), about="Only feedback of this status: `new` is the queue."
    )
}

_ID = _feedback.c.id == bindparam("feedback_id")
_BY_ID = select(*FIELDS.values(), _feedback.c.owner_id).where(_ID)
_LOCKED = _BY_ID.with_for_update(key_share=True)
_HANDLES = select(
    there_is()
    .where(_users.c.id == bindparam("user_id"))
    .where(_users.c.role.in_(sorted(HANDLERS)))
    .where(_users.c.is_active)
)
_INSERT = insert(_feedback)
_UPDATE = update(_feedback).where(_ID)


@functools.cache
def _listing(*filters: str) -> Listing:
    """Give the list whose rows equal the parameters of some names."""
    where = and_(true(), *(_feedback.c[name] == bindparam(f"only_{name}") for name in filters))
    return Listing(FIELDS, ("created_at", "id"), where)


@api.get(
    "/feedback",
    allow=EVERYBODY,
    query=_FILTERS,
    answers={200: schemas.page(_LISTED)},
    cached_s=5,
)
def list_feedback(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List feedback, newest first; for sales that of the portfolio, on the portal one's own.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        A page.
    """
    if account.role == "portal" and account.customer_id is None:
        return answers.ok({"items": [], "next": None})
    wanted = {
        "owner_id": account.portfolio,
        "customer_id": account.customer_id,
        "status": query["status"],
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    only = {f"only_{name}": value for name, value in filters.items()}
    return _listing(*filters).answer(query, **only)


@api.get("/feedback/<record:feedback_id>", allow=EVERYBODY, answers={200: _ANSWER}, versioned=True)
def open_feedback(account: Account, feedback_id: int) -> Response:
    """
    Open one piece of feedback with what was answered to it, oldest first.

    Parameters
    ----------
    account : Account
        Who asks.
    feedback_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        The record.
    """
    return conditions.record(_with_responses(read(account, feedback_id)))


@api.post(
    "/feedback",
    allow=EVERYBODY,
    body=SCHEMA,
    answers={201: _ANSWER},
    idempotent=True,
    versioned=True,
)
def create_feedback(account: Account, body: dict[str, Any]) -> Response:
    """
    Take feedback, of a known customer or of anybody.

    Parameters
    ----------
    account : Account
        Who takes or gives it.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        201 and the record; 422, when it names no customer that the account may see.
    """
    record = store(body, _link(account, body["customer_id"]))
    answer = answers.created(f"/api/v1/feedback/{record['id']}", record | {"responses": []})
    return conditions.tagged(answer, 1)


@api.patch(
    "/feedback/<record:feedback_id>",
    allow=HANDLERS,
    body=_CHANGES,
    answers={200: _ANSWER},
    versioned=True,
)
def change_feedback(account: Account, feedback_id: int, body: dict[str, Any]) -> Response:
    """
    Resolve feedback, or assign it to somebody.

    Parameters
    ----------
    account : Account
        Who does.
    feedback_id : int
        Which.
    body : dict of str to object
        The fields to change; nobody (null) may be assigned.

    Returns
    -------
    Response
        The record as it is now.

    Raises
    ------
    Conflict
        409, when it is resolved already.
    Invalid
        422, when it is assigned to nobody who answers feedback.
    """
    there = read(account, feedback_id, lock=True)
    conditions.require_match(there["version"])
    values = body | {"version": there["version"] + 1}
    if "status" in body:
        if there["status"] == "resolved":
            raise Conflict([FieldError("/status", "is resolved already")])
        values["resolved_at"] = database.now()
    assigned = body.get("assigned_to")
    if assigned is not None and not database.rows(_HANDLES, user_id=assigned)[0][0]:
        raise Invalid([FieldError("/assigned_to", "is nobody who answers feedback")])
    database.change(_UPDATE.values(values), feedback_id=feedback_id)
    changes.note(account, "feedback", feedback_id, f"changed {', '.join(body) or 'nothing'}")
    return conditions.record(_with_responses(there | values))


@api.post(
    "/feedback/<record:feedback_id>/responses",
    allow=HANDLERS,
    body=responses.SCHEMA,
    answers={201: responses.RECORD},
    idempotent=True,
)
def create_response(account: Account, feedback_id: int, body: dict[str, Any]) -> Response:
    """
    Answer feedback; who is first takes it on, when nobody has.

    Parameters
    ----------
    account : Account
        Who answers.
    feedback_id : int
        What.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        201 and the response; it is read with its feedback.
    """
    return answers.created(
        f"/api/v1/feedback/{feedback_id}", respond(account, feedback_id, body["content"])
    )


def respond(account: Account, feedback_id: int, content: str) -> dict[str, Any]:
    """
    Store an answer to feedback, and what it makes of that.

    Parameters
    ----------
    account : Account
        Who answers.
    feedback_id : int
        What.
    content : str
        Checked against `target_app.responses.SCHEMA`.

    Returns
    -------
    dict of str to object
        The response; not yet committed.
    """
    there = read(account, feedback_id, lock=True)
    moment = database.now()
    values = {
        "first_response_at": there["first_response_at"] or moment,
        "status": "resolved" if there["status"] == "resolved" else "answered",
        "assigned_to": account.id if there["assigned_to"] is None else there["assigned_to"],
        "version": there["version"] + 1,
    }
    database.change(_UPDATE.values(values), feedback_id=feedback_id)
    return responses.store(account, feedback_id, content, moment)


def read(account: Account, feedback_id: int, *, lock: bool = False) -> dict[str, Any]:
    """
    Read feedback that an account may see, without the responses.

    Parameters
    ----------
    account : Account
        Who asks.
    feedback_id : int
        Which.
    lock : bool
        Whether it is going to be changed.

    Returns
    -------
    dict of str to object
        The record.

    Raises
    ------
    NotFound
        404, when there is none, or it is of no customer that the account may see.
    """
    found = database.rows(_LOCKED if lock else _BY_ID, feedback_id=feedback_id)
    if found:
        record: dict[str, Any] = dict(zip((*FIELDS, "owner_id"), found[0], strict=True))
        owner_id = record.pop("owner_id")
        if portfolios.visible(account, record["customer_id"], owner_id):
            return record
    raise NotFound(f"Feedback {feedback_id} does not exist.")


def own(account: Account | None) -> Link:
    """
    Give the customer that somebody on the portal is.

    Parameters
    ----------
    account : Account or None
        Who gives feedback.

    Returns
    -------
    Link
        `target_app.portfolios.NOBODY` for everybody else, and when that customer is gone.
    """
    if account is None or account.customer_id is None:
        return NOBODY
    return portfolios.link(account, account.customer_id) or NOBODY


def store(body: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """
    Store feedback that has been checked.

    Parameters
    ----------
    body : mapping of str to object
        The fields of `FORM_SCHEMA` or of `SCHEMA`.
    link : Link
        Whose it is.

    Returns
    -------
    dict of str to object
        The whole record; not yet committed.
    """
    record: dict[str, Any] = dict.fromkeys(FIELDS) | dict(body)
    record |= {"customer_id": link.customer_id, "status": "new", "version": 1}
    record["created_at"] = database.now()
    del record["id"]
    key = database.insert(_INSERT, record | {"owner_id": link.owner_id})
    return {"id": key, **record}


def _with_responses(record: Mapping[str, Any]) -> dict[str, Any]:
    """Add what was answered."""
    return {**record, "responses": responses.of_feedback(record["id"])}


def _link(account: Account, customer_id: int | None) -> Link:
    """
    Give the customer that new feedback is of, and its owner.

    Raises
    ------
    Invalid
        When it names none that the account may see.
    """
    if customer_id is None:
        if account.portfolio is not None:
            message = "is required: a sales rep takes feedback of the own customers"
            raise Invalid([FieldError("/customer_id", message)])
        return own(account)
    link = portfolios.link(account, customer_id)
    if link is None:
        raise Invalid([FieldError("/customer_id", "is no customer that exists")])
    return link
