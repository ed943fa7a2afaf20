"""Reports may take their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, Row, text

from target_app import database
from target_app.models import db

_PATIENT = text("SET LOCAL statement_timeout = '60s'")


def rows(statement: Executable, **parameters: object) -> Sequence[Row[Any]]:
    """
    Run a query that reads a whole table.

    PostgreSQL ends what takes longer than `Config.busy_timeout_ms`, which suits a page and not a
    report on millions of rows: this transaction may take a minute. SQLite has no such limit.

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
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(_PATIENT)
    return database.rows(statement, **parameters)
