"""What is shown while a run goes on."""

from __future__ import annotations

import errno
import io
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtests.folder import RunFolder
from loadtests.live import LiveRun
from loadtests.progress import ConsoleProgress
from loadtests.screen import bars, screen
from loadtests.supervisor import Order, Supervisor
from loadtests.target import Target
from scenarios.loading import parse_scenario
from scenarios.schedule import plan

RAW: dict[str, Any] = {
    "title": "Growth",
    "load": {
        "mix": {"sales_rep": 1},
        "settle": "0s",
        "stages": [{"users": 10, "hold": "10s"}, {"users": 20, "hold": "10s"}],
    },
    "budgets": {"all": ["p(95) < 300ms", "error_ratio < 1%"], "GET /": ["med < 100ms"]},
}
SCENARIO = parse_scenario(RAW, name="growth", folder=None)


def line(t_s: float, **other: Any) -> dict[str, Any]:
    """A line of the timeline, as a generator process writes it."""
    return {
        "t_s": t_s,
        "process": 0,
        "stage": 0 if t_s <= 10 else 1,
        "phase": "hold",
        "asked": 10,
        "running": 10,
        "late": 0,
        "missed": 0,
        "open": 2,
        "rate": 100.0,
        "p50_ms": 20.0,
        "p95_ms": 80.0,
        "bad": 0,
        "budgets": [[100, 3], [50, 30]],
        "cpu": 0.2,
        "loop_lag_us": [100, 900],
    } | other


def test_budgets_are_counted_over_the_hold_that_is_on_and_begin_anew_with_the_next() -> None:
    live = LiveRun(SCENARIO)
    live.add(line(1.0, phase="settle"))
    live.add(line(2.0))
    live.add(line(3.0, bad=1))
    p95, med, errors = live.budgets()
    assert (p95.requests, p95.beyond, p95.holds) == (200, 6, True)
    assert (med.requests, med.beyond, med.holds) == (100, 60, False)
    assert (errors.requests, errors.beyond, errors.holds) == (201, 1, True)
    live.add(line(12.0))
    assert [budget.requests for budget in live.budgets()] == [100, 50, 100]


def test_processes_are_added_up() -> None:
    live = LiveRun(SCENARIO)
    live.add(line(1.0))
    now = live.add(line(1.01, process=1, rate=300.0, p50_ms=40.0, p95_ms=70.0, cpu=0.6))
    assert (now.rate, now.running, now.open) == (400.0, 20, 4)
    assert now.p50_ms == pytest.approx(35.0)
    assert (now.p95_ms, now.cpu) == (80.0, 0.6)
    assert len(live.past) == 1


def test_nothing_finished_is_no_latency() -> None:
    now = LiveRun(SCENARIO).add(line(1.0, rate=0.0, p50_ms=None, p95_ms=None, loop_lag_us=[]))
    assert (now.p50_ms, now.p95_ms, now.lag_ms) == (None, None, None)


def shown(*lines: dict[str, Any], unit: str = "users") -> str:
    live = LiveRun(SCENARIO)
    for each in lines:
        live.add(each)
    console = Console(width=80, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(
            screen(live.past, live.budgets(), plan(SCENARIO), unit=unit, title=SCENARIO.title)
        )
    return capture.get()


def test_the_screen_says_stage_numbers_budgets_and_what_is_left() -> None:
    text = shown(line(1.0), line(4.0, bad=2, p95_ms=123.4))
    assert "stage 1 of 2, hold, 6 s left of it" in text
    assert "3 % beyond it of 200 (allowed 5 %)" in text
    assert "0:16 of load left" in text
    assert "123 ms" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "missed" not in text


def test_the_open_model_has_its_late_and_missed_arrivals_on_the_screen() -> None:
    text = shown(line(4.0, asked=12.5, late=7, missed=9), unit="arrivals/s")
    assert "12.5 arrivals/s" in text
    assert text.count("missed") == 1


@pytest.mark.parametrize(
    ("rate", "text"), [(2.5, "2.5"), (999.5, "999.5"), (12_345.6, "12,346"), (50_000, "50,000")]
)
def test_a_high_rate_is_written_without_an_exponent(rate: float, text: str) -> None:
    assert f"{text} arrivals/s" in shown(line(4.0, asked=rate), unit="arrivals/s")


def test_bars_are_drawn_against_the_highest() -> None:
    assert bars([0, 1, 2]) == "▁▅█"
    assert bars([0.0, 0.0]) == "▁▁"
    assert not bars([])


@pytest.mark.parametrize("is_terminal", [False, True])
def test_brackets_of_other_people_are_shown_as_they_are(tmp_path: Path, is_terminal: bool) -> None:
    raw = RAW | {"title": "Orders [/id]", "question": "is [bold] fast?"}
    scenario = parse_scenario(raw, name="brackets", folder=None)
    console = Console(width=200, no_color=True, force_terminal=is_terminal, legacy_windows=False)
    progress = ConsoleProgress(console)
    with console.capture() as capture:
        progress.say("undecided is GET /orders/[id]: p(95) [/id]")
        progress.begin(scenario, plan(scenario), tmp_path / "[red]")
        progress.second(line(1.0), plan(scenario))
        progress.end()

    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capture.get())
    assert "undecided is GET /orders/[id]: p(95) [/id]" in text
    assert "Orders [/id]: is [bold] fast?" in text
    assert "/[red]" in text


def test_names_cannot_move_the_cursor(tmp_path: Path) -> None:
    moves = "GET /\x1b[2Jgone"
    raw = RAW | {"title": moves, "question": moves, "budgets": {moves: ["p(95) < 300ms"]}}
    scenario = parse_scenario(raw, name="moves", folder=None)
    console = Console(width=200, no_color=True, force_terminal=True, legacy_windows=False)
    progress = ConsoleProgress(console)
    with console.capture() as capture:
        progress.say(moves)
        progress.begin(scenario, plan(scenario), tmp_path)
        progress.second(line(1.0, budgets=[[100, 3]]), plan(scenario))
        progress.end()

    assert capture.get().count("GET /\\x1b[2Jgone") >= 4
    assert moves not in capture.get()


@pytest.mark.parametrize("goes_after", [0, 2])
def test_a_terminal_that_is_gone_stops_the_display_and_nothing_else(
    tmp_path: Path, goes_after: int
) -> None:
    class HangsUp(io.StringIO):
        left = 10**9

        def write(self, text: str) -> int:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.EIO, "Input/output error")
            return super().write(text)

    screen_ = HangsUp()
    stdout = sys.stdout
    progress = ConsoleProgress(Console(file=screen_, force_terminal=True, legacy_windows=False))
    screen_.left = 0 if goes_after == 0 else screen_.left
    progress.begin(SCENARIO, plan(SCENARIO), tmp_path)
    for second in range(1, 5):
        if second == goes_after:
            screen_.left = 0
        progress.second(line(float(second)), plan(SCENARIO))
    tried = screen_.left
    progress.say("asking")
    progress.end()

    assert screen_.left == tried < 0
    assert sys.stdout is stdout


def test_without_a_terminal_there_is_a_line_a_stage(tmp_path: Path) -> None:
    console = Console(width=200, no_color=True)
    progress = ConsoleProgress(console)
    schedule = plan(SCENARIO)
    with console.capture() as capture:
        progress.begin(SCENARIO, schedule, tmp_path)
        for t_s in (1.0, 2.0, 12.0, 13.0):
            progress.second(line(t_s), schedule)
        progress.second(line(14.0, stage=1, missed=3), replace(schedule))
        progress.end()
    lines = capture.get().splitlines()
    assert sum(each.startswith("stage ") for each in lines) == 2
    assert any(each.startswith("stage 2/2 hold") for each in lines)


def test_a_run_that_breaks_off_gives_the_terminal_back(tmp_path: Path) -> None:
    class Breaks:
        """Generators that cannot even be looked at."""

        def tell(self, *_: object, **__: object) -> None:
            pass

        @property
        def sending(self) -> bool:
            raise RuntimeError("broken")

    console = Console(width=200, force_terminal=True, legacy_windows=False)
    order = Order(parent=tmp_path, allow=(), folder=tmp_path)
    theirs = {"title": "Growth", "target": {"url": "http://127.0.0.1:1"}, "load": RAW["load"]}
    scenario = parse_scenario(theirs | {"budgets": RAW["budgets"]}, name="growth", folder=None)
    supervisor = Supervisor(scenario, order, ConsoleProgress(console))
    folder = RunFolder(tmp_path, "growth", datetime.now(UTC))
    generators: Any = Breaks()
    with console.capture() as capture, pytest.raises(RuntimeError, match="broken"):
        supervisor._drive(folder, Target(base_url="http://127.0.0.1:1"), generators)

    hides, shows = "\x1b[?25l", "\x1b[?25h"
    assert capture.get().count(hides) == capture.get().count(shows) == 1
