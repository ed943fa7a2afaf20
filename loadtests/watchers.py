"""Those who look at every run: for an interrupt, a lost target, clocks, resources, the display."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from loadtests.resources import Watch
from loadtests.run_watch import RunState
from loadtests.wall_clock import WallClock
from scenarios.schedule import Schedule


class Interrupts:
    """Ends the load at Ctrl-C.

    Parameters
    ----------
    count : callable
        How often it was pressed so far.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count

    def look(self, run: RunState, t_s: float) -> None:  # noqa: ARG002 - as every watcher
        """End the load when it was pressed."""
        if self._count():
            run.end("interrupted")

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""


class LossOfTarget:
    """Ends the load when a server that we started has ended, and not by a fault of the scenario."""

    def look(self, run: RunState, t_s: float) -> None:  # noqa: ARG002 - as every watcher
        """End the load when the target is gone."""
        if run.why is None and not run.target_may_be_down and run.target.lost():
            run.end("target_lost")

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""


class Clocks:
    """Notes a step of the wall clock."""

    def __init__(self) -> None:
        self._clock = WallClock()

    def look(self, run: RunState, t_s: float) -> None:
        """Compare the clocks."""
        self._clock.look(run.folder, t_s)

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""


class Resources:
    """Writes what the processes of generators and target use.

    Parameters
    ----------
    watch : Watch
        Who writes it.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def look(self, run: RunState, t_s: float) -> None:
        """Write a line for each process that lives."""
        roots = [(each.role, each.child.pid) for each in run.generators.all]
        if run.target.server is not None:
            roots.append(("target", run.target.server))
        self._watch.write(t_s, roots)

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""


class Shows(Protocol):
    """Shows a line of the timeline."""

    def second(self, line: dict[str, Any], schedule: Schedule) -> None:
        """Take a line of the timeline, and what is planned now."""


class Display:
    """Hands the timeline to whoever shows it.

    Parameters
    ----------
    shows : Shows
        The display.
    """

    def __init__(self, shows: Shows) -> None:
        self._shows = shows

    def look(self, run: RunState, t_s: float) -> None:  # noqa: ARG002 - as every watcher
        """Show the lines that have come."""
        for line in run.lines:
            self._shows.second(line, run.schedule)

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""
