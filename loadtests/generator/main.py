"""A generator process from start to end.

::

    supervisor                          generator
        │  plan ───────────────────────────> │  load users, open the stream
        │ <─────────────────────── ready ──  │
        │  start(origin) ──────────────────> │  warm-up, stages
        │  stop(why) ──────────────────────> │  (interrupt, target lost)
        │ <─────────── ended(why), closed ─  │  drain, last batch, exit
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from argparse import Namespace
from typing import Any, NoReturn

import gevent
import gevent.event
import locust
from locust import User
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import LocalRunner

from loadtests.counted_budgets import counted_budgets
from loadtests.generator.client import LoadUser
from loadtests.generator.clock import Alarm, LagMonitor, now_ns
from loadtests.generator.control import Control
from loadtests.generator.distribution import Worker, connect
from loadtests.generator.driver import Driver
from loadtests.generator.guard import Guard
from loadtests.generator.hooks import Hooks
from loadtests.generator.journal import Journal
from loadtests.generator.leaving import leave_by, refusing_to_leave
from loadtests.generator.master import MasterProcess
from loadtests.generator.observer import Observer
from loadtests.generator.open_files import allow_many
from loadtests.generator.open_model import OpenModel
from loadtests.generator.outcomes import CleanFormatter, clean_error
from loadtests.generator.plan import Plan
from loadtests.generator.priority import go_first
from loadtests.generator.proxies import forget_proxies
from loadtests.generator.reaper import Reaper
from loadtests.generator.recorder import Recorder
from loadtests.generator.sending import Sending
from loadtests.generator.starts import Starts
from loadtests.generator.statistics import BulkStatistics, bound
from loadtests.permission import headers_of
from scenarios.errors import TrueloadError
from scenarios.schedule import plan as schedule_of

_STOP_GRACE_S = 1.0
_MAX_USER_ERRORS = 50
_POLL_S = 0.05


class Generator:
    """One generator process.

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
        self._process = plan.process or 0
        self._folder = plan.folder
        self._scenario = plan.asked
        self._schedule = schedule_of(self._scenario)
        self._ended = gevent.event.Event()
        self._why = "finished"
        self._hurried = False
        self._user_errors: dict[str, int] = {}
        self._journal = Journal(self._folder, self._process, self._recorder_failed)
        self._alarm = Alarm()
        self._recorder = Recorder(
            self._folder,
            self._process,
            self._scenario.drain_s,
            self._recorder_failed,
            counted_budgets(self._scenario),
        )
        self._guard = Guard(plan.allow, self._host_refused)
        self._guard.install()
        self._sending = Sending(
            recorder=self._recorder,
            guard=self._guard,
            events=locust.events,
            base_url=plan.base_url,
            prefix=f"{plan.run}-{self._process}-",
            headers=headers_of(self._scenario),
            timeout_s=self._scenario.load.timeout_s,
            connect_timeout_s=self._scenario.load.connect_timeout_s,
            warn=self._journal.warn,
            event=self._journal.event,
            ca=self._scenario.target.ca,
        )
        self._hooks = Hooks(self._sending, self._alarm)
        self._hooks.install()
        LoadUser.sending = self._sending
        self._open = self._open_model()
        classes, options = plan.users(self._journal.warn)
        if self._open is not None:
            self._open.install(self._journal.warn)
        self._environment = self._make_environment(classes, options)
        self._runner = self._make_runner(classes)
        pool = None if self._open is None else self._open.users
        self._driver = Driver(self._schedule, self._set_users, self._alarm, pool)
        self._lag = LagMonitor()

    def _open_model(self) -> OpenModel | None:
        if not self._scenario.load.is_open:
            return None
        return OpenModel(
            self._scenario,
            self._schedule,
            self._sending,
            self._hooks,
            process=self._process,
            processes=self._plan.processes,
        )

    def _make_environment(
        self, classes: list[type[User]], options: Namespace | None
    ) -> Environment:
        environment = Environment(
            user_classes=classes,
            events=locust.events,
            host=self._plan.base_url,
            stop_timeout=self._scenario.drain_s,
            parsed_options=options,
        )
        # first of all listeners: what others do must not be taken for the target's time
        environment.events.request._handlers.insert(0, self._hooks.on_request)
        bound(environment.stats)
        self._recorder.feed(BulkStatistics(environment.stats))
        environment.events.test_stopping.add_listener(self._engine_stops)
        environment.events.user_error.add_listener(self._user_error)
        return environment

    def _make_runner(self, classes: list[type[User]]) -> LocalRunner | Worker:
        """Run users alone, or under a master that deals them out to several processes."""
        if self._plan.processes == 1:
            return self._environment.create_local_runner()
        told = self._control.await_order("connect")
        if told is None:
            sys.exit(1)  # the supervisor is gone
        port, key = int(told["port"]), str(told["key"])
        worker = connect(self._environment, port=port, key=key, process=self._process)
        worker.master_lost = lambda: self._end("master_lost")
        if self._open is not None:
            self._open.keep_pools(worker, classes)
        return worker

    # while it runs

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
        leave_by(self._locustfile_leaves)

    def run(self) -> None:
        """Report ready, wait for the start, follow the schedule, end."""
        # What was imported is here to stay. Collecting it again and again would stop the event
        # loop for tens of milliseconds each time, in the middle of the load.
        gc.collect()
        gc.freeze()
        self._control.send("ready", pid=os.getpid(), monotonic_ns=now_ns())
        origin_ns = self._control.await_start()
        if origin_ns is None:
            return
        self._recorder.origin_ns = self._journal.origin_ns = origin_ns
        self._sending.recording = True
        observer = Observer(
            self._folder,
            self._process,
            recorder=self._recorder,
            lag=self._lag,
            moment=lambda t_ns: self._driver.moment(origin_ns, t_ns),
            running=lambda: self._runner.user_count,
            starting=self._hooks.count_starting,
            is_open=self._scenario.load.is_open,
        )
        starts = Starts(self._hooks.starting, self._journal.warn)
        for endless in (self._lag.run, Reaper(self._sending).run, starts.run, self._listen):
            gevent.spawn(endless).link_exception(self._broke)
        for scheduling in self._open.start(origin_ns) if self._open is not None else ():
            scheduling.link_exception(self._broke)
        flushing = gevent.spawn(self._recorder.flush_for_ever)
        watching = gevent.spawn(observer.run, origin_ns, self._alarm)
        driving = gevent.spawn(self._drive, origin_ns)
        driving.link_exception(self._broke)
        for recording in (flushing, watching):
            recording.link_exception(lambda greenlet: self._recorder_failed(greenlet.exception))
        self._ended.wait()
        load_ended_ns = now_ns()
        driving.kill()  # else it would ask for users while they are being stopped
        self._drain()
        gevent.killall([flushing, watching])
        self._write_last(observer, origin_ns)
        self._close((load_ended_ns - origin_ns) / 1e9)

    def _write_last(self, observer: Observer, origin_ns: int) -> None:
        try:
            observer.write(origin_ns)
        except OSError as error:
            self._recorder_failed(error)

    def _drive(self, origin_ns: int) -> None:
        self._driver.run(origin_ns)
        self._end("finished")

    def _set_users(self, users: int, rate: float) -> None:
        if isinstance(self._runner, LocalRunner):  # else the master does it
            self._runner.start(users, rate)

    def _listen(self) -> None:
        while True:
            order = self._control.receive()
            if order is None:
                self._hurried = True
                self._end("supervisor_lost")
                return
            if order["kind"] == "stop":
                self._hurried |= order["why"] == "interrupted"
                self._end(str(order["why"]))
            elif order["kind"] == "extend":
                schedule = self._driver.extend(int(order["stage"]), float(order["by_s"]))
                if self._open is not None:
                    self._open.reschedule(schedule)

    def _engine_stops(self, **_: Any) -> None:
        """Notice a locustfile that ends the test by itself."""
        self._end("stopped_by_locustfile")

    def _locustfile_leaves(self, error: BaseException) -> None:
        """End the test where a task, or a listener, calls ``sys.exit``."""
        self._user_error(error)
        self._end("stopped_by_locustfile")

    def _end(self, why: str) -> None:
        if not self._ended.is_set():
            self._why = why
            self._ended.set()

    def _broke(self, greenlet: gevent.Greenlet) -> None:
        self._end("generator_failed")
        why = clean_error(greenlet.exception) or "unknown"
        self._journal.event("generator_lost", reason=why)
        self._journal.warn("generator_error", f"the generator failed: {why}")

    # at the end

    def _drain(self) -> None:
        """Start nothing new, follow open requests, then stop the users.

        The engine's own stop may never return (a task that swallows
        GreenletExit, an on_stop that asks a hung server): it gets a deadline.
        """
        deadline = now_ns() + round(self._drain_s() * 1e9)
        self._recorder.cut_short = self._hurried
        self._hooks.close()
        if self._open is not None:
            self._open.close()
        while self._recorder.in_flight and now_ns() < deadline and not self._hurried:
            gevent.sleep(_POLL_S)
        self._recorder.cut_short = self._hurried  # by a Ctrl-C while we waited, too
        self._recorder.leave_open([])
        self._environment.stop_timeout = _STOP_GRACE_S
        gevent.spawn(self._runner.stop).join(timeout=_STOP_GRACE_S + 0.5)
        self._recorder.leave_open(self._sending.users)
        quitting = self._environment.events.quitting.fire
        telling = gevent.spawn(quitting, environment=self._environment, reverse=True)
        telling.join(timeout=_STOP_GRACE_S)

    def _drain_s(self) -> float:
        return min(self._scenario.drain_s, 1.0 if self._why == "target_lost" else 1e9)

    def _close(self, load_ended_s: float) -> None:
        for text, count in self._user_errors.items():
            self._journal.event("user_error", text=text, count=count)
        if self._recorder.too_many_endpoints:
            self._journal.warn(
                "too_many_endpoints", "more than 1,000 endpoints: the rest is '(other)'"
            )
        if locust.log.unhandled_greenlet_exception:  # the engine writes it there, and goes on
            text = "a listener of the locustfile failed: generator.log says which, and where"
            self._journal.warn("listener_failed", text)
        rows = self._recorder.close()
        self._journal.event(
            "stream_closed",
            rows=rows,
            requests=self._recorder.requests,
            missed=self._recorder.missed_arrivals,
            client_requests=self._sending.asked,
            engine_requests=self._engine_requests(),
            engine_statistics=self._engine_statistics(),
        )
        self._control.send("ended", why=self._why, load_ended_s=load_ended_s)

    def _engine_statistics(self) -> int | None:
        """Read the engine's own statistics; those of several processes are the master's."""
        if isinstance(self._runner, LocalRunner):
            return int(self._environment.stats.total.num_requests)
        self._runner.send_last_report()
        return None

    def _engine_requests(self) -> int | None:
        """Count what the engine's events told; its own statistics may be cleared.

        Less those that came when the row was written, and those that the engine never
        told of. None where it heard from our own client alone: that would be our own
        count again.
        """
        recorder, hooks = self._recorder, self._hooks
        if hooks.told or (recorder.own and not hooks.judgements):
            return None
        return hooks.judgements + recorder.unreported - recorder.judged_late + recorder.own

    # what is told

    def _user_error(self, exception: BaseException, **_: Any) -> None:
        if isinstance(exception, StopUser):
            return
        text = clean_error(exception) or "unknown"
        if text in self._user_errors or len(self._user_errors) < _MAX_USER_ERRORS:
            self._user_errors[text] = self._user_errors.get(text, 0) + 1

    def _host_refused(self, host: str) -> None:
        if self._why != "host_refused":
            self._journal.event("host_refused", host=host)
            self._control.send("host_refused", host=host)
            self._end("host_refused")

    def _recorder_failed(self, error: BaseException) -> NoReturn:
        self._control.send("fault", message=f"samples cannot be written: {error}")
        os._exit(1)


def main() -> None:
    """Run the process: ``python -m loadtests.generator.main FD``."""
    handler = logging.StreamHandler()
    handler.setFormatter(CleanFormatter("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("locust.runners").setLevel(logging.ERROR)  # its advice on spawn rates
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to handle
    allow_many()
    forget_proxies(os.environ)
    control = Control(int(sys.argv[1]))
    order = control.receive()
    if order is None:
        return
    plan = Plan.of(order)
    if plan.alone:
        go_first()
    kind = MasterProcess if plan.process is None else Generator
    try:
        process: MasterProcess | Generator = kind(control, plan)
        process.begin()
    except TrueloadError as error:
        control.send(
            "refused",
            error=type(error).__name__,
            message=error.message,
            hint=error.hint,
            exit_code=int(error.exit_code),
        )
    else:
        process.run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads or greenlets a locustfile left behind


if __name__ == "__main__":
    main()
