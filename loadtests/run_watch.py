"""What looks at a run while its load is on, and may act on it.

::

    supervisor ── every 50 ms ──> watcher.look(run, t_s) ──> run.event(...)   note it
                                                             run.end(why)     end the load
                                                             run.extend(by_s) hold on longer

A watcher is an object with :meth:`Watcher.look` and :meth:`Watcher.close`; those
of a run are listed in :mod:`loadtests.supervisor`. All run in the main thread of
the supervisor, one after the other: a look must not block for longer than some
milliseconds, or the others are late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from loadtests.folder import RunFolder
from loadtests.generators import Generators
from loadtests.target import Target
from scenarios.model import Scenario
from scenarios.schedule import Schedule


class RunState:
    """A run while its load is on: what is known of it, and what may be done to it.

    Parameters
    ----------
    scenario : Scenario
        What is run.
    folder : RunFolder
        Where it is recorded.
    target : Target
        What is loaded; `target.server` is the process id of one that we started.
    generators : Generators
        Who loads it.
    origin_ns : int
        Second 0 of run time on CLOCK_MONOTONIC.
    schedule : Schedule
        When what is asked; replaced when the run is extended.
    say : callable
        Shows a text to whoever is looking.

    Attributes
    ----------
    lines : list of dict
        Lines of the timeline that have come since the last look, of all generator
        processes: each watcher sees each line once.
    target_may_be_down : bool
        Set by a fault that has ended the target on purpose, until it is back: its
        end is then no loss.
    why : str or None
        Why the load ends; None while it goes on.
    """

    def __init__(
        self,
        *,
        scenario: Scenario,
        folder: RunFolder,
        target: Target,
        generators: Generators,
        origin_ns: int,
        schedule: Schedule,
        say: Callable[[str], None],
    ) -> None:
        self.scenario = scenario
        self.folder = folder
        self.target = target
        self.generators = generators
        self.schedule = schedule
        self.say = say
        self.lines: list[dict[str, Any]] = []
        self.target_may_be_down = False
        self.why: str | None = None
        self._origin_ns = origin_ns

    def now_s(self) -> float:
        """Seconds of run time; negative before the load."""
        return (time.monotonic_ns() - self._origin_ns) / 1e9

    def event(self, t_s: float, kind: str, **event: object) -> None:
        """Note an event of the run, in ``events.jsonl``."""
        self.folder.event(t_s, kind, **event)

    def end(self, why: str, **event: object) -> None:
        """End the load: the generators drain, and close. The first reason stays.

        Parameters
        ----------
        why : str
            A word: the kind of the event, and ``end.why`` of the manifest.
        **event : object
            What else the event says.
        """
        if self.why is None:
            self.why = why
            self.event(self.now_s(), why, **event)
            self.generators.tell("stop", why=why)

    def extend(self, by_s: float) -> None:
        """Hold the required stage on for longer; whatever follows comes later.

        Parameters
        ----------
        by_s : float
            Seconds.
        """
        stage = self.schedule.required_span(self.scenario.load.required).stage
        self.schedule = self.schedule.extended(stage, by_s)
        self.event(self.now_s(), "extended", stage=stage, by_s=by_s)
        self.generators.tell("extend", stage=stage, by_s=by_s)


class Watcher(Protocol):
    """Looks at a run while its load is on, the drain included."""

    def look(self, run: RunState, t_s: float) -> None:
        """Look at the run, and act.

        Parameters
        ----------
        run : RunState
            The run.
        t_s : float
            Run time in seconds.
        """

    def close(self, run: RunState) -> None:
        """Undo what must not stay; called once, when no generator runs any more.

        Also when the run broke off: a target that was stopped must go on.

        Parameters
        ----------
        run : RunState
            The run.
        """


class EverySecond:
    """Lets a watcher look once a second, at full seconds of run time.

    Parameters
    ----------
    watcher : Watcher
        Who looks.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._next_s = 1.0
        self._lines: list[dict[str, Any]] = []

    def look(self, run: RunState, t_s: float) -> None:
        """Let it look when its second has come; it sees all lines since its last look."""
        self._lines += run.lines
        if t_s < self._next_s:
            return
        self._next_s = float(int(t_s) + 1)
        now, run.lines = run.lines, self._lines
        try:
            self._watcher.look(run, t_s)
        finally:
            run.lines, self._lines = now, []

    def close(self, run: RunState) -> None:
        """Hand the end on."""
        self._watcher.close(run)
