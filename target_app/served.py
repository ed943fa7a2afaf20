"""The database that is going to be served: found, started where it is ours, and looked at.

It is a SQLite file, the folder of a PostgreSQL cluster, or the URL of a PostgreSQL database.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from target_app import postgres
from target_app.config import is_url
from target_app.errors import DatasetError
from target_app.postgres import urls
from target_app.seeding.stores import is_template

MANIFEST = "manifest.json"
"""Lies beside the database of a dataset, which is to be copied and not to be served."""

_ENDING_S = 3.0
_SPARE_CONNECTIONS = 5  # for those who look at the server while it serves
_PROBE = "SELECT id FROM customers LIMIT 1"
_locks: dict[Path, int] = {}
"""Folders that this process holds, and by which descriptor."""
_METRICS = ("counter_*.db", "gauge_*.db", "histogram_*.db", "summary_*.db")


@dataclass(frozen=True, slots=True)
class Served:
    """A CRM's database that can be connected to."""

    database: Path | str
    """A SQLite file or a URL, as `target_app.config.Config` takes it."""

    shown: str
    """Its name for messages; without a password."""

    folder: Path | None
    """The file or folder that it is in; None when another machine may have it."""

    @property
    def is_dataset(self) -> bool:
        """Whether it is a dataset itself, instead of a copy."""
        if self.folder is None:
            return False
        try:
            manifest = json.loads((self.folder.parent / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        # A copy may lie beside a manifest of something else: a run of a load test has one, too.
        return isinstance(manifest, dict) and "dataset_hash" in manifest


@contextlib.contextmanager
def opened(given: str, connections: int) -> Iterator[Served]:
    """
    Find a database, and start it where it is a cluster.

    The server of a cluster is a child of this process. It is stopped when the block ends, and goes
    on when the block has this process become another program.

    Parameters
    ----------
    given : str
        File, folder or URL.
    connections : int
        How many connections there will be.

    Yields
    ------
    Served

    Raises
    ------
    DatasetError
        When it cannot be found, reached or started, has not so many connections, or holds no CRM.
    """
    if is_url(given):
        yield _server(given, connections)
        return
    path = Path(given).absolute()
    if not postgres.is_cluster(path):
        _require_crm_file(path, given)
        yield Served(path, given, path)
        return
    with postgres.Cluster(path).start(connections=connections + _SPARE_CONNECTIONS) as running:
        url = running.url()
        with urls.connect(url) as connection:
            _require_crm_tables(connection, given)
        yield Served(url.render_as_string(hide_password=False), given, path)


def metrics_folder(store: Served) -> Path:
    """
    Make the folder in which the processes of a server add up what they count.

    It is held until the last process that this one becomes has ended.

    Parameters
    ----------
    store : Served
        What they serve.

    Returns
    -------
    Path
        Empty of what another server has counted; beside the database, or among the temporary files
        when it is elsewhere.

    Raises
    ------
    DatasetError
        When another server has it: two on one file would count into each other's.
    """
    if store.folder is None:
        folder = _folder_of_ours(store.shown)
        if not _held(folder, wait_s=0):  # a server elsewhere may have many in front of it
            folder = Path(tempfile.mkdtemp(prefix="crm-metrics-"))
    else:
        folder = store.folder.with_name(f"{store.folder.name}.metrics")
        folder.mkdir(exist_ok=True)
        if not _held(folder, wait_s=_ENDING_S):
            raise DatasetError(
                f"{store.shown}: is being served already. Stop that server, or serve a copy: see "
                "python -m target_app reset --help"
            )
    for pattern in _METRICS:
        for stale in folder.glob(pattern):
            stale.unlink()
    return folder


def _held(folder: Path, wait_s: float) -> bool:
    """Take a folder for this process and what it becomes, unless another has it."""
    if folder in _locks:
        return True
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    until = time.monotonic() + wait_s  # a server that was just killed takes a moment to be gone
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            os.close(lock)
            return False
        os.set_inheritable(lock, True)
        _locks[folder] = lock
        return True


def _folder_of_ours(shown: str) -> Path:
    """
    Make a folder among the temporary files, by the name of a database on a server.

    Raises
    ------
    DatasetError
        When somebody else has it: everybody may write there.
    """
    name = hashlib.sha256(shown.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir(), f"crm-metrics-{name}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise DatasetError(
            f"{folder}: is in the way of what the server counts, and not ours. Remove it, or set "
            "TMPDIR to a folder of yours."
        )
    return folder


def _server(given: str, connections: int) -> Served:
    """
    Look at a database on a server that somebody runs.

    Raises
    ------
    DatasetError
        When it is a dataset itself, cannot be reached, holds no CRM, or takes too few connections.
    """
    url = postgres.parse(given)
    shown = postgres.safe(url)
    if is_template(url.database):
        raise DatasetError(
            f"{shown}: is a dataset, which others are copied from. Serve a copy: see "
            "python -m target_app reset --help"
        )
    with urls.connect(url) as connection:
        _require_crm_tables(connection, shown)
        found = connection.execute("SHOW max_connections").fetchone()
    most = int(found[0]) - _SPARE_CONNECTIONS if found else 0
    if connections > most:
        raise DatasetError(
            f"{shown}: the server takes {most + _SPARE_CONNECTIONS} connections, of which "
            f"{_SPARE_CONNECTIONS} are left to others; workers x connections of each would be "
            f"{connections}. Ask for at most {most}: fewer --workers, fewer --threads, or "
            "--option pool_size=N; or raise the server's max_connections."
        )
    return Served(url.render_as_string(hide_password=False), shown, None)


def _require_crm_file(path: Path, shown: str) -> None:
    """
    Refuse a file that is no database of ours, before a worker fails over it.

    Raises
    ------
    DatasetError
        When it is none.
    """
    hint = (
        "Make one: python -m target_app seed --data DIR, then "
        f"python -m target_app reset --data DIR --to {shown}"
    )
    if "://" in shown and not path.exists():
        raise DatasetError(
            f"{shown}: is no URL of PostgreSQL. Write postgresql://USER@HOST:PORT/DATABASE, or "
            "name a file or a folder."
        )
    if path.is_dir():
        raise DatasetError(f"{shown}: is a folder, and no PostgreSQL cluster is in it. {hint}")
    if not path.is_file():
        raise DatasetError(f"{shown}: there is no such file. {hint}")
    if not all(os.access(place, os.W_OK) for place in (path, path.parent)):
        raise DatasetError(
            f"{shown}: may not be written, or its folder may not, and requests change both. Copy "
            "the database to another place, or change the permissions."
        )
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as file:
            file.execute(_PROBE)
    except sqlite3.Error as error:
        raise DatasetError(f"{shown}: is no CRM database ({error}). {hint}") from error


def _require_crm_tables(connection: psycopg.Connection[tuple[object, ...]], shown: str) -> None:
    """
    Refuse a PostgreSQL database that is none of ours.

    Raises
    ------
    DatasetError
        When it is none.
    """
    try:
        connection.execute(_PROBE)
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error).strip()
        raise DatasetError(
            f"{shown}: is no CRM database ({said}). Make one: see python -m target_app reset --help"
        ) from error
