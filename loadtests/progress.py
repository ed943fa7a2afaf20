"""Shows a run while it goes on: one calm screen on a terminal, else a line a stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from analysis.report.typography import clean
from loadtests.live import LiveRun, Now
from loadtests.screen import screen
from scenarios.model import Load, Scenario, named
from scenarios.schedule import Schedule


def level_words(load: Load) -> str:
    """Name what levels count, users with the think times that they have.

    Parameters
    ----------
    load : Load
        Of a scenario.

    Returns
    -------
    str
        ``"users"`` or ``"arrivals/s"``, with the factor on think times when it is not 1.
    """
    scale = load.think_scale
    return load.unit if scale == 1 else f"{load.unit} (think times x {scale:g})"


class ConsoleProgress:
    """Progress on the console.

    Parameters
    ----------
    console : Console
        Where it is shown; errors and progress go to stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._run: LiveRun | None = None
        self._unit = "users"
        self._title = ""
        self._stage: int | None = None
        self._is_gone = False

    @contextmanager
    def _showing(self) -> Iterator[None]:
        """Give up for good where the terminal is gone: the run goes on without."""
        try:
            yield
        except OSError:
            self._is_gone = True
            self._give_back()

    def say(self, text: str) -> None:
        """Say what is being prepared, or what happened."""
        if not self._is_gone:
            with self._showing():
                self._console.print(Text(clean(text), style="dim"))

    def begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        """Load begins."""
        if not self._is_gone:
            with self._showing():
                self._begin(scenario, schedule, folder)

    def _begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        self._run = LiveRun(scenario)
        self._unit = level_words(scenario.load)
        self._title = scenario.title
        self._stage = None
        question = f": {clean(scenario.question)}" if scenario.question else ""
        title = Text.assemble((clean(scenario.title), "bold"), question)
        self._console.print(title, soft_wrap=not self._console.is_terminal)
        stages = ", ".join(f"{span.level:g}" for span in schedule.spans)
        self._console.print(
            f"{stages} {self._unit}; {schedule.end_s:.0f} s of load", highlight=False
        )
        self._console.print(Text(f"recording to {folder}", style="dim"), soft_wrap=True)
        if self._console.is_terminal:
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()

    def second(self, line: dict[str, Any], schedule: Schedule) -> None:
        """Show a line of the timeline.

        Parameters
        ----------
        line : dict
            Of one generator process and second.
        schedule : Schedule
            As it is planned now: a hold may have been prolonged.
        """
        if self._run is not None and not self._is_gone:
            with self._showing():
                self._second(self._run, line, schedule)

    def _second(self, run: LiveRun, line: dict[str, Any], schedule: Schedule) -> None:
        now = run.add(line)
        if self._live is not None:
            self._live.update(
                screen(
                    run.past,
                    run.budgets(),
                    schedule,
                    unit=self._unit,
                    title=self._title,
                ),
                refresh=True,
            )
        elif self._is_told(now):
            self._stage = now.stage
            self._console.print(self._describe(now, schedule), highlight=False, soft_wrap=True)

    def _is_told(self, now: Now) -> bool:
        """Tell of a stage when each process has written a line of its hold."""
        assert self._run is not None  # noqa: S101 - the caller's condition
        if now.phase != "hold" or now.stage == self._stage:
            return False
        seconds = {int(each.t_s) for each in self._run.past if each.stage == now.stage}
        return len(seconds) > 1

    def _describe(self, now: Now, schedule: Schedule) -> str:
        left_s = max(schedule.end_s - now.t_s, 0.0)
        stage = "-" if now.stage is None else now.stage + 1
        latency = "" if now.p95_ms is None else f"  p95 {now.p95_ms:.1f} ms"
        bad = f"  [red]bad {now.bad}[/red]" if now.bad else ""
        missed = f"  [red]missed {now.missed}[/red]" if now.missed else ""
        is_open = self._unit == "arrivals/s"
        load = f"{now.asked_text} arrivals/s" if is_open else named(now.running, "users")
        return (
            f"stage {stage}/{len(schedule.spans)} {now.phase}  {load}  "
            f"{now.rate:.0f}/s{latency}  open {now.open}{bad}{missed}  {left_s:.0f} s left"
        )

    def end(self) -> None:
        """Load has ended."""
        self._give_back()

    def _give_back(self) -> None:
        """Give the terminal back as it was."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):
                live.stop()
