import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from target_app import seeding


def test_health_asks_the_process_alone(make_app: Callable[..., Flask], database: Path) -> None:
    client = make_app(instance="nonce").test_client()
    database.unlink()
    answer = client.get("/healthz")

    assert answer.get_json() == {"status": "ok", "instance": "nonce", "pid": os.getpid()}
    assert 'queries;desc="0"' in answer.headers["Server-Timing"]


def test_readiness_asks_the_database(client: FlaskClient, database: Path) -> None:
    assert client.get("/readyz").get_json()["status"] == "ready"


def test_without_a_database_it_is_not_ready_and_makes_none(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    missing = tmp_path / "missing.sqlite"
    answer = make_app(database=missing).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert not missing.exists()


def test_the_version_names_code_libraries_options_and_data(
    make_app: Callable[..., Flask], dataset: seeding.Found
) -> None:
    version = make_app(commit="abc", threads=2).test_client().get("/version").get_json()

    assert version["commit"] == "abc"
    assert version["options"]["threads"] == 2
    assert {"flask", "sqlalchemy", "granian"} <= set(version["packages"])
    assert version["dataset_hash"] == dataset.manifest.dataset_hash
    assert version["dataset"]["customers"] == dataset.manifest.recipe.customers


def test_a_database_that_nobody_seeded_has_no_dataset(client: FlaskClient, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM dataset")
    connection.commit()
    connection.close()

    assert client.get("/version").get_json()["dataset_hash"] is None
