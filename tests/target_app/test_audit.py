from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from target_app import Config, audit, create_app
from target_app.models import Base, db
from tests.support.accounts import Accounts
from tests.support.crm import WRITTEN

AUDIT = "/api/v1/_audit"
ITEM = {"product_id": 1, "qty": 2}


@pytest.fixture(scope="module")
def audited(each_database: Path | str) -> Iterator[Flask]:
    app = create_app(Config(database=each_database, test_mode=True))
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def manager(audited: Flask, accounts: Accounts) -> FlaskClient:
    return accounts.client(audited, "manager")


def found(client: FlaskClient, *ids: str) -> Any:
    answer = client.post(AUDIT, json={"request_ids": ids})
    assert answer.status_code == 200, answer.text
    return answer.get_json()["found"]


def state(client: FlaskClient) -> dict[str, Any]:
    answer = client.get(AUDIT)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.get_json()
    return document


def broken(client: FlaskClient) -> dict[str, Any]:
    return {
        each["name"]: (each["violations"], each["examples"])
        for each in state(client)["invariants"]
        if each["violations"]
    }


def test_what_was_added_and_removed_since_is_still_found_once(manager: FlaskClient) -> None:
    def ask(request_id: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Request-Id": request_id}
        answer = manager.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.get_json(silent=True)

    person = {"name": "Brief", "email": "brief@audit.example"}
    customer = ask("r-customer", "POST", "/customers", person)["id"]
    ask("r-call", "POST", f"/customers/{customer}/activities", {"kind": "call", "subject": "Hi"})
    ask("r-removed", "DELETE", f"/customers/{customer}")

    assert found(manager, "r-customer", "r-call", "r-removed") == {
        "r-customer": 1,
        "r-call": 1,
        "r-removed": 1,
    }


def test_every_kind_of_write_is_found_once_by_its_request(manager: FlaskClient) -> None:
    def ask(request_id: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers |= {"X-Request-Id": request_id}
        answer = manager.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.get_json(silent=True)

    person = {"name": "Ada", "email": "ada@audit.example"}
    customer = ask("w-customer", "POST", "/customers", person)["id"]
    order = ask("w-order", "POST", "/orders", {"customer_id": customer, "items": [ITEM] * 3})
    told = ask("w-told", "POST", "/feedback", person | {"content": "x", "customer_id": customer})
    ask("w-answer", "POST", f"/feedback/{told['id']}/responses", {"content": "y"})
    ask("w-change", "PATCH", f"/customers/{customer}", {"name": "Eve"})
    ask("w-paid", "PATCH", f"/orders/{order['id']}", {"status": "paid"})
    ask("w-twice", "POST", "/feedback", person | {"content": "x"}, **{"Idempotency-Key": "k"})
    ask("w-again", "POST", "/feedback", person | {"content": "x"}, **{"Idempotency-Key": "k"})
    written = ("customer", "order", "told", "answer", "change", "paid", "twice")

    assert found(manager, *(f"w-{name}" for name in written), "w-again", "w-never") == {
        **{f"w-{name}": 1 for name in written},
        "w-again": 0,
        "w-never": 0,
    }


def test_a_refused_write_is_not_there(manager: FlaskClient) -> None:
    order = {"customer_id": 1, "items": [ITEM, {"product_id": 10**9, "qty": 1}]}
    answer = manager.post("/api/v1/orders", json=order, headers={"X-Request-Id": "refused"})

    assert answer.status_code == 422
    assert found(manager, "refused") == {"refused": 0}


def test_what_is_there_twice_is_counted_twice(audited: Flask, manager: FlaskClient) -> None:
    for _ in range(2):
        body = {"content": "x", "name": "n", "email": "e@e.e"}
        manager.post("/api/v1/feedback", json=body, headers={"X-Request-Id": "doubled"})

    assert found(manager, "doubled") == {"doubled": 2}


def test_five_thousand_long_ids_are_taken_and_one_more_is_not(manager: FlaskClient) -> None:
    ids = [f"{n:064}" for n in range(5001)]

    assert len(found(manager, *ids[:5000])) == 5000
    assert manager.post(AUDIT, json={"request_ids": ids}).status_code == 422


def test_other_bodies_stay_as_short_as_they_are_everywhere(manager: FlaskClient) -> None:
    long = {"content": "x" * 70_000, "name": "n", "email": "e@e.e"}

    assert manager.post("/api/v1/feedback", json=long).status_code == 413
    too_long = json.dumps({"request_ids": ["x" * 600_000]})
    assert manager.post(AUDIT, data=too_long, content_type="application/json").status_code == 413


@pytest.mark.parametrize("ids", [None, "abc", {"a": 1}, [1], ["a b"], [""], ["x" * 65], [None]])
def test_what_is_no_list_of_ids_is_refused(manager: FlaskClient, ids: object) -> None:
    assert manager.post(AUDIT, json={"request_ids": ids}).status_code == 422


def test_the_rows_of_every_table_are_counted(audited: Flask, manager: FlaskClient) -> None:
    rows = state(manager)["rows"]

    assert set(rows) == set(Base.metadata.tables)
    with audited.app_context():
        counted = db.session.execute(text("SELECT count(*) FROM orders")).scalar_one()
    assert rows["orders"] == counted > 0


def test_a_dataset_holds_what_must_hold(manager: FlaskClient) -> None:
    found = state(manager)

    assert found["holds"] is True
    assert all(each["violations"] == 0 for each in found["invariants"])
    names = {each["name"] for each in found["invariants"]}
    assert {"orders_customer_id_exists", "order_items_order_id_exists"} <= names
    references = sum(len(table.foreign_keys) for table in Base.metadata.tables.values())
    assert len(names) == references + 7


OTHER_OWNER = "owner_id = CASE owner_id WHEN 1 THEN 2 ELSE 1 END"
BREAKS = {
    "order_total_is_sum_of_items": "UPDATE orders SET total_cents = total_cents + 1 WHERE id <= 7",
    "order_status_known": "UPDATE orders SET status = 'lost' WHERE id <= 7",
    "feedback_status_known": "UPDATE feedback SET status = 'lost' WHERE id <= 7",
    "order_owner_is_that_of_customer": f"UPDATE orders SET {OTHER_OWNER} WHERE id <= 7",
    "feedback_owner_is_that_of_customer": f"UPDATE feedback SET {OTHER_OWNER} WHERE id <= 7",
    "orders_customer_id_exists": "UPDATE orders SET customer_id = 999999 WHERE id <= 7",
    "feedback_customer_id_exists": "UPDATE feedback SET customer_id = 999999 WHERE id <= 7",
    "order_items_product_id_exists": "UPDATE order_items SET product_id = 999999 WHERE id <= 7",
}


@pytest.mark.costly
@pytest.mark.parametrize(("name", "break_it"), BREAKS.items(), ids=list(BREAKS))
def test_what_is_broken_is_counted_and_named(
    make_app: Callable[..., Flask], accounts: Accounts, name: str, break_it: str
) -> None:
    client = _broken(make_app, accounts, break_it)

    assert broken(client) == {name: (7, [1, 2, 3, 4, 5])}
    assert state(client)["holds"] is False


def test_an_order_without_items_breaks_two_rules(
    make_app: Callable[..., Flask], accounts: Accounts
) -> None:
    client = _broken(make_app, accounts, "DELETE FROM order_items WHERE order_id = 3")

    assert broken(client) == {
        "order_has_items": (1, [3]),
        "order_total_is_sum_of_items": (1, [3]),
    }


def test_a_key_without_an_answer_is_found(
    make_app: Callable[..., Flask], accounts: Accounts
) -> None:
    client = _broken(
        make_app,
        accounts,
        "INSERT INTO idempotency_keys (id, user_id, key, request_sha256, status, body, created_at)"
        " VALUES (9, 1, 'k', 'x', 0, '', '2026-01-01T00:00:00.000000Z')",
    )

    assert broken(client) == {"idempotency_key_answered": (1, [9])}


def _broken(make_app: Callable[..., Flask], accounts: Accounts, statement: str) -> FlaskClient:
    app = make_app(test_mode=True)
    with app.app_context():
        db.session.execute(text("PRAGMA foreign_keys = OFF"))
        db.session.commit()
        connection = db.engine.raw_connection()
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
        connection.commit()
        connection.close()
        db.engine.dispose()
    return accounts.client(app, "admin")


@pytest.mark.parametrize("role", ["sales", "support", "marketing", "portal"])
def test_the_audit_is_for_managers(audited: Flask, accounts: Accounts, role: str) -> None:
    client = accounts.client(audited, role)

    assert client.get(AUDIT).status_code == 403
    assert client.post(AUDIT, json={"request_ids": []}).status_code == 403


def test_without_test_mode_there_is_no_audit_and_nobody_is_told_of_one(
    app: Flask, audited: Flask, accounts: Accounts
) -> None:
    client = accounts.client(app, "admin")

    assert client.get(AUDIT).status_code == 404
    assert client.post(AUDIT, json={"request_ids": []}).status_code == 404
    assert "_audit" not in client.get("/api/v1/openapi.json").text
    assert "_audit" in audited.test_client().get("/api/v1/openapi.json").text
    assert client.get("/readyz").status_code == 200


def test_ids_are_looked_for_in_every_table_that_tells_of_requests() -> None:
    asked = [str(table) for each in audit.COUNTS for table in each.get_final_froms()]

    assert len(WRITTEN) > 1
    assert sorted(asked) == sorted(WRITTEN)


def test_looking_for_ids_takes_an_index_and_asks_it_for_each(app: Flask) -> None:
    with app.app_context():
        connection = db.session.connection()
        for statement in audit.COUNTS:
            bound = statement.params(ids=["a", "b", "c"])
            sql = str(bound.compile(connection, compile_kwargs={"render_postcompile": True}))
            (step,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("a", "b", "c")).all()
            assert "_request (request_id=?)" in step.detail
