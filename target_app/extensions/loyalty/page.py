"""``/customers/<id>/loyalty``: a customer's points, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template

from target_app import customers
from target_app.accounts import EVERYBODY, Account
from target_app.extensions.loyalty import ledger
from target_app.extensions.loyalty.views import LISTING
from target_app.pages import respond
from target_app.pages.registrar import Pages
from target_app.paging import PAGE

pages = Pages("loyalty", __name__)

_ROWS = 25


@pages.get(
    "/customers/<record:customer_id>/loyalty", allow=EVERYBODY, query={"after": PAGE["after"]}
)
def show_loyalty(account: Account, customer_id: int, query: Mapping[str, Any]) -> Response:
    """
    Show a customer's points, and where they come from.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Whose points; 404, when the account may not see the customer.
    query : mapping of str to object
        ``after``: turns to older entries.

    Returns
    -------
    Response
        The page.
    """
    customer = customers.read(account, customer_id)
    html = render_template(
        "loyalty.html",
        customer=customer,
        balance=ledger.balance(customer_id),
        entries=LISTING.page(_ROWS, query["after"], customer_id=customer_id),
        query=query,
    )
    return respond(html)
