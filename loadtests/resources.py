"""Watches the processes of a run from outside, once a second."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import psutil

from analysis.recording.format import RESOURCES
from analysis.recording.writer import LineFile
from loadtests.family import family, is_database


class Watch:
    """Writes ``resources.jsonl``: CPU, memory, threads, open files of each process.

    The processes of a database that came of the target have the role ``database``. The
    first line of a process says how many files it may open.

    Parameters
    ----------
    folder : Path
        The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = LineFile(folder / RESOURCES)
        self._known: dict[int, psutil.Process] = {}
        self._seen: set[int] = set()

    def write(self, t_s: float, roots: Iterable[tuple[str, int]]) -> None:
        """Write a line for each process that lives.

        Parameters
        ----------
        t_s : float
            Run time in seconds.
        roots : iterable of (str, int)
            Roles and process ids; their descendants are watched with them.
        """
        for role, root in roots:
            for pid in family(root):
                with contextlib.suppress(psutil.Error, OSError):
                    usage = self._usage(pid)
                    named = "database" if is_database(pid) else role
                    self._file.write({"t_s": round(t_s, 3), "role": named, **usage})

    def _usage(self, pid: int) -> dict[str, object]:
        # the same object each time: CPU is counted since its last call
        process = self._known.setdefault(pid, psutil.Process(pid))
        usage = usage_of(process)
        if pid not in self._seen:
            self._seen.add(pid)
            usage["cpu"] = None
            allowed = process.rlimit(psutil.RLIMIT_NOFILE)[0]
            usage["files_limit"] = None if allowed == psutil.RLIM_INFINITY else allowed
        return usage


def usage_of(process: psutil.Process) -> dict[str, object]:
    """Look what a process uses.

    Parameters
    ----------
    process : Process
        The same object each time.

    Returns
    -------
    dict
        Cores used since the last call, resident bytes, threads, open files, and of
        these the sockets, listening ones included.
    """
    with process.oneshot():
        memory = process.memory_info()
        files, sockets = _open_files(process.pid)
        return {
            "pid": process.pid,
            "cpu": round(process.cpu_percent() / 100, 4),
            "rss": memory.rss,
            "threads": process.num_threads(),
            "files": files,
            "connections": sockets,
        }


def _open_files(pid: int) -> tuple[int, int]:
    """Count the open files of a process, and the sockets among them."""
    files = sockets = 0
    with os.scandir(f"/proc/{pid}/fd") as opened:
        for file in opened:
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                files += 1
                sockets += stat.S_ISSOCK(file.stat().st_mode)
    return files, sockets
