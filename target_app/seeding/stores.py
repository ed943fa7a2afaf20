"""Where the rows of a dataset lie: a file of SQLite, a cluster of PostgreSQL, or a server."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection

from target_app.errors import DatasetError
from target_app.seeding.manifest import Manifest, Recipe

KINDS = ("sqlite", "postgres")
"""Beside the URL of a server."""

Stamp = dict[str, Any]


class Store(Protocol):
    """One of them, of one dataset."""

    kind: str
    """One of `KINDS`, or the server's name."""

    @property
    def database(self) -> Path | str:
        """The file, the cluster's folder, or the URL, with no password."""
        ...

    def find(self, _recipe: Recipe) -> Manifest | None:
        """Look for the dataset where a folder says nothing of it."""
        ...

    def build(self, building: Path, recipe: Recipe) -> Manifest:
        """Make everything in a folder that nobody else looks into, the accounts as well."""
        ...

    def publish(self, building: Path) -> None:
        """Put what was built into its place."""
        ...

    def stamp(self) -> Stamp:
        """Note by what the rows are known to be as they were."""
        ...

    def is_complete(self) -> bool:
        """Tell whether it can be copied as it is."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Open it to look at it."""
        ...

    def copy_to(self, target: str) -> Path | str:
        """Make a working copy."""
        ...


def server_key(url: str) -> str:
    """
    Name a server: what of a URL is not a secret and says where it is.

    Parameters
    ----------
    url : str
        Of a database.

    Returns
    -------
    str
        The URL without its password.
    """
    from target_app.postgres import urls  # noqa: PLC0415 - as below

    return urls.parse(url).set(password=None).render_as_string()


def store(folder: Path, database: str) -> Store:
    """
    Name the place of a dataset.

    Parameters
    ----------
    folder : Path
        Of the dataset.
    database : str
        ``sqlite``, ``postgres``, or the URL of a server.

    Returns
    -------
    Store

    Raises
    ------
    DatasetError
        When it is none of these.
    """
    # Each brings libraries along, of which a caller needs one at most.
    if database == "sqlite":
        from target_app.seeding.sqlite_store import SqliteStore  # noqa: PLC0415

        return SqliteStore(folder)
    if database == "postgres":
        from target_app.seeding.cluster_store import ClusterStore  # noqa: PLC0415

        return ClusterStore(folder)
    if "://" in database:
        from target_app.seeding.server_store import ServerStore  # noqa: PLC0415

        return ServerStore.at(folder, database)
    raise DatasetError(
        f"--database {database}: must be sqlite, postgres, or a URL such as "
        "postgresql://user@host:5432/postgres"
    )
