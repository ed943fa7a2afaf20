"""Watches the processes of a run from outside, once a second."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from analysis.recording.format import RESOURCES
from analysis.recording.writer import LineFile


class Watch:
    """Writes ``resources.jsonl``: CPU, memory, threads, open files of each process.

    Parameters
    ----------
    folder : Path
        The run folder.
    roots : dict of str to int
        Process ids by role; their descendants are watched with them.
    """

    def __init__(self, folder: Path, roots: dict[str, int]) -> None:
        self._file = LineFile(folder / RESOURCES)
        self._roots = roots
        self._known: dict[int, psutil.Process] = {}
        self._seen: set[int] = set()

    def write(self, t_s: float) -> None:
        """Write a line for each process that lives."""
        for role, pid in self._roots.items():
            for process in self._family(pid):
                with contextlib.suppress(psutil.Error):
                    usage = _usage(process)
                    if process.pid not in self._seen:  # CPU is counted since the last look
                        self._seen.add(process.pid)
                        usage["cpu"] = None
                    self._file.write({"t_s": round(t_s, 3), "role": role, **usage})

    def _family(self, pid: int) -> list[psutil.Process]:
        try:
            root = self._known.setdefault(pid, psutil.Process(pid))
            members = [root, *root.children(recursive=True)]
        except psutil.Error:
            return []
        # the same object each time: CPU is counted since its last call
        return [self._known.setdefault(member.pid, member) for member in members]


def _usage(process: psutil.Process) -> dict[str, object]:
    with process.oneshot():
        memory = process.memory_info()
        return {
            "pid": process.pid,
            "cpu": round(process.cpu_percent() / 100, 4),
            "rss": memory.rss,
            "threads": process.num_threads(),
            "files": process.num_fds(),
            "connections": None,
        }
