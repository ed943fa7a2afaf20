"""``/api/v1/orders``, and the orders of one customer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from sqlalchemy import bindparam, insert, select
from werkzeug.exceptions import NotFound

from target_app import answers, customers, database, schemas
from target_app.accounts import EVERYBODY, STAFF, Account
from target_app.api import Api
from target_app.models import CURRENCIES, Order, OrderItem, Product, table_of
from target_app.paging import PAGE, Listing
from target_app.problems import FieldError, Invalid
from target_app.rules import RECORD, Choice, Whole
from target_app.validation import Field, Listed

api = Api("orders")

_orders, _items, _products = map(table_of, (Order, OrderItem, Product))
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

_SHORT = schemas.record(FIELDS)
_ITEM = schemas.record(ITEM_FIELDS)
_ANSWER = schemas.record(FIELDS, items={"type": "array", "items": _ITEM})
_PAGE = schemas.page(_SHORT)

_KEY = ("placed_at", "id")
_LISTING = Listing(FIELDS, _KEY)
_OF_CUSTOMER = Listing(FIELDS, _KEY, where=_orders.c.customer_id == bindparam("customer_id"))
_BY_ID = select(*FIELDS.values()).where(_orders.c.id == bindparam("order_id"))
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


@api.get("/orders", allow=STAFF, query=PAGE, answers={200: _PAGE}, cached_s=5)
def list_orders(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List orders without their items, newest first.

    Returns
    -------
    Response
        A page.
    """
    del account
    return _LISTING.answer(query)


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
    customer_id : int
        Which customer.

    Returns
    -------
    Response
        A page.

    Raises
    ------
    NotFound
        404, when there is no such customer.
    """
    customers.require_visible(account, customer_id)
    return _OF_CUSTOMER.answer(query, customer_id=customer_id)


@api.get("/orders/<record:order_id>", allow=EVERYBODY, answers={200: _ANSWER})
def open_order(account: Account, order_id: int) -> Response:
    """
    Open one order with its items.

    Parameters
    ----------
    order_id : int
        Which.

    Returns
    -------
    Response
        The record.

    Raises
    ------
    NotFound
        404, when there is no such order.
    """
    found = database.rows(_BY_ID, order_id=order_id)
    if not found:
        raise NotFound(f"Order {order_id} does not exist.")
    order = dict(zip(FIELDS, found[0], strict=True))
    customers.require_visible(account, order["customer_id"])
    items = database.rows(_ITEMS, order_id=order_id)
    order["items"] = [dict(zip(ITEM_FIELDS, item, strict=True)) for item in items]
    return answers.ok(order)


@api.post("/orders", allow=STAFF, body=SCHEMA, answers={201: _ANSWER}, idempotent=True)
def create_order(account: Account, body: dict[str, Any]) -> Response:
    """
    Create an order and its items, in one transaction, at today's prices.

    Returns
    -------
    Response
        201 and the record.
    """
    items = _priced(account, body)
    order = {
        "number": f"N-{secrets.token_hex(8).upper()}",
        "customer_id": body["customer_id"],
        "status": "new",
        "currency": body["currency"],
        "total_cents": sum(item["qty"] * item["unit_price_cents"] for item in items),
        "placed_at": database.now(),
        "version": 1,
    }
    key = database.insert(_INSERT, order)
    stored = ("product_id", "qty", "unit_price_cents")
    database.insert_all(
        _INSERT_ITEMS, [{"order_id": key} | {name: item[name] for name in stored} for item in items]
    )
    return answers.created(f"/api/v1/orders/{key}", {"id": key, **order, "items": items})


def _priced(account: Account, body: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """
    Look the products of an order up.

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
    if not customers.exists(account, body["customer_id"]):
        errors.insert(0, FieldError("/customer_id", "is no customer that exists"))
    if errors:
        raise Invalid(errors)
    return [_item(products[item["product_id"]], item["qty"]) for item in body["items"]]


def _item(product: Any, qty: int) -> dict[str, Any]:
    """Make one item as `ITEM_FIELDS` shows it."""
    return {
        "product_id": product.id,
        "sku": product.sku,
        "name": product.name,
        "qty": qty,
        "unit_price_cents": product.price_cents,
    }
