"""A process and what came of it, read from ``/proc``: cheap enough to be looked at often."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")
_DATABASE = "postgres"


def children(pid: int) -> list[int]:
    """List the children of a process, the oldest first.

    Parameters
    ----------
    pid : int
        The process; it may have ended.

    Returns
    -------
    list of int
        Those that live.
    """
    found: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended, or one of its threads has
    return sorted(child for child in found if lives(child))


def family(pid: int) -> list[int]:
    """List a process and all that came of it.

    Parameters
    ----------
    pid : int
        The process.

    Returns
    -------
    list of int
        Itself, then its children, then theirs; empty when it has ended.
    """
    members = [pid] if lives(pid) else []
    for member in members:  # grows while it is walked
        members += children(member)
    return members


def lives(pid: int) -> bool:
    """Tell whether a process is there, and is no zombie."""
    return _state(pid) not in {None, "Z", "X"}


def is_database(pid: int) -> bool:
    """Tell whether a process is one of PostgreSQL's."""
    try:
        return (_PROC / str(pid) / "comm").read_text().strip() == _DATABASE
    except (FileNotFoundError, ProcessLookupError):
        return False


def _state(pid: int) -> str | None:
    """Read the letter of a process's state."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[0]  # its name may hold anything, brackets too
