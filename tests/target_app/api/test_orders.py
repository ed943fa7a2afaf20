from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from target_app.events import order_cancelled, order_placed
from tests.support.crm import Crm

STATUSES = ("new", "paid", "shipped", "cancelled")
ALLOWED = {("new", "paid"), ("new", "cancelled"), ("paid", "shipped"), ("paid", "cancelled")}


def order(customer: int, **more: object) -> dict[str, object]:
    return {"customer_id": customer, "items": [{"product_id": 1, "qty": 2}], **more}


@pytest.mark.parametrize("before", STATUSES)
def test_an_order_takes_the_steps_there_are_and_no_other(crm: Crm, before: str) -> None:
    keys = crm.rows("SELECT id FROM orders WHERE status = :s ORDER BY id LIMIT 4", s=before)
    taken = set()
    for (key,), after in zip(keys, STATUSES, strict=True):
        answer = crm.of("support").patch(f"/api/v1/orders/{key}", json={"status": after})
        there = crm.of("support").get(f"/api/v1/orders/{key}").get_json()
        if answer.status_code == 200:
            taken.add((before, after))
            assert answer.get_json() == there
            assert (there["status"], there["version"]) == (after, 2)
        else:
            assert answer.status_code == 409
            assert (there["status"], there["version"]) == (before, 1)

    assert taken == {step for step in ALLOWED if step[0] == before}


def test_a_step_there_is_not_is_refused_with_those_there_are(shared_crm: Crm) -> None:
    refused = {}
    for status in STATUSES:
        key = shared_crm.one("SELECT min(id) FROM orders WHERE status = :s", s=status)
        answer = shared_crm.of("admin").patch(f"/api/v1/orders/{key}", json={"status": "new"})
        refused[status] = answer.get_json()["errors"][0]["message"]

    assert refused == {
        "new": "is new, which may become paid or cancelled",
        "paid": "is paid, which may become shipped or cancelled",
        "shipped": "is shipped, which may become nothing else",
        "cancelled": "is cancelled, which may become nothing else",
    }


def test_a_change_is_noted_with_who_made_it(crm: Crm) -> None:
    key = crm.one("SELECT min(id) FROM orders WHERE status = 'new'")
    crm.of("manager").patch(f"/api/v1/orders/{key}", json={"status": "paid"})

    noted = crm.rows("SELECT subject, record_id, action, user_id FROM changes")

    manager = crm.accounts.of_role("manager")[0]["id"]
    assert noted == [("order", key, "new to paid", manager)]


def test_a_customer_orders_on_the_portal_and_only_for_itself(crm: Crm) -> None:
    portal = crm.of(crm.portal)
    other = crm.one("SELECT min(id) FROM customers WHERE id <> :c", c=crm.customer)

    placed = portal.post("/api/v1/orders", json=order(crm.customer))
    refused = portal.post("/api/v1/orders", json=order(other))

    assert placed.status_code == 201
    assert portal.get(placed.headers["Location"]).get_json() == placed.get_json()
    assert refused.status_code == 422
    assert refused.get_json()["errors"] == [
        {"path": "/customer_id", "message": "is no customer that exists"}
    ]
    moved = portal.patch(placed.headers["Location"], json={"status": "cancelled"})
    assert moved.status_code == 403


def test_a_rep_orders_for_the_own_customers_alone_and_moves_their_orders(crm: Crm) -> None:
    placed = crm.of(crm.owner).post("/api/v1/orders", json=order(crm.customer))
    path = placed.headers["Location"]

    assert placed.status_code == 201
    refused = crm.of(crm.other_rep).post("/api/v1/orders", json=order(crm.customer))
    assert refused.status_code == 422
    assert crm.of(crm.other_rep).patch(path, json={"status": "paid"}).status_code == 404
    assert crm.of(crm.owner).patch(path, json={"status": "paid"}).status_code == 200


def test_the_largest_order_fits(crm: Crm) -> None:
    dearest, price = crm.rows(
        "SELECT id, price_cents FROM products ORDER BY price_cents DESC LIMIT 1"
    )[0]
    body = order(crm.customer, items=[{"product_id": dearest, "qty": 1000}] * 50)

    placed = crm.of("admin").post("/api/v1/orders", json=body).get_json()

    assert placed["total_cents"] == 50_000 * price < 2**63
    assert len(placed["items"]) == 50


def test_who_listens_hears_of_an_order_with_its_items_inside_of_its_transaction(
    app: Flask, crm: Crm
) -> None:
    heard: list[Mapping[str, Any]] = []

    def hear(_: Flask, order: Mapping[str, Any]) -> None:
        heard.append(dict(order))

    with order_placed.connected_to(hear, app), order_cancelled.connected_to(hear, app):
        placed = crm.of("admin").post("/api/v1/orders", json=order(crm.customer))
        path = placed.headers["Location"]
        crm.of("admin").patch(path, json={"status": "paid"})
        cancelled = crm.of("admin").patch(path, json={"status": "cancelled"})

    assert heard == [placed.get_json(), cancelled.get_json()]


def test_when_a_listener_fails_nothing_was_ordered(app: Flask, crm: Crm) -> None:
    app.testing = False  # as in production: a failure is an answer

    def fail(_: Flask, order: Mapping[str, Any]) -> None:
        raise RuntimeError(order["number"])

    with order_placed.connected_to(fail, app):
        answer = crm.of("admin").post(
            "/api/v1/orders", json=order(crm.customer), headers={"X-Request-Id": "fails"}
        )

    assert answer.status_code == 500
    assert crm.written("fails") == {}
