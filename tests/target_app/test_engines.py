"""What transactions and connections do, by option and by database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask, Response
from sqlalchemy import bindparam, select, update

from target_app import Config, create_app, database, engines
from target_app.models import Product, db, table_of
from target_app.options import Options
from tests.support.databases import Databases

_products = table_of(Product)
READ = select(_products.c.price_cents).where(_products.c.id == 1)
WRITE = update(_products).where(_products.c.id == 1).values(price_cents=bindparam("cents"))
AGAIN = "SELECT price_cents FROM products WHERE id = 1"
INCREMENT = "UPDATE products SET price_cents = price_cents + 1 WHERE id = 1"


# A request reads a number, somebody else adds one to it, the request writes what it read plus one.
@pytest.mark.parametrize(
    ("mode", "status", "other_wrote", "added"),
    [
        # The other one's write is lost: what was read was read outside of the transaction.
        ("legacy", 200, True, 1),
        # The request is refused at its first write, at once, whatever the busy timeout.
        ("deferred", 503, True, 1),
        # The other one finds the database locked until the request has ended.
        ("immediate", 200, False, 1),
    ],
)
def test_a_write_between_reading_and_writing(
    make_app: Callable[..., Flask],
    database: Path,
    mode: str,
    status: int,
    other_wrote: bool,
    added: int,
) -> None:
    app = make_app(options=Options(sqlite_tx=mode), busy_timeout_ms=5000)
    other = sqlite3.connect(database, timeout=0, isolation_level=None)
    ((before,),) = other.execute(AGAIN)
    wrote = []
    _count_up(app, lambda: wrote.append(_try(other, INCREMENT)))

    began = time.monotonic()
    answer = app.test_client().post("/up")
    took_s = time.monotonic() - began
    ((after,),) = other.execute(AGAIN)
    other.close()

    assert answer.status_code == status
    assert wrote == [other_wrote]
    assert after == before + added
    assert took_s < 2


@pytest.mark.parametrize("mode", ["legacy", "deferred", "immediate"])
def test_undisturbed_each_mode_reads_and_writes(make_app: Callable[..., Flask], mode: str) -> None:
    app = make_app(options=Options(sqlite_tx=mode))
    _count_up(app, lambda: None)
    client = app.test_client()

    assert [client.post("/up").status_code for _ in range(3)] == [200] * 3


def test_the_pool_has_a_connection_for_each_thread_or_as_many_as_asked(
    make_app: Callable[..., Flask],
) -> None:
    for app, size in [
        (make_app(threads=3), 3),
        (make_app(threads=3, options=Options(pool_size=1)), 1),
    ]:
        with app.app_context():
            pool: Any = db.engine.pool
            assert (pool.size(), pool._max_overflow, pool._timeout) == (size, 0, 2)


@pytest.fixture
def on_postgres(databases: Databases) -> Iterator[Flask]:
    with databases.fresh("postgres") as url:
        app = create_app(Config(database=url, threads=1))
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.mark.slow
def test_on_postgresql_reading_leaves_no_transaction_and_writing_has_one(
    on_postgres: Flask,
) -> None:
    states = []

    def look() -> Response:
        database.rows(READ)
        states.append(_driver().info.transaction_status.name)
        return Response()

    on_postgres.add_url_rule("/look", view_func=look, methods=["GET", "POST", "PUT"])
    client = on_postgres.test_client()
    for method in ("GET", "POST", "GET", "PUT", "HEAD"):  # on one connection
        client.open("/look", method=method)

    assert states == ["IDLE", "INTRANS", "IDLE", "INTRANS", "IDLE"]


@pytest.mark.slow
def test_on_postgresql_what_was_not_committed_is_rolled_back(on_postgres: Flask) -> None:
    def fail() -> Response:
        database.change(WRITE, cents=1)
        return Response(status=409)

    on_postgres.add_url_rule("/fail", view_func=fail, methods=["POST"])
    with on_postgres.app_context():
        before = database.rows(READ)[0][0]
    client = on_postgres.test_client()
    client.get("/readyz")
    client.post("/fail")

    with on_postgres.app_context():
        assert database.rows(READ)[0][0] == before != 1


@pytest.mark.slow
def test_on_postgresql_nothing_may_take_long(on_postgres: Flask) -> None:
    wanted = {
        "statement_timeout": "5s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "TimeZone": "UTC",
    }
    with on_postgres.app_context():
        database.rows(READ)
        driver = _driver()
        found = {name: driver.execute(f"SHOW {name}").fetchone()[0] for name in wanted}

    assert found == wanted


def test_a_url_keeps_its_parts_and_takes_our_driver() -> None:
    url = engines.url(Config(database="postgresql://u:p%40@h:5/d?sslmode=require"))

    assert url.drivername == "postgresql+psycopg"
    assert (url.password, url.query["sslmode"]) == ("p@", "require")


def _driver() -> Any:
    connection = db.session.connection().connection.dbapi_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def _count_up(app: Flask, meanwhile: Callable[[], object]) -> None:
    """Give an application a view that reads a number and writes the next one."""

    @app.post("/up")
    def up() -> Response:
        cents = database.rows(READ)[0][0]
        meanwhile()
        database.change(WRITE, cents=cents + 1)
        database.commit()
        return Response()


def _try(connection: sqlite3.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        return "locked" not in str(error)
    return True
