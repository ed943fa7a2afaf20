"""Recency, frequency, monetary value: customers by when, how often and for how much they buy.

Customers are ranked three times, and each rank is cut into fifths (Hughes, Strategic Database
Marketing, 1994): 5 is the fifth that bought last, most often, for the most. Equals are told apart
by their id. Amounts in several currencies are added as they are: no rates of exchange are known.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from target_app.insights import patience
from target_app.insights.figures import COUNT, NUMBER, WORD, members, ratio
from target_app.models import Order, table_of

SEGMENTS = (
    "champions",
    "loyal",
    "promising",
    "new",
    "needs_attention",
    "at_risk",
    "lost",
)
"""The best first."""

SCHEMA = members(
    customers=COUNT,
    segments={
        "type": "array",
        "items": members(segment=WORD | {"enum": list(SEGMENTS)}, customers=COUNT, share=NUMBER),
    },
)

_orders = table_of(Order)
_CUSTOMER = (
    select(
        _orders.c.customer_id,
        func.max(_orders.c.placed_at).label("latest"),
        func.count().label("orders"),
        func.sum(_orders.c.total_cents).label("spent"),
    )
    .where(_orders.c.status != "cancelled")
    .group_by(_orders.c.customer_id)
    .subquery()
)
_SCORED = select(
    *(
        func.ntile(5).over(order_by=(_CUSTOMER.c[measure], _CUSTOMER.c.customer_id)).label(score)
        for score, measure in (("r", "latest"), ("f", "orders"), ("m", "spent"))
    )
).subquery()
_COUNTED = select(*_SCORED.c, func.count()).group_by(*_SCORED.c)


def segments() -> dict[str, Any]:
    """
    Count the customers of each segment.

    Returns
    -------
    dict of str to object
        ``customers``, with an order that was not cancelled, and the ``segments`` with the share
        of them that each has (rounded to four digits).
    """
    counted: Counter[str] = Counter()
    for recency, frequency, monetary, customers in map(tuple, patience.rows(_COUNTED)):
        counted[segment(recency, frequency, monetary)] += customers
    total = counted.total()
    return {
        "customers": total,
        "segments": [
            {"segment": name, "customers": counted[name], "share": ratio(counted[name], total)}
            for name in SEGMENTS
        ],
    }


def segment(recency: int, frequency: int, monetary: int) -> str:
    """
    Name the segment of a customer.

    =========  =========  =======  ===============
    worth      recency    recency  recency
               1 or 2     3        4 or 5
    =========  =========  =======  ===============
    4 or 5     at_risk    loyal    champions
    3          at_risk    needs_attention  promising
    2          lost       needs_attention  promising
    1          lost       needs_attention  new
    =========  =========  =======  ===============

    Parameters
    ----------
    recency, frequency, monetary : int
        Scores from 1 to 5. The worth is the mean of the latter two, halves up.

    Returns
    -------
    str
        One of `SEGMENTS`.
    """
    worth = (frequency + monetary + 1) // 2
    if recency <= 2:  # noqa: PLR2004 - scores, as in the table above
        return "at_risk" if worth >= 3 else "lost"  # noqa: PLR2004
    if recency == 3:  # noqa: PLR2004
        return "loyal" if worth >= 4 else "needs_attention"  # noqa: PLR2004
    if worth >= 4:  # noqa: PLR2004
        return "champions"
    return "promising" if worth > 1 else "new"
