"""The folder of a server's socket."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from target_app.errors import DatasetError

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
_FILES = (SOCKET, f"{SOCKET}.lock")
_LONGEST = 100  # bytes of the socket's path; the system allows 107


def socket_folder(cluster: Path) -> Path:
    """
    Name the folder of a cluster's socket.

    Parameters
    ----------
    cluster : Path
        The cluster's folder, absolute.

    Returns
    -------
    Path
        The same folder; or, when its path is too long for a socket or holds a comma (which parts
        hosts from each other in a URL), one of a short name among the temporary files, the same
        each time.

    Raises
    ------
    DatasetError
        When the path of the temporary files is too long as well.
    """
    if _fits(cluster):
        return cluster
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()).absolute() / f"crm-postgres-{name}"
    if not _fits(short):
        raise DatasetError(
            f"{cluster}: the path is too long for a socket, and so is {short.parent}. "
            "Use a folder with a shorter path, or set TMPDIR to one."
        )
    return short


def make_ready(folder: Path, cluster: Path) -> None:
    """
    Clear away what a killed server has left, and make the socket's folder.

    To be called by who has the cluster's lock: nobody uses what is cleared away.

    Parameters
    ----------
    folder : Path
        What `socket_folder` named.
    cluster : Path
        The cluster's folder.

    Raises
    ------
    DatasetError
        When the folder cannot be made ours.
    """
    if folder == cluster:
        _clear(folder)
        return
    remove(folder, cluster)
    try:
        folder.mkdir(mode=0o700)  # made here and now, so it is ours, and nobody else may enter
    except FileExistsError as error:
        raise DatasetError(
            f"{folder}: is in the way of the socket of {cluster} and not ours. "
            "Remove it, or set TMPDIR to a folder of yours."
        ) from error


def remove(folder: Path, cluster: Path) -> None:
    """
    Remove a socket's folder, if it is none that holds anything else.

    Parameters
    ----------
    folder : Path
        What `socket_folder` named.
    cluster : Path
        The cluster's folder, which stays.
    """
    if folder != cluster:
        with suppress(OSError):
            _clear(folder)
            folder.rmdir()


def _clear(folder: Path) -> None:
    """Remove a socket and its lock file. Through no link: others may write where the folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name in _FILES:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _fits(folder: Path) -> bool:
    """Tell whether a socket in a folder can be named."""
    path = os.fsencode(folder / SOCKET)
    return len(path) <= _LONGEST and b"," not in path
