"""
The hash of a dataset: of its rows, and of nothing else.

Per column two digests run along (of text, one over the lengths and one over the characters), so
that it does not matter in which pieces the rows come, nor out of which database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, select
from sqlalchemy import String as StringType

from target_app.models import Base, Dataset, table_of
from target_app.seeding.columns import NULL, Column, Columns, Numbers, Texts

_ROWS_AT_ONCE = 20_000
LEFT_OUT = ("request_id",)
"""Columns that no dataset fills."""


class TableDigest:
    """
    Of one table, rows by ascending id.

    Parameters
    ----------
    table : Table
        Which one.
    """

    def __init__(self, table: Table) -> None:
        self.rows = 0
        self._name = table.name
        names = [name for name in table.columns.keys() if name not in LEFT_OUT]  # noqa: SIM118
        self._parts = {name: (hashlib.sha256(), hashlib.sha256()) for name in names}

    def add(self, columns: Columns) -> None:
        """
        Take the next rows.

        Parameters
        ----------
        columns : Columns
            Every column of the table but those that no dataset fills.
        """
        for name, parts in self._parts.items():
            for digest, data in zip(parts, columns[name].hashed(), strict=True):
                digest.update(data)
        self.rows += len(columns["id"])

    def result(self) -> str:
        """
        Give the hash of the rows so far.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        parts = {name: [d.hexdigest() for d in pair] for name, pair in self._parts.items()}
        return _sha256([self._name, self.rows, parts])


def hash_of_tables(hashes: Mapping[str, str]) -> str:
    """
    Put the hashes of the tables together.

    Parameters
    ----------
    hashes : mapping of str to str
        By table.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    return _sha256(sorted(hashes.items()))


def hashes_of_database(connection: Connection) -> dict[str, str]:
    """
    Hash what a database holds, table by table; it reads every row.

    Parameters
    ----------
    connection : Connection
        Of any database that has our tables.

    Returns
    -------
    dict of str to str
        By table, all of them but the one that holds the manifest.
    """
    result = {}
    for table in Base.metadata.sorted_tables:
        if table is table_of(Dataset):
            continue
        digest = TableDigest(table)
        names = [name for name in table.columns.keys() if name not in LEFT_OUT]  # noqa: SIM118
        streaming = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)
        rows = streaming.execute(select(*(table.c[name] for name in names)).order_by(table.c.id))
        for batch in rows.partitions():
            values = zip(*batch, strict=True)
            digest.add(
                {n: _column(table, n, found) for n, found in zip(names, values, strict=True)}
            )
        result[table.name] = digest.result()
    return result


def hash_of_database(connection: Connection) -> str:
    """
    Hash what a database holds; it reads every row.

    Parameters
    ----------
    connection : Connection
        Of any database that has our tables.

    Returns
    -------
    str
        Equal to the manifest's `dataset_hash` as long as nothing has been changed.
    """
    return hash_of_tables(hashes_of_database(connection))


def _column(table: Table, name: str, found: Sequence[Any]) -> Column:
    """Make a column of what was read."""
    if isinstance(table.c[name].type, StringType):
        return Texts(found)
    return Numbers(np.array([NULL if value is None else value for value in found], np.int64))


def _sha256(data: object) -> str:
    """Hash a small object."""
    return hashlib.sha256(json.dumps(data, separators=(",", ":")).encode()).hexdigest()
