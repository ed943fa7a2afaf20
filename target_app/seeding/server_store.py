"""A dataset on a server that somebody gave: a database that others are copied from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from psycopg import sql
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.pool import NullPool

from target_app.errors import DatasetError
from target_app.models import Base
from target_app.postgres import create_from_template, drop_database, ensure_database, urls
from target_app.seeding import postgres
from target_app.seeding.accounts import write_accounts
from target_app.seeding.compose import Composition, compose
from target_app.seeding.composer import composing
from target_app.seeding.manifest import Manifest, Recipe
from target_app.seeding.stores import (
    HALF_TEMPLATE,
    TEMPLATE_DIGITS,
    TEMPLATE_PREFIX,
    Stamp,
    is_template,
    server_key,
)

_MAINTENANCE = "postgres"
_SYSTEM = (_MAINTENANCE, "template0", "template1")


@dataclass(frozen=True, slots=True)
class ServerStore:
    """One dataset's."""

    folder: Path
    recipe: Recipe
    url: URL
    """Of any database of the server."""

    @classmethod
    def at(cls, folder: Path, recipe: Recipe, url: str) -> Self:
        """
        Name the place of a dataset.

        Parameters
        ----------
        folder : Path
            Of its accounts and its manifest.
        recipe : Recipe
            What it is made of.
        url : str
            Of any database of the server.

        Returns
        -------
        ServerStore
        """
        return cls(folder, recipe, urls.parse(url))

    @property
    def kind(self) -> str:
        """The server's URL, without a password."""
        return server_key(self.url.render_as_string(hide_password=False))

    @property
    def template(self) -> str:
        """The name of the database that others are copied from."""
        return TEMPLATE_PREFIX + self.recipe.key()[:TEMPLATE_DIGITS]

    @property
    def database(self) -> str:
        """Its URL, without a password."""
        return urls.safe(self.url.set(database=self.template))

    def find(self, folder: Path) -> Manifest | None:
        """Look for the dataset on the server, where a folder says nothing of it."""
        manifest = self._manifest(self.template)
        if manifest is None or manifest.recipe != self.recipe:
            return None
        people = Composition.of(compose(self.recipe)).people
        write_accounts(folder, self.recipe.seed, people)
        return manifest

    def build(self, building: Path) -> Manifest:
        """
        Make everything beside, in a folder and a database that nobody else looks into.

        The database gets its name at the end; should the folder not get that far, the dataset will
        be found on the server.

        Parameters
        ----------
        building : Path
            The folder.

        Returns
        -------
        Manifest
        """
        half = self.template + HALF_TEMPLATE
        with self._alone():
            self._require_ours(self.template)
            self._require_half(half)
            drop_database(self.url, half)
            ensure_database(self.url, half)
            with composing(self.recipe) as parts, closing(self._connect(half)) as connection:
                manifest = postgres.fill(connection, parts)
            drop_database(self.url, self.template)
            names = sql.Identifier(half), sql.Identifier(self.template)
            with closing(self._connect(_MAINTENANCE)) as connection:
                # A copy does not take this over.
                words = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on")
                connection.execute(words.format(names[0]))
                connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
        write_accounts(building, self.recipe.seed, parts.people)
        return manifest

    def publish(self, _building: Path) -> None:
        """Put what was built into its place: it is there."""

    def stamp(self) -> Stamp:
        """Note by what the rows are known to be as they were: a template may only be read."""
        return {"template": self.template}

    def is_complete(self) -> bool:
        """Tell whether the template is there, and is what its name says."""
        manifest = self._manifest(self.template)
        return manifest is not None and manifest.recipe == self.recipe

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open it to look at it."""
        engine = create_engine(self.url.set(database=self.template), poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def copy_to(self, target: str) -> str:
        """
        Make a database that is a copy of the template.

        Parameters
        ----------
        target : str
            Its URL, on the same server; a copy of a dataset that has this name is replaced.

        Returns
        -------
        str
            The URL, without a password.

        Raises
        ------
        DatasetError
            When the name is not one to replace.
        """
        url = urls.parse(target)
        name = url.database
        if not name or name in _SYSTEM or is_template(name):
            raise DatasetError(
                f"{urls.safe(url)}: names {'a dataset' if name else 'no database'}, not a copy. "
                "Name a database of its own for the copy."
            )
        self._require_ours(name)
        drop_database(self.url, name)
        create_from_template(self.url, name, self.template)
        return urls.safe(url)

    def _manifest(self, name: str) -> Manifest | None:
        """Read the manifest of a database; None when there is none, or no such database."""
        if not self._exists(name):
            return None
        with closing(self._connect(name)) as connection:
            return postgres.manifest_in(connection)

    def _require_ours(self, name: str) -> None:
        """
        Refuse to replace a database that holds anything but a dataset.

        Raises
        ------
        DatasetError
            When it does.
        """
        if self._exists(name) and self._manifest(name) is None:
            raise DatasetError(
                f"{urls.safe(self.url.set(database=name))}: is there and holds no dataset of ours, "
                "so it is not replaced. Name another database, or drop this one yourself."
            )

    def _require_half(self, name: str) -> None:
        """
        Refuse to replace a database that is not what a build that broke off leaves behind.

        Raises
        ------
        DatasetError
            When it holds other tables than ours.
        """
        if not self._exists(name):
            return
        with closing(self._connect(name)) as connection:
            found = connection.execute(
                "SELECT tablename FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            others = {str(row[0]) for row in found} - set(Base.metadata.tables)
        if others:
            raise DatasetError(
                f"{urls.safe(self.url.set(database=name))}: is where the dataset is to be made, "
                f"and holds other tables than ours ({', '.join(sorted(others))}). Drop it yourself."
            )

    def _exists(self, name: str) -> bool:
        """Tell whether there is a database."""
        with closing(self._connect(_MAINTENANCE)) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def _connect(self, name: str) -> postgres.Connection:
        """Connect to a database."""
        return urls.connect(self.url.set(database=name))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one at a time build this dataset on the server, from whatever machine."""
        with closing(self._connect(_MAINTENANCE)) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [int(self.recipe.key()[:15], 16)])
            yield
