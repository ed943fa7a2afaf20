"""What the overview counts and lists, each figure at a cost that hardly grows with the data.

Lists begin where an index begins. Only the customers of a rep are counted whole, in an index that
holds what is counted by. (The reports are another matter: see `target_app.insights`.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, func, select

from target_app import database
from target_app.models import CUSTOMER_STATUSES, Activity, Customer, Feedback, table_of

WAITING_COUNTED = 100
"""Beyond this the queue is said to be longer."""

_customers, _activities, _feedback = map(table_of, (Customer, Activity, Feedback))
_MOST = bindparam("most", type_=BigInteger)

_PORTFOLIO = (
    select(_customers.c.status, func.count().label("number"))
    .where(_customers.c.owner_id == bindparam("owner_id"))
    .group_by(_customers.c.status)
)
_LAST = (
    select(func.max(_activities.c.occurred_at))
    .where(_activities.c.customer_id == _customers.c.id)
    .scalar_subquery()
)
# By when they came, for which there is an index. By the last activity would have to look at every
# lead of the portfolio; here that is looked up for those shown.
_LEADS = (
    select(
        *(_customers.c[name] for name in ("id", "name", "company", "created_at")),
        _LAST.label("last_at"),
    )
    .where(_customers.c.owner_id == bindparam("owner_id"))
    .where(_customers.c.status == "lead")
    .order_by(_customers.c.created_at, _customers.c.id)
    .limit(_MOST)
)
_NEW = _feedback.c.status == "new"
_WAITING = (
    select(*(_feedback.c[n] for n in ("id", "name", "content", "score", "created_at", "status")))
    .where(_NEW)
    .order_by(_feedback.c.created_at, _feedback.c.id)
    .limit(_MOST)
)
_WAITING_NUMBER = select(func.count()).select_from(
    select(_feedback.c.id).where(_NEW).limit(_MOST).subquery()
)


def portfolio(owner_id: int) -> Mapping[str, int]:
    """
    Count the customers of a sales rep.

    Parameters
    ----------
    owner_id : int
        Whose.

    Returns
    -------
    mapping of str to int
        By status, each of them.
    """
    found = {row.status: row.number for row in database.rows(_PORTFOLIO, owner_id=owner_id)}
    return {status: found.get(status, 0) for status in CUSTOMER_STATUSES}


def oldest_leads(owner_id: int, most: int) -> Sequence[Row[Any]]:
    """
    List the leads of a sales rep that were added the longest ago.

    Parameters
    ----------
    owner_id : int
        Whose.
    most : int
        How many.

    Returns
    -------
    sequence of Row
        ``id``, ``name``, ``company``, ``created_at``, and of the last activity ``last_at``.
    """
    return database.rows(_LEADS, owner_id=owner_id, most=most)


def waiting_feedback(most: int) -> Sequence[Row[Any]]:
    """
    List the feedback that has been waiting the longest.

    Parameters
    ----------
    most : int
        How much.

    Returns
    -------
    sequence of Row
    """
    return database.rows(_WAITING, most=most)


def waiting_number() -> int:
    """
    Count the feedback that is waiting.

    Returns
    -------
    int
        `WAITING_COUNTED` and one stands for more.
    """
    number: int = database.rows(_WAITING_NUMBER, most=WAITING_COUNTED + 1)[0][0]
    return number
