"""``/orders/<id>``: one order, and the buttons that move it on."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, render_template, request

from target_app import customers, orders
from target_app.accounts import EVERYBODY, Account
from target_app.models import ORDER_STATUSES
from target_app.pages import respond, see_other
from target_app.pages.forms import Form
from target_app.pages.registrar import Pages
from target_app.problems import Conflict, Invalid
from target_app.rules import Choice
from target_app.validation import Field

pages = Pages("order")

_LABELS = {"status": "Status"}
_SCHEMA = {"status": Field(Choice(ORDER_STATUSES))}
_STALE = "Somebody has changed this order since you opened it. This is what it is now."
_DONE = {
    "paid": "The order is marked as paid.",
    "shipped": "The order is marked as shipped.",
    "cancelled": "The order is cancelled.",
}
_STEPS = {"paid": "Mark as paid", "shipped": "Mark as shipped", "cancelled": "Cancel the order"}


@pages.get("/orders/<record:order_id>", allow=EVERYBODY)
def show_order(account: Account, order_id: int) -> Response:
    """
    Show one order with its items.

    Parameters
    ----------
    account : Account
        Who asks.
    order_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        The page.
    """
    return _render(account, order_id, Form(_LABELS, {}))


@pages.post("/orders/<record:order_id>/status", allow=orders.HANDLERS, resource="orders")
def move_order(account: Account, order_id: int) -> Response:
    """
    Take one of the buttons that move an order on.

    Parameters
    ----------
    account : Account
        Who moves it.
    order_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        303 to the order's page; or 409, that page, when the order has been changed meanwhile or
        there is no such step.
    """
    form = Form.sent(_LABELS)
    try:
        form.require_version(orders.read(account, order_id, lock=True)["version"], _STALE)
        body = form.check(_SCHEMA)
        orders.move(account, order_id, body["status"])
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _render(account, order_id, form)
    return see_other(f"/orders/{order_id}?done={body['status']}")


def _render(account: Account, order_id: int, form: Form) -> Response:
    """Render the page of an order."""
    order = orders.read(account, order_id)
    html = render_template(
        "order.html",
        order=order,
        customer=customers.read(account, order["customer_id"]),
        steps=_steps(account, order["status"]),
        form=form,
        done=_DONE.get(request.args.get("done", "")),
    )
    return respond(html, form.status)


def _steps(account: Account, status: str) -> Sequence[tuple[str, str]]:
    """List what an account may make of an order, and what the button says."""
    if account.role not in orders.HANDLERS:
        return ()
    return [(following, _STEPS[following]) for following in orders.NEXT[status]]
