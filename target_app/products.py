"""``/api/v1/products``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from target_app import schemas
from target_app.accounts import EVERYBODY, Account
from target_app.api import Api
from target_app.models import Product, table_of
from target_app.paging import PAGE, Listing

api = Api("products")

_products = table_of(Product)
FIELDS = {
    name: _products.c[name]
    for name in (
        "id",
        "sku",
        "name",
        "category",
        "price_cents",
    )
}

_LISTING = Listing(FIELDS, key=("id",))


_PAGE = schemas.page(schemas.record(FIELDS))


@api.get("/products", allow=EVERYBODY, query=PAGE, answers={200: _PAGE}, cached_s=60)
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
