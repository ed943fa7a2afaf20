"""``/api/v1/products``."""

from flask import Blueprint, Response

from target_app.models import Product
from target_app.paging import Listing

blueprint = Blueprint("products", __name__)

FIELDS = {
    "id": Product.id,
    "sku": Product.sku,
    "name": Product.name,
    "category": Product.category,
    "price_cents": Product.price_cents,
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
