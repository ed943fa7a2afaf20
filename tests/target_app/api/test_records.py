import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from target_app.models import db

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ORDER = {"customer_id": 5, "items": [{"product_id": 1, "qty": 2}, {"product_id": 3, "qty": 1}]}
CUSTOMER = {
    "name": "  Ada Byron ",
    "email": "Ada@Example.com",
    "phone": "+44 20 7946-0000",
    "company": "Engines 和 Co",
    "city": "London",
    "country": "GB",
    "status": "active",
    "segment": "enterprise",
    "owner_id": 7,
}
FEEDBACK = {
    "content": "Two lines\r\nof praise 👍",
    "name": "Ada",
    "email": "ADA@example.com",
    "customer_id": 5,
    "score": 5,
    "nps": 0,
}


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback", "products"])
def test_a_list_holds_fifty_of_the_newest_and_the_way_on(
    client: FlaskClient, resource: str
) -> None:
    answer = client.get(f"/api/v1/{resource}")

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    ids = [item["id"] for item in answer.get_json()["items"]]
    assert len(ids) == 50
    assert ids == sorted(ids, reverse=True)
    assert f"after={answer.get_json()['next']}" in answer.headers["Link"]
    assert answer.headers["Link"].endswith('; rel="next"')


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback", "products"])
def test_a_record_opens_as_its_list_shows_it(client: FlaskClient, resource: str) -> None:
    listed = client.get(f"/api/v1/{resource}?limit=1").get_json()["items"][0]
    opened = client.get(f"/api/v1/{resource}/{listed['id']}").get_json()
    # Whom it belongs to has a name that may change without a new version: only lists show it.
    belongs = {"owner_name", "customer_name"}

    assert listed == {n: v for n, v in opened.items() if n in listed} | {
        n: v for n, v in listed.items() if n in belongs
    }


def test_an_opened_order_has_items_that_add_up_to_its_total(client: FlaskClient) -> None:
    order = client.get("/api/v1/orders/9").get_json()

    assert order["items"]
    assert set(order["items"][0]) == {"product_id", "sku", "name", "qty", "unit_price_cents"}
    assert order["total_cents"] == sum(i["qty"] * i["unit_price_cents"] for i in order["items"])


@pytest.mark.parametrize(
    ("resource", "body", "expected"),
    [
        ("customers", CUSTOMER, CUSTOMER | {"name": "Ada Byron", "email": "ada@example.com"}),
        (
            "customers",
            {"name": "X", "email": "x@y.zz", "phone": None},
            {"phone": None, "company": None, "status": "lead", "segment": "consumer"},
        ),
        (
            "feedback",
            FEEDBACK,
            FEEDBACK | {"content": "Two lines\nof praise 👍", "email": "ada@example.com"},
        ),
        (
            "feedback",
            {"content": "x" * 500, "name": "n" * 50, "email": "a@b"},
            {"customer_id": None, "score": None, "status": "new"},
        ),
        ("orders", ORDER, {"customer_id": 5, "currency": "USD", "status": "new"}),
    ],
)
def test_what_was_created_is_answered_in_full_and_there_afterwards(
    client: FlaskClient, resource: str, body: Any, expected: Any
) -> None:
    answer = client.post(f"/api/v1/{resource}", json=body)

    record = answer.get_json()
    assert answer.status_code == 201
    assert record == record | expected
    assert answer.headers["Location"] == f"/api/v1/{resource}/{record['id']}"
    assert client.get(answer.headers["Location"]).get_json() == record
    assert client.get(f"/api/v1/{resource}?limit=1").get_json()["items"][0]["id"] == record["id"]
    assert MOMENT.fullmatch(record["placed_at" if resource == "orders" else "created_at"])


def test_an_order_costs_what_its_products_cost_now(client: FlaskClient) -> None:
    prices = {p["id"]: p["price_cents"] for p in client.get("/api/v1/products").get_json()["items"]}
    wanted = list(prices)[:3]

    items = [{"product_id": key, "qty": n} for n, key in enumerate(wanted, 1)]
    order = client.post("/api/v1/orders", json={"customer_id": 1, "items": items}).get_json()

    assert order["total_cents"] == sum(n * prices[key] for n, key in enumerate(wanted, 1))
    newest = client.get("/api/v1/customers/1/orders?limit=1").get_json()["items"][0]
    assert newest["id"] == order["id"]


def test_every_row_of_a_written_order_keeps_the_id_of_its_request(
    app: Flask, client: FlaskClient
) -> None:
    client.post("/api/v1/orders", json=ORDER, headers={"X-Request-Id": "run:7"})

    with app.app_context():
        for table, rows in {"orders": 1, "order_items": 2}.items():
            count = text(f"SELECT count(*) FROM {table} WHERE request_id = 'run:7'")
            assert db.session.scalar(count) == rows, table


def test_an_email_address_belongs_to_one_customer(client: FlaskClient) -> None:
    client.post("/api/v1/customers", json=CUSTOMER)
    again = client.post("/api/v1/customers", json=CUSTOMER | {"email": "ADA@EXAMPLE.COM"})

    assert again.status_code == 409
    assert again.get_json()["errors"] == [
        {"path": "/email", "message": "is the e-mail address of another customer"}
    ]
    assert client.post("/api/v1/customers", json=CUSTOMER | {"email": "b@c.d"}).status_code == 201


def test_a_refused_order_leaves_nothing_behind(client: FlaskClient) -> None:
    before = client.get("/api/v1/orders?limit=1").get_json()["items"][0]["id"]
    body = {
        "customer_id": 10**9,
        "items": [{"product_id": 1, "qty": 1}, {"product_id": 10**9, "qty": 1}],
    }
    answer = client.post("/api/v1/orders", json=body)

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"path": "/customer_id", "message": "is no customer that exists"},
        {"path": "/items/1/product_id", "message": "is no product that exists"},
    ]
    assert client.get("/api/v1/orders?limit=1").get_json()["items"][0]["id"] == before


def test_a_head_request_has_the_headers_and_no_body(client: FlaskClient) -> None:
    answer = client.head("/api/v1/customers?limit=1")

    assert answer.status_code == 200
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) > 100
