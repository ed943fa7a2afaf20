import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from target_app import Config, create_app, seeding
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.databases import KINDS, Databases

CUSTOMERS = 300
ACCOUNTS = 30
SLOW: dict[str, list[pytest.MarkDecorator]] = {"sqlite": [], "postgres": [pytest.mark.slow]}


@pytest.fixture(scope="session", autouse=True)
def _builders_once() -> Iterator[None]:
    """
    Let applications of one process share the functions that build their addresses.

    werkzeug writes and compiles two for each rule, the same ones each time: most of what it costs
    to make an application, of which these tests make hundreds.
    """
    original, made = Rule._compile_builder, dict[tuple[object, ...], Any]()

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return original(rule, append_unknown)
        key = (rule.rule, append_unknown, *rule._trace)
        if key not in made:
            made[key] = original(rule, append_unknown)
        return made[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> seeding.Found:
    return seeding.seed(
        tmp_path_factory.mktemp("dataset"), customers=CUSTOMERS, seed=1, accounts=ACCOUNTS
    )


@pytest.fixture
def database(dataset: seeding.Found, tmp_path: Path) -> Path:
    """A fresh copy of the dataset, for one test to change."""
    return seeding.copy_dataset(dataset.folder, tmp_path / "work" / "crm.sqlite")


@pytest.fixture(scope="session")
def databases(
    dataset: seeding.Found, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    """Fresh databases of the dataset, on request; PostgreSQL is started by the first that asks."""
    made = Databases(dataset, tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=SLOW[kind]) for kind in KINDS],
)
def each_database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Path | str]:
    """A fresh copy of the dataset for each module, on each database in turn."""
    with databases.fresh(request.param) as database:
        yield database


@pytest.fixture
def make_app(database: Path) -> Iterator[Callable[..., Flask]]:
    made: list[Flask] = []

    def make(**options: Any) -> Flask:
        app = create_app(Config(**({"database": database} | options)))
        app.testing = True
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask, accounts: Accounts) -> FlaskClient:
    """A client of somebody who may do everything."""
    return accounts.client(app, "admin")


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A client without an account."""
    return app.test_client()


@pytest.fixture(scope="session")
def accounts(dataset: seeding.Found) -> Accounts:
    return Accounts.of(dataset.folder)


@pytest.fixture(scope="module")
def shared_client(
    dataset: seeding.Found, accounts: Accounts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """An admin's client for tests that do not mind what others have written."""
    path = tmp_path_factory.mktemp("shared") / "crm.sqlite"
    app = create_app(Config(database=seeding.copy_dataset(dataset.folder, path)))
    app.testing = True  # an exception of ours comes out here instead of becoming a 500
    yield accounts.client(app, "admin")
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def together() -> Callable[..., None]:
    """Run functions at the same time, one thread each, and raise what any of them raised."""

    def run(*functions: Callable[[], None]) -> None:
        failures: list[BaseException] = []

        def guarded(function: Callable[[], None]) -> None:
            try:
                function()
            except BaseException as failure:  # noqa: BLE001 - raised again below
                failures.append(failure)

        threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    return run
