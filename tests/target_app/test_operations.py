import contextlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from target_app import seeding
from target_app.models import db
from target_app.options import Options
from tests.support.databases import Databases


def test_health_asks_the_process_alone(make_app: Callable[..., Flask], database: Path) -> None:
    client = make_app(instance="nonce").test_client()
    database.unlink()
    answer = client.get("/healthz")

    assert answer.get_json() == {"status": "ok", "instance": "nonce", "pid": os.getpid()}
    assert 'queries;desc="0"' in answer.headers["Server-Timing"]


def test_readiness_asks_the_database(client: FlaskClient) -> None:
    assert client.get("/readyz").get_json()["status"] == "ready"


def test_without_a_database_it_is_not_ready_says_why_and_makes_none(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    missing = tmp_path / "missing.sqlite"
    answer = make_app(database=missing).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.get_json()["detail"].startswith("The database does not answer: unable to open")
    assert not missing.exists()


def test_with_a_server_that_is_not_there_it_is_not_ready_and_keeps_the_password(
    make_app: Callable[..., Flask],
) -> None:
    url = "postgresql://crm:hidden@127.0.0.1:1/crm"
    answer = make_app(database=url).test_client().get("/readyz")

    assert answer.status_code == 503
    assert "Connection refused" in answer.get_json()["detail"]
    assert "hidden" not in answer.text


def test_without_a_table_it_is_not_ready_and_names_it(client: FlaskClient, database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE responses")
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["detail"] == "The database lacks tables: responses."


def test_the_tables_of_an_extension_are_part_of_being_ready(make_app: Callable[..., Flask]) -> None:
    answer = make_app(extensions=("loyalty",)).test_client().get("/readyz")

    assert answer.status_code == 503
    assert "lacks tables: loyalty" in answer.get_json()["detail"]


def test_the_version_names_code_libraries_options_and_data(
    make_app: Callable[..., Flask], dataset: seeding.Found
) -> None:
    options = Options(paging="offset", drop_index=("orders_placed",))
    app = make_app(commit="abc", workers=3, threads=2, options=options, test_mode=True)
    version = app.test_client().get("/version").get_json()

    assert version["commit"] == "abc"
    assert (version["workers"], version["threads"], version["test_mode"]) == (3, 2, True)
    assert version["options"] == json.loads(options.to_text())
    assert version["extensions"] == []
    assert version["database"] == {"kind": "sqlite", "version": sqlite3.sqlite_version}
    assert {"flask", "sqlalchemy", "granian", "psycopg"} <= set(version["packages"])
    assert version["dataset_hash"] == dataset.manifest.dataset_hash
    assert version["dataset"]["customers"] == dataset.manifest.recipe.customers


@pytest.mark.slow
def test_on_postgresql_it_is_ready_and_tells_its_version(
    make_app: Callable[..., Flask], databases: Databases
) -> None:
    with databases.fresh("postgres") as url:
        app = make_app(database=url)
        client = app.test_client()

        assert client.get("/readyz").status_code == 200
        found = client.get("/version").get_json()["database"]
        assert found["kind"] == "postgres"
        assert found["version"].startswith("18.")
        with app.app_context():
            db.engine.dispose()


def test_a_database_that_nobody_seeded_has_no_dataset(client: FlaskClient, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM dataset")
    connection.commit()
    connection.close()

    assert client.get("/version").get_json()["dataset_hash"] is None
