"""No form is taken that was not given to the same session; the API knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from target_app.pages import site
from tests.support.accounts import Accounts
from tests.support.markup import Markup
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
FORMS = sorted(
    page.path.replace("<record:customer_id>", "1")
    .replace("<record:order_id>", "1")
    .replace("<record:feedback_id>", "1")
    for subject in site.SUBJECTS
    for page in subject.described
    if page.writes
)
TABLES = ("customers", "activities", "orders", "feedback", "responses", "changes")


def test_every_form_is_among_those_tested() -> None:
    assert FORMS == [
        "/customers/1/activities",
        "/customers/1/edit",
        "/customers/new",
        "/feedback",
        "/feedback/1/resolve",
        "/feedback/1/responses",
        "/login",
        "/logout",
        "/orders/1/status",
    ]


def _written(ask: Callable[..., Any]) -> list[Any]:
    return [ask(f"SELECT count(*), max(request_id) FROM {table}") for table in TABLES]


@pytest.mark.costly
@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_or_with_anothers_is_refused_and_leaves_nothing(
    visit: Visit, ask: Callable[..., Any], path: str
) -> None:
    visitor = visit("admin")
    before = _written(ask)
    good = visitor.token()
    tokens = ["", "x", good[:-1], good + "a", "\0", "é" * 50, visit("admin").token(), "9" * 9000]

    for token in tokens:
        answer = visitor.send(path, token, kind="call", subject="s", status="paid", content="c")
        assert answer.status_code == 400, token
        page = Markup(answer.text)
        assert page.faults() == []
        assert "does not belong to your session" in page.text
        assert "Go back, load the page again" in page.text
        assert answer.headers["X-Request-Id"] in page.text
    assert visitor.client.post(path).status_code == 400
    assert _written(ask) == before
    assert visitor.get("/").status_code == 200  # and signs nobody out


def test_a_token_is_good_for_several_forms_of_its_session(visit: Visit) -> None:
    visitor = visit("support")
    token = visitor.token()

    for _ in range(2):
        answer = visitor.send("/customers/1/activities", token, kind="note", subject="Again")
        assert answer.status_code == 303


def test_the_api_asks_for_no_token_and_takes_no_cookie(
    app: Flask, accounts: Accounts, visit: Visit
) -> None:
    body = {"kind": "note", "subject": "By the API"}
    client = accounts.client(app, "admin")

    assert client.post("/api/v1/customers/1/activities", json=body).status_code == 201
    refused = visit("admin").client.post("/api/v1/customers/1/activities", json=body)
    assert refused.status_code == 401
    assert "Set-Cookie" not in refused.headers
