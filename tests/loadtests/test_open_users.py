"""Users of the open model: each task waits for an arrival, whatever set of tasks it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from locust import SequentialTaskSet, TaskSet, User, constant, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests.generator.arrivals import Arrivals, Due
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import VirtualUser
from loadtests.generator.open_users import OpenUsers
from scenarios.arrivals import Draw
from scenarios.schedule import Schedule, Span

NEVER = 1e18


class Noted:
    """What the recorder is told."""

    def __init__(self) -> None:
        self.begun: list[str | None] = []
        self.over = 0

    def begin_transaction(
        self, user: VirtualUser, intended_ns: int | None, click: str | None = None
    ) -> None:
        user.step = 0
        user.intended_ns = intended_ns
        if intended_ns is None:
            self.over += 1
        else:
            self.begun.append(click)


class Bench:
    """One virtual user, and arrivals that are handed to it one by one."""

    def __init__(self, user_class: type[Somebody], *, personas: bool = False) -> None:
        span = Span(stage=0, level=1, before=1, start_s=0, ramped_s=0, hold_s=0, end_s=1)
        self.missed: list[int] = []
        self.log: list[str] = []
        self.noted = Noted()
        self.known = VirtualUser(0, None, -1)
        self.arrivals = Arrivals(
            iter([Draw(0, NEVER, None, None)]),
            Schedule(warmup_s=0.0, spans=(span,)),
            patience_s=10.0,
            missed=lambda due: self.missed.append(due.drawn.number),
            late=lambda _: None,
        )
        self.users = OpenUsers(
            self.arrivals,
            self.noted,  # type: ignore[arg-type]
            user_of=lambda _: self.known,
            at_work=lambda _: None,
            personas=personas,
        )
        self.users.install()
        environment = Environment(user_classes=[user_class], catch_exceptions=True)
        self.user = user_class(environment)
        self.user.bench = self
        self.greenlet = gevent.spawn(self.user.run)
        gevent.sleep(0)

    def send(self, what: str) -> None:
        """Stand for a request of a task."""
        self.known.step += 1
        self.log.append(what)

    def arrive(self, number: int, persona: str | None = None, step: str | None = None) -> None:
        self.arrivals._hand(Due(Draw(number, 0.0, persona, step), now_ns()))
        for _ in range(5):
            gevent.sleep(0)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    """Make benches; the engine is as it was afterwards."""
    monkeypatch.setattr(TaskSet, "execute_next_task", TaskSet.execute_next_task)
    monkeypatch.setattr(TaskSet, "wait", TaskSet.wait)
    made: list[Bench] = []

    def make(user_class: type[Somebody], **options: Any) -> Bench:
        made.append(Bench(user_class, **options))
        return made[-1]

    yield make
    gevent.killall([each.greenlet for each in made])


class Somebody(User):
    """A user that knows its bench."""

    abstract = True
    bench: Bench


class Plain(Somebody):
    wait_time = constant(1000)

    @task
    def only(self) -> None:
        self.bench.send("only")


def test_each_arrival_is_one_task_and_think_times_are_not_used(
    bench: Callable[..., Bench],
) -> None:
    run = bench(Plain)
    assert run.log == []

    run.arrive(0)
    run.arrive(1)
    assert run.log == ["only", "only"]
    assert run.noted.begun == [None, None]
    assert run.noted.over == 2, "answers that the task has not judged will not be"


def test_a_user_that_waits_for_an_arrival_can_be_ended(bench: Callable[..., Bench]) -> None:
    run = bench(Plain)

    assert run.user._state == "waiting"
    run.user._group = SimpleNamespace(killone=lambda greenlet: greenlet.kill())
    run.user._greenlet = run.greenlet
    assert run.user.stop()
    assert run.greenlet.dead


class Nested(Somebody):
    wait_time = constant(1000)

    @task
    class Outer(TaskSet):
        def on_start(self) -> None:
            self.user.bench.log.append("come in")  # type: ignore[attr-defined]

        @task
        class Inner(SequentialTaskSet):
            @task
            def first(self) -> None:
                self.user.bench.send("first")  # type: ignore[attr-defined]

            @task
            def leave(self) -> None:
                self.interrupt()


def test_tasks_in_sets_of_sets_take_an_arrival_each(bench: Callable[..., Bench]) -> None:
    run = bench(Nested)
    assert run.log == ["come in"], "no arrival is needed to come into a set of tasks"

    run.arrive(0)
    assert run.log == ["come in", "first"]
    run.arrive(1)  # "leave" sends nothing: what follows it does what was asked for
    assert run.log == ["come in", "first", "first"]
    run.arrive(2)
    assert run.log == ["come in", "first", "first", "first"]
    assert run.missed == []


class Raising(Somebody):
    wait_time = constant(1000)

    @task
    def raises(self) -> None:
        self.bench.log.append("raises")
        raise ValueError("of the locustfile")


def test_a_task_that_raises_has_used_its_arrival(bench: Callable[..., Bench]) -> None:
    run = bench(Raising)
    run.arrive(0)
    run.arrive(1)

    assert run.log == ["raises", "raises"]
    assert run.missed == []


class FailsToStart(Somebody):
    wait_time = constant(1000)

    @task
    class Broken(TaskSet):
        def on_start(self) -> None:
            self.user.bench.log.append("start")  # type: ignore[attr-defined]
            raise ValueError("of the locustfile")

        @task
        def never(self) -> None: ...


@pytest.mark.costly
def test_a_set_of_tasks_that_only_fails_does_not_spin(bench: Callable[..., Bench]) -> None:
    run = bench(FailsToStart)
    gevent.sleep(0.12)

    assert 1 <= len(run.log) <= 4


class Persona(Somebody):
    persona_name = "sales_rep"

    @task
    def click(self) -> None:
        raise AssertionError("the arrival says what is done")

    def perform(self, step: str) -> None:
        if step == "refused":
            raise StopUser
        self.bench.send(step)


def test_a_persona_does_the_step_that_arrived(bench: Callable[..., Bench]) -> None:
    run = bench(Persona, personas=True)
    run.arrive(0, "sales_rep", "search")

    assert run.log == ["search"]
    assert run.noted.begun == ["search"]


def test_a_click_that_sent_nothing_was_missed(bench: Callable[..., Bench]) -> None:
    run = bench(Persona, personas=True)
    run.arrive(7, "sales_rep", "refused")

    assert run.missed == [7]


class Sleeping(Somebody):
    wait_time = constant(1000)

    @task
    def sleeps(self) -> None:
        gevent.sleep(0.02)
        if self.bench.arrivals.closed:
            raise StopUser  # as the client does when the load has ended
        self.bench.send("late")


def test_an_arrival_whose_task_had_sent_nothing_when_the_load_ended_is_missed(
    bench: Callable[..., Bench],
) -> None:
    run = bench(Sleeping)
    run.arrive(3)
    run.users.close()
    run.greenlet.join(timeout=1)

    assert run.log == []
    assert run.missed == [3]
