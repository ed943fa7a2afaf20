"""Whether the required stage is held on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.recording.format import Outcome
from analysis.recording.reader import read_run
from analysis.verdict import judge
from loadtests.extension import Extension, answer, judge_so_far
from scenarios.loading import parse_scenario
from scenarios.schedule import plan
from tests.analysis.synthetic import RunBuilder, scenario_of, watch

STAGE = 1


def budget(
    verdict: str, *, at: dict[int, str] | None = None, severity: str = "fail"
) -> dict[str, Any]:
    """A budget over stages of loads 5, 10, 10 (the required one), 20."""
    levels = {0: 5.0, 1: 10.0, 2: 10.0, 3: 20.0}
    stages = {1: verdict} if at is None else at
    return {
        "subject": "all",
        "assertion": "p(95) < 1s",
        "severity": severity,
        "verdict": verdict,
        "stages": [
            {"stage": stage, "level": levels[stage], "verdict": each}
            for stage, each in stages.items()
        ],
    }


def verdict_of(*budgets: dict[str, Any], reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "budgets": list(budgets),
        "validity": {"reasons": [{"code": code, "message": code} for code in reasons]},
    }


PASSED, FAILED, OPEN = budget("passed"), budget("failed"), budget("inconclusive")


@pytest.mark.parametrize(
    ("verdict", "why_not"),
    [
        (verdict_of(PASSED, OPEN), None),
        (verdict_of(OPEN, reasons=("no_data",)), None),
        (verdict_of(PASSED), "every budget is decided"),
        (verdict_of(OPEN, FAILED), "a budget is broken"),
        (verdict_of(OPEN, reasons=("generator_lost",)), "the run is invalid: generator_lost"),
        (verdict_of(budget("inconclusive", severity="warn")), "every budget is decided"),
        (verdict_of(budget("inconclusive", at={0: "inconclusive", 1: "passed"})), "every"),
        (verdict_of(budget("inconclusive", at={1: "inconclusive", 2: "inconclusive"})), "every"),
        (verdict_of(budget("inconclusive", at={})), "every"),
    ],
    ids=[
        "one is undecided",
        "its endpoint was asked nothing yet",
        "all are decided",
        "one is broken",
        "the run is invalid",
        "what is undecided only warns",
        "what is undecided is another load",
        "it is undecided in an earlier stage of the same load too",
        "it is judged in no stage",
    ],
)
def test_more_of_the_stage_is_wanted_only_where_it_can_decide(
    verdict: dict[str, Any], why_not: str | None
) -> None:
    found = answer(verdict, STAGE)

    assert (found.why_not is None) == (why_not is None)
    assert (found.why_not or "").startswith(why_not or "")
    assert bool(found.undecided) == (verdict["budgets"] != [] and "every" not in (why_not or ""))


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class FakeRun:
    """A run of three stages, 10 s each; the second one is required."""

    def __init__(self, extend: str) -> None:
        document = scenario_of([(5, 10), (10, 10), (20, 10)], extend=extend, required=10)
        self.scenario = parse_scenario(document, name="test", folder=None)
        self.schedule = plan(self.scenario)
        self.folder = SimpleNamespace(path=Path("nowhere"))
        self.why: str | None = None
        self.events: list[dict[str, Any]] = []
        self.t_s = 0.0

    def event(self, t_s: float, kind: str, **event: Any) -> None:
        self.events.append({"t_s": t_s, "kind": kind, **event})

    def extend(self, by_s: float) -> None:
        self.schedule = self.schedule.extended(1, by_s)
        self.event(self.t_s, "extended", by_s=by_s)

    def say(self, text: str) -> None:
        self.event(self.t_s, "said", text=text)

    def goes_on(self, extension: Extension) -> None:
        """Look every half second to the end; a look of the judge is waited for."""
        while self.t_s < self.schedule.end_s:
            extension.look(self, self.t_s)  # type: ignore[arg-type]
            for thread in threading.enumerate():
                if thread.name == "judging":
                    thread.join(10)
            self.t_s += 0.5
        extension.close(self)  # type: ignore[arg-type]

    def now_s(self) -> float:
        return self.t_s

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events if event["kind"] != "said"]


def test_an_undecided_stage_is_held_on_until_it_is_decided() -> None:
    run, verdicts = FakeRun("40s"), [OPEN, OPEN, PASSED]
    asked: list[tuple[int, float]] = []

    def judge(folder: Path, stage: int, until_s: float) -> Any:
        asked.append((stage, until_s))
        return verdict_of(verdicts[len(asked) - 1])

    run.goes_on(Extension(run.scenario, judge))

    # 3 s before the end, and 3 s back: requests are on disk after 1 s, and followed for 2 s
    assert asked == [(1, 14.0), (1, 24.0), (1, 34.0)]
    assert [span.end_s for span in run.schedule.spans] == [10.0, 40.0, 50.0]
    assert run.kinds() == ["judged_so_far", "extended"] * 2 + ["judged_so_far", "warning"]
    assert "held on for 20 s after 2 looks" in run.events[-1]["text"]


def test_a_stage_is_held_on_no_longer_than_allowed() -> None:
    run = FakeRun("9s")
    run.goes_on(Extension(run.scenario, lambda *_: verdict_of(OPEN)))
    chunks = [event["by_s"] for event in run.events if event["kind"] == "extended"]

    assert chunks == [6.0, 3.0]
    assert run.schedule.spans[1].end_s == 29.0


def test_a_decided_stage_is_looked_at_once_and_ends_as_planned() -> None:
    run = FakeRun("40s")
    run.goes_on(Extension(run.scenario, lambda *_: verdict_of(FAILED)))

    assert run.kinds() == ["judged_so_far"]
    assert run.events[0]["why_not"] == "a budget is broken"
    assert run.schedule == plan(run.scenario)


def test_a_hold_that_is_too_short_for_a_look_is_undecided() -> None:
    run = FakeRun("8s")
    first, held, last = run.schedule.spans
    held = replace(held, hold_s=held.end_s - 5)
    run.schedule = replace(run.schedule, spans=(first, held, last))
    asked: list[float] = []

    def judge(folder: Path, stage: int, until_s: float) -> Any:
        asked.append(until_s)
        return verdict_of(PASSED)

    run.goes_on(Extension(run.scenario, judge))

    assert run.kinds() == ["judged_so_far", "extended", "judged_so_far", "warning"]
    assert asked == [20.0]  # the first look would have been at what came before the hold


def test_judging_that_takes_too_long_prolongs_nothing_and_that_is_said() -> None:
    run, may_end = FakeRun("40s"), threading.Event()

    def judge(*_: object) -> Any:
        may_end.wait(10)
        return verdict_of(OPEN)

    extension = Extension(run.scenario, judge)
    for t_s in (16.9, 17.1, 19.4, 19.6, 19.9):
        extension.look(run, t_s)  # type: ignore[arg-type]
    may_end.set()
    eventually(lambda: all(each.name != "judging" for each in threading.enumerate()))
    extension.look(run, 19.95)  # type: ignore[arg-type]

    assert run.kinds() == ["warning"]
    assert "took too long" in run.events[0]["text"]
    assert run.schedule == plan(run.scenario)


def test_what_cannot_be_judged_prolongs_nothing_and_that_is_said() -> None:
    run = FakeRun("40s")
    run.goes_on(Extension(run.scenario))  # there is no such folder

    assert run.kinds() == ["warning"]
    assert "could not be judged: RunFolderError" in run.events[0]["text"]


def test_nothing_is_looked_at_when_the_load_ends_anyway() -> None:
    run = FakeRun("40s")
    run.why = "interrupted"
    run.goes_on(Extension(run.scenario, lambda *_: verdict_of(OPEN)))

    assert run.events == []


def run_that_goes_on(folder: Path, *, requests: int, error_at: int | None = None) -> RunBuilder:
    """A run of one stage of 20 s that has come to 12 s: requests come evenly from 2 s on."""
    build = RunBuilder(folder, scenario_of([(1, 20)], budgets={"all": ["error_ratio < 5%"]}))
    for number in range(requests):
        outcome = Outcome.HTTP_ERROR if number == error_at else Outcome.OK
        build.add(2.0 + 10.0 * number / requests, 0.01, outcome=outcome)
    watch(build, until_s=12)
    return build


@pytest.mark.parametrize(("requests", "why_not"), [(40, None), (200, "every budget is decided")])
def test_a_run_is_judged_by_what_it_has_recorded_so_far(
    tmp_path: Path, requests: int, why_not: str | None
) -> None:
    build = run_that_goes_on(tmp_path / "run", requests=requests)
    folder = build.finish(ended_s=None, closed=False)
    found = judge_so_far(folder, 0, 9.0)

    assert found is not None
    assert found["ended"] == {"why": "killed", "load_ended_s": 9.0, "complete": True}
    assert found["totals"]["requests"] == requests * 7 // 10
    assert answer(found, 0).why_not == why_not


def test_a_hold_that_has_not_begun_cannot_be_judged(tmp_path: Path) -> None:
    folder = run_that_goes_on(tmp_path / "run", requests=10).finish(ended_s=None, closed=False)

    assert judge_so_far(folder, 0, 0.0) is None


def test_a_prolonged_hold_is_judged_as_it_was_run(tmp_path: Path) -> None:
    build = run_that_goes_on(tmp_path / "run", requests=100)
    build.scenario["load"]["stages"] = [{"users": 1, "hold": "5s"}, {"users": 2, "hold": "2s"}]
    build.scenario["load"]["required"] = 1
    build.event(t_s=4.5, kind="extended", stage=0, by_s=3.0)
    build.event(t_s=7.5, kind="extended", stage=0, by_s=2.0)
    folder = build.finish(ended_s=12.0)
    recording = read_run(folder)
    verdict = judge(recording)

    assert [stage["hold"] for stage in verdict["stages"]] == [[0.0, 10.0], [10.0, 12.0]]
    assert [stage["requests"] for stage in verdict["stages"]] == [80, 20]
    assert verdict["ended"]["complete"]


def test_what_is_written_while_it_is_read_waits_for_the_next_look(tmp_path: Path) -> None:
    from analysis.recording import streams

    build = run_that_goes_on(tmp_path / "run", requests=40)
    build.flush()
    names = streams.read_names(build.folder)
    seen = streams._last_rows

    def read_then_grow(path: Path) -> Any:
        found = seen(path)
        build.add(12.0, 0.01)
        build.flush()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_last_rows", read_then_grow)
        (path,) = streams.stream_paths(build.folder)
        *tables, end = streams.read_stream(path, names)

    assert sum(table.num_rows for table in tables if not isinstance(table, streams.StreamEnd)) == 40
    assert end == streams.StreamEnd(process=0, rows=40, torn=False)
