import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from target_app.models import db
from tests.support.accounts import Accounts

FEEDBACK = {"content": "Fine", "name": "Ada", "email": "a@b.c"}


def test_every_connection_has_the_pragmas(app: Flask) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "temp_store": 2,
        "cache_size": -20000,
        "mmap_size": 128 * 1024 * 1024,
    }
    with app.app_context():
        found = {n: db.session.scalar(text(f"PRAGMA {n}")) for n in expected}

    assert found == expected


def test_a_write_waits_for_another_writer(
    client: FlaskClient, database: Path, together: Callable[..., None]
) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    statuses: list[int] = []

    def write() -> None:
        statuses.append(client.post("/api/v1/feedback", json=FEEDBACK).status_code)

    def read_then_let_go() -> None:
        assert client.get("/api/v1/feedback").status_code == 200  # readers do not wait
        other.execute("COMMIT")

    together(write, read_then_let_go)
    other.close()

    assert statuses == [201]


def test_a_write_that_waits_too_long_is_told_so_and_the_next_one_succeeds(
    make_app: Callable[..., Flask], database: Path, accounts: Accounts
) -> None:
    client = accounts.client(make_app(busy_timeout_ms=20, threads=1), "admin")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):  # more often than there are connections: none of them is lost
        answer = client.post("/api/v1/feedback", json=FEEDBACK)
        assert answer.status_code == 503
        assert answer.mimetype == "application/problem+json"
    other.execute("ROLLBACK")
    other.close()

    assert client.post("/api/v1/feedback", json=FEEDBACK).status_code == 201


def test_a_request_without_a_free_connection_is_told_so(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(threads=1)
    with app.app_context():
        db.engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # no waiting in tests
        with db.engine.connect():
            assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/readyz").status_code == 200


@pytest.mark.costly
def test_many_threads_write_and_read_and_none_finds_the_database_locked(
    make_app: Callable[..., Flask], accounts: Accounts, together: Callable[..., None]
) -> None:
    app = make_app(threads=8)
    acknowledged: list[int] = []

    def visit() -> None:
        client = accounts.client(app, "admin")
        for _ in range(10):
            answer = client.post("/api/v1/feedback", json=FEEDBACK)
            assert answer.status_code == 201, answer.text
            acknowledged.append(answer.get_json()["id"])
            assert client.get("/api/v1/feedback").status_code == 200

    together(*[visit] * 8)

    assert len(set(acknowledged)) == 80
