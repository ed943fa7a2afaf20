"""``/api/v1/orders``, and the orders of one customer."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import bindparam, insert, select
from werkzeug.exceptions import NotFound

from target_app import answers, bodies, database
from target_app.customers import customer_exists
from target_app.models import CURRENCIES, Order, OrderItem, Product, table_of
from target_app.paging import Listing
from target_app.problems import FieldError, Invalid
from target_app.rules import RECORD, Choice, Whole
from target_app.validation import Field, Listed, check

blueprint = Blueprint("orders", __name__)

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


@blueprint.get("/orders")
def list_orders() -> Response:
    """
    List orders without their items, newest first.

    Returns
    -------
    Response
        A page.
    """
    return _LISTING.answer()


@blueprint.get("/customers/<record:customer_id>/orders")
def list_orders_of_customer(customer_id: int) -> Response:
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
    if not customer_exists(customer_id):
        raise NotFound(f"Customer {customer_id} does not exist.")
    return _OF_CUSTOMER.answer(customer_id=customer_id)


@blueprint.get("/orders/<record:order_id>")
def open_order(order_id: int) -> Response:
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
    items = database.rows(_ITEMS, order_id=order_id)
    order = dict(zip(FIELDS, found[0], strict=True))
    order["items"] = [dict(zip(ITEM_FIELDS, item, strict=True)) for item in items]
    return answers.ok(order)


@blueprint.post("/orders")
def create_order() -> Response:
    """
    Create an order and its items, in one transaction, at today's prices.

    Returns
    -------
    Response
        201 and the record.
    """
    body = check(SCHEMA, bodies.read_json())
    items = _priced(body)
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
    database.commit()
    return answers.created(f"/api/v1/orders/{key}", {"id": key, **order, "items": items})


def _priced(body: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
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
    if not customer_exists(body["customer_id"]):
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
