"""A dataset's folder: database, ``accounts.jsonl`` and ``manifest.json``; all of it, or none."""

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
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from target_app.errors import DatasetError
from target_app.seeding import accounts as signing
from target_app.seeding.manifest import ACCOUNTS, FORMAT, LOCALES, Manifest, Recipe
from target_app.seeding.stores import KINDS, Stamp, Store, server_key, store

MANIFEST = "manifest.json"
_BUILDING = ".building-"


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset that is there now."""

    folder: Path
    manifest: Manifest
    place: Path | str
    """The file, the folder of the cluster, or the URL on a server (without a password)."""
    remark: str
    """Whether it was there before or has just been made, and why."""

    @property
    def database(self) -> Path:
        """
        The file, or the folder of the cluster.

        Raises
        ------
        DatasetError
            When it is on a server.
        """
        if isinstance(self.place, str):
            raise DatasetError(f"{self.place}: the dataset is on a server, not in a file")
        return self.place

    @property
    def accounts(self) -> Path:
        """The file of those who may sign in: see `target_app.seeding.accounts`."""
        return self.folder / signing.FILE


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a folder says of itself."""

    manifest: Manifest
    database: str
    """Its kind, or the server's URL."""
    stamp: Stamp

    def text(self) -> str:
        """Write it."""
        data = self.manifest.to_json() | {"database": self.database, "stamp": self.stamp}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, folder: Path) -> _Entry | None:
        """Read it; a broken one counts as none."""
        try:
            data: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            return cls(Manifest.from_json(data), str(data["database"]), dict(data["stamp"]))
        except (OSError, KeyError, TypeError, ValueError):
            return None


def default_folder(
    customers: int,
    seed: int,
    *,
    accounts: int = ACCOUNTS,
    locale: str = LOCALES[0],
    database: str = KINDS[0],
) -> Path:
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
    locale : str
        One of `LOCALES`.
    database : str
        ``sqlite``, ``postgres``, or the URL of a server.

    Returns
    -------
    Path
        In the user's cache, one per parameters.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kind = database
    if kind not in KINDS:
        kind = "server-" + hashlib.sha256(server_key(kind).encode()).hexdigest()[:12]
    name = f"customers-{customers}_seed-{seed}_accounts-{accounts}_{locale}_{kind}_format-{FORMAT}"
    return cache / "trueload" / "datasets" / name


def seed(
    folder: Path,
    *,
    customers: int,
    seed: int,
    accounts: int = ACCOUNTS,
    locale: str = LOCALES[0],
    database: str = KINDS[0],
    force: bool = False,
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
    locale : str
        One of `LOCALES`.
    database : str
        ``sqlite``, ``postgres`` (a cluster of our own), or the URL of a server.
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
    recipe = Recipe(customers=customers, seed=seed, accounts=accounts, locale=locale)
    place = store(folder, recipe, database)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        remark = "made anew"
        if not force:
            manifest, remark = _look(folder, place, recipe)
            if manifest is not None:
                return Found(folder, manifest, place.database, remark)
        manifest = _build(folder, place)
        return Found(folder, manifest, place.database, remark)


def reset(folder: Path, target: str) -> Path | str:
    """
    Make a fresh working copy of a dataset's database.

    Parameters
    ----------
    folder : Path
        The dataset.
    target : str
        The file or folder to write, one that is there is replaced; of a dataset on a server, the
        URL of the database to write, which is replaced when it is a copy of a dataset.

    Returns
    -------
    Path or str
        The absolute path of the copy, or its URL without a password.

    Raises
    ------
    DatasetError
        When there is no dataset, it was changed since it was made, or `target` is not ours to
        replace.
    """
    entry, place = _found(folder, target)
    if not _untouched(folder, place, entry):
        raise DatasetError(
            f"{place.database}: has been changed since it was made. Make it anew: "
            f"{_command(folder, entry)} --force"
        )
    return place.copy_to(target)


def copy_dataset(folder: Path, target: Path) -> Path:
    """
    Do the same with a dataset in a file or a folder.

    Parameters
    ----------
    folder : Path
        The dataset.
    target : Path
        The file or folder to write.

    Returns
    -------
    Path
        The absolute path of the copy.
    """
    return Path(reset(folder, str(target)))


def verify(folder: Path) -> Manifest:
    """
    Read every row of a dataset and compare their hash with the manifest's.

    Parameters
    ----------
    folder : Path
        The dataset.

    Returns
    -------
    Manifest
        What is there, as it was made.

    Raises
    ------
    DatasetError
        When there is no dataset, or its rows are others.
    """
    entry, place = _found(folder)
    with _alone(folder):
        if not _holds(folder, place, entry):
            raise DatasetError(
                f"{place.database}: its rows are not those it was made with. Make it anew: "
                f"{_command(folder, entry)} --force"
            )
    return entry.manifest


def _look(folder: Path, place: Store, recipe: Recipe) -> tuple[Manifest | None, str]:
    """
    Tell whether a folder holds what a recipe asks for; if not, what is to be said about it.

    Raises
    ------
    DatasetError
        When it holds something else, which is not ours to replace.
    """
    entry = _Entry.of(folder)
    if entry is None:
        manifest = place.find(folder)
        if manifest is None:
            return None, "made"
        _write(folder, _Entry(manifest, place.kind, place.stamp()))
        return manifest, "found"
    there = entry.manifest.recipe.asked() | {"database": entry.database}
    if there != recipe.asked() | {"database": place.kind}:
        shown = ", ".join(f"{name} {value}" for name, value in there.items())
        raise DatasetError(
            f"{folder}: holds another dataset ({shown}). "
            "Name another folder with --data, or replace it with --force."
        )
    if entry.manifest.recipe != recipe:
        return None, "made anew: the one there was made by other versions"
    if not _untouched(folder, place, entry):
        return None, "made anew: the one there had been changed since"
    return entry.manifest, "reused"


def _build(folder: Path, place: Store) -> Manifest:
    """Build beside, then rename; the manifest comes last and is what makes the dataset complete."""
    for left in folder.glob(f"{_BUILDING}*"):  # by a build that was killed; nobody else builds here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=folder) as name:
        building = Path(name)
        manifest = place.build(building)
        (folder / MANIFEST).unlink(missing_ok=True)
        place.publish(building)
        (building / signing.FILE).replace(folder / signing.FILE)
        _write(folder, _Entry(manifest, place.kind, place.stamp()))
    return manifest


def _found(folder: Path, target: str = "") -> tuple[_Entry, Store]:
    """
    Open the dataset of a folder; one on a server as a target on that server says.

    Raises
    ------
    DatasetError
        When it holds none.
    """
    entry = _Entry.of(folder)
    place = None
    if entry:
        on_server = "://" in entry.database and "://" in target
        database = target if on_server else entry.database
        place = store(folder, entry.manifest.recipe, database)
    if entry is None or place is None or not place.is_complete():
        raise DatasetError(
            f"{folder}: holds no complete dataset. Make one: "
            f"python -m target_app seed --customers 20000 --seed 1 --data {folder}"
        )
    return entry, place


def _untouched(folder: Path, place: Store, entry: _Entry) -> bool:
    """
    Tell whether a dataset is as it was made.

    What the file system says is enough; when that differs, the rows decide (a folder may have been
    moved, or come out of an archive).
    """
    if not (place.is_complete() and (folder / signing.FILE).is_file()):
        return False
    return place.stamp() == entry.stamp or _holds(folder, place, entry)


def _holds(folder: Path, place: Store, entry: _Entry) -> bool:
    """Read all rows, tell whether they are those that were made, and note that they are."""
    from target_app.seeding.digest import hash_of_database  # noqa: PLC0415 - brings numpy

    try:
        with place.reading() as connection:
            same = hash_of_database(connection) == entry.manifest.dataset_hash
    except SQLAlchemyError:  # no database any more, or another one
        return False
    if same and place.stamp() != entry.stamp:
        _write(folder, replace(entry, stamp=place.stamp()))
    return same


def _write(folder: Path, entry: _Entry) -> None:
    """Write what a folder says of itself, at once."""
    beside = folder / f".{MANIFEST}.{os.getpid()}"
    beside.write_text(entry.text(), encoding="utf-8")
    beside.replace(folder / MANIFEST)


def _command(folder: Path, entry: _Entry) -> str:
    """Write the command that makes a dataset."""
    asked = entry.manifest.recipe.asked() | {"database": entry.database}
    options = " ".join(f"--{name} {value}" for name, value in asked.items())
    return f"python -m target_app seed {options} --data {folder}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look at and build in a folder; the others wait and then reuse."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
