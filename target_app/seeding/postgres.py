"""The rows of a dataset into a database of PostgreSQL: COPY first, then whatever watches rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any, LiteralString, cast

import psycopg
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as dialects
from sqlalchemy.schema import CreateIndex, CreateTable

from target_app.models import Base
from target_app.seeding.compose import Ending, Part, Piece, Signers
from target_app.seeding.manifest import Manifest

Connection = psycopg.Connection[tuple[Any, ...]]

_DIALECT = dialects.dialect()


def fill(connection: Connection, parts: Iterable[Part]) -> tuple[Signers, Manifest]:
    """
    Fill an empty database with what was composed.

    A build that breaks off leaves the database empty, or without a manifest.

    Parameters
    ----------
    connection : psycopg.Connection
        Each statement its own transaction.
    parts : iterable
        What `compose` gives.

    Returns
    -------
    Signers
        Who may sign in.
    Manifest
        What was composed.

    Raises
    ------
    RuntimeError
        When the parts end too early.
    """
    signers = manifest = None
    # In the transaction that made the table, rows can be written as seen by everybody at once
    # (FREEZE), and, where the server writes no more log than it must, past the log.
    with connection.transaction():
        for table in Base.metadata.sorted_tables:
            _run(connection, _without_references(table))
        for name, group in groupby(parts, key=lambda part: getattr(part, "table", "")):
            if name:
                _copy(connection, name, cast(Iterator[Piece], group))
                continue
            for part in group:
                if isinstance(part, Signers):
                    signers = part
                elif isinstance(part, Ending):
                    manifest = part.manifest
        if signers is None or manifest is None:
            raise RuntimeError("the parts of the dataset ended too early")
    for table in Base.metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            _run(connection, str(CreateIndex(index).compile(dialect=_DIALECT)))
    for table in Base.metadata.sorted_tables:
        for statement in _references(table):
            _run(connection, statement)
        # Rows brought their keys along; the next one that the server gives must be a new one.
        _run(
            connection,
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) "
            f"FROM {table.name} HAVING max(id) IS NOT NULL",
        )
    _run(connection, "ANALYZE")
    connection.execute(
        "INSERT INTO dataset (id, manifest) VALUES (1, %s)", [json.dumps(manifest.to_json())]
    )
    return signers, manifest


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
    with connection.cursor() as cursor, cursor.copy(cast(LiteralString, words)) as copy:
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


def _references(table: Table) -> Iterator[str]:
    """Write the statements that make a table's foreign keys."""
    for column in table.columns:
        for key in column.foreign_keys:
            other: Column[Any] = key.column
            yield (
                f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name}) "
                f"REFERENCES {other.table.name} ({other.name})"
            )


def _run(connection: Connection, statement: str) -> None:
    """Run a statement that was made of our own tables' names."""
    connection.execute(cast(LiteralString, statement))
