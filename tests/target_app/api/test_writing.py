"""What the operations that write have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

from target_app import Config, create_app, database, engines, idempotency
from target_app.models import db
from target_app.moments import as_text
from tests.support.accounts import Accounts, bearer
from tests.support.crm import Crm


@dataclass(frozen=True)
class Write:
    """A request that an admin may make, and the table in which it leaves its row."""

    table: str
    method: str
    path: str
    body: Any = field(hash=False)

    def send(self, crm: Crm, who: str | int = "admin", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/api/v1{crm.fill(self.path)}"
        return crm.of(who).open(path, method=self.method, json=self.body, headers=named)

    def at(self, crm: Crm) -> "Write":
        """The same with its ids filled in, so that it stays the same when it is sent again."""
        return replace(self, path=crm.fill(self.path))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_KEY = text(
    "INSERT INTO idempotency_keys (user_id, key, request_sha256, status, body, created_at) "
    "VALUES (:user, :key, '', 201, '{}', :at)"
)
ORDER = {"customer_id": 1, "items": [{"product_id": 1, "qty": 2}, {"product_id": 2, "qty": 1}]}
CREATES = [
    Write("customers", "POST", "/customers", {"name": "Ada", "email": "ada@b.c"}),
    Write("activities", "POST", "/customers/1/activities", {"kind": "call", "subject": "Hello"}),
    Write("orders", "POST", "/orders", ORDER),
    Write("feedback", "POST", "/feedback", {"content": "Fine", "name": "Ada", "email": "a@b.c"}),
    Write("responses", "POST", "/feedback/{feedback}/responses", {"content": "Thank you"}),
]
CHANGES = [
    Write("changes", "PATCH", "/customers/{customer}", {"city": "London"}),
    Write("changes", "PATCH", "/orders/{order}", {"status": "paid"}),
    Write("changes", "PATCH", "/feedback/{feedback}", {"status": "resolved"}),
]
REMOVES = [Write("changes", "DELETE", "/customers/{bare}", None)]


@pytest.mark.parametrize("write", [*CREATES, *CHANGES, *REMOVES], ids=str)
def test_a_write_leaves_exactly_one_row_that_tells_of_it(crm: Crm, write: Write) -> None:
    assert write.send(crm, X_Request_Id="run:7").status_code in {200, 201, 204}

    assert crm.written("run:7") == {write.table: 1}


def test_a_write_asks_for_an_account_that_may_write(crm: Crm) -> None:
    stranger, reader = crm.app.test_client(), crm.app.test_client()
    reader.environ_base["HTTP_AUTHORIZATION"] = bearer(crm.accounts.noted("read-only"))
    headers = {"X-Request-Id": "refused"}

    for write in [*CREATES, *CHANGES, *REMOVES]:
        path = f"/api/v1{crm.fill(write.path)}"
        unknown = stranger.open(path, method=write.method, json=write.body, headers=headers)
        assert unknown.status_code == 401, write
        assert unknown.headers["WWW-Authenticate"].lower().startswith("bearer")
        refused = reader.open(path, method=write.method, json=write.body, headers=headers)
        assert refused.status_code == 403, write
    assert crm.written("refused") == {}


def test_a_token_that_is_good_for_reading_says_so_when_it_should_write(crm: Crm) -> None:
    reader = crm.app.test_client()
    reader.environ_base["HTTP_AUTHORIZATION"] = bearer(crm.accounts.noted("read-only"))

    assert reader.get("/api/v1/customers").status_code == 200
    refused = reader.post("/api/v1/customers", json={"name": "Ada", "email": "ada@b.c"})
    assert refused.get_json()["detail"] == "This token is good for reading only."


@pytest.mark.parametrize("write", CREATES, ids=str)
def test_a_request_that_is_sent_again_is_answered_again_and_done_once(
    crm: Crm, write: Write
) -> None:
    write = write.at(crm)
    first = write.send(crm, Idempotency_Key="k", X_Request_Id="one")
    again = write.send(crm, Idempotency_Key="k", X_Request_Id="two")

    assert first.status_code == again.status_code == 201
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (crm.written("one"), crm.written("two")) == ({write.table: 1}, {})


@pytest.mark.parametrize("write", CREATES, ids=str)
def test_a_key_is_good_for_one_request_of_one_account(crm: Crm, write: Write) -> None:
    first = write.send(crm, Idempotency_Key="k")
    same_key = Write("orders", "POST", "/orders", ORDER | {"currency": "GBP"})

    assert same_key.send(crm, Idempotency_Key="k").status_code == 422
    assert same_key.send(crm, "manager", Idempotency_Key="k").status_code == 201
    assert first.status_code == 201


@pytest.mark.parametrize("write", [*CHANGES, *REMOVES], ids=str)
def test_who_has_read_another_version_changes_nothing(crm: Crm, write: Write) -> None:
    answer = write.send(crm, If_Match='"7"', X_Request_Id="late")

    assert answer.status_code == 412
    assert "it is version 1" in answer.get_json()["detail"]
    assert crm.written("late") == {}
    assert write.send(crm, If_Match='"1"').status_code in {200, 204}


@pytest.mark.parametrize("write", CHANGES, ids=str)
def test_a_change_makes_the_next_version(crm: Crm, write: Write) -> None:
    path = f"/api/v1{crm.fill(write.path)}"
    before = crm.of("admin").get(path)
    changed = write.send(crm)
    after = crm.of("admin").get(path)

    assert (before.headers["ETag"], after.headers["ETag"]) == ('"1"', '"2"')
    assert changed.get_json() == after.get_json() != before.get_json()
    assert changed.headers["ETag"] == '"2"'


@pytest.mark.parametrize("write", CHANGES, ids=str)
def test_who_has_the_version_already_is_not_sent_it_again(crm: Crm, write: Write) -> None:
    path = f"/api/v1{crm.fill(write.path)}"
    asks = {"If-None-Match": '"1"'}
    client = crm.of("admin")

    assert (client.get(path, headers=asks).status_code, client.get(path, headers=asks).data) == (
        304,
        b"",
    )
    write.send(crm)
    assert client.get(path, headers=asks).status_code == 200


def test_a_change_that_is_empty_is_noted_all_the_same(crm: Crm) -> None:
    for write in CHANGES:
        empty = replace(write, body={})
        assert empty.send(crm, X_Request_Id=write.path[1:4]).get_json()["version"] == 2
        assert crm.written(write.path[1:4]) == {"changes": 1}


def test_a_change_with_a_mistake_leaves_nothing(crm: Crm) -> None:
    for write in CHANGES:
        answer = replace(write, body={**write.body, "x": 1}).send(crm, X_Request_Id="wrong")
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["path"] == "/x"
    assert crm.written("wrong") == {}


def keys(crm: Crm) -> list[str]:
    return [key for (key,) in crm.rows("SELECT key FROM idempotency_keys ORDER BY key")]


def test_a_key_is_good_for_a_day_and_each_new_one_takes_old_ones_away(
    each_database: Path | str, accounts: Accounts
) -> None:
    crm = Crm(create_app(Config(database=each_database)), accounts)
    write = Write("customers", "POST", "/customers", {"name": "Ada", "email": "ada@day.example"})
    now = datetime.now(UTC)
    ages = {"good": timedelta(hours=23)} | {
        f"old{n:02}": timedelta(days=1, hours=n) for n in range(25)
    }
    with crm.app.app_context():
        for key, age in ages.items():
            database.change(_KEY, key=key, at=as_text((now - age).replace(tzinfo=None)), user=1)
        database.commit()

    assert write.send(crm, Idempotency_Key="new").status_code == 201
    assert keys(crm) == ["good", "new", *(f"old{n:02}" for n in range(5))]
    assert write.send(crm, Idempotency_Key="new").headers["Idempotency-Replayed"] == "true"
    again = replace(write, body={"name": "Bob", "email": "bob@day.example"})
    assert again.send(crm, Idempotency_Key="newer").status_code == 201
    assert keys(crm) == ["good", "new", "newer"]
    with crm.app.app_context():
        db.engine.dispose()


@pytest.mark.costly
def test_who_waits_too_long_for_the_first_request_with_a_key_is_told_to_come_again(
    each_database: Path | str, accounts: Accounts
) -> None:
    # On PostgreSQL the wait for a lock ends by itself, before the statement's time is up.
    patience_ms = 300 if isinstance(each_database, Path) else 5000
    crm = Crm(create_app(Config(database=each_database, busy_timeout_ms=patience_ms)), accounts)
    write = Write("customers", "POST", "/customers", {"name": "Eve", "email": "eve@wait.example"})
    admin = crm.one("SELECT min(id) FROM users WHERE role = 'admin'")
    engine = create_engine(engines.url(Config(database=each_database)), poolclass=NullPool)
    with engine.connect() as first:  # as if that were being served
        first.execute(_KEY, {"key": "held", "at": database.now(), "user": admin})
        answer = write.send(crm, Idempotency_Key="held")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert write.send(crm, Idempotency_Key="held").status_code == 201
    with crm.app.app_context():
        db.engine.dispose()


def test_old_keys_are_found_by_their_index(crm: Crm) -> None:
    statement = str(idempotency._OLDEST.compile(dialect=sqlite.dialect()))

    assert "idempotency_keys_created" in crm.plan(statement, ("2026", 20, 0))


def test_many_threads_with_one_key_create_one_order(
    make_crm: Callable[..., Crm], together: Callable[..., None]
) -> None:
    crm = make_crm(threads=8)
    write = Write("orders", "POST", "/orders", ORDER)
    answers: list[TestResponse] = []

    together(*[lambda: answers.append(write.send(crm, Idempotency_Key="k"))] * 8)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    replayed = sum("Idempotency-Replayed" in answer.headers for answer in answers)
    assert replayed == 7
    number = answers[0].get_json()["number"]
    assert crm.one("SELECT count(*) FROM orders WHERE number = :n", n=number) == 1
    assert crm.one("SELECT count(*) FROM orders WHERE request_id IS NOT NULL") == 1
    assert crm.one("SELECT count(*) FROM order_items WHERE request_id IS NOT NULL") == 2


def test_of_many_threads_that_move_an_order_one_succeeds(
    make_crm: Callable[..., Crm], together: Callable[..., None]
) -> None:
    crm = make_crm(threads=4)
    write = Write("changes", "PATCH", "/orders/{order}", {"status": "paid"})
    move = write.at(crm)
    statuses: list[int] = []

    together(*[lambda: statuses.append(move.send(crm, If_Match='"1"').status_code)] * 4)

    assert sorted(statuses) == [200, 412, 412, 412]
    assert crm.one("SELECT count(*) FROM changes") == 1
