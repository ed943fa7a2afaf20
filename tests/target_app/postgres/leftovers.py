"""What a server may leave behind on a machine, and looking for it."""

from __future__ import annotations

import time
from pathlib import Path

_CREATOR = 4  # column of /proc/sysvipc/shm


def processes(folder: Path) -> set[int]:
    """Find the living processes of a cluster's server: all of them work in its folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.add(int(entry.name))
        except OSError:  # gone, or a zombie, or somebody else's
            continue
    return found


def segments(creators: set[int]) -> list[str]:
    """Find the shared memory segments that some processes have made, and those of nobody alive."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    found = [line for line in lines if int(line.split()[_CREATOR]) in creators]
    left = _unused()
    if left:  # or one that is just being made or removed: by initdb, in another test
        time.sleep(0.5)
        left &= _unused()
    return found + sorted(left)


def _unused() -> set[str]:
    """Find the files of shared memory that no living process has mapped."""
    there = {str(path) for path in Path("/dev/shm").glob("PostgreSQL.*")}
    for maps in Path("/proc").glob("[0-9]*/maps") if there else ():
        try:
            text = maps.read_text()
        except OSError:  # gone, or somebody else's
            continue
        there = {path for path in there if path not in text}
    return there


def sockets(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".s.PGSQL")]


def gone_within(seconds: float, folder: Path) -> bool:
    """Wait until no process of a cluster lives."""
    deadline = time.monotonic() + seconds
    while processes(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
