"""The supervisor: starts target and generator, watches both, ends everything it started.

It never imports the engine. A crash of a generator or of the target is an event
of the run, not the end of the tool.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from analysis.recording.format import TIMELINE
from loadtests import cores as core_shares
from loadtests import crm, environment
from loadtests.folder import RunFolder
from loadtests.line import Line
from loadtests.processes import Child, python
from loadtests.refusals import raise_not_allowed, raise_refusal
from loadtests.resources import Watch
from loadtests.tail import Tail
from loadtests.target import Target, reach_url
from loadtests.wall_clock import WallClock
from scenarios.errors import ExitCode, LocustfileError, TrueloadError
from scenarios.model import Scenario
from scenarios.schedule import Schedule, plan

_POLL_S = 0.05
_READY_S = 60.0
_CLOCK_LOOKS = 5
_START_IN_S = 0.2
_END_GRACE_S = 5.0


class Progress(Protocol):
    """Shows a run while it goes on."""

    def say(self, text: str) -> None:
        """Say what is being prepared."""

    def begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        """Load begins."""

    def second(self, line: dict[str, Any]) -> None:
        """Take a line of the timeline."""

    def end(self) -> None:
        """Load has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line asks for beside the scenario.

    Attributes
    ----------
    parent : Path
        Where the run folder is made.
    allow : tuple of str
        Hosts beside loopback that scenario and command line both allow.
    folder : Path
        The scenario's folder: relative locustfiles are looked for there.
    meanwhile : callable
        Called while the generator loads its users: what takes its time and is
        needed after the run.
    """

    parent: Path
    allow: tuple[str, ...]
    folder: Path
    meanwhile: Callable[[], object] = lambda: None


class Interrupted(TrueloadError):  # noqa: N818 - reads as what happened
    """Ctrl-C before there was any load."""

    exit_code = ExitCode.INTERRUPTED


class Supervisor:
    """One run of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    order : Order
        What the command line asks for.
    progress : Progress
        Shows it.
    """

    def __init__(self, scenario: Scenario, order: Order, progress: Progress) -> None:
        self._scenario = scenario
        self._order = order
        self._progress = progress
        self._schedule = plan(scenario)
        self._interrupts = 0
        self._origin_ns = 0
        self._why: str | None = None
        self._load_ended_s: float | None = None
        self._refused_host: str | None = None

    def run(self) -> Path:
        """Run the scenario.

        Returns
        -------
        Path
            The run folder, with samples not yet consolidated.

        Raises
        ------
        TrueloadError
            When nothing could be sent, or load went where it may not; a folder
            of a run that never began is removed.
        """
        with self._signals():
            dataset = self._prepare_dataset()
            self._stop_if_interrupted()
            folder = RunFolder(self._order.parent, self._scenario.name, datetime.now(UTC))
            try:
                self._load(folder, dataset)
            except TrueloadError:
                if self._origin_ns == 0:
                    shutil.rmtree(folder.path, ignore_errors=True)
                raise
        if self._refused_host is not None:
            raise_not_allowed(self._refused_host, folder.path)
        return folder.path

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self._interrupt)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupts += 1

    # before the load

    def _stop_if_interrupted(self) -> None:
        """Stop where nothing was sent yet.

        Raises
        ------
        Interrupted
            After Ctrl-C.
        """
        if self._interrupts:
            raise Interrupted("interrupted before any load was sent")

    def _prepare_dataset(self) -> crm.Dataset | None:
        if self._scenario.target.app is None:
            return None
        customers = self._scenario.target.customers
        self._progress.say(f"populating the CRM with {customers:,} customers")
        try:
            return crm.find_dataset(self._scenario)
        except TrueloadError:
            self._stop_if_interrupted()  # Ctrl-C reached the seeding too
            raise

    def _load(self, folder: RunFolder, dataset: crm.Dataset | None) -> None:
        workers = self._scenario.target.workers if dataset is not None else 0
        cores = core_shares.share(workers, 1)
        if dataset is None:
            system: Target = reach_url(self._scenario)
        else:
            self._progress.say("starting the CRM")
            try:
                system = crm.start_crm(self._scenario, dataset, folder.path, cores.target)
            except TrueloadError:
                self._stop_if_interrupted()  # Ctrl-C reached the copying too
                raise
        line = Line()
        generator: Child | None = None
        try:
            generator = self._start_generator(folder, line, system, cores)
            self._order.meanwhile()
            ready = self._await(generator, line, "ready")
            ready["clock"] = self._compare_clocks(generator, line)
            self._describe(folder, system, cores, ready)
            self._drive(folder, system, generator, line)
        finally:
            if generator is not None:
                generator.kill()
            line.close()
            system.stop()
        self._close(folder)

    def _start_generator(
        self, folder: RunFolder, line: Line, system: Target, cores: core_shares.Cores
    ) -> Child:
        generator = Child(
            python("-m", "loadtests.generator.main", str(line.remote.fileno())),
            log=folder.path / "generator.log",
            cores=cores.generator,
            environment=_accounts_by_name(system),
            fds=[line.remote.fileno()],
        )
        line.remote.close()
        line.send(
            kind="plan",
            process=0,
            run=folder.short_id,
            folder=str(folder.path),
            scenario=dict(self._scenario.raw),
            scenario_name=self._scenario.source,
            scenario_folder=str(self._order.folder),
            base_url=system.base_url,
            allow=list(self._order.allow),
            rows=system.rows,
            accounts=None if system.accounts is None else str(system.accounts),
        )
        return generator

    def _compare_clocks(self, generator: Child, line: Line) -> dict[str, object]:
        """Bracket a reading of the generator's clock between two of ours.

        Processes of one machine share CLOCK_MONOTONIC: the offset is 0, and the
        reading shows within which bounds that is seen.
        """
        readings = []
        for _ in range(_CLOCK_LOOKS):
            before_ns = time.monotonic_ns()
            line.send(kind="clock")
            seen_ns = int(self._await(generator, line, "clock")["monotonic_ns"])
            after_ns = time.monotonic_ns()
            readings.append((after_ns - before_ns, before_ns <= seen_ns <= after_ns))
        width_ns, shared = min(readings)
        return {"offset_us": 0, "uncertainty_us": round(width_ns / 2000, 1), "shared": shared}

    def _await(self, generator: Child, line: Line, kind: str) -> dict[str, Any]:
        """Wait for a message of the generator, which loads its users first.

        Raises
        ------
        TrueloadError
            When it ends.
        LocustfileError
            When it takes too long.
        """
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            for message in line.receive():
                if message["kind"] == kind:
                    return message
                raise_refusal(message)
            self._stop_if_interrupted()
            if generator.exit_code() is not None:
                raise TrueloadError("the generator ended before it was ready: see its log")
            line.wait(_POLL_S)
        raise LocustfileError(f"the users were not loaded within {_READY_S:g} s")

    def _describe(
        self,
        folder: RunFolder,
        system: Target,
        cores: core_shares.Cores,
        ready: dict[str, Any],
    ) -> None:
        folder.manifest |= {
            "scenario": dict(self._scenario.raw),
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "target": {**system.facts, "cores": cores.as_dict()["target"]},
            "environment": environment.fingerprint(),
            "tags": environment.tags(),
            "seeds": {"dataset": self._scenario.target.seed, "users": self._scenario.target.seed},
            "group": None,
            "role": None,
            "sequence": None,
            "generators": [
                {
                    "process": 0,
                    "pid": ready["pid"],
                    "clock": ready["clock"],
                    "cores": cores.as_dict()["generator"],
                }
            ],
        }
        folder.write_manifest()

    # during the load

    def _drive(self, folder: RunFolder, system: Target, generator: Child, line: Line) -> None:
        self._origin_ns = time.monotonic_ns() + round(_START_IN_S * 1e9)
        line.send(kind="start", origin_ns=self._origin_ns)
        folder.event(0.0, "run_started")
        roots = {"generator": generator.pid}
        if system.server is not None:
            roots["target"] = system.server
        watch = Watch(folder.path, roots)
        self._progress.begin(self._scenario, self._schedule, folder.path)
        tail = Tail(folder.path / TIMELINE)
        clock, next_second = WallClock(), 1.0
        give_up_s = self._schedule.end_s + self._scenario.drain_s + _END_GRACE_S
        while generator.exit_code() is None:
            self._hear(line)
            t_s = self._now_s()
            if self._why is None:
                self._look(folder, system, line, t_s)
            if self._why is not None:
                give_up_s = min(give_up_s, t_s + self._scenario.drain_s + _END_GRACE_S)
            if t_s > give_up_s or self._interrupts > 1:
                break
            if t_s >= next_second:
                next_second = float(int(t_s) + 1)
                watch.write(t_s)
                clock.look(folder, t_s)
                for timeline_line in tail.lines():
                    self._progress.second(timeline_line)
            time.sleep(_POLL_S)
        self._hear(line)
        for timeline_line in tail.lines():
            self._progress.second(timeline_line)
        self._progress.end()
        self._mind_a_lost_generator(folder)

    def _mind_a_lost_generator(self, folder: RunFolder) -> None:
        """Note a generator that ended without saying so."""
        if self._load_ended_s is not None:
            return
        self._load_ended_s = self._now_s()
        self._why = "generator_lost" if self._why is None else self._why
        if self._interrupts < 2:  # noqa: PLR2004 - at the second Ctrl-C it was us
            folder.event(self._load_ended_s, "generator_lost", process=0)

    def _now_s(self) -> float:
        return (time.monotonic_ns() - self._origin_ns) / 1e9

    def _hear(self, line: Line) -> None:
        for message in line.receive():
            if message["kind"] == "ended":
                self._why = self._why or str(message["why"])
                self._load_ended_s = float(message["load_ended_s"])
            elif message["kind"] == "host_refused":
                self._refused_host = str(message["host"])
            elif message["kind"] == "fault":
                self._progress.say(str(message["message"]))

    def _look(self, folder: RunFolder, system: Target, line: Line, t_s: float) -> None:
        """Notice an interrupt or the loss of the target, and have the load end."""
        if self._interrupts:
            self._why = "interrupted"
        elif system.lost():
            self._why = "target_lost"
        else:
            return
        folder.event(t_s, self._why)
        line.send(kind="stop", why=self._why)

    # after the load

    def _close(self, folder: RunFolder) -> None:
        folder.event(self._now_s(), "run_ended", why=self._why)
        folder.manifest["end"] = {
            "load_ended_s": self._load_ended_s,
            "why": self._why,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        folder.write_manifest()


def _accounts_by_name(system: Target) -> dict[str, str]:
    """Variable by which a locustfile finds the accounts; the personas are told."""
    return {} if system.accounts is None else {"TRUELOAD_ACCOUNTS": str(system.accounts)}
