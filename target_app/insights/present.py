"""The moment from which reports look back."""

from __future__ import annotations

import json

from sqlalchemy import func, select

from target_app import database
from target_app.models import Dataset, Order, table_of

_MANIFEST = select(table_of(Dataset).c.manifest)
_LATEST = select(func.max(table_of(Order).c.placed_at))


def now() -> str | None:
    """
    Give the present of the data.

    It stands still at the epoch of the dataset: the clock, or the latest order, would lay years
    between a dataset and the first order that a test adds, and empty every window of time.

    Returns
    -------
    str or None
        The epoch of the dataset; without a dataset the moment of the latest order; without any
        order None.
    """
    found = database.rows(_MANIFEST)
    if found:
        epoch: str = json.loads(found[0][0])["epoch"]
        return epoch
    latest: str | None = database.rows(_LATEST)[0][0]
    return latest
