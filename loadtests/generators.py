"""The generator processes of a run, as the supervisor sees them.

One process, or several under the engine's master::

    supervisor ── line ──> master      shares the users out, sends nothing itself
               ── line ──> generator 0 ┐ each with its own stream, accounts and
               ── line ──> generator 1 ┘ timeline lines; all follow one schedule

A process that ends without having said so is lost: the others go on.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.cores import Cores, named
from loadtests.line import Line, wait_for_any
from loadtests.processes import Child, python
from loadtests.refusals import raise_ended_early, raise_not_ready, raise_refusal

READY_S = 60.0
"""A locustfile may take so long to load."""

_READY_EACH_S = 2.0
_POLL_S = 0.05
_CLOCK_LOOKS = 5
_MASTER_END_S = 3.0


@dataclass(slots=True, kw_only=True)
class Generator:
    """One generator process.

    Attributes
    ----------
    process : int or None
        Its number; None for the master, which sends no load.
    child : Child
        The process.
    line : Line
        To it.
    cores : frozenset of int or None
        Those that it may use.
    clock : dict
        How far its clock is from ours.
    end : dict or None
        What it said at its end.
    lost : bool
        Whether it ended without a word.
    heard_s : float or None
        When its last line came, in seconds of run time.
    silent_since_s : float or None
        The same, while it writes no line although it should.
    """

    process: int | None
    child: Child
    line: Line
    cores: frozenset[int] | None
    clock: dict[str, object] = field(default_factory=dict)
    end: dict[str, Any] | None = None
    lost: bool = False
    heard_s: float | None = None
    silent_since_s: float | None = None
    _said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def role(self) -> str:
        """``"generator"`` or ``"master"``."""
        return "master" if self.process is None else "generator"

    @property
    def ended(self) -> str | None:
        """How the process ended, in words; None while it runs."""
        code = self.child.exit_code()
        if code is None:
            return None
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def describe(self) -> dict[str, object]:
        """Describe it as the manifest does."""
        return {
            "process": self.process,
            "pid": self.child.pid,
            "clock": self.clock,
            "cores": named(self.cores),
        }

    def hear(self) -> list[dict[str, Any]]:
        """Take the messages that have come; what it says of its end is noted."""
        said, self._said = [*self._said, *self.line.receive()], []
        for message in said:
            if message["kind"] == "ended":
                self.end = message
        return said

    def has_said_it_ends(self) -> bool:
        """Whether a process that has ended said so: its last words may only just have come."""
        self._said += self.line.receive()
        return self.end is not None or any(said["kind"] == "ended" for said in self._said)

    def take(self, kind: str) -> dict[str, Any] | None:
        """Take a message of a kind if it has come; the others wait.

        Raises
        ------
        UsageError
            When the generator refuses to begin.
        """
        self._said += self.line.receive()
        for message in self._said:
            raise_refusal(message)
            if message["kind"] == kind:
                self._said.remove(message)
                return message
        return None


class Generators:
    """All generator processes of a run.

    Parameters
    ----------
    count : int
        Processes that send load; more than one get a master beside them.
    cores : Cores
        Which of them gets which.
    folder : Path
        The run folder: their log lies there.
    environment : mapping of str to str
        Added to the supervisor's.
    """

    def __init__(
        self, count: int, *, cores: Cores, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._log = folder / "generator.log"
        self._environment = environment
        self._cores = cores
        self._count = count
        self.master: Generator | None = None
        self.senders: list[Generator] = []

    @property
    def all(self) -> list[Generator]:
        """Every process, the master first."""
        return [*([self.master] if self.master else []), *self.senders]

    # before the load

    def start(self, plan: Mapping[str, object]) -> None:
        """Start the processes, all at once: each loads its users first.

        Parameters
        ----------
        plan : mapping
            What every process is told.
        """
        if self._count > 1:
            self.master = self._start(None, self._cores.generator, plan)
        for process in range(self._count):
            self.senders.append(self._start(process, self._cores.of_generator(process), plan))

    def _start(
        self, process: int | None, cores: frozenset[int] | None, plan: Mapping[str, object]
    ) -> Generator:
        line = Line()
        child = Child(
            python("-m", "loadtests.generator.main", str(line.remote.fileno())),
            log=self._log,
            cores=cores,
            environment=self._environment,
            fds=[line.remote.fileno()],
        )
        line.remote.close()
        alone = cores is not None
        line.send(kind="plan", process=process, processes=self._count, alone=alone, **plan)
        return Generator(process=process, child=child, line=line, cores=cores)

    def await_ready(self, look: Callable[[], None]) -> None:
        """Wait until every process has loaded its users, then compare the clocks.

        Parameters
        ----------
        look : callable
            Called now and then; raises to give up.

        Raises
        ------
        TrueloadError
            When a process refuses, ends, or takes too long.
        """
        if self.master is not None:
            told = self._await([self.master], "listening", look)[0]
            for generator in self.senders:
                generator.line.send(kind="connect", port=told["port"], key=told["key"])
        self._await(self.all, "ready", look)
        for generator in self.all:
            generator.clock = self._compare_clocks(generator, look)

    def _await(
        self, generators: list[Generator], kind: str, look: Callable[[], None]
    ) -> list[dict[str, Any]]:
        """Wait for a message of each of some processes.

        Raises
        ------
        TrueloadError
            When any process refuses, ends, or takes too long.
        """
        ready_s = max(READY_S, _READY_EACH_S * self._count)
        deadline = time.monotonic() + ready_s
        told: dict[int, dict[str, Any]] = {}
        while True:
            for generator in self.all:
                ended = generator.ended  # looked at first: its last words come before its end
                message = generator.take(kind)
                if message is not None:
                    told[id(generator)] = message
                elif ended is not None and id(generator) not in told:
                    raise_ended_early(ended, self._log)
            if all(id(generator) in told for generator in generators):
                return [told[id(generator)] for generator in generators]
            if time.monotonic() > deadline:
                raise_not_ready(ready_s, [g.process for g in generators if id(g) not in told])
            look()
            wait_for_any([generator.line for generator in self.all], _POLL_S)

    def _compare_clocks(self, generator: Generator, look: Callable[[], None]) -> dict[str, object]:
        """Bracket a reading of a generator's clock between two of ours.

        Processes of one machine share CLOCK_MONOTONIC: the offset is 0, and the
        reading shows within which bounds that is seen.
        """
        readings = []
        for _ in range(_CLOCK_LOOKS):
            before_ns = time.monotonic_ns()
            generator.line.send(kind="clock")
            (told,) = self._await([generator], "clock", look)
            seen_ns, after_ns = int(told["monotonic_ns"]), time.monotonic_ns()
            readings.append((after_ns - before_ns, before_ns <= seen_ns <= after_ns))
        width_ns, shared = min(readings)
        return {"offset_us": 0, "uncertainty_us": round(width_ns / 2000, 1), "shared": shared}

    def describe(self) -> dict[str, object]:
        """Describe the processes as the manifest does: those that send load, and their master."""
        master = {} if self.master is None else {"generators_master": self.master.describe()}
        return {"generators": [generator.describe() for generator in self.senders], **master}

    # during the load

    def tell(self, kind: str, **message: object) -> None:
        """Send one message to every process."""
        for generator in self.all:
            generator.line.send(kind=kind, **message)

    def hear(self) -> list[dict[str, Any]]:
        """Take what the processes have said since the last time."""
        return [message for generator in self.all for message in generator.hear()]

    def newly_lost(self) -> list[Generator]:
        """Find the processes that have ended without a word since the last look."""
        gone = [each for each in self.all if not each.lost and each.ended is not None]
        lost = [each for each in gone if not each.has_said_it_ends()]
        for generator in lost:
            generator.lost = True
        return lost

    @property
    def sending(self) -> bool:
        """Whether a process that sends load still runs."""
        return any(generator.ended is None for generator in self.senders)

    def dismiss_master(self) -> None:
        """Let the master end, which waits for the others' last reports."""
        if self.master is not None and self.master.ended is None:
            self.master.line.send(kind="dismiss")
            self.master.child.wait(_MASTER_END_S)
            self.master.hear()

    def kill(self) -> None:
        """End every process, now, and close the lines."""
        for generator in self.all:
            generator.child.kill()
            generator.line.close()
