"""A verdict, and a decision: a verdict with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from analysis.estimate import Estimate


class Verdict(StrEnum):
    """What can be said; a run that is not valid has none of the others."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
    UNJUDGED = "unjudged"


_PRECEDENCE = (
    Verdict.INVALID,
    Verdict.FAILED,
    Verdict.INCONCLUSIVE,
    Verdict.PASSED,
)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Combine verdicts: invalid, else failed, else inconclusive, else passed.

    Parameters
    ----------
    verdicts : iterable of Verdict
        In any order.

    Returns
    -------
    Verdict
        Unjudged when there is none, or nothing else.
    """
    found = set(verdicts)
    return next((verdict for verdict in _PRECEDENCE if verdict in found), Verdict.UNJUDGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict on one assertion, in one hold or over a run.

    Attributes
    ----------
    verdict : Verdict
        Passed, failed or inconclusive.
    measured : Estimate
        What the assertion speaks of.
    share_beyond : Estimate or None
        Share of latencies beyond the limit: what decides a percentile. Its ends are
        one-sided 95 % bounds.
    why : str or None
        In words, where the numbers alone do not say it.
    unanswered : bool
        Whether requests were sent and none of them answered well.
    silent : bool
        Whether, in addition, none was answered at all: no refusal, no error.
    """

    verdict: Verdict
    measured: Estimate
    share_beyond: Estimate | None = None
    why: str | None = None
    unanswered: bool = False
    silent: bool = False
