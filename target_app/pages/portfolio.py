"""``/customers``: the list, and the page of one customer with timeline and orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import bindparam, select

from target_app import activities, customers, database, orders, search
from target_app.accounts import EVERYBODY, STAFF, Account
from target_app.models import ACTIVITY_KINDS, CUSTOMER_STATUSES, SEGMENTS, Customer, User, table_of
from target_app.pages import respond, see_other
from target_app.pages.forms import Form
from target_app.pages.registrar import Pages
from target_app.paging import PAGE
from target_app.problems import Invalid
from target_app.rules import Choice, Text
from target_app.validation import Parameter

pages = Pages("portfolio")

_ROWS = 25
_EVENTS = 15
_ORDERS = 8
_FILTERS = {
    "q": Parameter(Text(120)),
    "status": Parameter(Choice(CUSTOMER_STATUSES)),
    "segment": Parameter(Choice(SEGMENTS)),
    "after": PAGE["after"],
}
_ACTIVITY = {"kind": "What it was", "subject": "In a few words", "body": "What was said or done"}
_DONE = {
    "activity": "The activity is in the timeline.",
    "created": "The customer has been added.",
    "changed": "The changes have been saved.",
}

_customers, _users = table_of(Customer), table_of(User)
_NAME = select(_users.c.name).where(_users.c.id == bindparam("user_id"))
_BY_IDS = (
    select(*customers.FIELDS.values(), _users.c.name.label("owner_name"))
    .outerjoin(_users, _users.c.id == _customers.c.owner_id)
    .where(_customers.c.id.in_(bindparam("ids", expanding=True)))
)


@pages.get("/customers", allow=STAFF, query=_FILTERS)
def show_customers(account: Account, query: Mapping[str, Any]) -> Response:
    """
    Show customers, newest first; or those whose name or company begins with something.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        Filters, and where to go on.

    Returns
    -------
    Response
        The page.
    """
    found = _list(account, query) if query["q"] is None else _search(account, query)
    html = render_template(
        "customers.html",
        **found,
        query=query,
        statuses=CUSTOMER_STATUSES,
        segments=SEGMENTS,
        may_add=account.role in customers.EDITORS,
    )
    return respond(html)


@pages.get("/customers/<record:customer_id>", allow=EVERYBODY, query={"after": PAGE["after"]})
def show_customer(account: Account, customer_id: int, query: Mapping[str, Any]) -> Response:
    """
    Show one customer.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which; 404, when the account may not see it.
    query : mapping of str to object
        ``after``: turns to older activities.

    Returns
    -------
    Response
        The page.
    """
    form = Form(_ACTIVITY, {"kind": "call"})
    return _render(account, customer_id, form, query["after"])


@pages.post("/customers/<record:customer_id>/activities", allow=STAFF, resource="activities")
def log_activity(account: Account, customer_id: int) -> Response:
    """
    Take the form for an activity.

    Parameters
    ----------
    account : Account
        Who did it.
    customer_id : int
        With which customer; 404, when the account may not see it.

    Returns
    -------
    Response
        303 to the customer's page; or 422, that page with what was typed.
    """
    form = Form.sent(_ACTIVITY)
    try:
        activities.create_activity(account, customer_id, form.check(activities.SCHEMA))
    except Invalid as invalid:
        form.refuse(invalid)
        return _render(account, customer_id, form, None)
    return see_other(f"/customers/{customer_id}?done=activity#timeline")


@pages.get(
    "/customers/<record:customer_id>/orders", allow=EVERYBODY, query={"after": PAGE["after"]}
)
def show_orders(account: Account, customer_id: int, query: Mapping[str, Any]) -> Response:
    """
    Show the orders of one customer.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which; 404, when the account may not see it.
    query : mapping of str to object
        ``after``: turns to older orders.

    Returns
    -------
    Response
        The page.
    """
    html = render_template(
        "customer_orders.html",
        customer=customers.read(account, customer_id),
        orders=orders.OF_CUSTOMER.page(_ROWS, query["after"], customer_id=customer_id),
        query=query,
    )
    return respond(html)


def _list(account: Account, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a page of the list."""
    wanted = {**query, "limit": _ROWS, "owner_id": None}
    found = customers.list_customers(account, wanted).get_json()
    return {"customers": found["items"], "next": found["next"]}


def _search(account: Account, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give those among the first that the search finds which pass the filters."""
    ids = [found["id"] for found in search.find(account, query["q"], search.LIMIT_MAX)]
    rows = {row.id: row._mapping for row in database.rows(_BY_IDS, ids=ids)} if ids else {}
    found = [
        rows[key]
        for key in ids
        if query["status"] in {None, rows[key]["status"]}
        and query["segment"] in {None, rows[key]["segment"]}
    ]
    return {"customers": found, "cut": len(ids) == search.LIMIT_MAX}


def _render(account: Account, customer_id: int, form: Form, after: str | None) -> Response:
    """Render the page of a customer; what was done with it is for staff."""
    customer = customers.read(account, customer_id)
    timeline = None
    if account.role in STAFF:
        timeline = activities.TIMELINE.page(_EVENTS, after, customer_id=customer_id)
    html = render_template(
        "customer.html",
        customer=customer,
        owner_name=_owner_name(account, customer["owner_id"]),
        timeline=timeline,
        orders=orders.OF_CUSTOMER.page(_ORDERS, customer_id=customer_id),
        form=form,
        kinds=ACTIVITY_KINDS,
        query={"after": after},
        done=_DONE.get(request.args.get("done", "")),
        may_edit=account.role in customers.EDITORS,
    )
    return respond(html, form.status)


def _owner_name(account: Account, owner_id: int | None) -> str | None:
    """Name the owner of a customer."""
    if owner_id in {None, account.id}:
        return account.name if owner_id else None
    found = database.rows(_NAME, user_id=owner_id)
    return found[0][0] if found else None
