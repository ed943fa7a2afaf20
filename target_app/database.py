"""The engine: pragmas, transactions, and the few verbs with which the resources reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

from flask import Flask, has_request_context, request
from sqlalchemy import URL, Connection, CursorResult, Executable, Insert, Row, event
from sqlalchemy.engine import Engine

from target_app import telemetry
from target_app.config import Config
from target_app.models import db

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask, config: Config) -> None:
    """
    Give an application its engine.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Names the database and the number of threads; each thread has a connection, and who finds
        none within two seconds is told so (503) instead of waiting for ever.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = sqlite_url(config)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": config.threads,
        "max_overflow": 0,
        "pool_timeout": 2,
    }
    db.init_app(app)
    with app.app_context():
        _set_up_sqlite(db.engine, config)
        telemetry.watch(db.engine)


def sqlite_url(config: Config) -> URL:
    """
    Give the URL of the configured file, in the mode that never creates one.

    Parameters
    ----------
    config : Config
        Names the file.

    Returns
    -------
    URL
    """
    path = quote(str(config.database.absolute()))
    return URL.create("sqlite", database=f"file:{path}", query={"mode": "rw", "uri": "true"})


def rows(statement: Executable, **parameters: object) -> Sequence[Row[Any]]:
    """
    Run a query in the request's transaction.

    Parameters
    ----------
    statement : Executable
        A select.
    **parameters : object
        Values of its bound parameters.

    Returns
    -------
    sequence of Row
        All of its rows; fetching them counts as time of the database.
    """
    result = db.session.execute(statement, parameters)
    measure = telemetry.current()
    measure.waiting()
    found = result.all()
    measure.answered()
    return found


def insert(statement: Insert, values: Mapping[str, object]) -> int:
    """
    Write one row in the request's transaction.

    Parameters
    ----------
    statement : Insert
        Into which table.
    values : mapping of str to object
        Its columns; the request's id is added to them.

    Returns
    -------
    int
        The key that the row was given.
    """
    row = {**values, "request_id": telemetry.request_id()}
    result = cast(CursorResult[Any], db.session.execute(statement, row))
    (key,) = cast(tuple[int], result.inserted_primary_key)
    return key


def insert_all(statement: Insert, values: Sequence[Mapping[str, object]]) -> None:
    """
    Write several rows in the request's transaction.

    Parameters
    ----------
    statement : Insert
        Into which table.
    values : sequence of mapping of str to object
        The rows; the request's id is added to each.
    """
    request_id = telemetry.request_id()
    db.session.execute(statement, [{**row, "request_id": request_id} for row in values])


def commit() -> None:
    """End the request's transaction: from here on what it wrote is there, whatever happens."""
    measure = telemetry.current()
    measure.waiting()
    db.session.commit()
    measure.answered()


def now() -> str:
    """
    Give the present moment as the tables keep it.

    Returns
    -------
    str
        UTC, with microseconds and a Z.
    """
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _set_up_sqlite(engine: Engine, config: Config) -> None:
    """Make SQLite fit for several threads and processes."""
    pragmas = (
        f"busy_timeout={config.busy_timeout_ms}",  # first: the others may have to wait
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-20000",  # KiB
        f"mmap_size={128 * 1024 * 1024}",
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins nothing: we do, below
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once with "database is locked"
        # when somebody wrote between the two, whatever the busy timeout: so a request that may
        # write takes the write lock at its start, and waits for it there.
        writes = has_request_context() and request.method not in _SAFE_METHODS
        measure = telemetry.current()
        measure.waiting()
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        measure.answered()
