"""A dataset in a file of SQLite."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from target_app.errors import DatasetError
from target_app.seeding import sqlite
from target_app.seeding.accounts import write_accounts
from target_app.seeding.manifest import Manifest
from target_app.seeding.stores import FolderStore, Stamp

FILE = "crm.sqlite"


@dataclass(frozen=True, slots=True)
class SqliteStore(FolderStore):
    """One dataset's."""

    kind = "sqlite"
    name = FILE

    def build(self, building: Path) -> Manifest:
        """Make everything in a folder that nobody else looks into, the accounts as well."""
        # Brings Faker and numpy: a copy, or a dataset that is there already, needs neither.
        from target_app.seeding.composer import composing  # noqa: PLC0415

        with composing(self.recipe) as parts:
            manifest = sqlite.fill(building / FILE, parts)
        write_accounts(building, self.recipe.seed, parts.people)
        return manifest

    def publish(self, building: Path) -> None:
        """Put what was built into its place."""
        for stale in sqlite.journals(self.database):
            stale.unlink(missing_ok=True)
        (building / FILE).replace(self.database)

    def stamp(self) -> Stamp:
        """Note by what the file is known to be as it was: others have another time of change."""
        found = self.database.stat()
        return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "inode": found.st_ino}

    def is_complete(self) -> bool:
        """Tell whether the file is all there is: nothing is left in a journal."""
        left = [p for p in sqlite.journals(self.database) if not p.name.endswith("-shm")]
        return self.database.is_file() and not any(p.exists() and p.stat().st_size for p in left)

    def reading(self) -> AbstractContextManager[Connection]:
        """Open it to look at it."""
        return sqlite.reading(self.database)

    def copy_to(self, target: str) -> Path:
        """
        Copy the file.

        Parameters
        ----------
        target : str
            The file to write; one that is there is replaced, with its journals.

        Returns
        -------
        Path
            The absolute path of the copy.

        Raises
        ------
        DatasetError
            When `target` is the dataset's own file, or not ours to replace.
        """
        if "://" in target:
            raise DatasetError(f"--to {target}: the dataset is a file, so name a file for the copy")
        path = Path(target).absolute()
        if path.is_dir():
            raise DatasetError(f"{path}: is a folder. Name a file for the copy.")
        if path.exists() and path.samefile(self.database):
            raise DatasetError(f"{path}: is the dataset itself. Name another file for the copy.")
        sqlite.require_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # The old file goes first, and its journals with it: a journal beside another database
        # would be played into it.
        for name in (path, *sqlite.journals(path)):
            name.unlink(missing_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            sqlite.copy_within_kernel(self.database, beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path
