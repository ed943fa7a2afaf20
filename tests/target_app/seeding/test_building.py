"""Builds that break off, and what is found of them."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from target_app import seeding
from target_app.seeding import DatasetError, composer, sqlite
from target_app.seeding.compose import Composition, compose
from target_app.seeding.composer import composing
from target_app.seeding.digest import hash_of_database, hashes_of_database
from target_app.seeding.manifest import Recipe

pytestmark = pytest.mark.costly  # datasets are made

few = partial(seeding.seed, customers=1, seed=1, accounts=1)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_a_build_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite, "_insert", fail)
        with pytest.raises(DatasetError, match="cannot be written: database or disk is full"):
            few(tmp_path)

    assert names(tmp_path) == set()
    assert few(tmp_path).remark == "made"


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "target_app", "seed", "--customers", "100000"]
    process = subprocess.Popen([*words, "--data", str(tmp_path)], start_new_session=True)
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size > 10**6 for path in tmp_path.glob(".building-*/*.sqlite")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    helpers = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert len(helpers) == 1  # composes, and finds that nobody reads
    _, alive = psutil.wait_procs(helpers, timeout=10)
    assert all(helper.status() == psutil.STATUS_ZOMBIE for helper in alive)
    assert "manifest.json" not in names(tmp_path)
    assert few(tmp_path).remark == "made"
    assert names(tmp_path) == {"accounts.jsonl", "crm.sqlite", "manifest.json"}


def test_the_hash_of_the_file_is_the_manifests(dataset: seeding.Found) -> None:
    with sqlite.reading(dataset.database) as connection:
        hashes = hashes_of_database(connection)
        assert hash_of_database(connection) == dataset.manifest.dataset_hash
    filled = {name: hashes[name] for name in dataset.manifest.table_hashes}
    assert filled == dataset.manifest.table_hashes
    file = sqlite3.connect(dataset.database)
    (text,) = file.execute("SELECT manifest FROM dataset").fetchone()
    file.close()
    assert seeding.Manifest.from_text(text) == dataset.manifest


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE customers SET phone = NULL WHERE id = (SELECT min(id) FROM customers WHERE phone)",
        "UPDATE customers SET city = substr(city, 2), name = name || substr(city, 1, 1) WHERE id=7",
        "UPDATE order_items SET qty = qty + 1 WHERE id = 3",
        "DELETE FROM activities WHERE id = 1",
        "INSERT INTO changes VALUES (1, 'order', 1, 'x', 1, '2026-01-01T00:00:00.000000Z', NULL)",
    ],
)
def test_the_hash_sees_every_change(dataset: seeding.Found, tmp_path: Path, change: str) -> None:
    path = seeding.copy_dataset(dataset.folder, tmp_path / "copy.sqlite")
    connection = sqlite3.connect(path)
    assert connection.execute(change).rowcount == 1
    connection.commit()
    connection.close()

    with sqlite.reading(path) as opened:
        assert hash_of_database(opened) != dataset.manifest.dataset_hash


def test_a_dataset_that_was_moved_is_the_same(dataset: seeding.Found, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(dataset.folder, folder)  # other inode, other time
    customers = dataset.manifest.recipe.customers

    assert seeding.seed(folder, customers=customers, seed=1).remark == "reused"
    stamp = json.loads((folder / "manifest.json").read_text())["stamp"]
    assert stamp["inode"] == (folder / "crm.sqlite").stat().st_ino
    assert seeding.verify(folder) == dataset.manifest


def test_rows_that_were_changed_behind_the_stamp_are_found(tmp_path: Path) -> None:
    found = few(tmp_path)
    before = found.database.stat()
    connection = sqlite3.connect(found.database)
    connection.execute("UPDATE customers SET status = 'churned' WHERE status != 'churned'")
    connection.commit()
    connection.close()
    os.utime(found.database, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(DatasetError, match="its rows are not those it was made with"):
        seeding.verify(tmp_path)


@pytest.mark.slow
def test_another_process_composes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "_WORTH_IT", 0)
    recipe = Recipe(customers=20, seed=3, accounts=1)
    here = Composition.of(compose(recipe))
    rows = sum(len(piece.columns["id"]) for piece in here.pieces())
    with composing(recipe) as there:
        assert sum(len(piece.columns["id"]) for piece in there.pieces()) == rows
        assert there.manifest == here.manifest
        assert there.people == here.people


@pytest.mark.slow
def test_a_composition_that_is_cut_off_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "_WORTH_IT", 0)
    recipe = Recipe(customers=20, seed=3, accounts=1)
    with composing(recipe) as there:
        next(there.pieces())
        with pytest.raises(RuntimeError, match="have not all come"):
            _ = there.manifest
