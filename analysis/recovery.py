"""Recovery: how long a system takes to be as before, after a fault or a spike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.budgets import unit_of
from analysis.decision import Decision, Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.recording.reader import Recording
from scenarios.assertions import Assertion


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What followed a disturbance.

    Attributes
    ----------
    what : str
        The disturbance in words: ``"freeze of the server"``, ``"spike to 500 users"``.
    start_s, end_s : float or None
        When it began and was over, in seconds of run time.
    recovery_time : Estimate
        Seconds from its beginning; a lower bound where it never recovered.
    """

    what: str
    start_s: float
    end_s: float | None
    recovery_time: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "what": self.what,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "recovery_time": self.recovery_time.as_dict(),
        }


def recoveries_of(_recording: Recording) -> tuple[Recovery, ...]:
    """Look at what followed each disturbance of a run.

    Returns
    -------
    tuple of Recovery
        None by this version.
    """
    return ()


def judge_recovery(assertion: Assertion, _recoveries: Sequence[Recovery]) -> Decision:
    """Decide an assertion about the time to recover.

    Parameters
    ----------
    assertion : Assertion
        Of the metric recovery_time.

    Returns
    -------
    Decision
        Inconclusive by this version.
    """
    why = f"{assertion.metric} is not judged by this version"
    measured = not_estimable(why, unit=unit_of(assertion))
    return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
