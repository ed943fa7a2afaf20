"""What the supervisor concludes from what its generators say, and from their silence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.generators import Generator
from loadtests.hearing import Hearing, Silence


class Child:
    """A process that ends when it is told."""

    def __init__(self) -> None:
        self.pid = 1
        self.code: int | None = None

    def exit_code(self) -> int | None:
        return self.code


class Line:
    """A line on which a test speaks."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def receive(self) -> list[dict[str, Any]]:
        said, self.said = self.said, []
        return said


class Run:
    """A run with its generators; notes what is done to it."""

    def __init__(self, senders: int, *, master: bool) -> None:
        self.made = [self._make(None)] if master else []
        self.made += [self._make(process) for process in range(senders)]
        self.generators = SimpleNamespace(
            master=self.made[0] if master else None,
            senders=self.made[-senders:],
            hear=lambda: [message for each in self.made for message in each.hear()],
            newly_lost=self._newly_lost,
            tell=lambda kind, **message: self.told.append((kind, message)),
        )
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.schedule = SimpleNamespace(end_s=100.0)
        self.why: str | None = None

    def _make(self, process: int | None) -> Generator:
        return Generator(process=process, child=Child(), line=Line(), cores=None)  # type: ignore[arg-type]

    def _newly_lost(self) -> list[Generator]:
        gone = [each for each in self.made if not each.lost and each.ended is not None]
        lost = [each for each in gone if not each.has_said_it_ends()]
        for each in lost:
            each.lost = True
        return lost

    def now_s(self) -> float:
        return 12.5

    def event(self, t_s: float, kind: str, **event: object) -> None:
        self.events.append({"t_s": t_s, "kind": kind, **event})

    def end(self, why: str, **event: object) -> None:
        if self.why is None:
            self.why = why
            self.event(self.now_s(), why, **event)

    def says(self, number: int, **message: object) -> None:
        self.made[number].line.said.append(message)  # type: ignore[attr-defined]

    def ends(self, number: int, code: int) -> None:
        self.made[number].child.code = code  # type: ignore[attr-defined]


def hearing_of(run: Run) -> Hearing:
    return Hearing(run)  # type: ignore[arg-type]


def ended(why: str = "finished", at_s: float = 30.0) -> dict[str, Any]:
    return {"kind": "ended", "why": why, "load_ended_s": at_s}


def test_a_run_ends_when_and_why_its_processes_say() -> None:
    run = Run(2, master=True)
    hearing = hearing_of(run)
    run.says(1, **ended(at_s=30.0))
    run.says(2, **ended(at_s=30.2))
    for number in range(3):
        run.ends(number, 0)
    run.says(0, kind="ended", why="finished", load_ended_s=None)
    hearing.listen()

    assert hearing.conclude(hurried=False) == ("finished", 30.2)
    assert run.events == []


@pytest.mark.parametrize(("code", "reason"), [(-9, "SIGKILL"), (3, "exit code 3")])
def test_one_that_ends_without_a_word_is_lost_and_the_run_goes_on(code: int, reason: str) -> None:
    run = Run(2, master=True)
    hearing = hearing_of(run)
    run.ends(2, code)
    hearing.listen()
    hearing.listen()

    assert run.events == [
        {"t_s": 12.5, "kind": "generator_lost", "process": 1, "reason": reason}
    ]  # once
    assert run.why is None
    assert run.told == []
    run.says(1, **ended())
    run.ends(1, 0)
    hearing.listen()
    assert hearing.conclude(hurried=False) == ("finished", 30.0)


def test_the_last_words_of_one_that_has_ended_are_heard_first() -> None:
    run = Run(1, master=False)
    hearing = hearing_of(run)
    run.ends(0, 0)
    run.made[0].hear()
    run.says(0, kind="host_refused", host="shop.invalid")
    run.says(0, **ended("host_refused", 3.0))
    assert run.generators.newly_lost() == []
    hearing.listen()

    assert run.events == []
    assert hearing.refused_host == "shop.invalid"
    assert hearing.conclude(hurried=False) == ("host_refused", 3.0)


def test_when_all_are_lost_the_run_says_so() -> None:
    run = Run(1, master=False)
    hearing = hearing_of(run)
    run.ends(0, -11)
    hearing.listen()

    assert hearing.conclude(hurried=False) == ("generator_lost", 12.5)
    assert run.events[0]["reason"] == "SIGSEGV"


@pytest.mark.parametrize("silent", [False, True])
def test_without_a_master_the_run_ends(silent: bool) -> None:
    run = Run(2, master=True)
    hearing = hearing_of(run)
    if silent:
        run.says(1, **ended("master_lost", 9.0))
        run.says(2, **ended("master_lost", 9.5))
    else:
        run.ends(0, -9)
    hearing.listen()

    assert run.why == "generator_lost"
    assert run.events == [
        {
            "t_s": 12.5,
            "kind": "generator_lost",
            "process": None,
            "reason": "silent" if silent else "SIGKILL",
        }
    ]


@pytest.mark.parametrize("kind", ["ended", "stop_asked"])
def test_a_locustfile_that_ends_the_test_anywhere_ends_it_everywhere(kind: str) -> None:
    run = Run(2, master=True)
    hearing = hearing_of(run)
    run.says(0 if kind == "stop_asked" else 1, **{**ended("stopped_by_locustfile"), "kind": kind})
    hearing.listen()

    assert run.told == [("stop", {"why": "stopped_by_locustfile"})]


def test_one_that_still_runs_at_the_end_is_lost_unless_nobody_waited() -> None:
    hurried, patient = Run(1, master=False), Run(1, master=False)
    hearing_of(hurried).conclude(hurried=True)
    hearing_of(patient).conclude(hurried=False)

    assert hurried.events == []
    assert [event["kind"] for event in patient.events] == ["generator_lost"]


def test_one_that_hangs_to_the_end_was_lost_when_it_was_last_heard_of() -> None:
    run, silence = Run(2, master=True), Silence()
    for t_s in range(9):
        run.lines = [{"process": 0}, *([{"process": 1}] if t_s < 4 else [])]
        silence.look(run, float(t_s))  # type: ignore[arg-type]
    run.says(1, **ended())
    run.ends(1, 0)
    hearing = hearing_of(run)
    hearing.listen()
    hearing.conclude(hurried=False)

    lost = [event for event in run.events if event["kind"] == "generator_lost"]
    assert [(event["process"], event["t_s"]) for event in lost] == [(1, 3.0)]


def test_when_the_only_one_hangs_the_load_ended_when_it_was_last_heard_of() -> None:
    run, silence = Run(1, master=False), Silence()
    run.schedule.end_s = 5.0
    for t_s in range(1, 12):
        run.lines = [{"process": 0}] if t_s <= 4 else []
        silence.look(run, float(t_s))  # type: ignore[arg-type]

    assert hearing_of(run).conclude(hurried=False) == ("generator_lost", 4.0)
    assert [(event["kind"], event["t_s"]) for event in run.events] == [("generator_lost", 4.0)]


def test_a_process_that_writes_no_line_is_noted_once_and_so_is_its_return() -> None:
    run, silence = Run(2, master=True), Silence()
    for tenth in range(120):
        t_s = tenth / 10
        wakes = t_s < 4 or t_s > 9
        both = [{"process": 0}, *([{"process": 1}] if wakes else [])]
        run.lines = both if tenth % 10 == 0 else []
        silence.look(run, t_s)  # type: ignore[arg-type]

    assert [(event["kind"], event["process"]) for event in run.events] == [
        ("generator_silent", 1),
        ("generator_back", 1),
    ]
    assert run.events[0]["since_s"] == 3.0
    assert run.events[0]["t_s"] == pytest.approx(5.6, abs=0.11)


def test_nobody_is_silent_who_has_ended_or_when_the_load_is_over() -> None:
    run, silence = Run(2, master=True), Silence()
    run.schedule.end_s = 2.0
    for t_s in range(20):
        silence.look(run, float(t_s))  # type: ignore[arg-type]
    assert run.events == []

    run.schedule.end_s = 100.0
    run.ends(1, 0)
    run.ends(2, -9)
    for t_s in range(20, 40):
        silence.look(run, float(t_s))  # type: ignore[arg-type]
    assert run.events == []
