"""Feedback for those who answer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.markup import Markup
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


@pytest.fixture
def told(visit: Visit, ask: Ask) -> int:
    """New feedback, sent by the public form."""
    sent = visit().send("/feedback", content="Where is it?", name="Ada", email="ada@example.com")
    key: int = int(sent.headers["Location"].removeprefix("/feedback?sent="))
    return key


@pytest.mark.parametrize("status", ["new", "answered", "resolved"])
def test_the_queue_shows_one_status_newest_first(visit: Visit, ask: Ask, status: str) -> None:
    page = visit("support").see("/feedback/queue", status=status)

    ids = ask(
        "SELECT id FROM feedback WHERE status = :s ORDER BY created_at DESC, id DESC LIMIT 25",
        s=status,
    )
    hrefs = [(a["href"] or "").removeprefix("/feedback/") for a in page.all("a")]
    assert [int(href) for href in hrefs if href.isdigit()] == [key for (key,) in ids]
    assert page.one("a", href=f"/feedback/queue?status={status}", aria_current="page")


def test_feedback_is_answered_and_then_resolved(visit: Visit, ask: Ask, told: int) -> None:
    visitor = visit("support", 3)
    path = f"/feedback/{told}"
    page = visitor.see(path)
    assert "Where is it?" in page.text
    assert page.one("a", href="mailto:ada@example.com")
    shown = page.one("input", name="version")["value"]

    answered = visitor.send(f"{path}/responses", content="On its way,\r\n<i>Kim</i>")
    assert answered.headers["Location"] == f"{path}?done=answered"
    page = visitor.see(answered.headers["Location"])
    assert "Your answer is stored." in page.text
    assert "On its way,\n<i>Kim</i>" in page.text
    request_id = answered.headers["X-Request-Id"]
    assert ask("SELECT feedback_id FROM responses WHERE request_id = :r", r=request_id) == [(told,)]

    stale = visitor.send(f"{path}/resolve", version=shown)
    assert stale.status_code == 409
    assert "Somebody has changed this feedback" in stale.text
    current = Markup(stale.text).one("input", name="version")["value"]
    resolved = visitor.send(f"{path}/resolve", version=current)
    assert resolved.headers["Location"] == f"{path}?done=resolved"
    page = visitor.see(resolved.headers["Location"])
    assert "The feedback is resolved." in page.text
    assert not page.all("form", action=f"{path}/resolve")
    request_id = resolved.headers["X-Request-Id"]
    changes = "SELECT subject, record_id FROM changes WHERE request_id = :r"
    assert ask(changes, r=request_id) == [("feedback", told)]
    assert ask("SELECT status FROM feedback WHERE id = :f", f=told) == [("resolved",)]


@pytest.mark.parametrize("content", ["", "   ", "c" * 2001, "a\0b"])
def test_an_answer_that_is_none_comes_back(visit: Visit, ask: Ask, told: int, content: str) -> None:
    answer = visit("support").send(f"/feedback/{told}/responses", content=content)

    assert answer.status_code == 422
    page = Markup(answer.text)
    assert page.faults() == []
    assert page.one("textarea", id="content")["aria-invalid"] == "true"
    assert ask("SELECT count(*) FROM responses WHERE feedback_id = :f", f=told) == [(0,)]


@pytest.mark.parametrize("role", ["sales", "marketing", "portal"])
def test_others_are_shown_no_queue(visit: Visit, told: int, role: str) -> None:
    visitor = visit(role)

    for path in ("/feedback/queue", f"/feedback/{told}"):
        assert visitor.get(path).status_code == 403
    for path in ("responses", "resolve"):
        assert visitor.send(f"/feedback/{told}/{path}", content="x").status_code == 403
    assert not visitor.see("/feedback").all("a", href="/feedback/queue")


def test_feedback_from_the_portal_is_of_the_customer_and_the_form_is_filled_in(
    visit: Visit, ask: Ask
) -> None:
    visitor = visit("portal", 2)
    assert visitor.account
    page = visitor.see("/feedback")
    assert page.one("input", id="name")["value"] == visitor.account["name"]
    assert page.one("input", id="email")["value"] == visitor.account["email"]

    sent = visitor.send("/feedback", content="Good", name="Ada", email="ada@example.com")

    request_id = sent.headers["X-Request-Id"]
    found = ask("SELECT customer_id FROM feedback WHERE request_id = :r", r=request_id)
    assert found == [(visitor.account["customer_id"],)]
