from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from target_app import Config, create_app, seeding
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def database(dataset: seeding.Found, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the dataset for a module: its tests keep to rows of their own."""
    return seeding.copy_dataset(dataset.folder, tmp_path_factory.mktemp("pages") / "crm.sqlite")


@pytest.fixture(scope="module")
def app(database: Path) -> Iterator[Flask]:
    """One application for a module: to compile the templates takes longer than most tests."""
    app = create_app(Config(database=database))
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def visit(app: Flask, accounts: Accounts) -> Visit:
    """Let the n-th account of a role visit the pages; nobody without one."""

    def visit(role: str | None = None, number: int = 0) -> Visitor:
        return Visitor(app, accounts.of_role(role)[number] if role else None)

    return visit


@pytest.fixture
def ask(app: Flask) -> Ask:
    """Ask the database for the rows of a query."""

    def ask(query: str, **parameters: Any) -> list[Any]:
        with app.app_context():
            found = [tuple(row) for row in db.session.execute(text(query), parameters)]
            db.session.rollback()
            return found

    return ask


@pytest.fixture
def seller(app: Flask, accounts: Accounts, ask: Ask) -> Visitor:
    """The sales rep with the largest portfolio."""
    found = ask("SELECT owner_id FROM customers GROUP BY owner_id ORDER BY count(*) DESC, owner_id")
    return Visitor(app, _account(accounts, next(key for (key,) in found if key)))


def _account(accounts: Accounts, user_id: int) -> Mapping[str, Any]:
    return next(account for account in accounts.all if account["id"] == user_id)
