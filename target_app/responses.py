"""What was answered to feedback."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select

from target_app import database, schemas
from target_app.accounts import Account
from target_app.models import Response, User, table_of
from target_app.rules import Text
from target_app.validation import Field

_responses, _users = table_of(Response), table_of(User)
FIELDS = {
    name: _responses.c[name] for name in ("id", "feedback_id", "user_id", "content", "created_at")
} | {"user_name": _users.c.name.label("user_name")}
SCHEMA = {"content": Field(Text(2000, lines=True))}
"""Of a new response."""
RECORD = schemas.record(FIELDS)

_OF_FEEDBACK = (
    select(*FIELDS.values())
    .join(_users, _users.c.id == _responses.c.user_id)
    .where(_responses.c.feedback_id == bindparam("feedback_id"))
    .order_by(_responses.c.id)
)
_INSERT = insert(_responses)


def of_feedback(feedback_id: int) -> list[dict[str, Any]]:
    """
    Read the responses to feedback, oldest first.

    Parameters
    ----------
    feedback_id : int
        What they answer.

    Returns
    -------
    list of dict
    """
    found = database.rows(_OF_FEEDBACK, feedback_id=feedback_id)
    return [dict(zip(FIELDS, row, strict=True)) for row in found]


def store(account: Account, feedback_id: int, content: str, moment: str) -> dict[str, Any]:
    """
    Store a response.

    Parameters
    ----------
    account : Account
        Who answers.
    feedback_id : int
        What.
    content : str
        Checked against `SCHEMA`.
    moment : str
        When.

    Returns
    -------
    dict of str to object
        The record.
    """
    values = {
        "feedback_id": feedback_id,
        "user_id": account.id,
        "content": content,
        "created_at": moment,
    }
    key = database.insert(_INSERT, values)
    return {"id": key, **values, "user_name": account.name}
