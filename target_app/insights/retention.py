"""Who buys again, and who stays from one year to the next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, func, select

from target_app import schemas
from target_app.insights import patience, present
from target_app.insights.figures import COUNT, FIGURE, figure, members
from target_app.models import Order, table_of
from target_app.moments import as_text

SCHEMA = members(
    now={**schemas.MOMENT, "type": ["string", "null"]},
    customers=COUNT,
    repeat_rate=FIGURE,
    retention=FIGURE,
    churn=FIGURE,
)

_YEAR = timedelta(days=365)

_orders = table_of(Order)
_LAST = _orders.c.placed_at > bindparam("year_ago")
_PREVIOUS = and_(
    _orders.c.placed_at <= bindparam("year_ago"), _orders.c.placed_at > bindparam("two_years_ago")
)
_CUSTOMER = (
    select(
        func.count().label("orders"),
        func.max(case((_LAST, 1), else_=0)).label("last"),
        func.max(case((_PREVIOUS, 1), else_=0)).label("previous"),
    )
    .where(_orders.c.status != "cancelled")
    .group_by(_orders.c.customer_id)
    .subquery()
)
_COUNTED = select(
    func.count().label("bought"),
    func.count(case((_CUSTOMER.c.orders > 1, 1))).label("again"),
    func.count(case((_CUSTOMER.c.previous == 1, 1))).label("before"),
    func.count(case((and_(_CUSTOMER.c.previous == 1, _CUSTOMER.c.last == 1), 1))).label("stayed"),
)


def measure() -> dict[str, Any]:
    """
    Measure how many customers buy again, stay, or are lost.

    Returns
    -------
    dict of str to object
        ``repeat_rate``: of the customers with an order, the share with two or more; ``retention``:
        of those who bought in the year before last, the share who bought in the last one as well;
        ``churn``: the share who did not. A year is 365 days, the last one ends at ``now``.
    """
    now = present.now()
    end = datetime.fromisoformat(now) if now else datetime(2000, 1, 1)  # noqa: DTZ001 - of nothing
    found = patience.rows(
        _COUNTED, year_ago=as_text(end - _YEAR), two_years_ago=as_text(end - 2 * _YEAR)
    )[0]
    return {
        "now": now,
        "customers": found.bought,
        "repeat_rate": figure(found.again, found.bought),
        "retention": figure(found.stayed, found.before),
        "churn": figure(found.before - found.stayed, found.before),
    }
