"""Fresh databases of one dataset, on both kinds: a copied file, or a copied template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.engine import Connection

from target_app import seeding
from target_app.models import db
from target_app.postgres import (
    Cluster,
    Running,
    create_from_template,
    drop_database,
    ensure_database,
)

KINDS = ("sqlite", "postgres")
_TEMPLATE = "base"


class Databases:
    """
    Gives databases of a dataset, and takes them back; PostgreSQL is started when it is asked for.

    Parameters
    ----------
    dataset : Found
        What they hold.
    folder : Path
        Where they are kept.
    """

    def __init__(self, dataset: seeding.Found, folder: Path) -> None:
        self._dataset = dataset
        self._folder = folder
        self._running: Running | None = None
        self._ends = ExitStack()
        self._made = 0

    @contextmanager
    def fresh(self, kind: str) -> Iterator[Path | str]:
        """
        Give a database that nobody has changed, as `Config` takes it: a path or a URL.

        Parameters
        ----------
        kind : str
            ``sqlite`` or ``postgres``.
        """
        self._made += 1
        if kind == "sqlite":
            path = self._folder / f"copy{self._made}" / "crm.sqlite"
            yield seeding.copy_dataset(self._dataset.folder, path)
            return
        server, name = self._server(), f"copy{self._made}"
        create_from_template(server.url(), name, _TEMPLATE)
        try:
            yield server.url(name).render_as_string(hide_password=False)
        finally:
            drop_database(server.url(), name)

    def close(self) -> None:
        """End the server, if there is one."""
        self._ends.close()

    def _server(self) -> Running:
        if self._running is None:
            # Nothing of it is to survive this process, so nothing of it need reach the disk.
            running = Cluster.create(self._folder / "cluster").start(building=True, connections=40)
            self._ends.callback(running.kill)
            ensure_database(running.url(), _TEMPLATE)
            _load(self._dataset.database, running)
            self._running = running
        return self._running


def _load(file: Path, running: Running) -> None:
    """Copy every row of a SQLite file into the template."""
    source = create_engine(f"sqlite:///{file}")
    target = create_engine(running.url(_TEMPLATE))
    try:
        with source.connect() as rows, target.begin() as into:
            db.metadata.create_all(into)
            for table in db.metadata.sorted_tables:
                found = [dict(row._mapping) for row in rows.execute(select(table))]
                if found:
                    into.execute(insert(table), found)
                    _go_on_after(into, table.name)
    finally:
        source.dispose()
        target.dispose()


def _go_on_after(into: Connection, table: str) -> None:
    """Have the keys of new rows follow those that are there."""
    sequence = select(func.pg_get_serial_sequence(table, "id")).scalar_subquery()
    highest = text(f'(SELECT max(id) FROM "{table}")')
    into.execute(select(func.setval(sequence, highest)))
