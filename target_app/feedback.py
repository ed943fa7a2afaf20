"""``/api/v1/feedback``."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import bindparam, insert, select
from werkzeug.exceptions import NotFound

from target_app import answers, customers, database, schemas
from target_app.accounts import EVERYBODY, STAFF, Account
from target_app.api import Api
from target_app.models import Feedback, table_of
from target_app.paging import PAGE, Listing
from target_app.problems import FieldError, Invalid
from target_app.rules import RECORD, Email, Text, Whole
from target_app.validation import Field

api = Api("feedback")

_feedback = table_of(Feedback)
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

_ANSWER = schemas.record(FIELDS)
_PAGE = schemas.page(_ANSWER)

_LISTING = Listing(FIELDS, key=("created_at", "id"))
_BY_ID = select(*FIELDS.values()).where(_feedback.c.id == bindparam("feedback_id"))
_INSERT = insert(_feedback)


@api.get("/feedback", allow=STAFF, query=PAGE, answers={200: _PAGE}, cached_s=5)
def list_feedback(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List feedback, newest first.

    Returns
    -------
    Response
        A page.
    """
    del account
    return _LISTING.answer(query)


@api.get("/feedback/<record:feedback_id>", allow=STAFF, answers={200: _ANSWER})
def open_feedback(account: Account, feedback_id: int) -> Response:
    """
    Open one piece of feedback.

    Parameters
    ----------
    feedback_id : int
        Which.

    Returns
    -------
    Response
        The record.

    Raises
    ------
    NotFound
        404, when there is no such feedback.
    """
    found = database.rows(_BY_ID, feedback_id=feedback_id)
    if not found:
        raise NotFound(f"Feedback {feedback_id} does not exist.")
    return answers.ok(dict(zip(FIELDS, found[0], strict=True)))


@api.post("/feedback", allow=EVERYBODY, body=SCHEMA, answers={201: _ANSWER}, idempotent=True)
def create_feedback(account: Account, body: dict[str, Any]) -> Response:
    """
    Take feedback, of a known customer or of anybody.

    Returns
    -------
    Response
        201 and the record.

    Raises
    ------
    Invalid
        422, when it names a customer that does not exist.
    """
    if body["customer_id"] is not None and not customers.exists(account, body["customer_id"]):
        raise Invalid([FieldError("/customer_id", "is no customer that exists")])
    record = store(body)
    return answers.created(f"/api/v1/feedback/{record['id']}", record)


def store(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Store feedback that has been checked.

    Parameters
    ----------
    body : mapping of str to object
        The fields of `FORM_SCHEMA` or of `SCHEMA`.

    Returns
    -------
    dict of str to object
        The whole record; not yet committed.
    """
    record: dict[str, Any] = dict.fromkeys(FIELDS) | dict(body)
    record |= {"status": "new", "created_at": database.now(), "version": 1}
    del record["id"]
    key = database.insert(_INSERT, record)
    return {"id": key, **record}
