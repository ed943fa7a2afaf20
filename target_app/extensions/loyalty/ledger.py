"""The ledger of points: rows are added, never changed, and the balance is their sum."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)

from target_app import database
from target_app.models import Customer, Order, table_of

metadata = MetaData()

entries = Table(
    "loyalty_entries",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("customer_id", ForeignKey(table_of(Customer).c.id, ondelete="CASCADE"), nullable=False),
    Column("order_id", ForeignKey(table_of(Order).c.id)),
    Column("points", Integer, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("request_id", String(64)),
    Index("loyalty_entries_customer", "customer_id", "id"),
)

REASONS = ("order", "cancellation", "redemption")
FIELDS = {name: entries.c[name] for name in ("id", "order_id", "points", "reason", "created_at")}

_INSERT = insert(entries)
_BALANCE = select(func.coalesce(func.sum(entries.c.points), 0)).where(
    entries.c.customer_id == bindparam("customer_id")
)
# Held while points are redeemed, so that two redemptions never see the same balance.
_LOCK = (
    select(table_of(Customer).c.id)
    .where(table_of(Customer).c.id == bindparam("customer_id"))
    .with_for_update(key_share=True)
)


def add(customer_id: int, points: int, reason: str, order_id: int | None = None) -> dict[str, Any]:
    """
    Add an entry, in the request's transaction.

    Parameters
    ----------
    customer_id : int
        Whose points.
    points : int
        How many more; negative for fewer.
    reason : str
        One of `REASONS`.
    order_id : int, optional
        The order that they come from.

    Returns
    -------
    dict of str to object
        The entry.
    """
    row = {
        "customer_id": customer_id,
        "order_id": order_id,
        "points": points,
        "reason": reason,
        "created_at": database.now(),
    }
    key = database.insert(_INSERT, row)
    return {name: ({"id": key} | row)[name] for name in FIELDS}


def balance(customer_id: int, *, lock: bool = False) -> int:
    """
    Add a customer's points up.

    Parameters
    ----------
    customer_id : int
        Whose.
    lock : bool
        Whether to keep others from changing it until the transaction ends.

    Returns
    -------
    int
    """
    if lock:
        database.rows(_LOCK, customer_id=customer_id)
    points: int = int(database.rows(_BALANCE, customer_id=customer_id)[0][0])
    return points
