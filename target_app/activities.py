"""``/api/v1/customers/{id}/timeline`` and ``/activities``: what was done with a customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import bindparam, insert

from target_app import answers, database, portfolios, schemas
from target_app.accounts import STAFF, Account
from target_app.api import Api
from target_app.models import ACTIVITY_KINDS, Activity, User, table_of
from target_app.moments import Moment
from target_app.paging import PAGE, Listing, Related
from target_app.rules import Choice, Text
from target_app.validation import Field

api = Api("activities")

_activities, _users = table_of(Activity), table_of(User)
FIELDS = {
    name: _activities.c[name]
    for name in ("id", "customer_id", "user_id", "kind", "subject", "body", "occurred_at")
}
SCHEMA = {
    "kind": Field(Choice(ACTIVITY_KINDS)),
    "subject": Field(Text(200)),
    "body": Field(Text(2000, lines=True), required=False),
    "occurred_at": Field(Moment(), required=False),
}
"""Of a new activity. It occurred now, when it does not say; what is planned lies ahead."""

_ANSWER = schemas.record(FIELDS)
_PAGE = schemas.page(schemas.record(FIELDS, user_name={"type": ["string", "null"]}))
TIMELINE = Listing(
    FIELDS,
    key=("occurred_at", "id"),
    where=_activities.c.customer_id == bindparam("customer_id"),
    related=Related("user_name", _users.c.name, via="user_id"),
)
"""The activities of one customer (``customer_id``), newest first."""
_INSERT = insert(_activities)


@api.get("/customers/<record:customer_id>/timeline", allow=STAFF, query=PAGE, answers={200: _PAGE})
def list_timeline(account: Account, customer_id: int, query: Mapping[str, Any]) -> Response:
    """
    List what was done with a customer, newest first.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which customer; 404, when the account may not see it.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        A page.
    """
    portfolios.require_visible(account, customer_id)
    return TIMELINE.answer(query, customer_id=customer_id)


@api.post(
    "/customers/<record:customer_id>/activities",
    allow=STAFF,
    body=SCHEMA,
    answers={201: _ANSWER},
    idempotent=True,
)
def create_activity(account: Account, customer_id: int, body: dict[str, Any]) -> Response:
    """
    Log an activity with a customer; its author is who asks.

    Parameters
    ----------
    account : Account
        Who did it.
    customer_id : int
        With which customer; 404, when the account may not see it.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        201 and the record.
    """
    portfolios.require_visible(account, customer_id)
    occurred_at = body["occurred_at"] or database.now()
    values = body | {
        "customer_id": customer_id,
        "user_id": account.id,
        "occurred_at": occurred_at,
    }
    record = dict.fromkeys(FIELDS) | values | {"id": database.insert(_INSERT, values)}
    return answers.created(f"/api/v1/customers/{customer_id}/timeline", record)
