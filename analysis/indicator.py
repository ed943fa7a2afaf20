"""A row of the scorecard: what was expected, what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.decision import Verdict
from analysis.estimate import Estimate
from scenarios.assertions import Metric
from scenarios.model import NOBODY, Expectation

AVAILABILITY = "stability.availability"
RESPONSE_TIME = "stability.response_time"
USER_GROWTH = "scalability.user_growth"
DATA_GROWTH = "scalability.data_growth"
EXTENSION = "scalability.functional_extension"

CRITERIA = (AVAILABILITY, RESPONSE_TIME, USER_GROWTH, DATA_GROWTH, EXTENSION)
"""In the order in which they are shown."""

_NEXT = {
    (AVAILABILITY, Verdict.FAILED): "find the first outage or error among the events and failures",
    (RESPONSE_TIME, Verdict.FAILED): "see where the time goes at the deciding stage",
    (USER_GROWTH, Verdict.FAILED): "find the limit with: trueload capacity",
}
_NEXT_OF_METRIC = {
    (Metric.RECOVERY_TIME, Verdict.FAILED): "follow the target's log from the end of the fault on",
    (Metric.RECOVERY_TIME, Verdict.INCONCLUSIVE): "disturb it, and run on for ten windows after it",
    (Metric.CAPACITY, Verdict.INCONCLUSIVE): "add a stage above",
}
_NEXT_ANYWHERE = {
    Verdict.PASSED: "keep",
    Verdict.INCONCLUSIVE: "measure longer: load.extend, or a longer hold",
    Verdict.INVALID: "mend the run first",
    Verdict.UNJUDGED: "state an expectation in [budgets]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A row of the scorecard.

    Attributes
    ----------
    criterion : str
        One of :data:`CRITERIA`.
    indicator : str
        What was measured.
    expected : str or None
        In words; None where nobody stated an expectation.
    expectation : Expectation
        Whose it is, and where it comes from.
    actual : Estimate
        With its interval.
    difference : float or None
        In the unit of `actual`; positive is worse than expected.
    difference_percent : float or None
        The same in per cent of what was expected; None where that was nothing.
    verdict : str
        As a budget shows it.
    next : str
        What to do now.
    """

    criterion: str
    indicator: str
    actual: Estimate
    expected: str | None = None
    expectation: Expectation = NOBODY
    difference: float | None = None
    difference_percent: float | None = None
    verdict: str = str(Verdict.UNJUDGED)
    next: str = _NEXT_ANYWHERE[Verdict.UNJUDGED]

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "criterion": self.criterion,
            "indicator": self.indicator,
            "expected": self.expected,
            "owner": self.expectation.owner,
            "source": self.expectation.source,
            "actual": self.actual.as_dict(),
            "difference": self.difference,
            "difference_percent": self.difference_percent,
            "unit": self.actual.unit,
            "verdict": self.verdict,
            "next": self.next,
        }


def next_action(criterion: str, verdict: str, metric: Metric | None = None) -> str:
    """Say what to do about a row.

    Parameters
    ----------
    criterion : str
        One of :data:`CRITERIA`.
    verdict : str
        As a budget shows it.
    metric : Metric, optional
        Of the budget that it is a row of.

    Returns
    -------
    str
        In the imperative.
    """
    if verdict == "warned":
        verdict = str(Verdict.FAILED)
    known = Verdict(verdict)
    if metric is not None and (metric, known) in _NEXT_OF_METRIC:
        return _NEXT_OF_METRIC[metric, known]
    return _NEXT.get((criterion, known)) or _NEXT_ANYWHERE.get(known, "see the report")
