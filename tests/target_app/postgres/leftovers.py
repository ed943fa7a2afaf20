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
    """Find the shared memory segments that some processes have made."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    found = [line for line in lines if int(line.split()[_CREATOR]) in creators]
    return found + [str(path) for path in Path("/dev/shm").glob("PostgreSQL.*")]


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
