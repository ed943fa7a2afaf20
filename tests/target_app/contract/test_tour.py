"""A tour of a running CRM: every operation and page, by every role, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from target_app import RESOURCES, Config, audit, create_app, extensions
from target_app.api import operations
from target_app.models import db
from tests.support.markup import Markup
from tests.target_app.contract.conftest import EXTENSIONS
from tests.target_app.contract.tour import Tourist
from tests.target_app.contract.visits import OPERATIONS, PAGES, PUBLIC, ROLES, SIGNING, Visit


def _id(visit: Visit) -> str:
    return f"{visit.method} {visit.rule}"


def test_every_rule_is_on_the_tour(database: Path) -> None:
    app = create_app(Config(database=database, extensions=EXTENSIONS, test_mode=True))
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    toured = [(v.method, v.rule) for v in (*OPERATIONS, *PAGES, *SIGNING, *PUBLIC)]
    assert sorted(toured) == sorted(rules)
    with app.app_context():
        db.engine.dispose()


def test_the_roles_are_those_that_were_agreed_on() -> None:
    added = [each.api for each in extensions.load(EXTENSIONS) if each.api is not None]
    described = {
        (o.method, f"/api/v1{o.path}"): o.allow for o in operations([*RESOURCES, audit.api, *added])
    }
    assert described == {(v.method, v.rule): v.roles for v in OPERATIONS}


@pytest.mark.slow
@pytest.mark.parametrize("visit", OPERATIONS, ids=_id)
def test_an_operation_is_open_to_its_roles_alone(tourist: Tourist, visit: Visit) -> None:
    assert visit.roles is not None
    for role in ROLES:
        answer = tourist.ask(role, visit.method, visit.path, visit.body)
        if role in visit.roles:
            assert answer.status_code == visit.status, (role, answer.text)
            assert set(visit.holds) <= (answer.json().keys() if answer.text else set())
        else:
            assert answer.status_code == 403, (role, answer.text)
            assert role in answer.json()["detail"]
        assert answer.headers["X-Request-Id"].startswith("tour-")
        assert "queries" in answer.headers["Server-Timing"]
    for nobody in (None, "unknown", "expired", "closed"):
        answer = tourist.ask(nobody, visit.method, visit.path, visit.body)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    read = tourist.ask("reader", visit.method, visit.path, visit.body)
    if visit.method != "GET":
        assert read.status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize("visit", PAGES, ids=_id)
def test_a_page_is_open_to_its_roles_alone(tourist: Tourist, visit: Visit) -> None:
    for role in (*ROLES, None):
        if visit.method == "GET":
            answer = tourist.see(role, visit.path)
        else:
            answer = tourist.send(role, visit.path, visit.body or {})
        if visit.rule == "/login" and role is not None:
            assert answer.headers["Location"] == "/"  # who is signed in is led on
        elif visit.roles is None or role in visit.roles:
            assert answer.status_code == visit.status, (role, answer.text)
            _look_at(answer, visit)
        elif role is None:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/login?next=/")
        else:
            assert answer.status_code == 403, (role, answer.text)
            assert Markup(answer.text).faults() == []


def _look_at(answer: Any, visit: Visit) -> None:
    if visit.method == "GET":
        page = Markup(answer.text)
        assert page.faults() == []
        assert all(word in page.text for word in visit.holds), page.text
    else:
        assert answer.headers["Location"].startswith("/")


@pytest.mark.slow
@pytest.mark.parametrize("visit", PUBLIC, ids=_id)
def test_what_is_public_needs_no_account(tourist: Tourist, visit: Visit) -> None:
    answer = tourist.ask(None, "GET", visit.path)
    assert answer.status_code == visit.status
    assert all(word in answer.text for word in visit.holds)


@pytest.mark.slow
def test_every_acknowledged_write_is_there_once_and_nothing_is_broken(tourist: Tourist) -> None:
    tourist.fill(["{removable}", "{own}", "{new_order}", "{new_feedback}"])
    found = tourist.ask(
        "admin", "POST", "/api/v1/_audit", {"request_ids": tourist.acknowledged}
    ).json()["found"]
    assert found == dict.fromkeys(tourist.acknowledged, 1)
    state = tourist.ask("admin", "GET", "/api/v1/_audit").json()
    assert state["holds"], state


@pytest.mark.slow
def test_who_signs_out_is_out(tourist: Tourist) -> None:
    assert tourist.see("marketing", "/customers").status_code == 200
    answer = tourist.send("marketing", "/logout", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert tourist.see("marketing", "/customers").status_code == 303
    fields = {"email": "marketing1@crm.example", "password": "wrong"}
    assert tourist.send("marketing", "/login", fields).status_code == 422
