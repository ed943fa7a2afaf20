"""What can go wrong, and with which exit code.

::

    TrueloadError                 1   Trueload itself failed
    ├── InvalidRuns              96   runs that were not valid cannot be compared
    └── UsageError                2   bad usage or configuration: nothing was sent
        ├── ScenarioError         2   mistakes in a scenario, all of them together
        ├── TargetError           2   the target cannot be started or reached
        ├── HostNotAllowed        2   load to a host that nobody allowed
        ├── LocustfileError       2   a locustfile that cannot be loaded
        ├── RunFolderError        2   a folder that is no run, or of a newer format
        └── NotComparable         2   runs that differ in more than what is compared
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes by meaning; 99 is k6's for a broken threshold."""

    PASSED = 0
    FAULT = 1
    USAGE = 2
    INVALID = 96
    INCONCLUSIVE = 97
    REGRESSED = 98
    FAILED = 99
    INTERRUPTED = 130


class TrueloadError(Exception):
    """Root of everything that Trueload raises on purpose.

    Parameters
    ----------
    message : str
        Where it happened, what was found, what is allowed.
    hint : str, optional
        What to do next.
    """

    exit_code: ExitCode = ExitCode.FAULT

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidRuns(TrueloadError):  # noqa: N818 - reads as what was found
    """Runs that are to be compared were not valid: the load was not delivered, or not seen."""

    exit_code = ExitCode.INVALID


class UsageError(TrueloadError):
    """The command or the configuration is wrong; nothing was sent."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake in a scenario: where, what was found, what is allowed."""

    where: str
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: found {self.found}; allowed: {self.allowed}"


class ScenarioError(UsageError):
    """A scenario has mistakes; all of them are listed.

    Parameters
    ----------
    name : str
        The scenario's file or name.
    mistakes : sequence of Mistake
        At least one.
    hint : str, optional
        What to do next, where it is not to mend the file.
    """

    def __init__(self, name: str, mistakes: Sequence[Mistake], *, hint: str | None = None) -> None:
        self.mistakes = tuple(mistakes)
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        super().__init__(
            f"{name} has {count}; nothing was sent\n{lines}",
            hint=hint or f"mend and check with: trueload validate {name}",
        )


class TargetError(UsageError):
    """The target cannot be started, or nobody listens where it should be."""


class HostNotAllowed(UsageError):  # noqa: N818 - reads as what happened
    """Load was about to go to a host that is neither loopback nor allowed."""


class LocustfileError(UsageError):
    """A locustfile is missing, does not load, or holds no users."""


class RunFolderError(UsageError):
    """A folder is no run, or was written by a newer Trueload."""


class NotComparable(UsageError):  # noqa: N818 - reads as what was found
    """Runs differ in more than what is compared: load, data or machine."""
