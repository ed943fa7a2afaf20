"""Records and people of the dataset that tests of the whole ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.accounts import Accounts

_NAMES = ("customer", "owner", "portal", "order", "feedback")
_WITH_EVERYTHING = """
    SELECT c.id, c.owner_id, min(u.id), max(o.id), max(f.id)
    FROM customers c JOIN users u ON u.customer_id = c.id
    JOIN orders o ON o.customer_id = c.id JOIN feedback f ON f.customer_id = c.id
    WHERE c.owner_id IS NOT NULL GROUP BY c.id, c.owner_id ORDER BY c.id
"""


def somebody_with_everything(file: Path) -> dict[str, int]:
    """
    Find a customer with a rep, a portal account, orders and feedback; and one of another rep.

    Parameters
    ----------
    file : Path
        The dataset in SQLite.
    """
    connection = sqlite3.connect(file)
    try:
        found = connection.execute(_WITH_EVERYTHING).fetchall()
    finally:
        connection.close()
    first = found[0]
    other = next(each for each in found if each[1] != first[1])
    others = {f"other_{name}": key for name, key in zip(_NAMES, other, strict=True)}
    return dict(zip(_NAMES, first, strict=True)) | others


def people(accounts: Accounts, ids: Mapping[str, int]) -> dict[str, Mapping[str, Any]]:
    """
    Choose an account of each role, and some that may do less or nothing.

    Parameters
    ----------
    accounts : Accounts
        Of the dataset.
    ids : mapping of str to int
        Whose rep and whose portal account are taken: see above.
    """
    by_id = {account["id"]: account for account in accounts.all}
    roles = ("admin", "manager", "marketing", "support")
    return {role: accounts.of_role(role)[0] for role in roles} | {
        "sales": by_id[ids["owner"]],
        "other_sales": by_id[ids["other_owner"]],
        "portal": by_id[ids["portal"]],
        "other_portal": by_id[ids["other_portal"]],
        "expired": accounts.noted("expired"),
        "closed": accounts.noted("deactivated"),
        "reader": accounts.noted("read-only"),
        "unknown": {"token": "crm_0"},
    }
