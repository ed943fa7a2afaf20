"""A dataset in a cluster of PostgreSQL that nobody runs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from target_app.errors import DatasetError
from target_app.postgres import Cluster, copy_cluster, ensure_database, is_cluster, urls
from target_app.seeding import postgres
from target_app.seeding.accounts import write_accounts
from target_app.seeding.composer import composing
from target_app.seeding.manifest import Manifest
from target_app.seeding.stores import FolderStore, Stamp

FOLDER = "postgres"
DATABASE = "crm"


@dataclass(frozen=True, slots=True)
class ClusterStore(FolderStore):
    """One dataset's."""

    kind = "postgres"
    name = FOLDER

    def build(self, building: Path) -> Manifest:
        """Make everything in a folder that nobody else looks into, the accounts as well."""
        running = Cluster.create(building / FOLDER).start(building=True)
        try:
            ensure_database(running.url(), DATABASE)
            with composing(self.recipe) as parts, urls.connect(running.url(DATABASE)) as connection:
                manifest = postgres.fill(connection, parts)
        except BaseException:
            running.kill()  # nothing of it is worth a clean stop
            raise
        running.stop()
        write_accounts(building, self.recipe.seed, parts.people)
        return manifest

    def publish(self, building: Path) -> None:
        """Put what was built into its place."""
        if self.database.exists():
            shutil.rmtree(self.database)
        (building / FOLDER).replace(self.database)

    def stamp(self) -> Stamp:
        """Note by what the cluster is known to be as it was: each start leaves its mark here."""
        control = (self.database / "global" / "pg_control").read_bytes()
        return {"pg_control_sha256": hashlib.sha256(control).hexdigest()}

    def is_complete(self) -> bool:
        """Tell whether it can be copied as it is: nobody runs on it."""
        return is_cluster(self.database) and not (self.database / "postmaster.pid").exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open it to look at it; a start writes to it, so its stamp has to be made anew."""
        with Cluster(self.database).start() as running:
            engine = create_engine(running.url(DATABASE), poolclass=NullPool)
            with engine.connect() as connection:
                yield connection
            engine.dispose()

    def copy_to(self, target: str) -> Path:
        """
        Copy the cluster.

        Parameters
        ----------
        target : str
            The folder to write; a cluster that is there is replaced.

        Returns
        -------
        Path
            The absolute path of the copy.

        Raises
        ------
        DatasetError
            When `target` is something else, or a server runs on it.
        """
        if "://" in target:
            raise DatasetError(
                f"--to {urls.safe(target)}: the dataset is a cluster, so name a folder for the copy"
            )
        return copy_cluster(self.database, Path(target)).folder
