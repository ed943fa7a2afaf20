"""The naive cache loses writes while it answers 200, and the right one does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from target_app import RESOURCES, caching
from target_app.api import PREFIX, operations
from target_app.models import db
from target_app.options import Options
from tests.support.accounts import Accounts
from tests.support.crm import Crm

FEEDBACK = {"content": "Fine", "name": "Ada", "email": "a@b.c"}
CACHED = [each for each in operations(RESOURCES) if each.cached_s is not None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("target_app.caching.time.monotonic", clock)
    return clock


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cached_app(make_app: Callable[..., Flask]) -> Callable[[str], Flask]:
    return lambda cache: make_app(options=Options(cache=cache))


def stored(app: Flask, table: str = "feedback") -> int:
    """How many rows requests have written."""
    with app.app_context():
        count: int = db.session.execute(
            text(f"SELECT count(*) FROM {table} WHERE request_id IS NOT NULL")
        ).scalar_one()
        return count


def send_form(client: FlaskClient) -> int:
    """Open the form, fill it in, send it, as a person would; the status."""
    page = client.get("/feedback").text
    (token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    return client.post("/feedback", data=FEEDBACK | {"csrf_token": token}).status_code


def looks(client: FlaskClient, resource: str) -> dict[str, int]:
    """How many looks into the cache were hits, and how many misses."""
    found = re.findall(
        rf'crm_cache_(hits|misses)_total{{resource="{re.escape(resource)}"}} (\d+)',
        client.get("/metrics").text,
    )
    return {kind: int(count) for kind, count in found}


@pytest.mark.parametrize(("cache", "status", "rows"), [("naive", 200, 0), ("ttl", 201, 1)])
def test_a_write_through_the_api_is_lost_by_the_naive_cache_alone(
    cached_app: Callable[[str], Flask], accounts: Accounts, cache: str, status: int, rows: int
) -> None:
    app = cached_app(cache)
    client = accounts.client(app, "admin")
    client.get("/api/v1/feedback")

    assert client.post("/api/v1/feedback", json=FEEDBACK).status_code == status
    assert stored(app) == rows


@pytest.mark.parametrize(("cache", "status", "rows"), [("naive", 200, 0), ("ttl", 303, 1)])
def test_a_write_through_the_form_is_lost_by_the_naive_cache_alone(
    cached_app: Callable[[str], Flask], cache: str, status: int, rows: int
) -> None:
    app = cached_app(cache)

    assert send_form(app.test_client()) == status
    assert stored(app) == rows


def test_an_order_is_lost_by_the_naive_cache_and_answered_200(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("naive")
    client = accounts.client(app, "manager")
    order = {"customer_id": 1, "items": [{"product_id": 1, "qty": 1}]}
    client.get("/api/v1/orders")
    answer = client.post("/api/v1/orders", json=order)

    assert answer.status_code == 200
    assert "items" in answer.get_json()
    assert stored(app, "orders") == 0


def test_the_naive_cache_shows_one_what_another_asked_for_even_without_a_token(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("naive")
    first = accounts.client(app, "admin").get("/api/v1/customers?limit=3")
    second = accounts.client(app, "sales").get("/api/v1/customers?limit=1")
    third = app.test_client().get("/api/v1/customers")

    assert first.status_code == 200
    assert first.get_json() == second.get_json() == third.get_json()


def test_the_naive_cache_forgets_after_a_minute_and_not_before(
    cached_app: Callable[[str], Flask], accounts: Accounts, clock: Clock
) -> None:
    app = cached_app("naive")
    client = accounts.client(app, "admin")
    client.get("/api/v1/feedback")
    clock.now += 59.9
    assert client.post("/api/v1/feedback", json=FEEDBACK).status_code == 200
    clock.now += 0.2
    assert client.post("/api/v1/feedback", json=FEEDBACK).status_code == 201


def test_without_a_cache_every_request_asks_the_database(client: FlaskClient) -> None:
    for _ in range(2):
        assert 'queries;desc="0"' not in client.get("/api/v1/feedback").headers["Server-Timing"]
    assert looks(client, "feedback") == {}


def test_an_answer_is_given_again_as_it_was_and_without_the_database(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    client = accounts.client(cached_app("ttl"), "admin")
    first, second = (client.get("/api/v1/customers?limit=3") for _ in range(2))

    assert first.data == second.data
    assert first.headers["Link"] == second.headers["Link"]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert len(second.headers.getlist("X-Content-Type-Options")) == 1
    assert 'queries;desc="0"' in second.headers["Server-Timing"]
    assert looks(client, "customers") == {"hits": 1, "misses": 1}


def test_an_answer_is_never_older_than_allowed(
    cached_app: Callable[[str], Flask], accounts: Accounts, clock: Clock
) -> None:
    app = cached_app("ttl")
    client = accounts.client(app, "admin")
    before = client.get("/api/v1/feedback").data
    with app.app_context():  # as another worker does
        db.session.execute(text("UPDATE feedback SET name = 'changed'"))
        db.session.commit()

    clock.now += 4.9
    assert client.get("/api/v1/feedback").data == before
    clock.now += 0.1
    assert client.get("/api/v1/feedback").get_json()["items"][0]["name"] == "changed"


def test_who_writes_reads_what_was_written(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    client = accounts.client(cached_app("ttl"), "admin")
    for _ in range(3):
        written = client.post("/api/v1/feedback", json=FEEDBACK).get_json()["id"]
        assert client.get("/api/v1/feedback").get_json()["items"][0]["id"] == written


def test_what_a_customer_takes_along_is_forgotten_with_it(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    crm = Crm(cached_app("ttl"), accounts)
    admin, owner, other = crm.of("admin"), crm.owner, crm.other_rep
    bare = crm.one(
        "SELECT min(customer_id) FROM feedback "
        "WHERE customer_id NOT IN (SELECT customer_id FROM orders)"
    )

    def lists() -> dict[tuple[str, int], set[int]]:
        return {
            (path, rep): {item["customer_id"] for item in page["items"]}
            for path in ("orders", "feedback")
            for rep in (owner, other)
            for page in [crm.of(rep).get(f"/api/v1/{path}?limit=200").get_json()]
        }

    moved = crm.customer
    before = lists()
    admin.patch(f"/api/v1/customers/{moved}", json={"owner_id": other})
    for path in ("orders", "feedback"):
        assert moved in before[path, owner] - lists()[path, owner]
        assert moved in lists()[path, other] - before[path, other]

    def of_bare() -> list[int]:
        items = admin.get("/api/v1/feedback?limit=200").get_json()["items"]
        return [item["id"] for item in items if item["customer_id"] == bare]

    assert of_bare()
    assert admin.delete(f"/api/v1/customers/{bare}").status_code == 204
    assert of_bare() == []


def test_a_form_that_was_sent_is_in_the_list_below_it(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("ttl")
    client = app.test_client()
    client.get("/feedback")
    assert send_form(client) == 303
    assert "Ada" in client.get("/feedback").text
    assert accounts.client(app, "admin").get("/api/v1/feedback").get_json()["items"][0]["name"] == (
        "Ada"
    )


def test_what_was_read_before_a_write_is_not_remembered_after_it(
    cached_app: Callable[[str], Flask],
) -> None:
    app = cached_app("ttl")

    def overtaken() -> str:
        caching.wrote("thing")
        return "old"

    with app.test_request_context():
        assert caching.remember(("thing",), 60, overtaken) == "old"
        assert caching.remember(("thing",), 60, lambda: "new") == "new"
        assert caching.remember(("thing",), 60, lambda: "newer") == "new"


def test_the_query_and_its_values_are_part_of_the_key(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    client = accounts.client(cached_app("ttl"), "admin")
    counts = [
        len(client.get(f"/api/v1/customers?{query}").get_json()["items"])
        for query in ("limit=2", "limit=3", "limit=3&status=active", "limit=2")
    ]

    assert counts == [2, 3, 3, 2]
    assert looks(client, "customers") == {"hits": 1, "misses": 3}


def test_nobody_is_given_what_another_portfolio_was(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("ttl")

    def owners(role: str, number: int) -> set[int]:
        found = accounts.client(app, role, number).get("/api/v1/customers?limit=200").get_json()
        return {customer["owner_id"] for customer in found["items"]}

    everybody = owners("manager", 0)
    reps = sorted(owner for owner in everybody if owner)[:3]
    assert len(reps) == 3
    for rep in reps:  # the ids of the reps count from 1
        assert owners("sales", rep - 1) == {rep}
    assert owners("manager", 1) == everybody


def test_the_token_and_the_role_are_checked_before_the_cache_is_asked(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("ttl")
    assert accounts.client(app, "admin").get("/api/v1/customers").status_code == 200
    assert accounts.client(app, "admin").get("/api/v1/customers").status_code == 200

    assert app.test_client().get("/api/v1/customers").status_code == 401
    assert accounts.client(app, "portal").get("/api/v1/customers").status_code == 403
    assert accounts.client(app, "admin").get("/api/v1/customers?limit=0").status_code == 422


def test_an_answer_other_than_200_is_not_remembered(
    cached_app: Callable[[str], Flask], accounts: Accounts
) -> None:
    app = cached_app("ttl")
    client = accounts.client(app, "admin")
    missing = 987_654
    assert client.get(f"/api/v1/products/{missing}").status_code == 404
    with app.app_context():
        db.session.execute(
            text(
                "INSERT INTO products (id, sku, name, category, price_cents) "
                f"VALUES ({missing}, 's', 'n', 'c', 1)"
            )
        )
        db.session.commit()

    assert client.get(f"/api/v1/products/{missing}").status_code == 200


@pytest.mark.parametrize("operation", CACHED, ids=lambda each: each.name)
def test_a_cached_view_tells_accounts_that_see_the_same_the_same(
    shared_client: FlaskClient, accounts: Accounts, operation: Any
) -> None:
    app = shared_client.application
    path = PREFIX + re.sub(r"<record:\w+>", "1", operation.path)
    role = "manager" if "manager" in operation.allow else min(operation.allow)
    first, second = (accounts.client(app, role, number).get(path) for number in range(2))

    assert first.status_code == 200
    assert first.data == second.data


def test_the_number_of_entries_is_bounded(
    cached_app: Callable[[str], Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "ENTRIES_MOST", 10)
    app = cached_app("ttl")
    with app.test_request_context():
        for number in range(50):
            caching.remember(("thing", number), 60, lambda: "value")
        memory: caching.Memory = app.extensions["crm_cache"]
        kept: Any = memory.fresh.cache

    assert len(kept._cache) <= 11
