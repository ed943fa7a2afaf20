"""Signing in and out, and the session in between."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from werkzeug.security import check_password_hash

from target_app.pages import signing
from tests.support.accounts import Accounts
from tests.support.markup import Markup
from tests.support.visitor import Visitor, queries

Visit = Callable[..., Visitor]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Take every password for the right one of the seeded hash that is the accounts' password."""
    checked: list[tuple[str, str]] = []

    def check(password_hash: str, password: str) -> bool:
        checked.append((password_hash, password))
        return "nobody" not in password_hash and password == "right"

    monkeypatch.setattr(signing, "check_password_hash", check)
    return checked


@pytest.mark.costly
def test_who_signs_in_with_the_password_of_the_dataset_is_led_to_the_overview(
    visit: Visit, accounts: Accounts
) -> None:
    account = accounts.of_role("sales")[3]
    visitor = visit()
    answer = visitor.sign_in(f"  {account['email'].upper()} ", accounts.password)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = visitor.see("/")
    assert account["name"] in page.text
    assert page.one("form", action="/logout")


def test_the_cookie_is_for_the_server_alone_and_ends_after_twelve_hours(
    visit: Visit, accounts: Accounts, quick: object
) -> None:
    answer = visit().sign_in(accounts.of_role("support")[0]["email"], "right")
    cookie = answer.headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    (expires,) = [p for p in cookie.split("; ") if p.startswith("Expires=")]
    ends = time.mktime(time.strptime(expires, "Expires=%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert ends - time.time() == pytest.approx(timedelta(hours=12).total_seconds(), abs=60)


def test_the_cookie_holds_the_users_id_and_the_secret_of_the_forms_alone(
    visit: Visit, accounts: Accounts, quick: object
) -> None:
    account = accounts.of_role("support")[0]
    visitor = visit()
    visitor.sign_in(account["email"], "right")

    with visitor.client.session_transaction() as session:
        assert session["user_id"] == account["id"]
        assert set(session) == {"user_id", "csrf_token", "_permanent"}


def test_a_session_that_is_older_is_over(
    visit: Visit, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit("sales")
    assert visitor.get("/").status_code == 200

    now = time.time()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: int(now + 12 * 3600 + 5))

    assert visitor.get("/").headers["Location"] == "/login?next=/"


def test_a_page_that_is_only_read_renews_nothing(visit: Visit, quick: object) -> None:
    visitor = visit()
    visitor.sign_in("sales1@crm.example", "right")

    for path in ("/", "/customers", "/customers/new", "/feedback"):
        assert "Set-Cookie" not in visitor.get(path).headers, path


def test_signing_in_begins_a_new_session_with_new_tokens(visit: Visit, quick: object) -> None:
    visitor = visit()
    before = visitor.token()
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
        secret = session["csrf_token"]
    visitor.sign_in("sales1@crm.example", "right")

    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert session["csrf_token"] != secret
    assert visitor.send("/logout", token=before).status_code == 400


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("sales1@crm.example", "wrong"),
        ("sales1@crm.example", ""),
        ("nobody@crm.example", "right"),
        ("deactivated@crm.example", "right"),
        ("", ""),
        ("no address", "right"),
        ("a\0b@crm.example", "right"),
        ("a" * 400 + "@crm.example", "right"),
        ("sales1@crm.example' OR 1=1 --", "right"),
    ],
)
def test_whatever_is_wrong_is_answered_alike_and_costs_one_hash(
    visit: Visit, quick: list[Any], email: str, password: str
) -> None:
    visitor = visit()
    answer = visitor.sign_in(email, password)

    assert answer.status_code == 422
    page = Markup(answer.text)
    assert "do not belong together" in page.text
    assert page.faults() == []
    assert page.one("input", id="email")["value"] == email
    assert "value" not in page.one("input", id="password")
    assert len(quick) == 1
    assert visitor.get("/").headers["Location"].startswith("/login")


@pytest.mark.costly
def test_nobodys_hash_costs_what_the_configured_ones_cost(app: Flask) -> None:
    with app.app_context():
        hashed = signing._nobodys_hash()

    assert hashed.startswith("scrypt:32768:8:1$")
    assert not check_password_hash(hashed, "anything")


def test_who_signs_in_holds_up_no_writer(
    visit: Visit, accounts: Accounts, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote = []

    def check(*_: object) -> bool:
        other = sqlite3.connect(database, timeout=0.05, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # raises when somebody holds the lock
        other.execute("ROLLBACK")
        other.close()
        wrote.append(True)
        return True

    monkeypatch.setattr(signing, "check_password_hash", check)
    answer = visit().sign_in("sales1@crm.example", "right")

    assert answer.status_code == 303
    assert wrote == [True]
    assert queries(answer) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/ /evil.example",
        "/" + "a" * 3000,
        "/login?next=/login",
        "/logout",
    ],
)
def test_nobody_is_led_to_another_server(visit: Visit, quick: object, address: str) -> None:
    visitor = visit()
    shown = visitor.get(f"/login?next={quote(address)}")

    assert Markup(shown.text).one("input", name="next")["value"] == "/"
    answer = visitor.sign_in("sales1@crm.example", "right", next=address)
    assert answer.headers["Location"] == "/"
    assert visitor.get(f"/login?next={quote(address)}").headers["Location"] == "/"


def test_who_must_sign_in_is_led_back_to_the_page_that_was_asked_for(
    visit: Visit, quick: object
) -> None:
    visitor = visit()
    asked = visitor.get("/customers?status=lead&q=%C3%A4%26b")
    assert asked.status_code == 303
    form = Markup(visitor.get(asked.headers["Location"]).text)
    following = form.one("input", name="next")["value"]

    answer = visitor.sign_in("sales1@crm.example", "right", next=following)

    assert answer.headers["Location"] == "/customers?status=lead&q=%C3%A4%26b"


def test_who_sends_a_form_without_a_session_is_led_to_its_page(visit: Visit) -> None:
    answer = visit().client.post("/customers/3/activities", data={"kind": "call"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/customers/3")


def test_who_signs_out_is_out(visit: Visit) -> None:
    visitor = visit("manager")
    answer = visitor.send("/logout")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert visitor.get("/").headers["Location"] == "/login?next=/"
    assert visitor.client.get_cookie("crm_session") is None


def test_a_link_signs_nobody_out(visit: Visit) -> None:
    assert visit("manager").get("/logout").status_code == 405


def test_a_closed_account_is_out_within_seconds(
    visit: Visit, accounts: Accounts, database: Path
) -> None:
    account = accounts.of_role("sales")[-1]  # of no other test
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE users SET is_active = 0 WHERE id = ?", (account["id"],))
    connection.close()

    assert visit("sales", -1).get("/").headers["Location"] == "/login?next=/"


@pytest.mark.parametrize("forged", ["", "x", "e30.x.y", "." * 100, "eyJ1c2VyX2lkIjoxfQ.aaaa.bbbb"])
def test_a_cookie_that_is_not_ours_is_no_session(visit: Visit, forged: str) -> None:
    visitor = visit()
    visitor.client.set_cookie("crm_session", forged)

    assert visitor.get("/").headers["Location"] == "/login?next=/"


def test_a_cookie_of_another_server_is_no_session(
    make_app: Callable[..., Flask], visit: Visit
) -> None:
    visitor = visit("admin")
    cookie = visitor.client.get_cookie("crm_session")
    assert cookie
    other = Visitor(make_app())
    other.client.set_cookie("crm_session", cookie.value)

    assert other.get("/").headers["Location"] == "/login?next=/"


@pytest.mark.parametrize("token", ["bearer", "session"])
def test_the_api_takes_tokens_and_the_pages_take_sessions(
    app: Flask, accounts: Accounts, visit: Visit, token: str
) -> None:
    if token == "session":
        assert visit("admin").get("/api/v1/customers").status_code == 401
    else:
        assert accounts.client(app, "admin").get("/customers").status_code == 303
