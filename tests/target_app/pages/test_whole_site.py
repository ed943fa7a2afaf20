"""What holds on every page: valid, escaped, few statements, errors with a way on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from target_app import customers
from target_app.pages import site
from tests.support.accounts import Accounts
from tests.support.markup import Markup
from tests.support.visitor import Visitor, queries

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}\u202e<img src=x onerror=alert(1)>"
CUSTOMER, ORDERED = 31, 32

PAGES = {
    "/": {"sales", "support", "marketing", "manager", "admin", "portal"},
    "/customers": {"sales", "support", "marketing", "manager", "admin"},
    "/customers?q=a&status=lead": {"sales", "support", "marketing", "manager", "admin"},
    "/customers/new": {"sales", "manager", "admin"},
    f"/customers/{CUSTOMER}": {"support", "marketing", "manager", "admin"},
    f"/customers/{CUSTOMER}/orders": {"support", "marketing", "manager", "admin"},
    f"/customers/{CUSTOMER}/edit": {"manager", "admin"},
    "/orders/1": {"support", "marketing", "manager", "admin"},
    "/feedback": {"sales", "support", "marketing", "manager", "admin", "portal"},
    "/feedback/queue": {"support", "manager", "admin"},
    "/feedback/1": {"support", "manager", "admin"},
}


@pytest.fixture(scope="module", autouse=True)
def _hostile(app: Flask, accounts: Accounts) -> None:
    """Let everything that people type hold what would run if it were not escaped."""
    admin = accounts.client(app, "admin")
    texts = {"name": HOSTILE, "company": HOSTILE, "city": HOSTILE[:80]}
    assert admin.patch(f"/api/v1/customers/{CUSTOMER}", json=texts).status_code == 200
    event = {"kind": "note", "subject": HOSTILE, "body": HOSTILE}
    path = f"/api/v1/customers/{CUSTOMER}/activities"
    assert admin.post(path, json=event).status_code == 201
    told = {"content": HOSTILE, "name": HOSTILE[:50], "email": "a@b.c"}
    made = admin.post("/api/v1/feedback", json=told)
    answer = {"content": HOSTILE}
    path = f"{made.headers['Location']}/responses"
    assert admin.post(path, json=answer).status_code == 201


def test_every_page_that_is_shown_is_among_those_tested() -> None:
    shown = {page.path for subject in site.SUBJECTS for page in subject.described}
    shown -= {page.path for s in site.SUBJECTS for page in s.described if page.writes}
    tested = {re.sub(r"/\d+", "/<>", path.partition("?")[0]) for path in PAGES}

    assert {re.sub(r"<[^>]+>", "<>", path) for path in shown} <= tested


@pytest.mark.costly
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_valid_keeps_to_itself_and_opens_to_its_roles_alone(
    visit: Visit, path: str
) -> None:
    for role in ("sales", "support", "marketing", "manager", "admin", "portal"):
        answer = visit(role).get(path)
        # 404 is what a sales rep gets for somebody else's customer.
        assert answer.status_code in ({200} if role in PAGES[path] else {403, 404}), role
        page = Markup(answer.text)
        assert page.faults() == [], role
        assert page.all("a", class_="skip", href="#main")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        f"/customers/{CUSTOMER}",
        f"/customers/{CUSTOMER}/edit",
        "/customers?q=%3Cscript",
        "/feedback",
    ],
)
def test_what_people_typed_is_shown_as_they_typed_it(visit: Visit, path: str) -> None:
    answer = visit("manager").get(path)
    page = Markup(answer.text)
    values = " ".join(a.get("value") or "" for a in page.all("input"))

    assert "<script" not in answer.text
    assert HOSTILE[:50] in page.text + values


def test_nobody_signed_in_is_shown_the_form_alone(visit: Visit) -> None:
    visitor = visit()

    for path in PAGES:
        answer = visitor.get(path)
        if path == "/feedback":
            assert answer.status_code == 200
        else:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/login?next=/")
    for path in ("/feedback", "/login"):
        assert visitor.see(path).faults() == []


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/customers", 1),
        ("/customers?status=lead", 1),
        ("/customers?q=a", 2),
        (f"/customers/{CUSTOMER}", 4),
        (f"/customers/{CUSTOMER}/orders", 2),
        (f"/customers/{CUSTOMER}/edit", 2),
        ("/orders/1", 3),
        ("/feedback", 1),
        ("/feedback/queue", 1),
        ("/feedback/1", 2),
    ],
)
def test_a_page_takes_as_many_statements_as_it_has_parts(
    visit: Visit, path: str, most: int
) -> None:
    visitor = visit("manager")
    visitor.get(path)  # finds the account, too

    assert queries(visitor.get(path)) == most


@pytest.mark.parametrize(
    ("role", "most"), [("sales", 3), ("support", 2), ("marketing", 5), ("portal", 1)]
)
def test_the_overview_takes_as_many_statements_as_it_has_parts(
    visit: Visit, role: str, most: int
) -> None:
    visitor = visit(role)
    visitor.get("/")

    assert queries(visitor.get("/")) == most


def test_the_page_of_a_busy_customer_takes_no_more_statements_than_that_of_a_quiet_one(
    visit: Visit, ask: Ask
) -> None:
    by_events = [
        key
        for (key,) in ask(
            "SELECT c.id FROM customers c LEFT JOIN activities a ON a.customer_id = c.id"
            " WHERE c.owner_id IS NOT NULL GROUP BY c.id ORDER BY count(a.id), c.id"
        )
    ]
    visitor = visit("manager")
    visitor.get("/customers")

    quiet, busy = (
        queries(visitor.get(f"/customers/{key}")) for key in (by_events[0], by_events[-1])
    )
    assert quiet == busy == 4


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/customers/999999", 404, "It may have been removed"),
        ("GET", "/nothing", 404, "There is nothing at this address."),
        ("GET", f"/customers/{'9' * 30}", 404, "There is nothing at this address."),
        ("GET", "/feedback?after=x", 422, "must be the `next` of an earlier page"),
        ("DELETE", "/customers", 405, "Open the page by its link"),
        ("POST", "/customers", 405, "Open the page by its link"),
    ],
)
def test_an_error_says_what_to_do_next(
    visit: Visit, method: str, path: str, status: int, words: str
) -> None:
    visitor = visit("manager")
    answer = visitor.client.open(path, method=method, headers={"Accept": "text/html"})

    assert answer.status_code == status
    page = Markup(answer.text)
    assert page.faults() == []
    assert words in page.text
    assert answer.headers["X-Request-Id"] in page.text
    assert page.one("nav", aria_label="Main")
    assert page.one("a", href="/", class_="button")


def test_a_busy_database_is_said_to_be_on_a_page_that_needs_none(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    visitor = visit("manager")
    visitor.get("/")
    monkeypatch.setattr(customers, "list_customers", fail)
    answer = visitor.get("/customers")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    page = Markup(answer.text)
    assert page.faults() == []
    assert "Wait a moment" in page.text


def test_a_database_that_is_gone_is_said_to_be_and_the_page_still_comes(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("target_app.accounts.by_id", fail)
    visitor = visit("marketing", 7)

    for path, status in (("/customers", 503), ("/nothing", 404)):
        answer = visitor.get(path)
        assert answer.status_code == status
        assert Markup(answer.text).faults() == []


def test_a_form_too_large_is_refused_on_a_page(visit: Visit) -> None:
    answer = visit("manager").send("/customers/7/activities", subject="s" * 70_000)

    assert answer.status_code == 413
    assert "Shorten the text" in answer.text
