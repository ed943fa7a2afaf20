"""Where the rows of a dataset lie: a file of SQLite, a cluster of PostgreSQL, or a server."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlalchemy import Connection

from target_app.errors import DatasetError
from target_app.seeding.manifest import Manifest, Recipe

KINDS = ("sqlite", "postgres")
"""Beside the URL of a server."""

Stamp = dict[str, Any]

TEMPLATE_PREFIX = "trueload_"
TEMPLATE_DIGITS = 12
HALF_TEMPLATE = "_building"
_TEMPLATE = re.compile(rf"{TEMPLATE_PREFIX}[0-9a-f]{{{TEMPLATE_DIGITS}}}({HALF_TEMPLATE})?")


class Store(Protocol):
    """One of them, of one dataset."""

    @property
    def kind(self) -> str:
        """One of `KINDS`, or the server's URL without a password."""
        ...

    @property
    def database(self) -> Path | str:
        """The file, the cluster's folder, or the URL, with no password."""
        ...

    def find(self, folder: Path, /) -> Manifest | None:
        """Look for the dataset where its folder says nothing of it; write its accounts there."""
        ...

    def build(self, building: Path) -> Manifest:
        """Make everything in a folder that nobody else looks into, the accounts as well."""
        ...

    def publish(self, building: Path, /) -> None:
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


@dataclass(frozen=True, slots=True)
class FolderStore:
    """What those have in common that lie in the dataset's own folder."""

    folder: Path
    recipe: Recipe
    kind: ClassVar[str]
    name: ClassVar[str]
    """Of the file or folder with the rows."""

    @property
    def database(self) -> Path:
        """The file, or the cluster's folder."""
        return self.folder / self.name

    def find(self, _folder: Path) -> Manifest | None:
        """Look for the dataset where a folder says nothing of it: there is no other place."""
        return None


def is_template(name: str | None) -> bool:
    """
    Tell whether a database of a server is a dataset, by its name.

    Parameters
    ----------
    name : str or None
        The database's.

    Returns
    -------
    bool
        Also for one that is being made.
    """
    return name is not None and _TEMPLATE.fullmatch(name) is not None


def server_key(url: str) -> str:
    """
    Name a server: what of a URL is not a secret and says where it is.

    Parameters
    ----------
    url : str
        Of a database on it.

    Returns
    -------
    str
        The URL without its password and its database.

    Raises
    ------
    DatasetError
        When it is none.
    """
    if "://" not in url:
        raise DatasetError(_unknown(url))
    from target_app.postgres import urls  # noqa: PLC0415 - as below

    # Not by `set`: that takes None for "as it was".
    parts = urls.parse(url)._replace(password=None, database=None)
    return parts.difference_update_query(["password", "sslpassword"]).render_as_string()


def store(folder: Path, recipe: Recipe, database: str) -> Store:
    """
    Name the place of a dataset.

    Parameters
    ----------
    folder : Path
        Of the dataset.
    recipe : Recipe
        What it is made of.
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

        return SqliteStore(folder, recipe)
    if database == "postgres":
        from target_app.seeding.cluster_store import ClusterStore  # noqa: PLC0415

        return ClusterStore(folder, recipe)
    if "://" in database:
        from target_app.seeding.server_store import ServerStore  # noqa: PLC0415

        return ServerStore.at(folder, recipe, database)
    raise DatasetError(_unknown(database))


def _unknown(database: str) -> str:
    """Say what a place can be."""
    return (
        f"--database {database}: must be sqlite, postgres, or a URL such as "
        "postgresql://user@host:5432/postgres"
    )
