"""The journal: what changes or removes a record leaves a row, to be found afterwards."""

from __future__ import annotations

from sqlalchemy import Insert, String, bindparam, insert, literal, select

from target_app import database
from target_app.accounts import Account
from target_app.models import Activity, Change, Customer, table_of

_changes = table_of(Change)
_INSERT = insert(_changes)
_ACTION_LONGEST = 200


def note(account: Account, subject: str, record_id: int, action: str) -> None:
    """
    Write down a change, in the transaction that makes it.

    Parameters
    ----------
    account : Account
        Who changed something.
    subject : str
        What kind of record: one of `target_app.models.CHANGED`.
    record_id : int
        Which.
    action : str
        What was done, in a few words.
    """
    row = {
        "subject": subject,
        "record_id": record_id,
        "action": action[:_ACTION_LONGEST],
        "user_id": account.id,
        "created_at": database.now(),
    }
    database.insert(_INSERT, row)


def _move_ids(model: type[Customer | Activity], key: str) -> Insert:
    """Write the statement that copies the request ids of what is about to be removed."""
    table = table_of(model)
    kept = select(
        literal("customer"),
        bindparam("removed_id", type_=_changes.c.record_id.type),
        literal(f"had a row in {table.name}, since removed"),
        bindparam("remover_id", type_=_changes.c.user_id.type),
        bindparam("now", type_=String),
        table.c.request_id,
    ).where(table.c[key] == bindparam("removed_id"), table.c.request_id.is_not(None))
    columns = ["subject", "record_id", "action", "user_id", "created_at", "request_id"]
    return _INSERT.from_select(columns, kept)


_MOVE = (_move_ids(Customer, "id"), _move_ids(Activity, "customer_id"))


def outlive(account: Account, customer_id: int) -> None:
    """
    Keep the request ids of a customer and its timeline, which are about to be removed.

    What was acknowledged was done, and still is to be found, even when it was undone since.

    Parameters
    ----------
    account : Account
        Who removes them.
    customer_id : int
        Which customer.
    """
    for statement in _MOVE:
        database.change(
            statement, removed_id=customer_id, remover_id=account.id, now=database.now()
        )
