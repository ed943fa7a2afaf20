"""A cluster: the folder in which one PostgreSQL keeps its databases."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

from target_app.errors import DatasetError
from target_app.postgres import launch, lock, programs, sockets
from target_app.postgres.running import MAINTENANCE, USER, Running, log_of
from target_app.postgres.settings import settings

_PID_FILE = "postmaster.pid"
_READY_S = 120  # recovery after a crash reads everything written since the last checkpoint
_POLL_S = 0.01
_STATUS_LINE = 7  # of the pid file, counted from 0; where pg_ctl looks, too
_LOG_TAIL = 15  # lines


def is_cluster(path: Path) -> bool:
    """
    Tell whether a path is a cluster's folder.

    Parameters
    ----------
    path : Path
        Anything.

    Returns
    -------
    bool
    """
    return (path / "PG_VERSION").is_file() and (path / "global" / "pg_control").is_file()


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is there: its folder is complete."""

    folder: Path

    def __post_init__(self) -> None:
        """
        Refuse what is none.

        Raises
        ------
        DatasetError
            When the folder is no cluster, or one of another version.
        """
        object.__setattr__(self, "folder", self.folder.absolute())
        if not is_cluster(self.folder):
            raise DatasetError(f"{self.folder}: holds no PostgreSQL cluster")
        version = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != programs.MAJOR_VERSION:
            raise DatasetError(
                f"{self.folder}: was made by PostgreSQL {version}, and the one installed is "
                f"{programs.MAJOR_VERSION}. Make it anew."
            )

    @classmethod
    def create(cls, folder: Path) -> Self:
        """
        Make a cluster: complete, or not there.

        Parameters
        ----------
        folder : Path
            Where; it may exist if it is empty.

        Returns
        -------
        Cluster

        Raises
        ------
        DatasetError
            When the folder holds something, or the cluster cannot be made.
        """
        folder = folder.absolute()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise DatasetError(f"{folder}: is not empty. Name another folder for the cluster.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            programs.run("initdb", *_initdb_words(beside), writes=beside)
            beside.replace(folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return cls(folder)

    def start(self, *, connections: int = 20, building: bool = False) -> Running:
        """
        Start a server on it, as a child of this process that ends with this process.

        Parameters
        ----------
        connections : int
            How many connections the application may hold.
        building : bool
            Whether a dataset is being made: faster, and worth nothing unless `Running.stop` ends
            it.

        Returns
        -------
        Running
            It accepts connections.

        Raises
        ------
        DatasetError
            When a server runs on it already, it belongs to another user, or the server does not
            come up.
        RuntimeError
            When called from another thread than the main one: the server would end with that
            thread.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a server ends with the thread that starts it: use the main thread")
        self._require_ours()
        place = sockets.socket_folder(self.folder)
        with lock.held(self.folder) as descriptor:
            # Nobody runs here. The pid that a killed server has left may be another process's by
            # now, and PostgreSQL would take that one for a server.
            (self.folder / _PID_FILE).unlink(missing_ok=True)
            sockets.make_ready(place, self.folder)
            process = self._launch(place, settings(connections, building=building), descriptor)
        running = Running(self.folder, place, process, building)
        try:
            self._wait_until_ready(running)
        except BaseException:
            running.kill()
            raise
        return running

    def _require_ours(self) -> None:
        """
        Refuse another user's cluster, which PostgreSQL would not touch.

        Raises
        ------
        DatasetError
            When it is another user's.
        """
        owner, user = self.folder.stat().st_uid, os.geteuid()
        if owner != user and not (user == 0 and owner == launch.nobody().pw_uid):
            raise DatasetError(
                f"{self.folder}: belongs to user {owner}, and this is user {user}. "
                "Start as that user, or use a copy in another folder."
            )

    def _launch(
        self, place: Path, options: dict[str, str | int], descriptor: int
    ) -> subprocess.Popen[bytes]:
        """Start the server's first process."""
        # A list of folders, in which quotes keep a name together.
        quoted = '"' + str(place).replace('"', '""') + '"'
        options = options | {"unix_socket_directories": quoted}
        program = [str(programs.binaries() / "postgres"), "-D", str(self.folder)]
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        folders = list(dict.fromkeys([self.folder, place]))
        remove = place if place != self.folder else None
        with log_of(self.folder).open("ab") as log:
            return subprocess.Popen(
                launch.command(folders, program + words, remove=remove),
                env=programs.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[descriptor],  # the lock is the server's from now on
                start_new_session=True,  # Ctrl-C is for who started it, who then ends it
            )

    def _wait_until_ready(self, running: Running) -> None:
        """
        Wait until the server says that it accepts connections, and see that it does.

        Raises
        ------
        DatasetError
            When it ends, or takes too long.
        """
        deadline = time.monotonic() + _READY_S
        while self._status() != (running.pid, "ready"):
            code = running.process.poll()
            if code is not None:
                raise DatasetError(
                    f"{self.folder}: the server ended while starting (code {code}):\n{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise DatasetError(
                    f"{self.folder}: the server was not ready within {_READY_S} s:\n{self._tail()}"
                )
            time.sleep(_POLL_S)
        try:
            psycopg.connect(
                host=str(running.socket_folder),
                port=sockets.PORT,
                user=USER,
                dbname=MAINTENANCE,
                connect_timeout=5,
            ).close()
        except psycopg.Error as error:
            raise DatasetError(
                f"{self.folder}: the server cannot be reached ({error}):\n{self._tail()}"
            ) from error

    def _status(self) -> tuple[int, str] | None:
        """Read from the pid file whose it is and what it says."""
        try:
            lines = (self.folder / _PID_FILE).read_text(encoding="utf-8").splitlines()
            return int(lines[0]), lines[_STATUS_LINE].strip()
        except (OSError, ValueError, IndexError):
            return None

    def _tail(self) -> str:
        """Give the end of the log."""
        text = log_of(self.folder).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL:])


def _initdb_words(folder: Path) -> list[str]:
    """Tell initdb what is wanted."""
    return [
        f"--pgdata={folder}",
        f"--username={USER}",
        "--auth=trust",  # who may enter the folder of the socket may come in
        "--encoding=UTF8",
        # Sorted by code point, by PostgreSQL itself: the same on every machine, whatever its libc.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",  # nothing in it yet that cannot be made again
        "--no-instructions",
    ]
