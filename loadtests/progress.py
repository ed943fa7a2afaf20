"""Shows a run while it goes on: one line that changes on a terminal, else a line a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from scenarios.model import Load, Scenario
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
        self._status: Status | None = None
        self._schedule: Schedule | None = None
        self._users = "users"
        self._stage: int | None = None

    def say(self, text: str) -> None:
        """Say what is being prepared."""
        self._console.print(f"[dim]{text}[/dim]", highlight=False)

    def begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        """Load begins."""
        self._schedule = schedule
        self._users = level_words(scenario.load)
        question = f": {scenario.question}" if scenario.question else ""
        title = f"[bold]{scenario.title}[/bold]{question}"
        self._console.print(title, highlight=False, soft_wrap=not self._console.is_terminal)
        stages = ", ".join(f"{span.level:g}" for span in schedule.spans)
        self._console.print(
            f"{stages} {self._users}; {schedule.end_s:.0f} s of load", highlight=False
        )
        self._console.print(f"[dim]recording to {folder}[/dim]", highlight=False, soft_wrap=True)
        if self._console.is_terminal:
            self._status = self._console.status("warming up")
            self._status.start()

    def second(self, line: dict[str, Any]) -> None:
        """Show a line of the timeline."""
        if self._schedule is None:
            return
        text = self._describe(line)
        if self._status is not None:
            self._status.update(text)
        elif line["phase"] == "hold" and line["stage"] != self._stage:
            self._stage = line["stage"]
            self._console.print(text, highlight=False, soft_wrap=True)

    def _describe(self, line: dict[str, Any]) -> str:
        assert self._schedule is not None  # noqa: S101 - begin() came first
        left_s = max(self._schedule.end_s - line["t_s"], 0.0)
        stage = "-" if line["stage"] is None else line["stage"] + 1
        latency = "" if line["p95_ms"] is None else f"  p95 {line['p95_ms']:.1f} ms"
        bad = f"  [red]bad {line['bad']}[/red]" if line["bad"] else ""
        return (
            f"stage {stage}/{len(self._schedule.spans)} {line['phase']}  {line['running']} users  "
            f"{line['rate']:.0f}/s{latency}  open {line['open']}{bad}  {left_s:.0f} s left"
        )

    def end(self) -> None:
        """Load has ended."""
        if self._status is not None:
            self._status.stop()
            self._status = None
