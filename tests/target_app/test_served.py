"""What is served: looked at first, and brought into the state that the options ask for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, make_url, text
from werkzeug.security import check_password_hash

from target_app import Config, engines, seeding, served, server
from target_app.cli import main
from target_app.errors import DatasetError
from target_app.options import Options
from target_app.preparing import prepare
from tests.support.accounts import Accounts
from tests.support.crm_server import CrmServer, gone
from tests.support.databases import KINDS, Databases

SLOW = [pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.slow)]
assert tuple(param.values[0] for param in SLOW) == KINDS


@pytest.fixture(params=SLOW)
def working(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Path | str]:
    """A fresh working copy, on each database in turn."""
    with databases.fresh(request.param) as database:
        yield database


def indexes(database: Path | str, table: str = "orders") -> set[Any]:
    engine = create_engine(engines.url(Config(database=database)))
    try:
        return {index["name"] for index in inspect(engine).get_indexes(table)}
    finally:
        engine.dispose()


def rows(database: Path | str, sql: str) -> list[Any]:
    engine = create_engine(engines.url(Config(database=database)))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()


def prepared(database: Path | str, *, extensions: tuple[str, ...] = (), **options: Any) -> None:
    config = Config(database=database, options=Options(**options), extensions=extensions)
    prepare(config, is_dataset=False)


@pytest.mark.parametrize(
    ("manifest", "is_dataset"),
    [
        ('{"customers": 5, "dataset_hash": "abc"}', True),
        ('{"format": 2, "run": "a", "target": {"dataset_hash": "abc"}}', False),
        ("[1", False),
        (None, False),
    ],
    ids=["of a dataset", "of a run", "damaged", "none"],
)
def test_a_dataset_is_known_by_the_manifest_of_one(
    tmp_path: Path, manifest: str | None, is_dataset: bool
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    copy = tmp_path / "crm.sqlite"

    assert served.Served(copy, str(copy), copy).is_dataset is is_dataset


def test_an_index_is_dropped_and_comes_back_when_it_is_not_asked_for_any_more(
    working: Path | str,
) -> None:
    before = indexes(working)
    for _ in range(2):  # the second time there is nothing left to do
        prepared(working, drop_index=("orders_placed", "orders_status"))
        assert indexes(working) == before - {"orders_placed", "orders_status"}
    prepared(working, drop_index=("orders_status",))
    assert indexes(working) == before - {"orders_status"}
    prepared(working)
    assert indexes(working) == before


def test_the_seeded_accounts_are_given_a_hash_of_the_cost_that_was_asked_for(
    working: Path | str, accounts: Accounts
) -> None:
    for cost in (7, 8):
        prepared(working, password_cost=cost)
        ((password_hash,),) = rows(working, "SELECT DISTINCT password_hash FROM users")

        assert password_hash.startswith(f"scrypt:{2**cost}:")
        assert check_password_hash(password_hash, accounts.password)


@pytest.mark.parametrize(
    ("sql", "missing"),
    [
        ("DROP TABLE idempotency_keys", "idempotency_keys"),
        ("ALTER TABLE feedback DROP COLUMN nps", "nps"),
    ],
)
def test_a_database_of_another_version_is_refused_by_name(
    working: Path | str, sql: str, missing: str
) -> None:
    engine = create_engine(engines.url(Config(database=working)))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()

    with pytest.raises(DatasetError, match=rf"made by another version .*{missing}.*\bseed --help"):
        prepared(working)


def test_the_usual_cost_is_left_as_it_was_seeded(database: Path) -> None:
    before = database.read_bytes()
    prepared(database)

    assert database.read_bytes() == before


def test_the_tables_of_an_extension_are_made_once(working: Path | str) -> None:
    for _ in range(2):
        prepared(working, extensions=("loyalty",))

    engine = create_engine(engines.url(Config(database=working)))
    names = inspect(engine).get_table_names()
    engine.dispose()
    assert [name for name in names if "loyalty" in name]


@pytest.mark.parametrize(
    "change", [{"drop_index": ("orders_placed",)}, {"password_cost": 7}], ids=str
)
def test_a_dataset_itself_is_not_changed(dataset: seeding.Found, change: Any) -> None:
    assert isinstance(dataset.place, Path)
    before = dataset.place.read_bytes()
    with pytest.raises(DatasetError, match="a dataset itself is served as it is"):
        prepare(Config(database=dataset.place, options=Options(**change)), is_dataset=True)

    prepare(Config(database=dataset.place), is_dataset=True)
    assert dataset.place.read_bytes() == before


def test_without_a_manifest_the_password_is_not_known(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM dataset")
        connection.commit()

    with pytest.raises(DatasetError, match="was not made by seeding"):
        prepared(database, password_cost=7)


def test_a_dataset_is_known_by_its_manifest(dataset: seeding.Found, database: Path) -> None:
    with served.opened(str(dataset.place), 4) as store:
        assert store.is_dataset
    with served.opened(str(database), 4) as store:
        assert not store.is_dataset
        assert store.database == database


def test_the_folder_of_metrics_is_emptied_of_counts_and_of_nothing_else(database: Path) -> None:
    with served.opened(str(database), 4) as store:
        folder = served.metrics_folder(store)
        for name in ("counter_12.db", "gauge_liveall_12.db", "histogram_12.db", "mine.txt"):
            (folder / name).touch()
        served.metrics_folder(store)

    assert folder == database.with_name("crm.sqlite.metrics")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


@pytest.mark.costly
def test_a_file_that_is_served_is_not_served_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_ENDING_S", 0.1)
    folder = database.with_name("crm.sqlite.metrics")
    folder.mkdir()
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)  # as the server that was first has it

    with served.opened(str(database), 4) as store:
        with pytest.raises(DatasetError, match=r"crm\.sqlite: is being served already\. Stop"):
            served.metrics_folder(store)
        os.close(other)
        assert served.metrics_folder(store) == folder


def test_what_a_server_of_somebody_elses_database_counts_has_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ours, other = (
        served.Served(f"postgresql://{name}:pw@h/crm", f"postgresql://{name}:***@h/crm", None)
        for name in ("ours", "other")
    )
    folder = served.metrics_folder(ours)
    (folder / "counter_12.db").touch()

    assert served.metrics_folder(ours) == folder
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    assert served.metrics_folder(other) != folder
    assert len(list(tmp_path.iterdir())) == 2

    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(DatasetError, match="and not ours"):
        served.metrics_folder(ours)


@pytest.mark.parametrize("name", ["trueload_0123456789ab", "trueload_0123456789ab_building"])
def test_a_dataset_on_a_server_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    said = refused(monkeypatch, f"postgresql://crm:hidden@127.0.0.1:1/{name}")

    assert f"/{name}: is a dataset, which others are copied from. Serve a copy" in said


def refused(monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> str:
    monkeypatch.setenv("CRM_DATABASE", url)
    monkeypatch.setattr(server, "taken", lambda *_: None)
    result = CliRunner().invoke(main, ["serve", *words])
    assert result.exit_code == 2, result.output
    return result.stderr


def test_a_server_that_is_not_there_is_refused_without_a_word_of_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = refused(monkeypatch, "postgresql://crm:hidden@127.0.0.1:1/crm")

    assert "postgresql+psycopg://crm:***@127.0.0.1:1/crm: cannot be reached" in said
    assert "hidden" not in said


@pytest.mark.slow
def test_a_database_without_a_crm_is_refused(
    monkeypatch: pytest.MonkeyPatch, databases: Databases
) -> None:
    with databases.fresh("postgres") as url:
        empty = make_url(str(url)).set(database="postgres")
        said = refused(monkeypatch, empty.render_as_string(hide_password=False))

    assert 'is no CRM database (relation "customers" does not exist)' in said


@pytest.mark.slow
def test_more_connections_than_the_server_takes_are_refused_with_the_numbers(
    monkeypatch: pytest.MonkeyPatch, databases: Databases
) -> None:
    with databases.fresh("postgres") as url:
        ((most,),) = rows(url, "SHOW max_connections")
        said = refused(monkeypatch, str(url), "--workers", most, "--threads", "3")

    assert f"takes {most} connections" in said
    assert f"would be {3 * int(most)}. Ask for at most {int(most) - 5}" in said


@pytest.mark.slow
def test_a_cluster_is_served_and_ends_with_its_server_however_that_ends(tmp_path: Path) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    seeding.seed(data, customers=20, seed=1, database="postgres")
    seeding.reset(data, str(work))
    token = Accounts.of(data).of_role("manager")[0]["token"]
    words = ("--option", "drop_index=orders_placed", "--workers", "2")
    with CrmServer(work, tmp_path, *words, token=token) as crm:
        crm.start()
        assert crm.ask("GET", "/version")[1]["database"]["kind"] == "postgres"
        assert crm.ask("GET", "/api/v1/customers")[0] == 200
        there = crm.all_processes()
        assert [each for each in there if each.name() == "postgres"]
        assert crm.stop() == 0
        assert all(gone(each, 10) for each in there)

        crm.start()
        assert all(gone(each, 10) for each in crm.kill())
        crm.start()
        assert crm.ask("GET", "/api/v1/customers")[0] == 200


@pytest.mark.slow
def test_the_dataset_of_a_cluster_is_not_changed_and_no_server_is_left(tmp_path: Path) -> None:
    data = tmp_path / "data"
    found = seeding.seed(data, customers=20, seed=1, database="postgres")
    words = ["serve", "--database", str(found.place), "--option", "drop_index=orders_placed"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "target_app", *words, "--port", "9"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "a dataset itself is served as it is" in done.stderr
    assert not (Path(found.place) / "postmaster.pid").exists()
