"""Adding customers, and changing them while others do."""

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
FIELDS = ("name", "email", "phone", "company", "city", "country")


def filled(page: Markup) -> dict[str, str]:
    """What a browser would send of a form as it stands on a page, without the token."""
    values = {a["name"]: a.get("value") or "" for a in page.all("input") if a.get("name")}
    values |= {"status": "", "segment": ""}
    chosen = [a["value"] or "" for a in page.all("option") if "selected" in a]
    values["status"], values["segment"] = chosen
    del values["csrf_token"]
    return {str(name): value for name, value in values.items()}


def test_a_new_customer_of_a_sales_rep_is_the_reps_own(visit: Visit, ask: Ask) -> None:
    visitor = visit("sales", 5)
    form = filled(visitor.see("/customers/new"))
    assert "owner" not in form
    answer = visitor.send(
        "/customers/new", **form | {"name": "Ädä", "email": "ADA@new.example", "owner": "x"}
    )

    assert answer.status_code == 303
    page = visitor.see(answer.headers["Location"])
    assert "The customer has been added." in page.text
    request_id = answer.headers["X-Request-Id"]
    found = ask(
        "SELECT name, name_key, email, phone, status, owner_id, version FROM customers"
        " WHERE request_id = :r",
        r=request_id,
    )
    assert visitor.account
    owner = visitor.account["id"]
    assert found == [("Ädä", "ädä", "ada@new.example", None, "lead", owner, 1)]


def test_a_manager_says_whose_a_customer_is(visit: Visit, accounts: Accounts, ask: Ask) -> None:
    owner = accounts.of_role("sales")[2]
    visitor = visit("manager")
    form = {"name": "B", "email": "b@new.example", "status": "active", "segment": "consumer"}

    refused = visitor.send("/customers/new", **form, owner="nobody@crm.example")
    assert refused.status_code == 422
    assert "not the e-mail address of a colleague" in refused.text
    answer = visitor.send("/customers/new", **form, owner=owner["email"].upper())
    assert answer.status_code == 303
    assert ask("SELECT owner_id FROM customers WHERE email = 'b@new.example'") == [(owner["id"],)]


@pytest.mark.parametrize(
    ("change", "status", "wrong"),
    [
        ({"name": ""}, 422, "name"),
        ({"email": "none"}, 422, "email"),
        ({"phone": "call me"}, 422, "phone"),
        ({"country": "de"}, 422, "country"),
        ({"city": "c" * 81}, 422, "city"),
        ({"status": "best"}, 422, "status"),
        ({"email": "taken"}, 409, "email"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    visit: Visit, ask: Ask, change: dict[str, str], status: int, wrong: str
) -> None:
    if change == {"email": "taken"}:
        change = {"email": ask("SELECT email FROM customers WHERE id = 9")[0][0]}
    typed = {"name": 'Eve "<script>', "email": "eve@new.example", "company": "<b>&", **change}
    answer = visit("manager").send(
        "/customers/new", **{"status": "lead", "segment": "enterprise"} | typed
    )

    assert answer.status_code == status
    page = Markup(answer.text)
    assert page.faults() == []
    field = next(a for _, a in page.tags if a.get("id") == wrong)
    assert field["aria-invalid"] == "true"
    assert f"{wrong}-error" in (field["aria-describedby"] or "")
    for name, value in typed.items():
        if name != "status":
            assert page.one("input", id=name)["value"] == value
    assert ask("SELECT count(*) FROM customers WHERE name LIKE 'Eve%'") == [(0,)]


def test_a_change_is_saved_and_noted_once(visit: Visit, ask: Ask) -> None:
    visitor = visit("manager")
    form = filled(visitor.see("/customers/11/edit"))
    before = ask("SELECT name, email, owner_id, version FROM customers WHERE id = 11")[0]
    answer = visitor.send("/customers/11/edit", **form | {"phone": "", "city": "Ulm"})

    assert answer.headers["Location"] == "/customers/11?done=changed"
    name, email, owner, version = before
    assert ask(
        "SELECT name, email, owner_id, version, phone, city FROM customers WHERE id = 11"
    ) == [(name, email, owner, version + 1, None, "Ulm")]
    request_id = answer.headers["X-Request-Id"]
    changes = "SELECT subject, record_id FROM changes WHERE request_id = :r"
    assert ask(changes, r=request_id) == [("customer", 11)]


def test_a_form_that_was_overtaken_changes_nothing_keeps_what_was_typed_and_says_so(
    visit: Visit, app: Flask, accounts: Accounts, ask: Ask
) -> None:
    visitor = visit("manager")
    form = filled(visitor.see("/customers/12/edit"))
    other = accounts.client(app, "admin")
    assert other.patch("/api/v1/customers/12", json={"city": "Elsewhere"}).status_code == 200

    answer = visitor.send("/customers/12/edit", **form | {"company": "Mine"})

    assert answer.status_code == 409
    page = Markup(answer.text)
    assert page.faults() == []
    assert "Somebody has changed this customer since you opened the form." in page.text
    assert page.one("input", id="company")["value"] == "Mine"
    assert page.one("input", id="city")["value"] == form["city"]
    assert page.one("a", href="#city")
    assert "Elsewhere" in page.text
    assert ask("SELECT company <> 'Mine', city FROM customers WHERE id = 12")[0][1] == "Elsewhere"

    again = filled(page)
    assert again["version"] != form["version"]
    assert visitor.send("/customers/12/edit", **again).status_code == 303
    assert ask("SELECT company, city FROM customers WHERE id = 12") == [("Mine", form["city"])]


@pytest.mark.parametrize("version", ["", "0", "x", "9" * 400])
def test_a_form_without_the_version_that_it_shows_changes_nothing(
    visit: Visit, version: str
) -> None:
    visitor = visit("manager")
    form = filled(visitor.see("/customers/13/edit"))

    assert visitor.send("/customers/13/edit", **form | {"version": version}).status_code == 409


@pytest.mark.parametrize("role", ["support", "marketing", "portal"])
def test_who_may_not_edit_is_shown_no_way_to(visit: Visit, role: str) -> None:
    visitor = visit(role)
    assert visitor.get("/customers/new").status_code == 403
    assert visitor.get("/customers/11/edit").status_code == 403
    if role != "portal":
        links = [a["href"] for a in visitor.see("/customers/11").all("a")]
        assert "/customers/11/edit" not in links
        assert not visitor.see("/customers").all("a", href="/customers/new")
