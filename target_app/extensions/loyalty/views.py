"""``/api/v1/customers/{id}/loyalty``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import bindparam

from target_app import answers, changes, portfolios, schemas
from target_app.accounts import EVERYBODY, Account
from target_app.api import Api
from target_app.extensions.loyalty import ledger
from target_app.paging import PAGE, Listing
from target_app.problems import Conflict, FieldError
from target_app.rules import Whole
from target_app.validation import Field

api = Api("loyalty")

REDEEMED_MOST = 1_000_000

_ENTRY = schemas.record(ledger.FIELDS)
_BALANCE: dict[str, Any] = {"balance": {"type": "integer"}}
_PAGE = schemas.page(_ENTRY)
_PAGE["properties"] |= _BALANCE
_PAGE["required"] += list(_BALANCE)
LISTING = Listing(
    ledger.FIELDS,
    key=("id",),
    where=ledger.entries.c.customer_id == bindparam("customer_id"),
)


@api.get(
    "/customers/<record:customer_id>/loyalty",
    allow=EVERYBODY,
    query=PAGE,
    answers={200: _PAGE},
)
def show_points(account: Account, customer_id: int, query: Mapping[str, Any]) -> Response:
    """
    Show a customer's points, and where they come from, newest first.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Whose points.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        A page, and the ``balance``.
    """
    portfolios.require_visible(account, customer_id)
    balance = ledger.balance(customer_id)
    return LISTING.answer(query, {"balance": balance}, customer_id=customer_id)


@api.post(
    "/customers/<record:customer_id>/loyalty/redemptions",
    allow=EVERYBODY,
    body={"points": Field(Whole(1, REDEEMED_MOST))},
    answers={201: schemas.record(ledger.FIELDS, **_BALANCE)},
    idempotent=True,
)
def redeem_points(account: Account, customer_id: int, body: dict[str, Any]) -> Response:
    """
    Redeem points.

    Parameters
    ----------
    account : Account
        Who redeems.
    customer_id : int
        Whose points.
    body : dict of str to object
        How many.

    Returns
    -------
    Response
        201 and the entry, with the balance that is left.

    Raises
    ------
    Conflict
        409, when there are fewer.
    """
    portfolios.require_visible(account, customer_id)
    balance = ledger.balance(customer_id, lock=True)
    if body["points"] > balance:
        raise Conflict([FieldError("/points", f"is more than the balance, which is {balance}")])
    entry = ledger.add(customer_id, -body["points"], "redemption")
    changes.note(account, "customer", customer_id, f"redeemed {body['points']} points")
    where = f"/api/v1/customers/{customer_id}/loyalty"
    return answers.created(where, entry | {"balance": balance - body["points"]})
