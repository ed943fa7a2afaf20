"""The journal: what changes or removes a record leaves a row, to be found afterwards."""

from __future__ import annotations

from sqlalchemy import insert

from target_app import database
from target_app.accounts import Account
from target_app.models import Change, table_of

_INSERT = insert(table_of(Change))
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
