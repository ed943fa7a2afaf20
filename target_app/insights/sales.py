"""Sales by month and currency: no rates of exchange are known, so currencies stay apart."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, bindparam, cast, func, literal_column, select

from target_app.folding import prefix_range
from target_app.insights import patience
from target_app.insights.figures import COUNT, MONEY, WORD, members
from target_app.models import Order, table_of

SCHEMA = members(
    group=WORD,
    items={
        "type": "array",
        "items": members(
            month=WORD, currency=WORD, orders=COUNT, revenue_cents=MONEY, average_cents=MONEY
        ),
    },
)

_orders = table_of(Order)
_MONTH = func.substr(_orders.c.placed_at, literal_column("1"), literal_column("7")).label("month")
_ALL = (
    select(
        _MONTH,
        _orders.c.currency,
        func.count().label("orders"),
        # PostgreSQL adds 64 bits up to something wider, which its driver gives as another type.
        cast(func.sum(_orders.c.total_cents), BigInteger).label("revenue"),
    )
    .where(_orders.c.status != "cancelled")
    .group_by(_MONTH, _orders.c.currency)
)
# A range only where one is asked for: to read all rows through an index is slower than without.
_FROM = _orders.c.placed_at >= bindparam("first")
_TO = _orders.c.placed_at < bindparam("beyond")
_STATEMENTS = {
    (False, False): _ALL,
    (True, False): _ALL.where(_FROM),
    (False, True): _ALL.where(_TO),
    (True, True): _ALL.where(_FROM, _TO),
}


def by_month(first: str | None = None, last: str | None = None) -> list[dict[str, Any]]:
    """
    Add up what was ordered and not cancelled.

    Parameters
    ----------
    first, last : str, optional
        Months, as ``2025-03``; from the first of all, to the last of all.

    Returns
    -------
    list of dict
        By month, then currency. ``average_cents`` is rounded to a whole cent, halves up.
    """
    given = {}
    if first is not None:
        given["first"] = first
    if last is not None:
        given["beyond"] = prefix_range(last)[1]
    found = patience.rows(_STATEMENTS[first is not None, last is not None], **given)
    return [
        {
            "month": month,
            "currency": currency,
            "orders": orders,
            "revenue_cents": revenue,
            "average_cents": (2 * revenue + orders) // (2 * orders),
        }
        for month, currency, orders, revenue in sorted(map(tuple, found))
    ]
