"""Drift: whether a measure moved over a run, and what that comes to in an hour."""

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
class Drift:
    """How a measure moved over the run up to its required load.

    Attributes
    ----------
    metric : str
        As budgets name series: ``"p(95)"``, ``"throughput"``, ``"memory"``, ...
    subject : str
        Endpoint or ``"all"``.
    slope_per_h : Estimate
        Growth in an hour, relative to the level it started from: a ratio.
    verdict : Verdict
        Passed where no drift was seen that matters, failed, or inconclusive.
    why : str or None
        In words.
    """

    metric: str
    subject: str
    slope_per_h: Estimate
    verdict: Verdict
    why: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "metric": self.metric,
            "subject": self.subject,
            "slope_per_h": self.slope_per_h.as_dict(),
            "verdict": str(self.verdict),
            "why": self.why,
        }


def drifts_of(_recording: Recording) -> tuple[Drift, ...]:
    """Look at the series of a run for drift.

    Returns
    -------
    tuple of Drift
        None by this version.
    """
    return ()


def judge_drift(assertion: Assertion, _subject: str, _drifts: Sequence[Drift]) -> Decision:
    """Decide an assertion about a drift.

    Parameters
    ----------
    assertion : Assertion
        Of the metric drift.

    Returns
    -------
    Decision
        Inconclusive by this version.
    """
    why = f"{assertion.metric} is not judged by this version"
    measured = not_estimable(why, unit=unit_of(assertion))
    return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
