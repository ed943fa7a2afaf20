"""The scheduler of the open model: every arrival is begun by somebody, or missed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import gevent
import pytest
from gevent.event import Event

from loadtests.generator.arrivals import Arrivals, Due
from loadtests.generator.clock import now_ns
from scenarios.arrivals import Draw
from scenarios.schedule import Schedule, Span

MS = 1_000_000
RATE = 1000.0


def schedule(end_s: float = 60.0) -> Schedule:
    """A thousand arrivals a second: areas are milliseconds."""
    span = Span(
        stage=0, level=RATE, before=RATE, start_s=0.0, ramped_s=0.0, hold_s=0.0, end_s=end_s
    )
    return Schedule(warmup_s=0.0, spans=(span,), unit="arrivals/s")


def after_ms(*moments: float, persona: str | None = None) -> Iterator[Draw]:
    """Arrivals after so many milliseconds, and then none for a minute."""
    for number, moment in enumerate([*moments, 1e9]):
        yield Draw(number, moment, persona, None)


@dataclass
class Watched:
    """A scheduler, and what became of its arrivals by number."""

    arrivals: Arrivals
    origin_ns: int = 0
    late: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    late_ns: list[int] = field(default_factory=list)
    greenlets: list[gevent.Greenlet] = field(default_factory=list)

    def spawn(self, work: Callable[..., object], *arguments: object) -> gevent.Greenlet:
        self.greenlets.append(gevent.spawn(work, *arguments))
        return self.greenlets[-1]

    def start(self, in_ms: int = 0) -> None:
        gevent.sleep(0)  # whoever was spawned is idle now
        self.origin_ns = now_ns() + in_ms * MS
        self.spawn(self.arrivals.run, self.origin_ns)

    def user(self, pool: str | None = None, *, busy: Event | None = None) -> gevent.Greenlet:
        """Somebody who takes one arrival after the other, and is busy with each until told."""
        return self.spawn(self._work, pool, busy)

    def _work(self, pool: str | None, busy: Event | None) -> None:
        while True:
            due = self.arrivals.take(pool)
            self.late_ns.append(now_ns() - due.due_ns)
            self.begun.append(due.drawn.number)
            if busy is not None:
                busy.wait()
            gevent.sleep(0)


def until(true: Callable[[], bool], patience_s: float = 5.0) -> None:
    deadline = now_ns() + patience_s * 1e9
    while not true():
        assert now_ns() < deadline
        gevent.sleep(0.001)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    """Make schedulers of which nothing is left behind."""
    made: list[Watched] = []

    def make(drawn: Iterator[Draw], *, patience_s: float = 10.0, end_s: float = 60.0) -> Watched:
        def missed(due: Due) -> None:
            watched.missed.append(due.drawn.number)

        def late(due: Due) -> None:
            watched.late.append(due.drawn.number)

        watched = Watched(
            Arrivals(
                drawn,
                schedule(end_s),
                patience_s=patience_s,
                missed=missed,
                late=late,
            )
        )
        made.append(watched)
        return watched

    yield make
    for watched in made:
        gevent.killall(watched.greenlets)


def test_arrivals_go_to_idle_users_in_order_and_never_early(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms(5, 10, 15, 20))
    for _ in range(2):
        run.user()
    run.start()
    until(lambda: len(run.begun) == 4)

    assert run.begun == [0, 1, 2, 3]
    assert all(late_ns >= 0 for late_ns in run.late_ns)
    assert run.late == run.missed == []


def test_an_arrival_that_finds_nobody_idle_waits_for_its_turn(
    watch: Callable[..., Watched],
) -> None:
    run, busy = watch(after_ms(1, 2, 3)), Event()
    run.user(busy=busy)
    run.start()
    until(lambda: run.arrivals.came == 3)
    assert (run.begun, run.late) == ([0], [])

    busy.set()
    until(lambda: len(run.begun) == 3)
    assert run.begun == [0, 1, 2]
    assert run.late == [1, 2]
    assert run.missed == []


def test_an_arrival_waits_for_users_of_its_own_persona_only(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms(1, persona="manager"))
    run.user("sales_rep")
    run.start()
    gevent.sleep(0.02)
    assert run.begun == []

    run.user("manager")
    until(lambda: run.begun == [0])


def test_an_arrival_that_waited_longer_than_the_timeout_is_missed(
    watch: Callable[..., Watched],
) -> None:
    run, busy = watch(after_ms(0, 1), patience_s=0.05), Event()
    run.spawn(run.arrivals.give_up_for_ever)
    run.user(busy=busy)
    run.start()
    until(lambda: bool(run.missed))

    assert now_ns() - run.origin_ns > 51 * MS
    busy.set()
    gevent.sleep(0.005)
    assert (run.begun, run.missed) == ([0], [1])
    assert run.late == [], "one that is missed is not late"


def test_what_is_pending_when_the_load_ends_is_missed(watch: Callable[..., Watched]) -> None:
    run = watch(after_ms(0, 1, 2))
    run.user(busy=Event())
    run.start()
    gevent.sleep(0.02)
    run.arrivals.close()

    assert (run.begun, run.missed) == ([0], [1, 2])


@pytest.mark.costly
def test_what_came_due_while_the_process_was_held_up_to_the_end_is_missed(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms(10, 20, 30, 50_000))
    run.user()
    run.start(in_ms=500)  # so that the machine may be slow before it is held up
    gevent.sleep(0)
    assert now_ns() < run.origin_ns
    while now_ns() < run.origin_ns + 40 * MS:  # nothing else runs
        pass
    run.arrivals.close()
    gevent.sleep(0.02)

    assert (run.begun, run.missed, run.arrivals.came) == ([], [0, 1, 2], 3)


def test_an_arrival_that_is_handed_over_just_as_the_load_ends_is_missed(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms())
    run.user()
    gevent.sleep(0)
    due = Due(Draw(0, 0.0, None, None), now_ns())
    run.arrivals._hand(due)  # the switch to the user is under way
    run.arrivals.close()
    assert (run.begun, run.missed) == ([], [])
    gevent.sleep(0.01)

    assert (run.begun, run.missed) == ([], [0])


def test_an_arrival_of_a_user_that_is_ended_before_it_begins_goes_to_another(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms(0, persona="sales_rep"))
    users = [run.user("sales_rep") for _ in range(2)]
    gevent.sleep(0)
    due = Due(Draw(0, 0.0, "sales_rep", None), now_ns())
    run.arrivals._hand(due)  # the switch to the first user is under way
    users[0].kill(block=False)
    gevent.sleep(0.01)

    assert run.begun == [0]
    assert users[0].dead
    assert not users[1].dead


def test_a_user_that_is_ended_while_idle_is_handed_nothing(watch: Callable[..., Watched]) -> None:
    run = watch(after_ms(5))
    first, _ = run.user(), run.user()
    gevent.sleep(0)
    first.kill()
    run.start()
    until(lambda: run.begun == [0])


@pytest.mark.costly
def test_a_burst_lets_others_run_and_loses_none(watch: Callable[..., Watched]) -> None:
    run = watch(after_ms(*[0.0] * 1000))
    for _ in range(3):
        run.user()
    turns = itertools.count()

    def other() -> None:
        while True:
            next(turns)
            gevent.sleep(0)

    run.spawn(other)
    run.start()
    while len(run.begun) < 1000:
        gevent.sleep(0)

    assert run.begun == list(range(1000))
    assert next(turns) >= 10


def test_an_arrival_that_comes_earlier_than_it_did_is_not_slept_over(
    watch: Callable[..., Watched],
) -> None:
    slow = Span(stage=0, level=1, before=1, start_s=0, ramped_s=0, hold_s=0, end_s=60)
    run = watch(after_ms(1))  # a whole second at one a second: then, a hundredth at a hundred
    run.arrivals.reschedule(Schedule(warmup_s=0.0, spans=(slow,), unit="arrivals/s"))
    run.user()
    run.start()
    gevent.sleep(0.01)
    assert run.begun == []
    run.arrivals.reschedule(schedule())
    until(lambda: run.begun == [0], patience_s=0.6)


def test_a_schedule_that_is_extended_moves_what_has_not_come_yet(
    watch: Callable[..., Watched],
) -> None:
    run = watch(after_ms(1, 30), end_s=0.02)
    run.user()
    run.start()
    gevent.sleep(0.04)
    assert run.begun == [0], "the second one lies beyond the end"

    before = schedule(0.02).spans[0]
    later = replace(before, stage=1, start_s=0.06, ramped_s=0.06, hold_s=0.06, end_s=1.0)
    idle = replace(before, level=0.0, start_s=0.02, ramped_s=0.02, hold_s=0.02, end_s=0.06)
    run.arrivals.reschedule(Schedule(warmup_s=0.0, spans=(before, idle, later)))
    until(lambda: len(run.begun) == 2)

    assert run.begun == [0, 1]
    assert run.late == []
