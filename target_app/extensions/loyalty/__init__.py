"""Loyalty: customers earn points with orders, and redeem them.

An example of a functional extension: a table, a hook on orders, two operations, a page.
"""

from target_app.extensions import Extension, Link
from target_app.extensions.loyalty import earning, ledger, page, views


def _links(customer_id: int) -> list[Link]:
    return [Link(label="Loyalty points", href=f"/customers/{customer_id}/loyalty")]


extension = Extension(
    name="loyalty",
    tables=ledger.metadata,
    api=views.api,
    pages=page.pages,
    connect=earning.connect,
    customer_links=_links,
)
