import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from werkzeug.test import TestResponse

from tests.support.accounts import Accounts

TIMING = re.compile(r'app;dur=(\d+\.\d{3}), db;dur=(\d+\.\d{3}), queries;desc="(\d+)"')
PATHS = {
    "/api/v1/customers": 200,
    "/api/v1/customers/1": 200,
    "/feedback": 200,
    "/static/crm.css": 200,
    "/healthz": 200,
    "/nothing": 404,
    "/api/v1/customers/0": 404,
    "/api/v1/customers?limit=0": 422,
}


@pytest.mark.parametrize(("path", "status"), PATHS.items())
def test_every_answer_tells_its_id_and_its_times(
    client: FlaskClient, path: str, status: int
) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    assert len(answer.headers.getlist("X-Request-Id")) == 1
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    timing = TIMING.fullmatch(answer.headers["Server-Timing"])
    assert timing
    app_ms, db_ms, queries = map(float, timing.groups())
    assert app_ms >= db_ms
    assert (queries > 0) == (db_ms > 0)


def times(answer: TestResponse) -> tuple[float, float]:
    """The milliseconds of a whole answer, and those of the database in it."""
    timing = TIMING.fullmatch(answer.headers["Server-Timing"])
    assert timing
    return float(timing[1]), float(timing[2])


def test_no_time_of_the_database_is_made_up_where_none_can_be_reached(
    make_app: Callable[..., Flask],
) -> None:
    client = make_app(database="postgresql://crm@127.0.0.1:1/crm").test_client()
    for _ in range(2):
        answer = client.get("/version")
        whole_ms, database_ms = times(answer)

        assert answer.status_code == 503
        assert database_ms <= whole_ms


@pytest.mark.costly
def test_waiting_in_vain_is_time_of_the_database(
    make_app: Callable[..., Flask], accounts: Accounts, database: Path
) -> None:
    client = accounts.client(make_app(busy_timeout_ms=100), "admin")
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/api/v1/customers", json={"name": "A", "email": "a@b.example"})
    whole_ms, database_ms = times(answer)

    assert answer.status_code == 503
    assert 90 <= database_ms <= whole_ms


@pytest.mark.parametrize("given", ["a", "A-b_c.d:9", "x" * 64])
def test_a_valid_request_id_is_echoed(client: FlaskClient, given: str) -> None:
    assert client.get("/x", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ä", "a;b", "<b>", "a/b", "a\tb"])
def test_any_other_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    echoed = client.get("/x", headers={"X-Request-Id": given}).headers["X-Request-Id"]

    assert re.fullmatch(r"[0-9a-f]{32}", echoed)


def test_ids_that_we_make_differ(client: FlaskClient) -> None:
    made = {client.get("/healthz").headers["X-Request-Id"] for _ in range(50)}

    assert len(made) == 50


def test_an_error_of_ours_is_a_problem_and_carries_the_headers(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    app.testing = False
    answer = app.test_client().get("/broken", headers={"X-Request-Id": "r1"})

    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["request_id"] == "r1" == answer.headers["X-Request-Id"]
    assert TIMING.fullmatch(answer.headers["Server-Timing"])
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(("kind", "status"), [(IntegrityError, 500), (OperationalError, 503)])
def test_what_the_database_refused_is_one_line_of_the_log_without_what_was_sent(
    app: Flask, caplog: pytest.LogCaptureFixture, kind: type[DBAPIError], status: int
) -> None:
    @app.get("/refused")
    def refused() -> str:
        said = Exception("it does not fit\nDETAIL: Key (name)=(secret)")
        raise kind("INSERT INTO t", {"name": "secret"}, said)

    answer = app.test_client().get("/refused", headers={"X-Request-Id": "r1"})

    assert answer.status_code == status
    assert caplog.messages == ["request r1: it does not fit"]


def test_the_access_log_has_a_line_per_answer(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    client = make_app(access_log=log).test_client()

    client.get("/healthz", headers={"X-Request-Id": "r1"})
    client.get('/no"thing', headers={"X-Request-Id": "r2"})

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["id"], line["status"], line["path"]) for line in lines] == [
        ("r1", 200, "/healthz"),
        ("r2", 404, '/no"thing'),
    ]
    assert lines[0]["t"] < lines[1]["t"]
