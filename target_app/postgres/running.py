"""A server that runs on a cluster."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL

from target_app.errors import DatasetError
from target_app.postgres import programs, sockets

DRIVER = "postgresql+psycopg"
USER = "crm"
MAINTENANCE = "postgres"
# A fast stop writes every changed page; on a slow disk that is a matter of minutes.
_STOP_S = 120
_STOP_AT_ONCE_S = 10


@dataclass(frozen=True, slots=True)
class Running:
    """
    A started server, which ends with the process that started it.

    Nothing in here is needed to keep it running: that process may become another program by exec.
    """

    folder: Path
    """The cluster."""

    socket_folder: Path
    """Where its socket is."""

    process: subprocess.Popen[bytes]

    building: bool = False
    """Whether it was started to make a dataset; then a stop also brings it to the disk."""

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    def url(self, database: str = "crm") -> URL:
        """
        Name one of its databases.

        Parameters
        ----------
        database : str
            Which one; ``postgres`` is always there.

        Returns
        -------
        URL
            For SQLAlchemy; it holds no password, because only the socket's folder guards.
        """
        # Each part that libpq would take from the environment otherwise.
        place = {"host": str(self.socket_folder), "port": str(sockets.PORT)}
        return URL.create(DRIVER, username=USER, database=database, query=place)

    def stop(self) -> None:
        """
        Stop it: end connections, write everything, leave nothing but data and log.

        Does nothing when it has been stopped before.

        Raises
        ------
        DatasetError
            When it did not end in time, and had to be ended without writing everything.
        """
        if self.process.poll() is not None:
            self._clear_away()
            return
        self.process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DatasetError(
                f"{self.folder}: the server did not stop within {_STOP_S} s and was ended; "
                f"its next start will recover what was committed. See {log_of(self.folder)}"
            ) from None
        self._clear_away()
        if self.building:
            programs.run("initdb", "--sync-only", "-D", str(self.folder), writes=self.folder)

    def kill(self) -> None:
        """End it at once, as a crash would: what was committed is recovered by the next start."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(_STOP_AT_ONCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._clear_away()

    def _clear_away(self) -> None:
        """Remove what PostgreSQL does not remove itself."""
        sockets.remove(self.socket_folder, self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def log_of(folder: Path) -> Path:
    """
    Name the file that a cluster's server writes to.

    Parameters
    ----------
    folder : Path
        The cluster.

    Returns
    -------
    Path
    """
    return folder / "server.log"
