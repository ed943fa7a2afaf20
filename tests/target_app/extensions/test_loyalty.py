"""The extension point, by its example: what it adds, and that nothing is there without it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from target_app import Config, create_app, preparing
from target_app.models import db
from target_app.options import OptionError
from tests.support.accounts import Accounts

CUSTOMER = 1
POINTS = f"/api/v1/customers/{CUSTOMER}/loyalty"


@pytest.fixture
def loyal(database: Path, make_app: Callable[..., Flask]) -> Flask:
    """An application with the extension, on a database that was made without it."""
    app = make_app(extensions=("loyalty",))
    preparing.prepare(app.extensions["crm"], is_dataset=False)
    return app


@pytest.fixture
def client(loyal: Flask, accounts: Accounts) -> FlaskClient:
    return accounts.client(loyal, "admin")


def order(client: FlaskClient, key: str | None = None) -> dict[str, Any]:
    body = {"customer_id": CUSTOMER, "items": [{"product_id": 1, "qty": 3}]}
    headers = {"Idempotency-Key": key} if key else {}
    answer = client.post("/api/v1/orders", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.get_json()
    return placed


def points(client: FlaskClient) -> dict[str, Any]:
    answer = client.get(POINTS)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.get_json()
    return page


def test_an_order_earns_a_point_for_each_whole_unit_of_money(client: FlaskClient) -> None:
    assert points(client)["balance"] == 0

    placed = order(client)

    earned = placed["total_cents"] // 100
    page = points(client)
    assert earned > 0
    assert page["balance"] == earned
    assert [(e["reason"], e["points"], e["order_id"]) for e in page["items"]] == [
        ("order", earned, placed["id"])
    ]


def test_a_cancelled_order_gives_its_points_back(client: FlaskClient) -> None:
    placed = order(client)

    answer = client.patch(f"/api/v1/orders/{placed['id']}", json={"status": "cancelled"})

    assert answer.status_code == 200, answer.text
    page = points(client)
    assert page["balance"] == 0
    assert [e["reason"] for e in page["items"]] == ["cancellation", "order"]


def test_an_order_that_is_sent_twice_earns_once(client: FlaskClient) -> None:
    placed = [order(client, key="once") for _ in range(2)]

    assert placed[0] == placed[1]
    assert points(client)["balance"] == placed[0]["total_cents"] // 100


def test_points_are_redeemed_down_to_none_and_no_further(client: FlaskClient) -> None:
    order(client)
    balance = points(client)["balance"]

    redeemed = client.post(f"{POINTS}/redemptions", json={"points": balance})
    refused = client.post(f"{POINTS}/redemptions", json={"points": 1})

    assert redeemed.status_code == 201
    assert redeemed.get_json()["balance"] == 0
    assert refused.status_code == 409
    assert "balance, which is 0" in refused.text
    assert points(client)["balance"] == 0


@pytest.mark.parametrize("given", [0, -1, 1.0, "1", None, 10**9, True])
def test_anything_but_a_number_of_points_is_refused(client: FlaskClient, given: object) -> None:
    assert client.post(f"{POINTS}/redemptions", json={"points": given}).status_code == 422


def test_a_subscriber_that_fails_takes_the_order_with_it(
    loyal: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from target_app.extensions.loyalty import ledger

    def fail(*_: object) -> None:
        raise RuntimeError("no ledger today")

    loyal.testing = False
    newest = client.get("/api/v1/orders?limit=1").get_json()["items"]
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "add", fail)
        body = {"customer_id": CUSTOMER, "items": [{"product_id": 1, "qty": 1}]}
        assert client.post("/api/v1/orders", json=body).status_code == 500

    assert client.get("/api/v1/orders?limit=1").get_json()["items"] == newest


def test_nobody_sees_the_points_of_somebody_elses_customer(
    loyal: Flask, accounts: Accounts
) -> None:
    portal = accounts.of_role("portal")
    other = next(n for n, account in enumerate(portal) if account["customer_id"] != CUSTOMER)

    assert accounts.client(loyal, "portal", other).get(POINTS).status_code == 404


def test_nothing_of_it_is_there_when_it_is_switched_off(app: Flask, accounts: Accounts) -> None:
    client = accounts.client(app, "admin")

    assert client.get(POINTS).status_code == 404
    assert "loyalty" not in client.get("/api/v1/openapi.json").text
    with app.app_context():
        tables = db.inspect(db.engine).get_table_names()
    assert not [name for name in tables if "loyalty" in name]


def test_it_is_documented_when_it_is_switched_on(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").get_json()["paths"]

    assert f"{POINTS.replace('/1/', '/{customer_id}/').removeprefix('/api/v1')}" in "".join(paths)


def test_an_extension_that_does_not_exist_is_named_with_those_that_do(database: Path) -> None:
    with pytest.raises(OptionError, match="extension nothing: unknown; allowed are loyalty"):
        create_app(Config(database=database, extensions=("nothing",)))


def test_a_person_sees_the_points_on_a_page_that_the_customers_page_leads_to(
    loyal: Flask, client: FlaskClient, accounts: Accounts
) -> None:
    earned = order(client)["total_cents"] // 100
    browser = loyal.test_client()
    with browser.session_transaction() as session:
        session["user_id"] = accounts.of_role("admin")[0]["id"]

    page = browser.get(f"/customers/{CUSTOMER}")
    assert f'href="/customers/{CUSTOMER}/loyalty"' in page.text
    shown = browser.get(f"/customers/{CUSTOMER}/loyalty")

    assert shown.status_code == 200
    assert f"Balance: <strong>{earned:,}</strong>" in shown.text
    assert f"+{earned:,}" in shown.text
