"""The few verbs with which the resources reach the database.

A request has one transaction. It begins with the first statement, and `commit` ends it; what a
view leaves uncommitted is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, cast

from flask import Flask
from sqlalchemy import Connection, CursorResult, Delete, Executable, Insert, Row, Update, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from target_app import engines, telemetry
from target_app.config import Config
from target_app.models import db


class CommitLostError(Exception):
    """The connection broke while the transaction was being ended: it may be stored, or not."""


def install(app: Flask, config: Config) -> None:
    """
    Give an application its engine.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Names the database and the number of threads.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = engines.url(config)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engines.options(config)
    db.init_app(app)
    with app.app_context():
        engines.set_up(db.engine, config)
        telemetry.watch(db.engine)


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
    with telemetry.current().in_database():
        return result.all()


def rows_aside(statement: Executable, **parameters: object) -> Sequence[Row[Any]]:
    """
    Run a query in a transaction of its own, which is over when this returns.

    For what a request must know before it does its work: on SQLite the request's own transaction
    would make every other writer wait from here on.

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
    with aside() as connection:
        result = connection.execute(statement, parameters)
        with telemetry.current().in_database():
            return result.all()


@contextmanager
def aside() -> Iterator[Connection]:
    """
    Lend a connection beside the request's own, on which nothing is written.

    Yields
    ------
    Connection
        Its transaction is over when the block is.
    """
    with db.engine.connect().execution_options(**{engines.READS_ONLY: True}) as connection:
        yield connection


@contextmanager
def patient(connection: Connection, seconds: int) -> Iterator[None]:
    """
    Let statements take their time: PostgreSQL ends what takes longer than a page may.

    SQLite has no such limit.

    Parameters
    ----------
    connection : Connection
        On which.
    seconds : int
        How long each may take inside of the block.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    # For the session, since a request that reads has no transaction (`target_app.engines`), in
    # which SET LOCAL would hold.
    connection.execute(text(f"SET statement_timeout = '{seconds}s'"))
    try:
        yield
    finally:
        # Where that fails, the connection is broken, or its transaction is going to be rolled
        # back: what was set goes with it, and what failed before is the error to tell of.
        with suppress(SQLAlchemyError):
            connection.execute(text("RESET statement_timeout"))


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


def change(statement: Update | Delete | Executable, **parameters: object) -> int:
    """
    Change or remove rows in the request's transaction.

    Parameters
    ----------
    statement : Update or Delete
        Which, and how.
    **parameters : object
        Values of its bound parameters.

    Returns
    -------
    int
        How many rows it met.
    """
    result = cast(CursorResult[Any], db.session.execute(statement, parameters))
    return result.rowcount


def commit() -> None:
    """
    End the request's transaction: from here on what it wrote is there, whatever happens.

    Raises
    ------
    CommitLostError
        When the connection broke before the database had said so.
    OperationalError
        When the database said that it did not.
    """
    with telemetry.current().in_database():
        try:
            db.session.commit()
        except OperationalError as error:
            if error.connection_invalidated:
                raise CommitLostError(str(error.orig)) from error
            raise


def roll_back() -> None:
    """Give up what the request has written so far; what it does next is a new transaction."""
    with telemetry.current().in_database():
        db.session.rollback()


def now() -> str:
    """
    Give the present moment as the tables keep it.

    Returns
    -------
    str
        UTC, with microseconds and a Z.
    """
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
