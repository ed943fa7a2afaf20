import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from target_app import seeding
from target_app.seeding import DatasetError

pytestmark = pytest.mark.costly  # datasets are made

few = partial(seeding.seed, customers=1, seed=1, accounts=1)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(tmp_path: Path) -> None:
    one, again, other = (
        few(tmp_path / name, customers=20, seed=seed)
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )

    assert again.manifest == one.manifest
    assert other.manifest.dataset_hash != one.manifest.dataset_hash
    assert other.manifest.rows["customers"] == 20


def test_the_folder_holds_the_database_and_its_manifest_and_nothing_half_done(
    dataset: seeding.Found,
) -> None:
    names = {path.name for path in dataset.folder.iterdir() if path.name != ".lock"}
    manifest = json.loads((dataset.folder / "manifest.json").read_text())

    assert names == {"accounts.jsonl", "crm.sqlite", "manifest.json"}
    assert manifest.items() >= dataset.manifest.to_json().items()
    assert set(manifest) == {
        "customers", "seed", "accounts", "locale", "format", "epoch", "faker", "numpy", "rows",
        "dataset_hash", "table_hashes", "defects", "truths", "database", "stamp",
    }  # fmt: skip


def test_a_complete_dataset_is_reused(dataset: seeding.Found) -> None:
    before = dataset.database.stat().st_mtime_ns
    found = seeding.seed(dataset.folder, customers=dataset.manifest.recipe.customers, seed=1)

    assert found.remark == "reused"
    assert dataset.database.stat().st_mtime_ns == before


def test_a_changed_dataset_is_made_anew_and_not_copied(tmp_path: Path) -> None:
    first = few(tmp_path)
    connection = sqlite3.connect(first.database)
    connection.execute("UPDATE customers SET name = 'x'")
    connection.commit()
    connection.close()

    with pytest.raises(DatasetError, match="has been changed since it was made"):
        seeding.copy_dataset(tmp_path, tmp_path / "copy.sqlite")
    second = few(tmp_path)

    assert second.remark == "made anew: the one there had been changed since"
    assert second.manifest == first.manifest


def test_a_dataset_of_other_versions_is_made_anew(tmp_path: Path) -> None:
    first = few(tmp_path)
    assert first.remark == "made"
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"faker": "0.1"}))

    found = few(tmp_path)

    assert found.remark == "made anew: the one there was made by other versions"


def test_a_dataset_of_other_parameters_is_not_replaced_without_force(tmp_path: Path) -> None:
    few(tmp_path)

    with pytest.raises(
        DatasetError,
        match=r"holds another dataset \(customers 1, seed 1, accounts 1, locale en_US",
    ):
        few(tmp_path, customers=2)
    forced = few(tmp_path, customers=2, force=True)

    assert forced.manifest.rows["customers"] == 2


@pytest.mark.parametrize("broken", ["", "[]", '{"format": 1}'])
def test_a_broken_manifest_counts_as_none(tmp_path: Path, broken: str) -> None:
    (tmp_path / "manifest.json").write_text(broken)

    assert few(tmp_path).remark == "made"


def test_two_that_seed_at_once_make_one_dataset(
    tmp_path: Path, together: Callable[..., None]
) -> None:
    remarks: list[str] = []

    def run() -> None:
        remarks.append(few(tmp_path).remark)

    together(run, run, run)

    assert sorted(remarks) == ["made", "reused", "reused"]


def test_a_copy_replaces_what_was_there_with_its_journals(
    dataset: seeding.Found, tmp_path: Path
) -> None:
    target = tmp_path / "deep" / "er" / "crm.sqlite"
    seeding.copy_dataset(dataset.folder, target)
    with sqlite3.connect(target) as used:
        used.execute("DELETE FROM changes")
        used.execute("UPDATE customers SET version = 2")
    used.close()
    for suffix in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + suffix).write_bytes(b"stale")

    copy = seeding.copy_dataset(dataset.folder, target)

    assert copy == target
    assert [path.name for path in target.parent.iterdir()] == ["crm.sqlite"]
    assert target.read_bytes() == dataset.database.read_bytes()


def test_a_dataset_is_not_copied_onto_itself(dataset: seeding.Found) -> None:
    with pytest.raises(DatasetError, match="is the dataset itself"):
        seeding.copy_dataset(dataset.folder, dataset.database)


@pytest.mark.parametrize("content", [b"the only copy of a novel", b"", b"SQLite format 3\0" * 9])
def test_a_file_of_somebody_elses_is_not_replaced(
    dataset: seeding.Found, tmp_path: Path, content: bytes
) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_bytes(content)

    with pytest.raises(DatasetError, match=r"novel\.txt: is no database of ours"):
        seeding.copy_dataset(dataset.folder, novel)

    assert novel.read_bytes() == content


def test_a_copy_that_is_being_served_is_not_replaced(
    dataset: seeding.Found, tmp_path: Path
) -> None:
    copy = seeding.copy_dataset(dataset.folder, tmp_path / "crm.sqlite")
    server = sqlite3.connect(copy, isolation_level=None)
    server.execute("SELECT id FROM customers LIMIT 1").fetchall()

    with pytest.raises(DatasetError, match="is being served"):
        seeding.copy_dataset(dataset.folder, copy)
    server.execute("UPDATE customers SET version = 7 WHERE id = 1")
    server.close()

    seeding.copy_dataset(dataset.folder, copy)
    with sqlite3.connect(copy) as again:
        assert again.execute("SELECT version FROM customers WHERE id = 1").fetchone() == (1,)
    again.close()


def test_what_is_no_file_is_not_replaced(dataset: seeding.Found) -> None:
    with pytest.raises(DatasetError, match="/dev/null: is no ordinary file"):
        seeding.copy_dataset(dataset.folder, Path("/dev/null"))


def test_a_dataset_that_is_not_there_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no complete dataset\. Make one: python -m"):
        seeding.copy_dataset(tmp_path, tmp_path / "copy.sqlite")


def test_an_unnamed_dataset_lives_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert seeding.default_folder(7, 1).is_relative_to(tmp_path / "trueload" / "datasets")
    assert seeding.default_folder(7, 1) != seeding.default_folder(7, 2)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert seeding.default_folder(7, 1).is_relative_to(tmp_path / ".cache")
