"""The page of an order, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.accounts import Accounts
from tests.support.markup import Markup
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


@pytest.fixture
def order(app: Flask, accounts: Accounts) -> int:
    """A new order of two products."""
    items = [{"product_id": 1, "qty": 2}, {"product_id": 2, "qty": 1}]
    body = {"customer_id": 21, "currency": "EUR", "items": items}
    made = accounts.client(app, "admin").post("/api/v1/orders", json=body)
    assert made.status_code == 201
    key: int = made.get_json()["id"]
    return key


def version(page: Markup) -> str:
    return str(page.one("input", name="version")["value"])


def test_an_order_shows_its_items_and_what_they_cost(visit: Visit, ask: Ask, order: int) -> None:
    page = visit("manager").see(f"/orders/{order}")

    ((total, number),) = ask("SELECT total_cents, number FROM orders WHERE id = :o", o=order)
    assert number in page.text
    assert f"Total in EUR{total // 100:,}.{total % 100:02}" in page.text
    for (name,) in ask("SELECT name FROM products WHERE id IN (1, 2)"):
        assert name in page.text


def test_an_order_moves_on_by_its_buttons(visit: Visit, ask: Ask, order: int) -> None:
    visitor = visit("support")
    for status, following in (("paid", ["shipped", "cancelled"]), ("shipped", [])):
        page = visitor.see(f"/orders/{order}")
        answer = visitor.send(f"/orders/{order}/status", status=status, version=version(page))
        assert answer.headers["Location"] == f"/orders/{order}?done={status}"
        page = visitor.see(answer.headers["Location"])
        assert f"The order is marked as {status}." in page.text
        assert [a["value"] for a in page.all("button", name="status")] == following
        request_id = answer.headers["X-Request-Id"]
        changes = "SELECT subject, record_id FROM changes WHERE request_id = :r"
        assert ask(changes, r=request_id) == [("order", order)]


def test_a_button_that_was_overtaken_does_nothing_and_says_so(
    visit: Visit, ask: Ask, order: int
) -> None:
    first, second = visit("support", 1), visit("support", 2)
    shown = version(first.see(f"/orders/{order}"))
    second.send(f"/orders/{order}/status", status="paid", version=shown)
    answer = first.send(f"/orders/{order}/status", status="cancelled", version=shown)

    assert answer.status_code == 409
    page = Markup(answer.text)
    assert page.faults() == []
    assert "Somebody has changed this order since you opened it." in page.text
    assert [a["value"] for a in page.all("button", name="status")] == ["shipped", "cancelled"]
    assert ask("SELECT status FROM orders WHERE id = :o", o=order) == [("paid",)]


@pytest.mark.parametrize(
    ("status", "code"), [("shipped", 409), ("new", 409), ("x", 422), ("", 422)]
)
def test_a_step_that_there_is_not_is_refused(
    visit: Visit, ask: Ask, order: int, status: str, code: int
) -> None:
    visitor = visit("support")
    shown = version(visitor.see(f"/orders/{order}"))
    answer = visitor.send(f"/orders/{order}/status", status=status, version=shown)

    assert answer.status_code == code
    assert "Not changed." in answer.text
    assert ask("SELECT status FROM orders WHERE id = :o", o=order) == [("new",)]


def test_on_the_portal_an_order_has_no_buttons(visit: Visit, ask: Ask, accounts: Accounts) -> None:
    buyers = {key for (key,) in ask("SELECT customer_id FROM orders")}
    everybody = accounts.of_role("portal")
    number = next(n for n, a in enumerate(everybody) if a["customer_id"] in buyers)
    own = everybody[number]["customer_id"]
    ((order,), *_) = ask("SELECT id FROM orders WHERE customer_id = :c ORDER BY id", c=own)
    ((foreign,), *_) = ask("SELECT id FROM orders WHERE customer_id <> :c ORDER BY id", c=own)
    visitor = visit("portal", number)

    page = visitor.see(f"/orders/{order}")
    assert not page.all("button", name="status")
    assert visitor.get(f"/orders/{foreign}").status_code == 404
    assert visitor.send(f"/orders/{order}/status", status="cancelled").status_code == 403
    assert visitor.see("/").all("a", href=f"/orders/{order}") or visitor.see(
        f"/customers/{own}/orders"
    ).all("a", href=f"/orders/{order}")
