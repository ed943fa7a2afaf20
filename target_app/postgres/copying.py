"""Copies of a cluster, file by file."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from target_app.errors import DatasetError
from target_app.postgres import lock, programs, sockets
from target_app.postgres.cluster import Cluster, is_cluster
from target_app.postgres.running import log_of

_CLEAN = "shut down"
# What belongs to a server that ran, and not to the data.
_LEFT_OUT = ("postmaster.pid", "postmaster.opts", sockets.SOCKET, f"{sockets.SOCKET}.lock")


def copy_cluster(source: Path, target: Path) -> Cluster:
    """
    Copy a cluster that was cleanly stopped.

    Parameters
    ----------
    source : Path
        The cluster.
    target : Path
        The folder to write; a cluster that is there is replaced.

    Returns
    -------
    Cluster
        The copy, which shares nothing with the source.

    Raises
    ------
    DatasetError
        When the source runs or was not cleanly stopped, or the target runs or is something else.
    """
    source, target = Cluster(source).folder, target.absolute()
    _require_replaceable(source, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with lock.held(source, shared=True):
            _require_clean(source)
            _copy_tree(source, beside / "new")
        _put(beside / "new", target, beside / "old")
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Cluster(target)


def _require_replaceable(source: Path, target: Path) -> None:
    """
    Refuse a target that is not ours to replace.

    Raises
    ------
    DatasetError
        When it is the source, or anything but a cluster or an empty folder.
    """
    if target.resolve().is_relative_to(source.resolve()):
        raise DatasetError(
            f"{target}: is the cluster itself, or in it. Name another folder for the copy."
        )
    if not target.exists():
        return
    if not is_cluster(target) and not (target.is_dir() and not any(target.iterdir())):
        raise DatasetError(f"{target}: is no PostgreSQL cluster, so it is not replaced.")


def _require_clean(source: Path) -> None:
    """
    Refuse a cluster whose files are not all there is.

    Raises
    ------
    DatasetError
        When its server was killed, or when parts of it are elsewhere.
    """
    state = programs.state(source)
    if state != _CLEAN:
        raise DatasetError(
            f"{source}: was not cleanly stopped (state: {state}), so its files are no copy of its "
            "data. Start it and stop it, or make it anew."
        )
    if any((source / "pg_tblspc").iterdir()):
        raise DatasetError(f"{source}: has tablespaces in other folders, which are not copied.")


def _copy_tree(source: Path, target: Path) -> None:
    """
    Copy a cluster's files.

    Raises
    ------
    DatasetError
        When some cannot be copied.
    """
    left_out = shutil.ignore_patterns(*_LEFT_OUT, log_of(source).name)
    try:
        shutil.copytree(source, target, symlinks=True, ignore=left_out, copy_function=_copy_file)
    except shutil.Error as error:  # a list of all that went wrong, file by file
        _, _, reason = error.args[0][0]
        raise DatasetError(
            f"{source}: cannot be copied to {target.parent.parent}: {reason}"
        ) from error
    target.chmod(0o700)


def _copy_file(source: str, target: str) -> None:
    """Copy a file within the kernel, which shares its blocks where the file system can."""
    with Path(source).open("rb", buffering=0) as old, Path(target).open("xb", buffering=0) as new:
        os.fchmod(new.fileno(), 0o600)
        left = os.fstat(old.fileno()).st_size
        try:
            while left > 0 and (copied := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= copied
        except OSError:  # between file systems, or a kernel that cannot
            pass
        if left > 0:
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new)


def _put(new: Path, target: Path, old: Path) -> None:
    """Put a copy where an older one may be; nobody can take the one for the other."""
    if target.exists():
        if is_cluster(target):
            with lock.held(target):
                target.rename(old)
        else:
            target.rmdir()
    new.rename(target)
