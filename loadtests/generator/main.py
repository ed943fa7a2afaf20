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

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import gevent
import gevent.event
import locust
from locust.env import Environment
from locust.exception import StopUser

from analysis.recording.format import EVENTS
from analysis.recording.writer import LineFile
from loadtests.counted_budgets import counted_budgets
from loadtests.generator.client import LoadUser
from loadtests.generator.clock import Alarm, LagMonitor, now_ns
from loadtests.generator.control import Control
from loadtests.generator.driver import Driver
from loadtests.generator.guard import Guard
from loadtests.generator.hooks import Hooks
from loadtests.generator.locustfile import default_options, load_users
from loadtests.generator.observer import Observer
from loadtests.generator.open_model import OpenModel
from loadtests.generator.outcomes import CleanFormatter, clean_error
from loadtests.generator.personas import persona_users
from loadtests.generator.reaper import Reaper
from loadtests.generator.recorder import Recorder
from loadtests.generator.sending import Sending
from loadtests.generator.starts import Starts
from loadtests.generator.statistics import BulkStatistics, bound
from loadtests.permission import headers_of
from scenarios.errors import TrueloadError
from scenarios.loading import parse_scenario
from scenarios.model import Scenario
from scenarios.schedule import plan

_STOP_GRACE_S = 1.0
_MAX_USER_ERRORS = 50
_POLL_S = 0.05


class Generator:
    """One generator process.

    Parameters
    ----------
    control : Control
        Line to the supervisor.
    order : dict
        The supervisor's plan: run, process, folder, scenario, scenario_folder,
        base_url, allow, accounts, rows.
    """

    def __init__(self, control: Control, order: dict[str, Any]) -> None:
        self._control = control
        self._process = int(order["process"])
        self._folder = Path(order["folder"])
        self._base_url = str(order["base_url"])
        self._scenario = _scenario(order)
        self._schedule = plan(self._scenario)
        self._ended = gevent.event.Event()
        self._why = "finished"
        self._warned: set[str] = set()
        self._user_errors: dict[str, int] = {}
        self._events = LineFile(self._folder / EVENTS)
        self._alarm = Alarm()
        self._recorder = Recorder(
            self._folder,
            self._process,
            self._scenario.drain_s,
            self._recorder_failed,
            counted_budgets(self._scenario),
        )
        self._guard = Guard(order["allow"], self._host_refused)
        self._guard.install()
        self._sending = Sending(
            recorder=self._recorder,
            guard=self._guard,
            events=locust.events,
            base_url=self._base_url,
            prefix=f"{order['run']}-{self._process}-",
            headers=headers_of(self._scenario),
            timeout_s=self._scenario.load.timeout_s,
            connect_timeout_s=self._scenario.load.connect_timeout_s,
            warn=self._warn,
            ca=self._scenario.target.ca,
        )
        self._hooks = Hooks(self._sending, self._alarm)
        self._hooks.install()
        LoadUser.sending = self._sending
        self._open = self._open_model()
        self._environment = self._make_environment(order)
        self._runner = self._environment.create_local_runner()
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
            self._alarm,
            process=self._process,
            processes=1,
        )

    def _make_environment(self, order: dict[str, Any]) -> Environment:
        load = self._scenario.load
        if load.locustfile is not None:
            users, has_shape = load_users(load.locustfile)
            if has_shape:
                self._warn("shape_not_used", "the locustfile's load shape is not used: stages are")
            options = default_options(self._base_url)
        else:
            users = list(
                persona_users(
                    self._scenario,
                    process=self._process,
                    run=order["run"],
                    accounts=Path(order["accounts"]),
                    rows=order["rows"],
                )
            )
            options = None
        if self._open is not None:
            self._open.install(users, self._warn)
        environment = Environment(
            user_classes=users,
            events=locust.events,
            host=self._base_url,
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

    # while it runs

    def run(self) -> None:
        """Report ready, wait for the start, follow the schedule, end."""
        self._environment.events.init.fire(
            environment=self._environment, runner=self._runner, web_ui=None
        )
        self._control.send("ready", pid=os.getpid(), monotonic_ns=now_ns())
        origin_ns = self._await_start()
        if origin_ns is None:
            return
        self._recorder.origin_ns = origin_ns
        self._sending.recording = True
        observer = Observer(
            self._folder,
            self._process,
            recorder=self._recorder,
            lag=self._lag,
            moment=lambda t_ns: self._driver.moment(origin_ns, t_ns),
            running=lambda: self._runner.user_count,
            starting=lambda: len(self._hooks.starting),
            is_open=self._scenario.load.is_open,
        )
        starts = Starts(self._hooks.starting, self._warn)
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

    def _await_start(self) -> int | None:
        """Answer the supervisor's looks at this clock until it gives the origin."""
        while (order := self._control.receive()) is not None:
            if order["kind"] == "start":
                return int(order["origin_ns"])
            if order["kind"] == "clock":
                self._control.send("clock", monotonic_ns=now_ns())
        return None

    def _drive(self, origin_ns: int) -> None:
        self._driver.run(origin_ns)
        self._end("finished")

    def _set_users(self, users: int, rate: float) -> None:
        self._runner.start(users, rate)

    def _listen(self) -> None:
        while True:
            order = self._control.receive()
            if order is None:
                self._end("supervisor_lost")
                return
            if order["kind"] == "stop":
                self._end(str(order["why"]))
            elif order["kind"] == "extend":
                self._extend(int(order["stage"]), float(order["by_s"]))

    def _extend(self, stage: int, by_s: float) -> None:
        """Hold a stage on for longer; arrivals go on as they were drawn."""
        self._schedule = self._schedule.extended(stage, by_s)
        self._driver.reschedule(self._schedule)
        if self._open is not None:
            self._open.reschedule(self._schedule)

    def _engine_stops(self, **_: Any) -> None:
        """Notice a locustfile that ends the test by itself."""
        self._end("stopped_by_locustfile")

    def _end(self, why: str) -> None:
        if not self._ended.is_set():
            self._why = why
            self._ended.set()

    def _broke(self, greenlet: gevent.Greenlet) -> None:
        self._end("generator_failed")
        why = clean_error(greenlet.exception) or "unknown"
        self._event("generator_lost", reason=why)
        self._warn("generator_error", f"the generator failed: {why}")

    # at the end

    def _drain(self) -> None:
        """Start nothing new, follow open requests, then stop the users.

        The engine's own stop may never return (a task that swallows
        GreenletExit, an on_stop that asks a hung server): it gets a deadline.
        """
        self._hooks.close()
        if self._open is not None:
            self._open.close()
        patience_s = 0.0 if self._why in {"interrupted", "supervisor_lost"} else self._drain_s()
        if patience_s == 0.0:
            self._recorder.cut_short = True
        deadline = now_ns() + round(patience_s * 1e9)
        while self._recorder.in_flight and now_ns() < deadline:
            gevent.sleep(_POLL_S)
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
            self._event("user_error", text=text, count=count)
        if self._recorder.too_many_endpoints:
            self._warn("too_many_endpoints", "more than 1,000 endpoints: the rest is '(other)'")
        rows = self._recorder.close()
        self._event(
            "stream_closed",
            rows=rows,
            requests=self._recorder.requests,
            missed=self._recorder.missed_arrivals,
            client_requests=self._sending.asked,
            engine_requests=self._engine_requests(),
            engine_statistics=self._environment.stats.total.num_requests,
        )
        self._control.send("ended", why=self._why, load_ended_s=load_ended_s)

    def _engine_requests(self) -> int | None:
        """Count what the engine's events told; its own statistics may be cleared.

        Less those that came when the row was written, and those that the engine never
        told of. None where we told it in bulk: that would be our own count again.
        """
        if self._recorder.own:
            return None
        recorder = self._recorder
        return self._hooks.judgements + recorder.unreported - recorder.judged_late

    # what is told

    def _event(self, kind: str, **event: object) -> None:
        t_s = round((now_ns() - self._recorder.origin_ns) / 1e9, 6)
        try:
            self._events.write({"t_s": t_s, "kind": kind, "process": self._process, **event})
        except OSError as error:
            self._recorder_failed(error)

    def _warn(self, kind: str, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._event("warning", code=kind, text=text)

    def _user_error(self, exception: BaseException, **_: Any) -> None:
        if isinstance(exception, StopUser):
            return
        text = clean_error(exception) or "unknown"
        if text in self._user_errors or len(self._user_errors) < _MAX_USER_ERRORS:
            self._user_errors[text] = self._user_errors.get(text, 0) + 1

    def _host_refused(self, host: str) -> None:
        if self._why != "host_refused":
            self._event("host_refused", host=host)
            self._control.send("host_refused", host=host)
            self._end("host_refused")

    def _recorder_failed(self, error: BaseException) -> NoReturn:
        self._control.send("fault", message=f"samples cannot be written: {error}")
        os._exit(1)


def _scenario(order: dict[str, Any]) -> Scenario:
    folder = Path(order["scenario_folder"])
    return parse_scenario(order["scenario"], name=order["scenario_name"], folder=folder)


def main() -> None:
    """Run the process: ``python -m loadtests.generator.main FD``."""
    handler = logging.StreamHandler()
    handler.setFormatter(CleanFormatter("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("locust.runners").setLevel(logging.ERROR)  # its advice on spawn rates
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to handle
    control = Control(int(sys.argv[1]))
    order = control.receive()
    if order is None:
        return
    try:
        generator = Generator(control, order)
    except TrueloadError as error:
        control.send(
            "refused",
            error=type(error).__name__,
            message=error.message,
            hint=error.hint,
            exit_code=int(error.exit_code),
        )
    else:
        generator.run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads or greenlets a locustfile left behind


if __name__ == "__main__":
    main()
