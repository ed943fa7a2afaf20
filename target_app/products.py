"""``/api/v1/products``."""

from flask import Blueprint, Response

from target_app.models import Product, table_of
from target_app.paging import Listing

blueprint = Blueprint("products", __name__)

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


@blueprint.get("/products")
def list_products() -> Response:
    """
    List products, newest first.

    Returns
    -------
    Response
        A page.
    """
    return _LISTING.answer()
