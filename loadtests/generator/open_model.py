"""The open model in one generator process: its share of the arrivals, and who takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from locust import User
from locust.runners import WorkerRunner

from analysis.recording.format import Outcome
from loadtests.generator.arrivals import Arrivals, Due
from loadtests.generator.hooks import Hooks
from loadtests.generator.open_users import OpenUsers
from loadtests.generator.sending import Sending
from scenarios.arrivals import click_shares, draws, pool_sizes
from scenarios.model import Scenario
from scenarios.schedule import Schedule


class OpenModel:
    """Arrivals of clicks, whether or not anybody was answered.

    Parameters
    ----------
    scenario : Scenario
        Of the open model.
    schedule : Schedule
        As it is planned.
    sending : Sending
        What requests are sent with, and where they are noted.
    hooks : Hooks
        Know which greenlets are users at work.
    process, processes : int
        Number of this generator process, and how many there are.
    """

    def __init__(
        self,
        scenario: Scenario,
        schedule: Schedule,
        sending: Sending,
        hooks: Hooks,
        *,
        process: int,
        processes: int,
    ) -> None:
        load = scenario.load
        self._personas = scenario.personas
        self._process = process
        self._recorder = sending.recorder
        shares = click_shares(scenario)
        self._pools = pool_sizes(load, shares, process=process, processes=processes)
        self._arrivals = Arrivals(
            draws(load, shares, scenario.load_seed, shard=process, shards=processes),
            schedule,
            patience_s=load.timeout_s,
            missed=self._missed,
            late=self._late,
        )
        self._users = OpenUsers(
            self._arrivals,
            self._recorder,
            user_of=sending.user_of,
            at_work=hooks.at_work,
            personas=bool(load.mix),
        )

    @property
    def users(self) -> int:
        """Virtual users of this process: there from the beginning to the end."""
        return sum(self._pools.values())

    def install(self, warn: Callable[[str, str], None]) -> None:
        """Make the engine's users wait for arrivals.

        Parameters
        ----------
        warn : callable
            Called with a warning's kind and its text.
        """
        self._users.install()
        if not self._personas and self._process == 0:  # one of them is enough to say so
            warn(
                "wait_time_not_used",
                "open model: each task of the locustfile waits for an arrival, and its wait_time "
                "is not used",
            )

    def keep_pools(self, runner: WorkerRunner, classes: list[type[User]]) -> None:
        """Have a worker of the engine run its own pools, whatever its master shares out.

        The master deals users out one by one, and may leave a worker without a persona
        whose arrivals come there too.

        Parameters
        ----------
        runner : WorkerRunner
            Of this process.
        classes : list of type
            The personas'; a locustfile's users are dealt out by the master.
        """
        if not self._personas:
            return
        original = runner.start_worker
        counts = {users.__name__: users.fixed_count for users in classes}

        def start_worker(_counts: dict[str, int], **options: Any) -> None:
            original(counts, **options)

        runner.start_worker = start_worker  # type: ignore[method-assign, assignment]

    def start(self, origin_ns: int) -> list[gevent.Greenlet]:
        """Follow the schedule from its origin.

        Parameters
        ----------
        origin_ns : int
            On the monotonic clock.

        Returns
        -------
        list of Greenlet
            They run for ever.
        """
        return [
            gevent.spawn(self._arrivals.run, origin_ns),
            gevent.spawn(self._arrivals.give_up_for_ever),
        ]

    def reschedule(self, schedule: Schedule) -> None:
        """Go on with a schedule that is the same up to now."""
        self._arrivals.reschedule(schedule)

    def close(self) -> None:
        """End the load: what has come due and was not begun is missed."""
        self._users.close()

    def _late(self, _due: Due) -> None:
        self._recorder.late_arrivals += 1

    def _missed(self, due: Due) -> None:
        persona, step = due.drawn.persona, due.drawn.step
        method = endpoint = None
        if persona is not None and step is not None:
            method, endpoint = self._personas[persona].steps[step].requests[0].split(" ", 1)
        self._recorder.missed(
            None,
            persona,
            step,
            due.due_ns,
            method=method,
            endpoint=endpoint,
            outcome=self._recorder.cut_off(due.due_ns, Outcome.MISSED),
        )
