"""A dataset's folder: ``crm.sqlite`` and ``manifest.json``, complete or not there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import insert

from target_app.errors import DatasetError
from target_app.models import Dataset
from target_app.seeding import writing
from target_app.seeding.accounts import write_accounts
from target_app.seeding.compose import compose
from target_app.seeding.manifest import FORMAT, Manifest, Recipe

DATABASE = "crm.sqlite"
MANIFEST = "manifest.json"
ACCOUNTS = "accounts.jsonl"
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset that is there now."""

    folder: Path
    manifest: Manifest
    remark: str
    """Whether it was there before or has just been made, and why."""

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / DATABASE

    @property
    def accounts(self) -> Path:
        """The file of those who may sign in: see `target_app.seeding.accounts`."""
        return self.folder / ACCOUNTS


def default_folder(customers: int, seed: int, accounts: int = 500) -> Path:
    """
    Name the folder of a dataset that nobody has named.

    Parameters
    ----------
    customers : int
        How many customers.
    seed : int
        The seed.
    accounts : int
        How many accounts each role has.

    Returns
    -------
    Path
        In the user's cache, one per parameters.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"customers-{customers}_seed-{seed}_accounts-{accounts}_format-{FORMAT}"
    return cache / "trueload" / "datasets" / name


def seed(
    folder: Path, *, customers: int, seed: int, accounts: int = 500, force: bool = False
) -> Found:
    """
    Make a dataset, or find that it is there already.

    Parameters
    ----------
    folder : Path
        Where; made when it is missing.
    customers : int
        How many customers.
    seed : int
        Decides the rows.
    accounts : int
        How many accounts each role has.
    force : bool
        Make it anew, whatever is there.

    Returns
    -------
    Found

    Raises
    ------
    DatasetError
        When the folder holds a dataset of other parameters, and `force` was not given.
    """
    recipe = Recipe.of(customers, seed, accounts)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        remark = "made anew"
        if not force:
            reusable, remark = _look(folder, recipe)
            if reusable is not None:
                return Found(folder, reusable, remark)
        return Found(folder, _build(folder, recipe), remark)


def copy_dataset(folder: Path, target: Path) -> Path:
    """
    Make a fresh working copy of a dataset's database.

    Parameters
    ----------
    folder : Path
        The dataset.
    target : Path
        The file to write; one that is there is replaced.

    Returns
    -------
    Path
        The absolute path of the copy.

    Raises
    ------
    DatasetError
        When there is no dataset, it was changed since it was made, or `target` is its own file.
    """
    source = folder / DATABASE
    manifest = _read_manifest(folder)
    if manifest is None or not source.is_file():
        raise DatasetError(
            f"{folder}: holds no complete dataset. Make one: "
            f"python -m target_app seed --customers 20000 --seed 1 --data {folder}"
        )
    if not _untouched(source, manifest):
        made_by = f"--customers {manifest.recipe.customers} --seed {manifest.recipe.seed}"
        raise DatasetError(
            f"{source}: has been changed since it was made. Make it anew: "
            f"python -m target_app seed {made_by} --data {folder} --force"
        )
    target = target.absolute()
    if target.exists() and target.samefile(source):
        raise DatasetError(f"{target}: is the dataset itself. Name another file for the copy.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The old file goes first, and its journals with it: a journal beside another database would be
    # played into it.
    for name in (target, *_journals(target)):
        name.unlink(missing_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, beside)
    beside.replace(target)
    return target


def _look(folder: Path, recipe: Recipe) -> tuple[Manifest | None, str]:
    """
    Tell whether a folder holds what a recipe asks for; if not, what is to be said about it.

    Raises
    ------
    DatasetError
        When it holds something else, which is not ours to replace.
    """
    manifest = _read_manifest(folder)
    if manifest is None:
        return None, "made"
    there = manifest.recipe
    asked = (recipe.customers, recipe.seed, recipe.accounts)
    if (there.customers, there.seed, there.accounts) != asked:
        raise DatasetError(
            f"{folder}: holds another dataset (customers {there.customers}, seed {there.seed}, "
            f"accounts {there.accounts}). "
            "Name another folder with --data, or replace it with --force."
        )
    if there != recipe:
        return None, "made anew: the one there was made by other versions"
    if not _untouched(folder / DATABASE, manifest):
        return None, "made anew: the one there had been changed since"
    return manifest, "reused"


def _build(folder: Path, recipe: Recipe) -> Manifest:
    """Build beside, then rename; the manifest comes last and is what makes the dataset complete."""
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as building:
        database = Path(building) / DATABASE
        manifest = _build_database(database, recipe, Path(building) / ACCOUNTS)
        text = json.dumps(manifest.to_json(), indent=2) + "\n"
        (Path(building) / MANIFEST).write_text(text, encoding="utf-8")
        for stale in (folder / MANIFEST, *_journals(folder / DATABASE)):
            stale.unlink(missing_ok=True)
        database.replace(folder / DATABASE)
        (Path(building) / ACCOUNTS).replace(folder / ACCOUNTS)
        (Path(building) / MANIFEST).replace(folder / MANIFEST)
    return manifest


def _build_database(path: Path, recipe: Recipe, accounts: Path) -> Manifest:
    """Write one database file with everything in it."""
    tables, signers = compose(recipe.customers, recipe.seed, recipe.accounts)
    write_accounts(accounts, recipe.seed, signers)
    engine = writing.open_for_building(path)
    with engine.connect() as connection:
        rows = writing.write_tables(connection, tables)
        dataset_hash = writing.dump_hash(connection, list(tables))
        manifest = Manifest(recipe=recipe, rows=rows, dataset_hash=dataset_hash)
        text = json.dumps(manifest.to_json())
        connection.execute(insert(Dataset), {"id": 1, "manifest": text})
        connection.commit()
        writing.finish(connection)
    engine.dispose()
    return replace(manifest, file_sha256=_sha256(path))


def _read_manifest(folder: Path) -> Manifest | None:
    """Read a folder's manifest; a broken one counts as none."""
    try:
        return Manifest.from_text((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _untouched(database: Path, manifest: Manifest) -> bool:
    """Tell whether a database is byte for byte what was made, with nothing left in a journal."""
    journals = [path for path in _journals(database) if not path.name.endswith("-shm")]
    if any(path.exists() and path.stat().st_size for path in journals):
        return False
    return database.is_file() and _sha256(database) == manifest.file_sha256


def _journals(database: Path) -> list[Path]:
    """Name the files that SQLite may keep beside a database."""
    return [database.with_name(database.name + suffix) for suffix in _BESIDE]


def _sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look at and build in a folder; the others wait and then reuse."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
