"""Notes the workers that a server has lost, and those that it has started instead."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from loadtests.run_watch import RunState


class HasWorkers(Protocol):
    """A server whose workers can be seen."""

    def workers(self) -> list[int]:
        """Process ids of its workers."""


def changes(before: Collection[int], now: Collection[int]) -> list[tuple[str, int]]:
    """Tell what became of the workers between two looks.

    Parameters
    ----------
    before, now : collection of int
        Process ids.

    Returns
    -------
    list of (str, int)
        ``"worker_lost"`` or ``"worker_started"``, and the process id; the lost ones first.
    """
    lost = [("worker_lost", pid) for pid in sorted(set(before) - set(now))]
    return lost + [("worker_started", pid) for pid in sorted(set(now) - set(before))]


class Workers:
    """Makes each loss and each start of a worker an event; one of the watchers of a run.

    While the whole server is down on purpose, the fault's own events tell it.

    Parameters
    ----------
    server : HasWorkers
        The target.
    """

    def __init__(self, server: HasWorkers) -> None:
        self._server = server
        self._known: list[int] | None = None

    def look(self, run: RunState, t_s: float) -> None:
        """Compare the workers with those of the last look."""
        if run.target_may_be_down:
            self._known = None
            return
        now = self._server.workers()
        for kind, pid in changes(now if self._known is None else self._known, now):
            run.event(t_s, kind, pid=pid)
        self._known = now

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""
