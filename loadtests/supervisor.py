"""The supervisor: starts target and generator, watches both, ends everything it started.

It never imports the engine. A crash of a generator or of the target is an event
of the run, not the end of the tool.
"""

from __future__ import annotations

import math
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
from typing import Any, NoReturn, Protocol

from analysis.out_folder import check_parent
from analysis.recording.format import TIMELINE
from loadtests import cores as core_shares
from loadtests import crm, environment
from loadtests.acting import acting
from loadtests.folder import RunFolder
from loadtests.generators import Generators
from loadtests.hearing import Hearing, Silence
from loadtests.refusals import raise_cannot_write, raise_not_allowed
from loadtests.resources import Watch
from loadtests.run_watch import EverySecond, RunState, Watcher
from loadtests.tail import Tail
from loadtests.target import Target, reach_url
from loadtests.watchers import Clocks, Display, Interrupts, LossOfTarget, Resources
from scenarios.errors import ExitCode, TrueloadError
from scenarios.model import Scenario
from scenarios.schedule import Schedule, plan

_POLL_S = 0.05
_START_IN_S = 0.2
_END_GRACE_S = 5.0

MOST_PROCESSES = 64
"""Generator processes of a run."""


class Progress(Protocol):
    """Shows a run while it goes on."""

    def say(self, text: str) -> None:
        """Say what is being prepared."""

    def begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        """Load begins."""

    def second(self, line: dict[str, Any], schedule: Schedule) -> None:
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
    processes : int
        Generator processes that share the load.
    """

    parent: Path
    allow: tuple[str, ...]
    folder: Path
    processes: int = 1
    meanwhile: Callable[[], object] = lambda: None


class Interrupted(TrueloadError):  # noqa: N818 - reads as what happened
    """Ctrl-C outside the load: while a run is prepared, or while it is judged."""

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
        self._why = "finished"
        self._load_ended_s: float | None = None
        self._stopped_s: float | None = None

    def run(self) -> Path:
        """Run the scenario.

        Returns
        -------
        Path
            The run folder, with samples not yet consolidated.

        Raises
        ------
        TrueloadError
            When nothing could be sent, load went where it may not, or samples could
            not be written; a folder of a run that never began is removed.
        """
        check_parent(self._order.parent)  # before what takes its time
        with self._signals():
            dataset = self._prepare_dataset()
            self._stop_if_interrupted()
            folder = RunFolder(self._order.parent, self._scenario.name, datetime.now(UTC))
            try:
                hearing = self._load(folder, dataset)
            except TrueloadError:
                if self._origin_ns == 0:
                    shutil.rmtree(folder.path, ignore_errors=True)
                raise
            except OSError as error:
                self._cannot_write(folder, error)
        if hearing.refused_host is not None:
            raise_not_allowed(hearing.refused_host, folder.path)
        if hearing.fault is not None:
            raise TrueloadError(
                f"{folder.path}: {hearing.fault}; allowed: a disk that takes every sample",
                hint="make room, or name another folder with --out; what was recorded until then "
                f"can be read with: trueload check {folder.path}",
            )
        return folder.path

    def _cannot_write(self, folder: RunFolder, error: OSError) -> NoReturn:
        """Say so; a folder of a run that never began is removed."""
        if self._origin_ns:
            raise_cannot_write(error, folder.path, is_kept=True)
        shutil.rmtree(folder.path, ignore_errors=True)
        raise_cannot_write(error, self._order.parent, is_kept=False)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
            numbers.append(signal.SIGHUP)  # the terminal was closed
        before = {number: signal.signal(number, self._interrupt) for number in numbers}
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

    def _load(self, folder: RunFolder, dataset: crm.Dataset | None) -> Hearing:
        workers = self._scenario.target.workers if dataset is not None else 0
        cores = core_shares.share(workers, self._order.processes)
        if dataset is None:
            system: Target = reach_url(self._scenario)
        else:
            self._progress.say("starting the CRM")
            try:
                system = crm.start_crm(self._scenario, dataset, folder.path, cores.target)
            except TrueloadError:
                self._stop_if_interrupted()  # Ctrl-C reached the copying too
                raise
        generators = Generators(
            self._order.processes,
            cores=cores,
            folder=folder.path,
            environment=_accounts_by_name(system),
        )
        try:
            generators.start(self._plan(folder, system))
            self._order.meanwhile()
            generators.await_ready(self._stop_if_interrupted)
            self._describe(folder, system, cores, generators)
            hearing = self._drive(folder, system, generators)
            generators.kill()  # whatever they have recorded is on disk
            self._audit(folder, system)
        finally:
            generators.kill()
            system.stop()
        self._close(folder)
        return hearing

    def _plan(self, folder: RunFolder, system: Target) -> dict[str, object]:
        return {
            "run": folder.short_id,
            "folder": str(folder.path),
            "scenario": dict(self._scenario.raw),
            "scenario_name": self._scenario.source,
            "scenario_folder": str(self._order.folder),
            "base_url": system.base_url,
            "allow": list(self._order.allow),
            "rows": system.rows,
            "accounts": None if system.accounts is None else str(system.accounts),
        }

    def _describe(
        self, folder: RunFolder, system: Target, cores: core_shares.Cores, generators: Generators
    ) -> None:
        folder.manifest |= {
            "scenario": dict(self._scenario.raw),
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "target": {**system.facts, "cores": core_shares.named(cores.target)},
            "environment": environment.fingerprint(),
            "tags": environment.tags(),
            "seeds": {"dataset": self._scenario.target.seed, "users": self._scenario.load_seed},
            "group": None,
            "role": None,
            "sequence": None,
            **generators.describe(),
        }
        folder.write_manifest()

    # during the load

    def _drive(self, folder: RunFolder, system: Target, generators: Generators) -> Hearing:
        self._origin_ns = time.monotonic_ns() + round(_START_IN_S * 1e9)
        run = RunState(
            scenario=self._scenario,
            folder=folder,
            target=system,
            generators=generators,
            origin_ns=self._origin_ns,
            schedule=self._schedule,
            say=self._progress.say,
        )
        generators.tell("start", origin_ns=self._origin_ns)
        run.event(0.0, "run_started")
        try:
            self._progress.begin(self._scenario, self._schedule, folder.path)
            hearing = self._watch(run, generators)
        finally:
            self._progress.end()  # else a terminal stays without its cursor
        self._why, self._load_ended_s = hearing.conclude(hurried=self._interrupts > 1)
        return hearing

    def _watch(self, run: RunState, generators: Generators) -> Hearing:
        """Watch the load until it ends."""
        watchers, hearing = self._watchers(run.folder.path, run.target), Hearing(run)
        tail = Tail(run.folder.path / TIMELINE)
        try:
            while generators.sending and not self._is_too_late(run):
                hearing.listen()
                run.lines = list(tail.lines())
                for watcher in watchers:
                    watcher.look(run, run.now_s())
                time.sleep(_POLL_S)
        finally:
            for watcher in watchers:
                watcher.close(run)
        generators.dismiss_master()
        hearing.listen()
        for line in tail.lines():
            self._progress.second(line, run.schedule)
        return hearing

    def _watchers(self, folder: Path, system: Target) -> list[Watcher]:
        """List who looks at the run."""
        return [
            *acting(self._scenario, system, folder, self._order.processes),
            Interrupts(lambda: self._interrupts),
            LossOfTarget(),
            EverySecond(Resources(Watch(folder))),
            EverySecond(Clocks()),
            Silence(),
            Display(self._progress),
        ]

    def _is_too_late(self, run: RunState) -> bool:
        """Tell whether the generators have had their time to end."""
        t_s = run.now_s()
        if run.why is not None:
            self._stopped_s = t_s if self._stopped_s is None else self._stopped_s
        end_s = min(run.schedule.end_s, self._stopped_s or math.inf)
        return t_s > end_s + self._scenario.drain_s + _END_GRACE_S or self._interrupts > 1

    # after the load

    def _audit(self, folder: RunFolder, system: Target) -> None:
        """Ask what the target has stored, while it is there."""
        from loadtests.goodput import PATIENCE_S, audit  # noqa: PLC0415 - not needed under load

        if self._interrupts < 2:  # noqa: PLR2004 - at the second Ctrl-C nobody waits
            if system.accounts is not None and not system.lost():
                self._progress.say(
                    "asking the CRM which writes it has stored; "
                    f"for at most {PATIENCE_S:g} s, unless it keeps answering"
                )
            audit(folder.path, system, self._scenario, interrupts=lambda: self._interrupts)

    def _close(self, folder: RunFolder) -> None:
        now_s = (time.monotonic_ns() - self._origin_ns) / 1e9
        folder.event(now_s, "run_ended", why=self._why)
        folder.manifest["end"] = {
            "load_ended_s": self._load_ended_s,
            "why": self._why,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        folder.write_manifest()


def _accounts_by_name(system: Target) -> dict[str, str]:
    """Variable by which a locustfile finds the accounts; the personas are told."""
    return {} if system.accounts is None else {"TRUELOAD_ACCOUNTS": str(system.accounts)}
