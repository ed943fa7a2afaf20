"""Rows into a database file, and the hash of what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, create_engine, insert, select
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from target_app.models import Base
from target_app.seeding.compose import Columns

_BATCH = 20_000

_dump_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def open_for_building(path: Path) -> Engine:
    """
    Open a file that nobody else reads yet.

    Parameters
    ----------
    path : Path
        A file that need not exist.

    Returns
    -------
    Engine
        To be disposed of.
    """
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


def write_tables(connection: Connection, tables: dict[str, Columns]) -> dict[str, int]:
    """
    Create all tables, fill them, then make the indexes: the cheaper order by far.

    Parameters
    ----------
    connection : Connection
        Of an empty database.
    tables : dict of str to Columns
        In the order in which they refer to each other.

    Returns
    -------
    dict of str to int
        How many rows each table has.
    """
    # Nobody else looks, and a build that breaks off is thrown away: no journal, no waiting.
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-100000"):
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    for table in Base.metadata.sorted_tables:
        connection.execute(CreateTable(table))
    for name, columns in tables.items():
        _write_rows(connection, Base.metadata.tables[name], columns)
    for table in Base.metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            index.create(connection)
    return {name: len(next(iter(columns.values()))) for name, columns in tables.items()}


def dump_hash(connection: Connection, names: list[str]) -> str:
    """
    Hash the rows of some tables.

    Parameters
    ----------
    connection : Connection
        Of a filled database.
    names : list of str
        Which tables, in this order.

    Returns
    -------
    str
        SHA-256, hexadecimal, over one line of JSON per row, by key, under each table's columns.
    """
    digest = hashlib.sha256()
    for name in names:
        table = Base.metadata.tables[name]
        digest.update(_dump_line([name, *table.columns.keys()]).encode() + b"\n")
        rows = connection.execute(select(table).order_by(table.c.id))
        for batch in rows.partitions(_BATCH):
            digest.update("".join(_dump_line(tuple(row)) + "\n" for row in batch).encode())
    return digest.hexdigest()


def finish(connection: Connection) -> None:
    """
    Make a filled database fit for use: statistics for the planner, and the journal of the server.

    Parameters
    ----------
    connection : Connection
        With its transaction committed.
    """
    connection.exec_driver_sql("ANALYZE")
    connection.commit()
    # Kept in the file, so that no server process has to switch, which takes a lock.
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _write_rows(connection: Connection, table: Table, columns: Columns) -> None:
    """Insert the rows of one table, past SQLAlchemy's handling of each single row."""
    statement = str(insert(table).compile(dialect=connection.dialect, column_keys=list(columns)))
    order = [column.name for column in table.columns if column.name in columns]
    for batch in _batches([columns[name] for name in order]):
        connection.exec_driver_sql(statement, batch)


def _batches(columns: list[np.ndarray[Any, Any]]) -> Iterator[list[tuple[Any, ...]]]:
    """Turn columns into rows, some thousands at a time."""
    for start in range(0, len(columns[0]), _BATCH):
        part = [column[start : start + _BATCH].tolist() for column in columns]
        yield list(zip(*part, strict=True))
