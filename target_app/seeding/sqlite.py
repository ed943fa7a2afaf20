"""Datasets in a file of SQLite: filled, read, copied."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine, insert
from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from target_app.errors import DatasetError
from target_app.models import Base
from target_app.seeding.manifest import Manifest

if TYPE_CHECKING:  # brings Faker and numpy, which copying has no use for
    from target_app.seeding.compose import Composition, Piece

_BESIDE = ("-wal", "-shm", "-journal")
_DIALECT = dialects.dialect()
# Nobody else looks, and a build that breaks off is thrown away: no journal, no waiting for disks.
_BUILDING = (
    "journal_mode=OFF",
    "synchronous=OFF",
    "locking_mode=EXCLUSIVE",
    "cache_size=-65536",
    "threads=2",  # that sort for an index, beside the one that reads
)


def fill(path: Path, composition: Composition) -> Manifest:
    """
    Make a database of what was composed: tables, rows, indexes, statistics, in the cheap order.

    Parameters
    ----------
    path : Path
        A file that is not there.
    composition : Composition
        Of which nothing was taken yet.

    Returns
    -------
    Manifest
        What was composed.

    Raises
    ------
    DatasetError
        When SQLite cannot, such as for want of space.
    """
    try:
        _fill(path, composition)
    except sqlite3.OperationalError as error:
        raise DatasetError(f"{path}: the dataset cannot be written: {error}") from error
    return composition.manifest


def _fill(path: Path, composition: Composition) -> None:
    """Do it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in _BUILDING:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table in Base.metadata.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=_DIALECT)))
        _index(connection, partial=True)  # no row of ours is in them: they cost a look at a row
        for piece in composition.pieces():
            _insert(connection, piece)
        _index(connection, partial=False)
        text = json.dumps(composition.manifest.to_json())
        connection.execute("INSERT INTO dataset (id, manifest) VALUES (1, ?)", [text])
        connection.execute("COMMIT")
        # Statistics for the planner, of a part of each index: the whole would take as long again.
        connection.execute("PRAGMA analysis_limit=1000")
        connection.execute("ANALYZE")
        # Kept in the file, so that no server process has to switch, which takes a lock.
        connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def reading(database: Path) -> Iterator[Connection]:
    """
    Open a dataset's file to look at it; nothing is written, not even beside it.

    Parameters
    ----------
    database : Path
        The file.

    Yields
    ------
    Connection
    """
    uri = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def journals(database: Path) -> list[Path]:
    """
    Name the files that SQLite may keep beside a database.

    Parameters
    ----------
    database : Path
        The file.

    Returns
    -------
    list of Path
    """
    return [database.with_name(database.name + suffix) for suffix in _BESIDE]


def _index(connection: sqlite3.Connection, *, partial: bool) -> None:
    """Make the indexes of a part of the rows, or those of all."""
    for table in Base.metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if (index.dialect_options["sqlite"]["where"] is not None) == partial:
                connection.execute(str(CreateIndex(index).compile(dialect=_DIALECT)))


def _insert(connection: sqlite3.Connection, piece: Piece) -> None:
    """Insert some rows, past SQLAlchemy, which would look at each."""
    names = list(piece.columns)
    table = Base.metadata.tables[piece.table]
    statement = str(insert(table).compile(dialect=_DIALECT, column_keys=names))
    order = [column.name for column in table.columns if column.name in piece.columns]
    values: list[Any] = [piece.columns[name].values() for name in order]
    connection.executemany(statement, zip(*values, strict=True))


def require_replaceable(path: Path) -> None:
    """
    Make sure that a file may be replaced by a copy: a database of ours, which nobody serves.

    Parameters
    ----------
    path : Path
        The file; it is well when there is none.

    Raises
    ------
    DatasetError
        When it is something else, or somebody has it open.
    """
    if not path.exists():
        return
    advice = "Name another file for the copy"
    if not path.is_file():
        raise DatasetError(f"{path}: is no ordinary file. {advice}.")
    try:
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as connection:
            connection.execute("SELECT id FROM customers LIMIT 1")
            # Leaving the write-ahead log takes the file for oneself: whoever serves it is in the
            # way, and would go on writing into a file that nobody can find any more.
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise DatasetError(
                f"{path}: is being served. Stop its server first, or name another file for the "
                "copy."
            ) from None
        raise DatasetError(f"{path}: is no database of ours ({error}). {advice}.") from None
    except sqlite3.DatabaseError as error:
        raise DatasetError(f"{path}: is no database of ours ({error}). {advice}.") from None


def copy_within_kernel(source: Path, target: Path) -> None:
    """
    Copy a file without taking its bytes in; a file system that can will share them.

    Parameters
    ----------
    source : Path
        The file.
    target : Path
        The copy.
    """
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        left = os.fstat(old.fileno()).st_size
        try:
            while left > 0 and (copied := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= copied
        except OSError:  # between file systems, or a kernel that cannot
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new)
