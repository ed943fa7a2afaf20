"""Faults from outside: planned, injected, cleared; nothing stays stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from loadtests import faults as module
from loadtests.family import children, family, lives
from loadtests.faults import Faults, moved, planned
from loadtests.freezing import Frozen
from scenarios.errors import TargetError
from scenarios.model import Fault
from scenarios.schedule import Schedule, Span

SLEEP = [sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)"]
PARENT = (
    "import subprocess, sys, time; "
    "p = subprocess.Popen([sys.executable, '-S', '-E', '-c', 'import time; time.sleep(60)']); "
    "time.sleep(60)"
)
FREEZES_AND_WAITS = """
import sys, time
from loadtests.freezing import Frozen
Frozen([int(sys.argv[1])]).freeze()
print("frozen", flush=True)
time.sleep(60)
"""


def is_stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def eventually(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def sleepers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that do nothing."""
    processes = [subprocess.Popen(SLEEP) for _ in range(2)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def two_holds(first_end_s: float = 10.0) -> Schedule:
    def span(stage: int, level: float, start_s: float, end_s: float) -> Span:
        return Span(
            stage=stage,
            level=level,
            before=0.0,
            start_s=start_s,
            ramped_s=start_s,
            hold_s=start_s,
            end_s=end_s,
        )

    first = span(0, 1.0, 0.0, first_end_s)
    return Schedule(warmup_s=0.0, spans=(first, span(1, 2.0, first_end_s, first_end_s + 10)))


class FakeRun:
    """A run whose clock goes on when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.t_s = 0.0
        self.schedule = two_holds()
        self.why: str | None = None
        self.target_may_be_down = False
        self.events: list[dict[str, Any]] = []
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        self.t_s += seconds

    def now_s(self) -> float:
        return self.t_s

    def event(self, t_s: float, kind: str, **event: Any) -> None:
        self.events.append({"t_s": round(t_s, 6), "kind": kind, **event})

    def end(self, why: str) -> None:
        self.why = why

    def goes_on(self, faults: Faults, until_s: float) -> None:
        while self.t_s < until_s:
            faults.look(self, self.t_s)  # type: ignore[arg-type]
            self.sleep(0.05)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    return FakeRun(monkeypatch)


class FakeServer:
    """A server that comes back some looks after it was started again."""

    def __init__(self, workers: list[int], *, looks: int = 3, broken: bool = False) -> None:
        self.server: int | None = None
        self.living = workers
        self.done: list[str] = []
        self._looks = looks
        self._broken = broken

    def workers(self) -> list[int]:
        return [pid for pid in self.living if lives(pid)]

    def crash(self) -> None:
        self.done.append("crash")

    def is_gone(self) -> bool:
        return True

    def start_again(self) -> None:
        self.done.append("start")

    def is_up(self) -> bool:
        self._looks -= 1
        if self._broken:
            raise TargetError("it ended while it started")
        return self._looks < 0


def test_a_family_is_a_process_and_what_came_of_it() -> None:
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", PARENT]) as parent:
        try:
            assert eventually(lambda: len(family(parent.pid)) == 2)
            child = children(parent.pid)[0]
            assert family(parent.pid) == [parent.pid, child]
        finally:
            for pid in family(parent.pid):
                os.kill(pid, signal.SIGKILL)
    assert family(parent.pid) == []
    assert not lives(parent.pid)


def test_frozen_processes_stop_together_and_go_on(
    sleepers: list[subprocess.Popen[bytes]],
) -> None:
    frozen = Frozen([process.pid for process in sleepers])
    frozen.freeze()
    assert eventually(lambda: all(is_stopped(process.pid) for process in sleepers))
    frozen.thaw()
    frozen.thaw()

    assert eventually(lambda: not any(is_stopped(process.pid) for process in sleepers))


def test_a_process_that_has_ended_cannot_be_frozen(
    sleepers: list[subprocess.Popen[bytes]],
) -> None:
    sleepers[0].kill()
    sleepers[0].wait()
    frozen = Frozen([sleepers[0].pid])
    frozen.freeze()
    frozen.thaw()

    assert frozen.pids == []


def test_frozen_processes_go_on_when_whoever_froze_them_is_killed(
    sleepers: list[subprocess.Popen[bytes]],
) -> None:
    pid = sleepers[0].pid
    words = [sys.executable, "-c", FREEZES_AND_WAITS, str(pid)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as freezing:
        assert freezing.stdout is not None
        assert freezing.stdout.readline() == b"frozen\n"
        assert eventually(lambda: is_stopped(pid))
        freezing.kill()

    assert eventually(lambda: not is_stopped(pid))


def test_faults_come_in_the_order_of_their_times_and_stay_in_their_stage() -> None:
    late, early = (
        Fault(kind="kill", process="worker", at_s=12.0),
        Fault(kind="freeze", process="server", at_s=4.0, lasts_s=1.0),
    )
    waiting = planned([late, early])

    assert [(each.number, each.at_s, each.until_s) for each in waiting] == [
        (0, 4.0, 5.0),
        (1, 12.0, 12.0),
    ]
    assert [each.at_s for each in moved(waiting, two_holds(), two_holds(13.0))] == [4.0, 15.0]
    assert moved(waiting, two_holds(), two_holds()) == waiting


def test_a_freeze_is_injected_and_cleared_at_its_time(
    run: FakeRun, sleepers: list[subprocess.Popen[bytes]]
) -> None:
    server = FakeServer([])
    server.server = sleepers[0].pid
    faults = Faults([Fault(kind="freeze", process="server", at_s=1.02, lasts_s=2.0)], server, 1)
    run.goes_on(faults, 2.0)
    assert eventually(lambda: is_stopped(sleepers[0].pid))
    assert faults.explain(run.t_s)
    run.goes_on(faults, 4.0)

    assert eventually(lambda: not is_stopped(sleepers[0].pid))
    assert faults.explain(run.t_s)  # it was on in the second before
    assert not faults.explain(run.t_s + 1)
    about = {"fault": 0, "what": "freeze", "process": "server", "pids": [sleepers[0].pid]}
    assert run.events == [
        {"t_s": 1.02, "kind": "fault_injected", "planned_s": 1.02, **about},
        {"t_s": 3.02, "kind": "fault_cleared", "planned_s": 3.02, **about},
    ]


@pytest.mark.parametrize("how", ["the load ends", "the run breaks off"])
def test_what_is_frozen_goes_on_when_the_run_ends_before(
    run: FakeRun, sleepers: list[subprocess.Popen[bytes]], how: str
) -> None:
    server = FakeServer([])
    server.server = sleepers[0].pid
    faults = Faults([Fault(kind="freeze", process="server", at_s=1.0, lasts_s=5.0)], server, 1)
    run.goes_on(faults, 2.0)
    assert eventually(lambda: is_stopped(sleepers[0].pid))
    if how == "the load ends":
        run.why = "interrupted"
        run.goes_on(faults, 2.2)
    faults.close(run)  # type: ignore[arg-type]

    assert eventually(lambda: not is_stopped(sleepers[0].pid))
    assert [event["kind"] for event in run.events] == ["fault_injected", "fault_cleared"]


def test_a_killed_worker_is_over_when_there_is_another_one(
    run: FakeRun, sleepers: list[subprocess.Popen[bytes]]
) -> None:
    first, second = sleepers
    server = FakeServer([first.pid])
    faults = Faults([Fault(kind="kill", process="worker", at_s=1.0)], server, 1)
    run.goes_on(faults, 1.5)
    assert first.wait(10) == -signal.SIGKILL
    assert faults.explain(run.t_s)
    server.living = [second.pid]
    run.goes_on(faults, 2.0)

    assert [(event["kind"], event["pids"]) for event in run.events] == [
        ("fault_injected", [first.pid]),
        ("fault_cleared", [second.pid]),
    ]


def test_the_seed_decides_which_worker(sleepers: list[subprocess.Popen[bytes]]) -> None:
    pids = [process.pid for process in sleepers]
    chosen = [module._one_of(pids, random.Random(seed))[0] for seed in range(20)]

    assert chosen == [module._one_of(pids, random.Random(seed))[0] for seed in range(20)]
    assert set(chosen) == set(pids)


def test_a_killed_server_may_be_down_until_it_serves_again(run: FakeRun) -> None:
    server = FakeServer([])
    faults = Faults([Fault(kind="kill", process="server", at_s=1.0, lasts_s=1.0)], server, 1)
    run.goes_on(faults, 1.5)
    assert run.target_may_be_down
    assert server.done == ["crash"]
    run.goes_on(faults, 3.0)

    assert not run.target_may_be_down
    assert server.done == ["crash", "start"]
    assert run.why is None
    assert run.events[1]["planned_s"] == 2.0
    assert run.events[1]["t_s"] > 2.0  # started then, and served after some looks


def test_a_server_that_does_not_come_back_is_lost(run: FakeRun) -> None:
    server = FakeServer([], broken=True)
    faults = Faults([Fault(kind="kill", process="server", at_s=1.0, lasts_s=1.0)], server, 1)
    run.goes_on(faults, 3.0)

    assert run.why == "target_lost"
    assert not run.target_may_be_down
    assert [event["kind"] for event in run.events] == ["fault_injected", "warning"]
    assert "it ended while it started" in run.events[1]["text"]
