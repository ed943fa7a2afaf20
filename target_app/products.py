"""``/api/v1/products``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import bindparam, select
from werkzeug.exceptions import NotFound

from target_app import answers, database, schemas
from target_app.accounts import EVERYBODY, Account
from target_app.api import Api
from target_app.models import Product, table_of
from target_app.paging import PAGE, Listing

api = Api("products")

_products = table_of(Product)
FIELDS = {name: _products.c[name] for name in ("id", "sku", "name", "category", "price_cents")}

_ANSWER = schemas.record(FIELDS)
_LISTING = Listing(FIELDS, key=("id",))
_BY_ID = select(*FIELDS.values()).where(_products.c.id == bindparam("product_id"))


@api.get(
    "/products", allow=EVERYBODY, query=PAGE, answers={200: schemas.page(_ANSWER)}, cached_s=60
)
def list_products(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List products, newest first.

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
    del account
    return _LISTING.answer(query)


@api.get("/products/<record:product_id>", allow=EVERYBODY, answers={200: _ANSWER}, cached_s=60)
def open_product(account: Account, product_id: int) -> Response:
    """
    Open one product.

    Parameters
    ----------
    account : Account
        Who asks.
    product_id : int
        Which.

    Returns
    -------
    Response
        The record.

    Raises
    ------
    NotFound
        404, when there is no such product.
    """
    del account
    found = database.rows(_BY_ID, product_id=product_id)
    if not found:
        raise NotFound(f"Product {product_id} does not exist.")
    return answers.ok(dict(zip(FIELDS, found[0], strict=True)))
