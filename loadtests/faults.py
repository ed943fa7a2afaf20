"""Faults from outside, as ``[[faults]]`` asks for them: known truth for the verdict to find.

============== =========================================================================
freeze server  all processes of the target stop, those of a database of our own too,
               then go on
freeze worker  one worker of the server does
kill worker    one worker is killed; its server starts another one
kill server    the server is killed with its workers (a database of our own, which ends
               with its server, crashes with it), and started again on the same port and
               the same data
============== =========================================================================

::

    (waiting) ── due ──> (on) ── it lasted ──> [kill server: (starting)] ──> cleared
                          │
                          └─ the load ends before: undone at once

A fault is cleared when what it did is over: the processes go on, a new worker is there
(it may still be starting), the server serves.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from loadtests.family import family, lives
from loadtests.freezing import Frozen
from loadtests.run_watch import RunState
from scenarios.errors import TrueloadError
from scenarios.model import Fault
from scenarios.schedule import Schedule

_CLOSE_S = 0.06
"""What is due so soon is slept for: the supervisor looks every 50 ms."""


class Victim(Protocol):
    """What faults are done to: a target that we started."""

    @property
    def server(self) -> int | None:
        """Process id of the server."""

    def workers(self) -> list[int]:
        """Process ids of its workers."""

    def crash(self) -> None:
        """Kill the server with its workers."""

    def is_gone(self) -> bool:
        """Whether nothing is left of it."""

    def start_again(self) -> None:
        """Start it again."""

    def is_up(self) -> bool:
        """Whether it serves again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A fault of the scenario, at its time in this run.

    Attributes
    ----------
    number : int
        Its place in the scenario's order of time.
    fault : Fault
        What to do.
    at_s : float
        Seconds of run time; later than the scenario's when a hold before it was prolonged.
    """

    number: int
    fault: Fault
    at_s: float

    @property
    def until_s(self) -> float:
        """When it should be over, or be undone."""
        return self.at_s + self.fault.lasts_s


def planned(faults: Sequence[Fault]) -> list[Planned]:
    """Put faults in the order of their times.

    Parameters
    ----------
    faults : sequence of Fault
        Of a scenario.

    Returns
    -------
    list of Planned
        As the scenario has them.
    """
    ordered = sorted(faults, key=lambda fault: fault.at_s)
    return [
        Planned(number=number, fault=fault, at_s=fault.at_s) for number, fault in enumerate(ordered)
    ]


def moved(waiting: Sequence[Planned], before: Schedule, now: Schedule) -> list[Planned]:
    """Keep faults in the stages that they were meant for, when a hold was prolonged.

    Parameters
    ----------
    waiting : sequence of Planned
        Faults that are still to come.
    before, now : Schedule
        The same stages; one hold of `now` may be longer.

    Returns
    -------
    list of Planned
        Those beyond the old end of that hold are later by as much.
    """
    longer = [
        (old.end_s, new.end_s - old.end_s)
        for old, new in zip(before.spans, now.spans, strict=True)
        if new.length_s > old.length_s
    ]
    for end_s, by_s in longer:
        waiting = [
            replace(each, at_s=each.at_s + by_s) if each.at_s >= end_s else each for each in waiting
        ]
    return list(waiting)


class _Freeze:
    """Processes that are stopped, and go on when it is cleared."""

    def __init__(self, victim: Victim, fault: Fault, chance: random.Random) -> None:
        whole = family(victim.server) if victim.server is not None else []
        chosen = whole if fault.process == "server" else _one_of(victim.workers(), chance)
        self._frozen = Frozen(chosen)
        self.pids = self._frozen.pids

    def inject(self) -> None:
        """Stop them."""
        self._frozen.freeze()

    def clear(self) -> list[int]:
        """Have them go on; who they are."""
        self._frozen.thaw()
        return self.pids

    undo = clear


class _KilledWorker:
    """A worker that was killed; cleared when there is another one."""

    def __init__(self, victim: Victim, chance: random.Random) -> None:
        self._victim = victim
        self._known = set(victim.workers())
        self.pids = _one_of(sorted(self._known), chance)

    def inject(self) -> None:
        """Kill it."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def clear(self) -> list[int] | None:
        """Process ids of workers that are new; None while there is none."""
        return [pid for pid in self._victim.workers() if pid not in self._known] or None

    def undo(self) -> list[int]:
        """Leave it to the server."""
        return []


class _KilledServer:
    """A server that was killed; started again when it is cleared."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._started = False
        self.pids = family(victim.server) if victim.server is not None else []

    def inject(self) -> None:
        """Kill it."""
        self._victim.crash()

    def clear(self) -> list[int] | None:
        """Start it again, and see whether it serves; None while it does not.

        Raises
        ------
        TrueloadError
            When it does not come up.
        """
        if not self._started:
            if self._victim.is_gone():
                self._victim.start_again()
                self._started = True
            return None
        return family(self._victim.server or 0) if self._victim.is_up() else None

    def undo(self) -> list[int]:
        """Leave it dead: the run is over."""
        return []


_Done = _Freeze | _KilledWorker | _KilledServer


def _one_of(pids: list[int], chance: random.Random) -> list[int]:
    living = [pid for pid in pids if lives(pid)]
    return [chance.choice(living)] if living else []


class Faults:
    """Injects and clears the faults of a scenario; one of the watchers of a run.

    Parameters
    ----------
    faults : sequence of Fault
        Of the scenario, which may have them only when the target is ours.
    victim : Victim
        The target.
    seed : int
        Decides which worker.
    """

    def __init__(self, faults: Sequence[Fault], victim: Victim, seed: int) -> None:
        self._waiting = planned(faults)
        self._victim = victim
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._schedule: Schedule | None = None
        self._on: tuple[Planned, _Done] | None = None
        self._until_s = 0.0
        self._cleared_s = 0.0

    def explain(self, t_s: float) -> bool:
        """Tell whether a fault was on in the second before a moment.

        Parameters
        ----------
        t_s : float
            Run time in seconds, not long ago.

        Returns
        -------
        bool
            Then what is seen of the target is no wonder.
        """
        return self._on is not None or t_s - 1.0 < self._cleared_s

    def look(self, run: RunState, t_s: float) -> None:
        """Inject what is due, clear what has lasted."""
        if self._schedule is not None and self._schedule is not run.schedule:
            self._waiting = moved(self._waiting, self._schedule, run.schedule)
        self._schedule = run.schedule
        if self._on is not None:
            self._clear(run, t_s, *self._on)
        elif run.why is None and self._waiting and self._waiting[0].at_s - t_s < _CLOSE_S:
            self._inject(run, self._waiting.pop(0))

    def _inject(self, run: RunState, due: Planned) -> None:
        doing = self._doing(due.fault)
        self._on = (due, doing)  # before it is done: whatever happens, it is undone
        run.target_may_be_down = isinstance(doing, _KilledServer)
        time.sleep(max(0.0, due.at_s - run.now_s()))
        at_s = run.now_s()
        doing.inject()
        self._until_s = at_s + due.fault.lasts_s
        run.event(at_s, "fault_injected", **_words(due), planned_s=due.at_s, pids=doing.pids)

    def _doing(self, fault: Fault) -> _Done:
        if fault.kind == "freeze":
            return _Freeze(self._victim, fault, self._chance)
        if fault.process == "worker":
            return _KilledWorker(self._victim, self._chance)
        return _KilledServer(self._victim)

    def _clear(self, run: RunState, t_s: float, was: Planned, doing: _Done) -> None:
        if run.why is None:
            if self._until_s - t_s >= _CLOSE_S:
                return
            time.sleep(max(0.0, self._until_s - run.now_s()))
        at_s = run.now_s()
        try:
            pids = doing.clear()
        except TrueloadError as error:
            self._on, run.target_may_be_down = None, False
            text = f"the target was killed as the scenario asks, and did not come back: {error}"
            run.event(run.now_s(), "warning", code="restart_failed", text=text)
            run.end("target_lost")
            return
        if pids is not None:
            self._cleared_s = at_s
            self._on, run.target_may_be_down = None, False
            run.event(at_s, "fault_cleared", **_words(was), planned_s=was.until_s, pids=pids)

    def close(self, run: RunState) -> None:
        """Leave no process stopped."""
        if self._on is not None:
            was, doing = self._on
            self._on = None
            pids = doing.undo()
            run.event(run.now_s(), "fault_cleared", **_words(was), planned_s=was.until_s, pids=pids)


def _words(planned: Planned) -> dict[str, object]:
    fault = planned.fault
    return {"fault": planned.number, "what": fault.kind, "process": fault.process}
