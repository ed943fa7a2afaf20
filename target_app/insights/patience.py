"""Reports may take their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, Row

from target_app import database
from target_app.models import db

_REPORT_S = 60


def rows(statement: Executable, **parameters: object) -> Sequence[Row[Any]]:
    """
    Run a query that reads a whole table.

    PostgreSQL ends what takes longer than `Config.busy_timeout_ms`, which suits a page and not a
    report on millions of rows: this may take a minute.

    Parameters
    ----------
    statement : Executable
        A select.
    **parameters : object
        Values of its bound parameters.

    Returns
    -------
    sequence of Row
        All of its rows.
    """
    with database.patient(db.session.connection(), _REPORT_S):
        return database.rows(statement, **parameters)
