"""The list of customers, the page of one, and its timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.markup import Markup
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


def listed(page: Markup) -> list[int]:
    """The ids of the customers that a page links to, in its order."""
    prefix = "/customers/"
    ends = [(a["href"] or "").removeprefix(prefix) for a in page.all("a")]
    return [int(end) for end in ends if end.isdigit()]


@pytest.mark.costly
def test_the_list_shows_everybody_newest_first_page_by_page(visit: Visit, ask: Ask) -> None:
    visitor, path, found = visit("manager"), "/customers", []
    while path:
        page = visitor.see(path)
        found += listed(page)
        path = next((a["href"] or "" for a in page.all("a", rel="next")), "")

    ids = ask("SELECT id FROM customers ORDER BY created_at DESC, id DESC")
    assert found == [key for (key,) in ids]


@pytest.mark.parametrize(
    "filters", [{"status": "lead"}, {"segment": "enterprise"}, {"status": "active", "q": ""}]
)
def test_filters_narrow_the_list_and_stay_set(
    visit: Visit, ask: Ask, filters: dict[str, str]
) -> None:
    page = visit("manager").see("/customers", **filters)
    only = {name: value for name, value in filters.items() if value}
    where = " AND ".join(f"{name} = :{name}" for name in only)
    ids = ask(f"SELECT id FROM customers WHERE {where} ORDER BY created_at DESC, id DESC", **only)

    assert listed(page) == [key for (key,) in ids][:25]
    selected = {a["value"] for a in page.all("option") if "selected" in a}
    assert selected == set(only.values())
    (older,) = page.all("a", rel="next")
    assert all(f"{name}={value}" in (older["href"] or "") for name, value in only.items())


def test_customers_are_found_by_how_they_begin_and_by_address(visit: Visit, ask: Ask) -> None:
    (key, name, company, email, status), *_ = ask(
        "SELECT id, name, company, email, status FROM customers WHERE company IS NOT NULL"
    )
    visitor = visit("marketing")

    for words in (name.upper(), name[:5].lower(), company[:6], f" {email.upper()} "):
        assert key in listed(visitor.see("/customers", q=words)), words
    assert key in listed(visitor.see("/customers", q=name, status=status))
    other = {"lead", "active"} - {status}
    assert key not in listed(visitor.see("/customers", q=name, status=other.pop()))
    page = visitor.see("/customers", q="nobody is called that")
    assert listed(page) == []
    assert "Nobody found" in page.text


@pytest.mark.parametrize("wrong", ["status=best", "segment=", "after=x", "q=" + "a" * 121])
def test_a_filter_that_is_none_is_said_to_be(visit: Visit, wrong: str) -> None:
    answer = visit("manager").get(f"/customers?{wrong}")

    assert answer.status_code == (200 if wrong == "segment=" else 422)
    assert Markup(answer.text).faults() == []


def test_a_sales_rep_sees_the_own_portfolio_and_nothing_of_another(
    seller: Visitor, ask: Ask
) -> None:
    assert seller.account
    own = [
        key
        for (key,) in ask("SELECT id FROM customers WHERE owner_id = :o", o=seller.account["id"])
    ]
    ((foreign, name),) = ask(
        "SELECT id, name FROM customers WHERE owner_id <> :o LIMIT 1", o=seller.account["id"]
    )
    ((order,),) = ask(
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id"
        " WHERE c.owner_id <> :o LIMIT 1",
        o=seller.account["id"],
    )

    assert sorted(listed(seller.see("/customers"))) == sorted(own)
    assert foreign not in listed(seller.see("/customers", q=name))
    for path in ("", "/edit", "/orders"):
        answer = seller.get(f"/customers/{foreign}{path}")
        assert answer.status_code == 404
        assert name not in answer.text
    assert seller.get(f"/orders/{order}").status_code == 404
    for path in ("activities", "edit"):
        assert (
            seller.send(f"/customers/{foreign}/{path}", kind="call", subject="x").status_code == 404
        )
    assert seller.send(f"/orders/{order}/status", status="paid").status_code == 404


def test_a_customers_page_shows_the_record_the_timeline_and_the_orders(
    visit: Visit, ask: Ask
) -> None:
    ((key,), *_) = ask(
        "SELECT customer_id FROM activities WHERE customer_id IN (SELECT customer_id FROM orders)"
        " GROUP BY customer_id ORDER BY count(*) DESC, customer_id"
    )
    ((name, email, owner),) = ask(
        "SELECT c.name, c.email, u.name FROM customers c LEFT JOIN users u ON u.id = c.owner_id"
        " WHERE c.id = :key",
        key=key,
    )
    page = visit("support").see(f"/customers/{key}")

    assert name in page.text
    assert page.one("a", href=f"mailto:{email}")
    assert (owner or "nobody") in page.text
    events = ask(
        "SELECT subject, occurred_at FROM activities WHERE customer_id = :key"
        " ORDER BY occurred_at DESC, id DESC LIMIT 15",
        key=key,
    )
    assert all(subject in page.text for subject, _ in events)
    assert [a["datetime"] for a in page.all("time", title="UTC")] == [at for _, at in events]
    for (order,) in ask("SELECT id FROM orders WHERE customer_id = :key LIMIT 5", key=key)[:1]:
        assert visit("support").see(f"/customers/{key}/orders").one("a", href=f"/orders/{order}")


def test_an_activity_is_logged_once_and_thanked_for(visit: Visit, ask: Ask) -> None:
    visitor = visit("support")
    answer = visitor.send(
        "/customers/7/activities", kind="meeting", subject="Lunch & <b>", body="a\r\nb"
    )

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/customers/7?done=activity#timeline"
    page = visitor.see("/customers/7?done=activity")
    assert "The activity is in the timeline." in page.text
    assert "Lunch & <b>" in page.text
    assert not page.all("b")
    request_id = answer.headers["X-Request-Id"]
    stored = ask("SELECT kind, body, user_id FROM activities WHERE request_id = :r", r=request_id)
    assert visitor.account
    assert stored == [("meeting", "a\nb", visitor.account["id"])]


def test_a_wrong_activity_comes_back_with_what_was_typed(visit: Visit, ask: Ask) -> None:
    before = ask("SELECT count(*) FROM activities")
    answer = visit("support").send(
        "/customers/7/activities", kind="task", subject="", body="b" * 2001
    )

    assert answer.status_code == 422
    page = Markup(answer.text)
    assert page.faults() == []
    assert page.one("option", value="task", selected=None)
    assert page.one("input", id="subject")["aria-invalid"] == "true"
    assert page.one("textarea", id="body")["aria-describedby"] == "body-error"
    assert "b" * 2001 in page.text
    assert "found 2001" in page.text
    assert [a["href"] for a in page.all("a") if a["href"] in {"#subject", "#body"}] == [
        "#subject",
        "#body",
    ]
    assert ask("SELECT count(*) FROM activities") == before


def test_on_the_portal_one_sees_the_own_record_and_no_timeline(visit: Visit) -> None:
    visitor = visit("portal", 1)
    assert visitor.account
    own = visitor.account["customer_id"]
    page = visitor.see(f"/customers/{own}")

    assert "Timeline" not in page.text
    assert not page.all("form", action=f"/customers/{own}/activities")
    assert page.one("nav", aria_label="Main")
    assert page.one("a", href=f"/customers/{own}", aria_current="page")
    assert visitor.get(f"/customers/{own % 300 + 1}").status_code == 404
    assert visitor.get("/customers").status_code == 403
    answer = visitor.send(f"/customers/{own}/activities", kind="call", subject="x")
    assert answer.status_code == 403
