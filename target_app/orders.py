"""``/api/v1/orders``, and the orders of one customer."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, current_app
from sqlalchemy import and_, bindparam, insert, select, true, update
from werkzeug.exceptions import NotFound

from target_app import answers, changes, conditions, database, portfolios, schemas
from target_app.accounts import EVERYBODY, STAFF, Account
from target_app.api import Api
from target_app.events import order_cancelled, order_placed
from target_app.models import (
    CURRENCIES,
    ORDER_STATUSES,
    Customer,
    Order,
    OrderItem,
    Product,
    table_of,
)
from target_app.paging import PAGE, Listing, Related
from target_app.problems import Conflict, FieldError, Invalid
from target_app.rules import RECORD, Choice, Whole
from target_app.validation import Field, Listed, Parameter

api = Api("orders")

_orders, _items, _products = map(table_of, (Order, OrderItem, Product))
_customers = table_of(Customer)
FIELDS = {
    name: _orders.c[name]
    for name in (
        "id",
        "number",
        "customer_id",
        "status",
        "currency",
        "total_cents",
        "placed_at",
        "version",
    )
}
ITEM_FIELDS = {
    "product_id": _items.c.product_id,
    "sku": _products.c.sku,
    "name": _products.c.name,
    "qty": _items.c.qty,
    "unit_price_cents": _items.c.unit_price_cents,
}
SCHEMA = {
    "customer_id": Field(RECORD),
    "currency": Field(Choice(CURRENCIES), required=False, default="USD"),
    "items": Field(
        Listed({"product_id": Field(RECORD), "qty": Field(Whole(1, 1000))}, longest=50),
    ),
}
"""Of a new order. At most 50,000 pieces, so that no total outgrows a column of 64 bits."""

NEXT: Mapping[str, tuple[str, ...]] = {
    "new": ("paid", "cancelled"),
    "paid": ("shipped", "cancelled"),
    "shipped": (),
    "cancelled": (),
}
"""What an order of each status may become."""

HANDLERS = frozenset({"sales", "support", "manager", "admin"})
"""The roles that may change the status of an order."""

_ITEM = schemas.record(ITEM_FIELDS)
_ANSWER = schemas.record(FIELDS, items={"type": "array", "items": _ITEM})
_PAGE = schemas.page(schemas.record(FIELDS, customer_name={"type": ["string", "null"]}))
_FILTERS = PAGE | {"status": Parameter(Choice(ORDER_STATUSES), about="Only orders of this status.")}

_KEY = ("placed_at", "id")
_CUSTOMER_NAME = Related("customer_name", _customers.c.name, via="customer_id")
OF_CUSTOMER = Listing(
    FIELDS,
    _KEY,
    where=_orders.c.customer_id == bindparam("customer_id"),
    related=_CUSTOMER_NAME,
)
"""The orders of one customer (``customer_id``), newest first."""
_BY_ID = select(*FIELDS.values(), _orders.c.owner_id).where(_orders.c.id == bindparam("order_id"))
_LOCKED = _BY_ID.with_for_update(key_share=True)
_ITEMS = (
    select(*ITEM_FIELDS.values())
    .join(_products, _products.c.id == _items.c.product_id)
    .where(_items.c.order_id == bindparam("order_id"))
    .order_by(_items.c.id)
)
_PRODUCTS = select(
    _products.c.id, _products.c.sku, _products.c.name, _products.c.price_cents
).where(_products.c.id.in_(bindparam("product_ids", expanding=True)))
_INSERT = insert(_orders)
_INSERT_ITEMS = insert(_items)
_UPDATE = update(_orders).where(_orders.c.id == bindparam("order_id"))


@functools.cache
def _listing(*filters: str) -> Listing:
    """Give the list whose rows equal the parameters of some names."""
    where = and_(true(), *(_orders.c[name] == bindparam(f"only_{name}") for name in filters))
    return Listing(FIELDS, _KEY, where, related=_CUSTOMER_NAME)


@api.get("/orders", allow=STAFF, query=_FILTERS, answers={200: _PAGE}, cached_s=5)
def list_orders(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List orders without their items, newest first; for a sales rep those of the own portfolio.

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
    wanted = {"owner_id": account.portfolio, "status": query["status"]}
    filters = {name: value for name, value in wanted.items() if value is not None}
    only = {f"only_{name}": value for name, value in filters.items()}
    return _listing(*filters).answer(query, **only)


@api.get(
    "/customers/<record:customer_id>/orders", allow=EVERYBODY, query=PAGE, answers={200: _PAGE}
)
def list_orders_of_customer(
    account: Account, customer_id: int, query: Mapping[str, Any]
) -> Response:
    """
    List the orders of one customer without their items, newest first.

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
    return OF_CUSTOMER.answer(query, customer_id=customer_id)


@api.get("/orders/<record:order_id>", allow=EVERYBODY, answers={200: _ANSWER}, versioned=True)
def open_order(account: Account, order_id: int) -> Response:
    """
    Open one order with its items.

    Parameters
    ----------
    account : Account
        Who asks.
    order_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        The record.
    """
    return conditions.record(read(account, order_id))


@api.post(
    "/orders",
    allow=EVERYBODY,
    body=SCHEMA,
    answers={201: _ANSWER},
    idempotent=True,
    versioned=True,
)
def create_order(account: Account, body: dict[str, Any]) -> Response:
    """
    Create an order and its items, at today's prices; on the portal, for oneself.

    Parameters
    ----------
    account : Account
        Who orders.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        201 and the record.
    """
    order = place(account, body)
    return conditions.tagged(answers.created(f"/api/v1/orders/{order['id']}", order), 1)


@api.patch(
    "/orders/<record:order_id>",
    allow=HANDLERS,
    body={"status": Field(Choice(ORDER_STATUSES))},
    answers={200: _ANSWER},
    versioned=True,
)
def change_order(account: Account, order_id: int, body: dict[str, Any]) -> Response:
    """
    Move an order on: new to paid to shipped, or to cancelled before that.

    Parameters
    ----------
    account : Account
        Who moves it.
    order_id : int
        Which; 404, when the account may not see it.
    body : dict of str to object
        The new status.

    Returns
    -------
    Response
        The record as it is now; 409 for a step that there is not.
    """
    return conditions.record(move(account, order_id, body.get("status")))


def read(account: Account, order_id: int, *, lock: bool = False) -> dict[str, Any]:
    """
    Read an order that an account may see.

    Parameters
    ----------
    account : Account
        Who asks.
    order_id : int
        Which.
    lock : bool
        Whether it is going to be changed.

    Returns
    -------
    dict of str to object
        The record with its items.

    Raises
    ------
    NotFound
        404, when there is none, or it is somebody else's.
    """
    found = database.rows(_LOCKED if lock else _BY_ID, order_id=order_id)
    if found:
        order: dict[str, Any] = dict(zip((*FIELDS, "owner_id"), found[0], strict=True))
        owner_id = order.pop("owner_id")
        if portfolios.visible(account, order["customer_id"], owner_id):
            items = database.rows(_ITEMS, order_id=order_id)
            return order | {"items": [dict(zip(ITEM_FIELDS, i, strict=True)) for i in items]}
    raise NotFound(f"Order {order_id} does not exist.")


def place(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Store an order that has been checked, and tell who listens (`target_app.events`).

    Parameters
    ----------
    account : Account
        Who orders.
    body : mapping of str to object
        The fields of `SCHEMA`.

    Returns
    -------
    dict of str to object
        The whole record; not yet committed.
    """
    items, link = _checked(account, body)
    values = {
        "number": f"N-{secrets.token_hex(8).upper()}",
        "customer_id": body["customer_id"],
        "status": "new",
        "currency": body["currency"],
        "total_cents": sum(item["qty"] * item["unit_price_cents"] for item in items),
        "placed_at": database.now(),
        "version": 1,
    }
    key = database.insert(_INSERT, values | {"owner_id": link.owner_id})
    stored = ("product_id", "qty", "unit_price_cents")
    database.insert_all(
        _INSERT_ITEMS, [{"order_id": key} | {name: item[name] for name in stored} for item in items]
    )
    order = {"id": key, **values, "items": items}
    order_placed.send(current_app._get_current_object(), order=order)  # type: ignore[attr-defined]
    return order


def move(account: Account, order_id: int, status: str | None) -> dict[str, Any]:
    """
    Give an order its next status.

    Parameters
    ----------
    account : Account
        Who moves it.
    order_id : int
        Which.
    status : str or None
        One of those that `NEXT` allows; None to change nothing but the version.

    Returns
    -------
    dict of str to object
        The record as it is now, with its items; not yet committed.

    Raises
    ------
    Conflict
        409, when the order may not become that.
    """
    order = read(account, order_id, lock=True)
    conditions.require_match(order["version"])
    before = order["status"]
    if status is not None and status not in NEXT[before]:
        allowed = " or ".join(NEXT[before]) or "nothing else"
        raise Conflict([FieldError("/status", f"is {before}, which may become {allowed}")])
    values = {"status": status or before, "version": order["version"] + 1}
    database.change(_UPDATE.values(values), order_id=order_id)
    changes.note(account, "order", order_id, f"{before} to {values['status']}")
    order |= values
    if status == "cancelled":
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        order_cancelled.send(app, order=order)
    return order


def _checked(
    account: Account, body: Mapping[str, Any]
) -> tuple[Sequence[dict[str, Any]], portfolios.Link]:
    """
    Look the products of an order up, and whose it is.

    Raises
    ------
    Invalid
        With everything in it that does not exist.
    """
    wanted = sorted({item["product_id"] for item in body["items"]})
    products = {row.id: row for row in database.rows(_PRODUCTS, product_ids=wanted)}
    errors = [
        FieldError(f"/items/{place}/product_id", "is no product that exists")
        for place, item in enumerate(body["items"])
        if item["product_id"] not in products
    ]
    link = portfolios.link(account, body["customer_id"])
    if link is None:
        errors.insert(0, FieldError("/customer_id", "is no customer that exists"))
    if link is None or errors:
        raise Invalid(errors)
    return [_item(products[item["product_id"]], item["qty"]) for item in body["items"]], link


def _item(product: Any, qty: int) -> dict[str, Any]:
    """Make one item as `ITEM_FIELDS` shows it."""
    return {
        "product_id": product.id,
        "sku": product.sku,
        "name": product.name,
        "qty": qty,
        "unit_price_cents": product.price_cents,
    }
