"""The master process from start to end: it deals users out, and sends nothing itself.

::

    supervisor                          master                       generators
        │  plan ───────────────────────> │  load users, listen             │
        │ <──────── listening(port) ──── │                                 │
        │  connect(port) ────────────────┼───────────────────────────────> │
        │ <────────────────── ready ──── │ <─────────────── all are there ─│
        │  start(origin) ──────────────> │  users by the schedule ───────> │
        │  dismiss ────────────────────> │ <───────────── last reports ─── │
        │ <────────────────── ended ──── │  exit                           │
"""

from __future__ import annotations

import os
import secrets
from typing import Any

import gevent
import gevent.event
import locust
from locust.env import Environment

from loadtests.generator.clock import Alarm, now_ns
from loadtests.generator.control import Control
from loadtests.generator.distribution import listen
from loadtests.generator.driver import Driver
from loadtests.generator.guard import Guard
from loadtests.generator.journal import Journal
from loadtests.generator.leaving import leave_by, refusing_to_leave
from loadtests.generator.plan import Plan
from scenarios.schedule import plan as schedule_of

_POLL_S = 0.01
_QUIET_S = 0.1
_QUITTING_S = 1.0


class MasterProcess:
    """The master of several generator processes.

    Parameters
    ----------
    control : Control
        Line to the supervisor.
    plan : Plan
        What the supervisor says.
    """

    def __init__(self, control: Control, plan: Plan) -> None:
        self._control = control
        self._plan = plan
        self._journal = Journal(plan.folder, None, self._cannot_write)
        self._why = "finished"
        self._asked_to_stop = False
        self._dismissed = gevent.event.Event()
        Guard(plan.allow, self._host_refused).install()
        classes, options = plan.users(lambda *_: None)  # the generators warn
        load = plan.asked.load
        self._environment = Environment(
            user_classes=classes,
            events=locust.events,
            host=plan.base_url,
            stop_timeout=plan.asked.drain_s,
            parsed_options=options,
        )
        key = secrets.token_hex(16)
        self._runner = listen(self._environment, key, plan.processes)
        self._runner.asked_to_stop = self._locustfile_stops
        pool = load.max_users if load.is_open else None
        self._driver = Driver(schedule_of(plan.asked), self._runner.start, Alarm(), pool)
        self._environment.events.request.add_listener(self._request)
        control.send("listening", port=self._runner.server.port, key=key)

    def begin(self) -> None:
        """Let the locustfile's listeners begin.

        Raises
        ------
        LocustfileError
            When one of them ends the process.
        """
        with refusing_to_leave("init"):
            self._environment.events.init.fire(
                environment=self._environment, runner=self._runner, web_ui=None
            )
        leave_by(lambda _: self._locustfile_stops())

    def run(self) -> None:
        """Wait for the generators, deal users out by the schedule, until dismissed."""
        while self._runner.worker_count < self._plan.processes:
            gevent.sleep(_POLL_S)  # the supervisor ends us when one does not come
        self._control.send("ready", pid=os.getpid(), monotonic_ns=now_ns())
        origin_ns = self._control.await_start()
        if origin_ns is None:
            return
        self._journal.origin_ns = origin_ns
        driving = gevent.spawn(self._drive, origin_ns)
        listening = gevent.spawn(self._listen, driving)
        self._dismissed.wait()
        gevent.killall([driving, listening])
        self._close()

    def _drive(self, origin_ns: int) -> None:
        self._driver.run(origin_ns)
        self._runner.settle()

    def _listen(self, driving: gevent.Greenlet) -> None:
        while True:
            order = self._control.receive()
            if order is None:
                os._exit(1)  # the supervisor is gone: the generators notice it too
            if order["kind"] == "extend":
                self._driver.extend(int(order["stage"]), float(order["by_s"]))
            elif order["kind"] == "stop":
                driving.kill()
                self._runner.settle()
            elif order["kind"] == "dismiss":
                self._dismissed.set()

    def _close(self) -> None:
        """Take the last reports, tell the locustfile's listeners, and say how it ended."""
        self._runner.settle()
        reports = -1
        while reports != self._environment.stats.total.num_requests:
            reports = self._environment.stats.total.num_requests
            gevent.sleep(_QUIET_S)  # all who sent have ended: their reports wait in the socket
        for telling in (self._runner.finish, self._tell_quitting):
            gevent.spawn(telling).join(timeout=_QUITTING_S)
        self._journal.event("master_closed", engine_statistics=reports)
        self._control.send("ended", why=self._why, load_ended_s=None)

    def _tell_quitting(self) -> None:
        self._environment.events.quitting.fire(environment=self._environment, reverse=True)

    # what is told

    def _locustfile_stops(self) -> None:
        """Hand on that a locustfile ends the test here: the supervisor ends it everywhere."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self._control.send("stop_asked", why="stopped_by_locustfile")

    def _request(self, **_: Any) -> None:
        self._journal.warn(
            "unrecorded_requests",
            "the locustfile sent requests in the master process: they are in no sample",
        )

    def _host_refused(self, host: str) -> None:
        self._control.send("host_refused", host=host)
        self._control.send("stop_asked", why="host_refused")

    def _cannot_write(self, error: BaseException) -> None:
        self._control.send("fault", message=f"events cannot be written: {error}")
        os._exit(1)
