"""Engines for the two databases, each with the settings that several threads and processes need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from flask import has_request_context, request
from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from target_app import telemetry
from target_app.config import Config
from target_app.pools import WatchedPool

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POOL_TIMEOUT_S = 2
# Any number that nothing else uses: the lock of those that prepare one database.
_LOCK_OUT_OTHERS = text("SELECT pg_advisory_xact_lock(7263548101)")
READS_ONLY = "crm_reads_only"
"""Execution option of a connection on which nothing will be written, whatever the request."""


def url(config: Config) -> URL:
    """
    Give the URL of the configured database, for SQLAlchemy.

    Parameters
    ----------
    config : Config
        Names the file or the server.

    Returns
    -------
    URL
        For a file in the mode that never creates one.
    """
    if isinstance(config.database, str):
        return make_url(config.database).set(drivername="postgresql+psycopg")
    path = quote(str(config.database.absolute()))
    return URL.create("sqlite", database=f"file:{path}", query={"mode": "rw", "uri": "true"})


def options(config: Config) -> dict[str, Any]:
    """
    Give the options of the engine.

    Each request thread has a connection, and who finds none within two seconds is told so (503)
    instead of waiting for ever.

    Parameters
    ----------
    config : Config
        Names the number of threads, and the size of the pool where that is another.

    Returns
    -------
    dict of str to object
    """
    pool: dict[str, Any] = {
        "hide_parameters": True,  # the log is not the place for what users sent
        "poolclass": WatchedPool,
        "pool_size": config.options.pool_size or config.threads,
        "max_overflow": 0,
        "pool_timeout": _POOL_TIMEOUT_S,
    }
    if config.postgres_url is None:
        return pool
    return pool | {"connect_args": _limits(statement_timeout=config.busy_timeout_ms)}


@contextmanager
def alone(config: Config) -> Iterator[Connection]:
    """
    Open a transaction for preparing a database, which no second one of its kind joins.

    Parameters
    ----------
    config : Config
        Names the database.

    Yields
    ------
    Connection
        Its statements may take as long as they need, and wait for others no longer than those of
        a request.
    """
    arguments = _limits() if config.postgres_url else {"timeout": config.busy_timeout_ms / 1000}
    engine = create_engine(url(config), poolclass=NullPool, connect_args=arguments)
    try:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _leave_beginning_to_us)
            event.listen(engine, "begin", _take_write_lock)
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                connection.execute(_LOCK_OUT_OTHERS)
            yield connection
    finally:
        engine.dispose()


def _limits(**more: int) -> dict[str, Any]:
    """Give the arguments of a connection to PostgreSQL on which nothing waits for ever."""
    limits = {
        "lock_timeout": 2000,
        "idle_in_transaction_session_timeout": 10_000,
        "timezone": "UTC",
        **more,
    }
    words = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {"options": words, "connect_timeout": 2}


def _leave_beginning_to_us(connection: Any, _: object) -> None:
    """Keep the driver from beginning transactions: it begins none for what makes an index."""
    connection.isolation_level = None


def _take_write_lock(connection: Connection) -> None:
    """Begin a transaction that writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def set_up(engine: Engine, config: Config) -> None:
    """
    Have an engine's connections and transactions begin as they must.

    Parameters
    ----------
    engine : Engine
        Made with `url` and `options`.
    config : Config
        The same.
    """
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine, config)
    else:
        _set_up_postgres(engine)


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
    mode = config.options.sqlite_tx

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        if mode != "legacy":
            connection.isolation_level = None  # the driver begins nothing: we do, below
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    if mode == "legacy":
        return

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once with "database is locked"
        # when somebody wrote between the two, whatever the busy timeout: so a request that may
        # write takes the write lock at its start, and waits for it there.
        immediate = mode == "immediate" and _writes(connection)
        driver: Any = connection.connection.dbapi_connection
        with telemetry.current().in_database():
            driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _set_up_postgres(engine: Engine) -> None:
    """
    Spare requests that only read the BEGIN and the ROLLBACK, each a way to the server and back.

    At the level at which we read, READ COMMITTED, each statement sees what is committed when it
    begins, within a transaction as without: so nothing else changes. (But what a GET wrote would
    stay. None writes.)
    """

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, *_: object) -> None:
        connection.autocommit = has_request_context() and request.method in _SAFE_METHODS


def _writes(connection: Connection) -> bool:
    """Tell whether the current request may write on a connection."""
    if connection.get_execution_options().get(READS_ONLY):
        return False
    return has_request_context() and request.method not in _SAFE_METHODS
