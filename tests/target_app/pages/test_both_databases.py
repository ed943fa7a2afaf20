"""The pages' own statements on each database: the same rows in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from target_app import Config, create_app
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.visitor import Visitor


@pytest.fixture(scope="module")
def either(each_database: Path | str) -> Iterator[Flask]:
    app = create_app(Config(database=each_database, secret_key="the same"))
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("role", ["sales", "support", "marketing", "manager", "portal"])
def test_the_overview_is_that_of_each_role(either: Flask, accounts: Accounts, role: str) -> None:
    page = Visitor(either, accounts.of_role(role)[0]).see("/")

    assert page.faults() == []
    assert accounts.of_role(role)[0]["name"] in page.text


def test_a_refusal_by_the_database_leaves_a_form_that_can_be_sent_again(
    either: Flask, accounts: Accounts
) -> None:
    visitor = Visitor(either, accounts.of_role("manager")[0])
    form = {"name": "Ada", "status": "lead", "segment": "consumer", "owner": "sales1@crm.example"}
    taken = visitor.see("/customers/9").all("a")
    email = next(str(a["href"]) for a in taken if str(a["href"]).startswith("mailto:"))[7:]

    refused = visitor.send("/customers/new", **form, email=email)
    assert refused.status_code == 409
    assert "is the e-mail address of another customer" in refused.text
    assert visitor.send("/customers/new", **form, email="ada@both.example").status_code == 303


def test_customers_are_found_and_an_edit_is_overtaken(either: Flask, accounts: Accounts) -> None:
    visitor = Visitor(either, accounts.of_role("manager")[0])
    version = visitor.see("/customers/5/edit").one("input", name="version")["value"]
    form = {"name": "Found By Prefix", "email": "f@both.example", "status": "lead"}

    for status in (303, 409):
        answer = visitor.send("/customers/5/edit", **form, version=version)
        assert answer.status_code == status
    assert visitor.see("/customers", q="found by").all("a", href="/customers/5")
