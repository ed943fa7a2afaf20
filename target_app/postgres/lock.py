"""Who has a cluster: one server, or some that copy it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from target_app.errors import DatasetError

_PID_FILE = "postmaster.pid"
# A server whose owner was killed is gone in a twentieth of a second; a busy process of one that
# was killed itself may take some seconds to notice.
_PATIENCE_WITH_SERVER_S = 0.5
_PATIENCE_WITH_LEFTOVERS_S = 15.0
_POLL_S = 0.02


@contextmanager
def held(folder: Path, *, shared: bool = False) -> Iterator[int]:
    """
    Have a cluster's folder for ourselves.

    The lock is on the folder itself. A server inherits it, and each of its processes keeps it: it
    is free when the last one has gone, whatever became of who started them.

    Parameters
    ----------
    folder : Path
        The cluster.
    shared : bool
        Whether others may have it too who only read.

    Yields
    ------
    int
        The file descriptor to hand to a process that shall keep the lock.

    Raises
    ------
    DatasetError
        When a server runs on it, somebody else has it for too long, or it was replaced.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _wait(descriptor, folder, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise DatasetError(f"{folder}: was replaced by another cluster meanwhile. Try again.")
        stranger = server_of(folder)
        if stranger is not None:  # one that somebody started by other means
            raise DatasetError(_in_use(folder, stranger))
        yield descriptor
    finally:
        os.close(descriptor)


def server_of(folder: Path) -> int | None:
    """
    Find the server that runs on a cluster.

    Parameters
    ----------
    folder : Path
        The cluster.

    Returns
    -------
    int or None
        Its process id. None when its pid file is missing, or names a process that is gone or is
        another one by now.
    """
    try:
        pid = int((folder / _PID_FILE).read_text(encoding="utf-8").splitlines()[0])
        works_in = Path(f"/proc/{pid}/cwd").stat()
    except (OSError, ValueError, IndexError):
        return None
    return pid if os.path.samestat(works_in, folder.stat()) else None


def _wait(descriptor: int, folder: Path, kind: int) -> None:
    """
    Take the lock as soon as it is free.

    Raises
    ------
    DatasetError
        When it does not become free.
    """
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            server = server_of(folder)
            patience = _PATIENCE_WITH_SERVER_S if server else _PATIENCE_WITH_LEFTOVERS_S
            if time.monotonic() - started > patience:
                raise DatasetError(_in_use(folder, server)) from None
            time.sleep(_POLL_S)
        else:
            return


def _in_use(folder: Path, server: int | None) -> str:
    """Say who has it."""
    who = f"a server runs on it (process {server})" if server else "another process has it"
    return f"{folder}: {who}. Stop that one first, or use another folder."
