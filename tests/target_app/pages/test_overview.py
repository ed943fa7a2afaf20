"""The first page, by role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from target_app.pages import dashboard, figures
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


def test_a_sales_rep_sees_the_own_customers_orders_and_leads(seller: Visitor, ask: Ask) -> None:
    assert seller.account
    own = {"o": seller.account["id"]}
    page = seller.see("/")

    for status in ("lead", "active", "inactive", "churned"):
        ((number,),) = ask(
            "SELECT count(*) FROM customers WHERE owner_id = :o AND status = :s", s=status, **own
        )
        assert page.one("a", href=f"/customers?status={status}")
        assert f"{number} {status}" in " ".join(page.text.split())
    orders = ask(
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id"
        " WHERE c.owner_id = :o ORDER BY placed_at DESC, o.id DESC LIMIT 8",
        **own,
    )
    assert orders
    shown = [a["href"] for a in page.all("a") if (a["href"] or "").startswith("/orders/")]
    assert shown == [f"/orders/{key}" for (key,) in orders]
    leads = ask(
        "SELECT id FROM customers WHERE owner_id = :o AND status = 'lead' ORDER BY id LIMIT 8",
        **own,
    )
    listed = page.text[page.text.index("Oldest leads") :]
    assert leads
    assert listed.count("last activity") + listed.count("no activity yet") == len(leads)


def test_leads_come_oldest_first_and_tell_of_the_last_activity(app: Flask, ask: Ask) -> None:
    ((owner, _), *_) = ask(
        "SELECT owner_id, count(*) FROM customers WHERE status = 'lead' AND owner_id IS NOT NULL"
        " GROUP BY owner_id ORDER BY 2 DESC, 1"
    )
    with app.app_context():
        found = figures.oldest_leads(owner, 8)

    leads = ask(
        "SELECT id, created_at FROM customers WHERE status = 'lead' AND owner_id = :o", o=owner
    )
    last = {
        key: ask("SELECT max(occurred_at) FROM activities WHERE customer_id = :c", c=key)[0][0]
        for key, _ in leads
    }
    assert len(leads) > 1
    assert {row.id: row.last_at for row in found} == last
    assert [(row.id, row.created_at) for row in found] == sorted(leads)


def test_support_sees_what_has_waited_the_longest(visit: Visit, ask: Ask) -> None:
    page = visit("support").see("/")

    ids = ask("SELECT id FROM feedback WHERE status = 'new' ORDER BY created_at, id LIMIT 8")
    hrefs = [(a["href"] or "").removeprefix("/feedback/") for a in page.all("a")]
    assert [int(href) for href in hrefs if href.isdigit()] == [key for (key,) in ids]
    ((number,),) = ask("SELECT count(*) FROM feedback WHERE status = 'new'")
    assert f"Waiting for an answer: {number}" in page.text


def test_a_long_queue_is_not_counted_to_its_end(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "WAITING_COUNTED", 3)

    assert "Waiting for an answer: more than 3" in visit("support").see("/").text


@pytest.mark.parametrize("role", ["manager", "marketing", "admin"])
def test_who_reads_reports_sees_sales_satisfaction_and_who_buys(
    visit: Visit, ask: Ask, role: str
) -> None:
    page = visit(role).see("/")
    ((scored, satisfied),) = ask(
        "SELECT count(score), count(CASE WHEN score >= 4 THEN 1 END) FROM feedback"
    )
    ((orders, cents),) = ask(
        "SELECT count(*), sum(CASE WHEN currency = 'USD' THEN total_cents END) FROM orders"
        " WHERE status <> 'cancelled' AND substr(placed_at, 1, 7) = '2025-12'"
    )

    assert f"{100 * satisfied / scored:.0f} %" in page.text
    row = page.text[page.text.index("Dec 2025") :]
    assert f"{orders:,}" in row[: row.index("Nov 2025")]
    assert f"{cents / 100:,.0f}" in row[: row.index("Nov 2025")]
    assert "champions" in page.text


def test_a_month_is_counted_back_over_the_year() -> None:
    counted = [dashboard._months_before("2025-03", n) for n in (0, 2, 3, 15, 27)]

    assert counted == ["2025-03", "2025-01", "2024-12", "2023-12", "2022-12"]


@pytest.mark.parametrize(
    ("role", "places"),
    [
        ("sales", ["/", "/customers"]),
        ("support", ["/", "/customers", "/feedback/queue"]),
        ("marketing", ["/", "/customers"]),
        ("manager", ["/", "/customers", "/feedback/queue"]),
        ("admin", ["/", "/customers", "/feedback/queue"]),
    ],
)
def test_the_navigation_offers_what_may_be_opened(
    visit: Visit, role: str, places: list[str]
) -> None:
    visitor = visit(role)
    page = visitor.see("/")
    links = [a["href"] for a in page.all("a") if a["href"] in {"/customers", "/feedback/queue"}]

    assert places == ["/", *dict.fromkeys(str(link) for link in links)]
    for place in places:
        assert visitor.see(place).one("a", href=place, aria_current="page")
