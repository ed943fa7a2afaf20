"""What holds for the rows of a CRM whatever was done to it; each as a search for what breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, MetaData, Select, Table, func, or_, select
from sqlalchemy.schema import ForeignKeyConstraint

from target_app import database
from target_app.models import (
    FEEDBACK_STATUSES,
    ORDER_STATUSES,
    Base,
    Customer,
    Feedback,
    IdempotencyKey,
    Order,
    OrderItem,
    table_of,
)

EXAMPLES = 5
_STATEMENT_S = 120

_customers, _orders, _items = map(table_of, (Customer, Order, OrderItem))
_feedback, _keys = table_of(Feedback), table_of(IdempotencyKey)


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that no row may break."""

    name: str
    broken_by: Select[Any]
    """Finds the ids of the rows that do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of looking for rows that break an invariant."""

    name: str
    violations: int
    examples: tuple[int, ...]
    """At most `EXAMPLES` of their ids, the smallest."""


def of_tables(more: Sequence[MetaData] = ()) -> list[Invariant]:
    """
    List all invariants.

    Parameters
    ----------
    more : sequence of MetaData
        Tables of extensions, whose references count as well.

    Returns
    -------
    list of Invariant
    """
    sums = (
        select(_items.c.order_id, func.sum(_items.c.qty * _items.c.unit_price_cents).label("cents"))
        .group_by(_items.c.order_id)
        .subquery()
    )
    with_sums = _orders.outerjoin(sums, sums.c.order_id == _orders.c.id)
    in_order = select(_orders.c.id).select_from(with_sums)
    return [
        Invariant(
            "order_total_is_sum_of_items",
            in_order.where(_orders.c.total_cents != func.coalesce(sums.c.cents, 0)),
        ),
        Invariant("order_has_items", in_order.where(sums.c.order_id.is_(None))),
        Invariant("order_status_known", _outside(_orders.c.status, ORDER_STATUSES)),
        Invariant("feedback_status_known", _outside(_feedback.c.status, FEEDBACK_STATUSES)),
        Invariant("order_owner_is_that_of_customer", _owned_otherwise(_orders)),
        Invariant("feedback_owner_is_that_of_customer", _owned_otherwise(_feedback)),
        # The row is written first, and its answer with the rest of the transaction.
        Invariant("idempotency_key_answered", select(_keys.c.id).where(_keys.c.status == 0)),
        *_references([Base.metadata, *more]),
    ]


def check(connection: Connection, invariants: Sequence[Invariant]) -> list[Finding]:
    """
    Look for what breaks invariants.

    Parameters
    ----------
    connection : Connection
        To the database. Tables are read as a whole, so on PostgreSQL a statement may take two
        minutes meanwhile.
    invariants : sequence of Invariant
        Which.

    Returns
    -------
    list of Finding
        One each.
    """
    with database.patient(connection, _STATEMENT_S):
        return [_look(connection, invariant) for invariant in invariants]


def _look(connection: Connection, invariant: Invariant) -> Finding:
    """Count what breaks an invariant, and name some."""
    broken = invariant.broken_by.subquery()
    violations: int = connection.execute(select(func.count()).select_from(broken)).scalar_one()
    first = select(broken.c.id).order_by(broken.c.id).limit(EXAMPLES)
    examples = tuple(connection.execute(first).scalars()) if violations else ()
    return Finding(invariant.name, violations, examples)


def _outside(column: ColumnElement[str], words: Sequence[str]) -> Select[Any]:
    """Find the rows whose column holds none of some words."""
    table: Any = column.table
    return select(table.c.id).where(column.not_in(words))


def _owned_otherwise(table: Table) -> Select[Any]:
    """Find the rows whose owner is not the customer's; without a customer there is none."""
    joined = table.outerjoin(_customers, _customers.c.id == table.c.customer_id)
    # A customer that is named and not there is another rule's.
    known = or_(table.c.customer_id.is_(None), _customers.c.id.is_not(None))
    owned = table.c.owner_id.is_distinct_from(_customers.c.owner_id)
    return select(table.c.id).select_from(joined).where(known, owned)


def _references(tables: Sequence[MetaData]) -> list[Invariant]:
    """Make an invariant of each reference: what it names is there."""
    return [
        Invariant(f"{table.name}_{_column(key)}_exists", _orphans(key))
        for metadata in tables
        for table in metadata.sorted_tables
        for key in sorted(table.foreign_key_constraints, key=_column)
    ]


def _column(key: ForeignKeyConstraint) -> str:
    """Name the column of a reference: each has one."""
    (name,) = key.column_keys
    return name


def _orphans(key: ForeignKeyConstraint) -> Select[Any]:
    """Find the rows whose reference leads nowhere."""
    (element,) = key.elements
    child, parent = element.parent, element.column.table.alias()
    there = parent.c[element.column.key]
    joined = child.table.outerjoin(parent, there == child)
    lost = select(child.table.c.id).select_from(joined)
    return lost.where(child.is_not(None)).where(there.is_(None))
