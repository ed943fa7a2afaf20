"""The rows of a dataset into a database of PostgreSQL: COPY first, then whatever watches rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Dialect, Table
from sqlalchemy.dialects import postgresql as dialects
from sqlalchemy.schema import CreateIndex, CreateTable

from target_app.errors import DatasetError
from target_app.models import Base
from target_app.seeding.compose import Composition, Piece
from target_app.seeding.manifest import Manifest

Connection = psycopg.Connection[tuple[Any, ...]]

_DIALECT: Dialect = dialects.dialect()  # type: ignore[no-untyped-call]


def fill(connection: Connection, composition: Composition) -> Manifest:
    """
    Fill an empty database with what was composed.

    A build that breaks off leaves the database without a manifest.

    Parameters
    ----------
    connection : psycopg.Connection
        Each statement its own transaction.
    composition : Composition
        Of which nothing was taken yet.

    Returns
    -------
    Manifest
        What was composed.

    Raises
    ------
    DatasetError
        When the server cannot, such as for want of space.
    """
    try:
        # In the transaction that made the table, rows can be written as seen by everybody at once
        # (FREEZE), and, where the server writes no more log than it must, past the log.
        with connection.transaction():
            for table in Base.metadata.sorted_tables:
                _run(connection, _without_references(table))
            for name, pieces in groupby(composition.pieces(), key=attrgetter("table")):
                _copy(connection, name, pieces)
        for table in Base.metadata.sorted_tables:
            _index(connection, table)
        for table in Base.metadata.sorted_tables:
            _refer(connection, table)
            _go_on_after(connection, table)
        _run(connection, "ANALYZE")
        text = json.dumps(composition.manifest.to_json())
        connection.execute("INSERT INTO dataset (manifest) VALUES (%s)", [text])
    except psycopg.Error as error:
        raise DatasetError(f"the dataset cannot be written to PostgreSQL: {error}") from error
    return composition.manifest


def manifest_in(connection: Connection) -> Manifest | None:
    """
    Read the manifest of the dataset that a database holds.

    Parameters
    ----------
    connection : psycopg.Connection
        Of any database.

    Returns
    -------
    Manifest or None
        None when there is none, or none that we know.
    """
    there = connection.execute("SELECT to_regclass('public.dataset') IS NOT NULL").fetchone()
    if there != (True,):
        return None
    try:
        row = connection.execute("SELECT manifest FROM public.dataset WHERE id = 1").fetchone()
        return Manifest.from_text(str(row[0])) if row else None
    except (psycopg.Error, ValueError):
        return None


def _copy(connection: Connection, name: str, pieces: Iterator[Piece]) -> None:
    """Write a table's rows."""
    first = next(pieces)
    words = f"COPY {name} ({', '.join(first.columns)}) FROM STDIN (FREEZE)"
    with connection.cursor() as cursor, cursor.copy(words) as copy:
        for piece in chain([first], pieces):
            copy.write(_lines(piece))


def _lines(piece: Piece) -> bytes:
    """Write rows as COPY reads them."""
    columns = [column.copied() for column in piece.columns.values()]
    return ("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n").encode()


def _without_references(table: Table) -> str:
    """Write the statement that makes a table, without foreign keys."""
    made = CreateTable(table, include_foreign_key_constraints=[])
    return str(made.compile(dialect=_DIALECT))


def _index(connection: Connection, table: Table) -> None:
    """Make a table's indexes."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        _run(connection, str(CreateIndex(index).compile(dialect=_DIALECT)))


def _refer(connection: Connection, table: Table) -> None:
    """Make a table's foreign keys."""
    for column in table.columns:
        for key in column.foreign_keys:
            other = key.column
            _run(
                connection,
                f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name}) "
                f"REFERENCES {other.table} ({other.name})",
            )


def _go_on_after(connection: Connection, table: Table) -> None:
    """Have the next key that the server gives follow those that the rows brought along."""
    name = sql.Identifier(table.name)
    words = sql.SQL(
        "SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {} "
        "HAVING max(id) IS NOT NULL"
    )
    connection.execute(words.format(sql.Literal(table.name), name))


def _run(connection: Connection, statement: str) -> None:
    """Run a statement that was made of our own tables' names."""
    connection.execute(statement)
