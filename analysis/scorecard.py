"""The scorecard: what was expected of a run, what it did, and what to do about the difference.

A row is one indicator of one criterion of CRM evaluation::

    stability     availability, response time
    scalability   user growth, data growth, functional extension

Every budget is a row, with whose expectation it is and where it comes from. A criterion
that this run says nothing of has a row that says so: what was not looked at is not fine.
The sign of a difference: positive is worse than expected, whatever the indicator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.budgets import limit_of
from analysis.capacity import Capacity
from analysis.decision import Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.judging import BudgetResult
from analysis.validity import Validity
from scenarios.assertions import Assertion, Metric
from scenarios.model import NOBODY, Expectation, Scenario, named

AVAILABILITY = "stability.availability"
RESPONSE_TIME = "stability.response_time"
USER_GROWTH = "scalability.user_growth"
DATA_GROWTH = "scalability.data_growth"
EXTENSION = "scalability.functional_extension"

CRITERIA = (AVAILABILITY, RESPONSE_TIME, USER_GROWTH, DATA_GROWTH, EXTENSION)
"""In the order in which they are shown."""

REQUIRED_SOURCE = "the scenario's required load"

_OF_METRIC = {
    Metric.ERROR_RATIO: AVAILABILITY,
    Metric.AVAILABILITY: AVAILABILITY,
    Metric.RECOVERY_TIME: AVAILABILITY,
    Metric.THROUGHPUT: USER_GROWTH,
    Metric.CAPACITY: USER_GROWTH,
}
"""Criterion of a budget by its metric; response time where nothing is said."""

_RESOURCES = frozenset({"memory", "files", "connections"})
"""Series whose drift ends in an outage."""

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


def scorecard(
    results: Sequence[BudgetResult],
    scenario: Scenario,
    *,
    availability: Estimate,
    p95: Estimate,
    capacity: Capacity,
    judged: bool,
    validity: Validity,
) -> list[Indicator]:
    """Lay what was measured beside what was expected.

    Parameters
    ----------
    results : sequence of BudgetResult
        Of all budgets.
    scenario : Scenario
        Its required load is an expectation too.
    availability, p95 : Estimate
        What is shown where no budget states an expectation.
    capacity : Capacity
        Of the run.
    judged : bool
        Whether any budget is judged in holds: else no load passes or fails.
    validity : Validity
        Of the run: an invalid one fulfils no expectation, and misses none but by requests
        of which none was answered well.

    Returns
    -------
    list of Indicator
        In the order of the criteria; at least one of each.
    """
    stated = [_stated(result, validity) for result in results]
    rows = [
        *stated,
        _growth(results, scenario, capacity, validity, judged=judged),
        *_not_assessed(scenario),
    ]
    if not any(row.criterion == AVAILABILITY for row in stated):
        rows.append(
            Indicator(
                criterion=AVAILABILITY, indicator="availability over time", actual=availability
            )
        )
    if not any(row.criterion == RESPONSE_TIME for row in stated):
        name = "p(95) of all requests, at the required load"
        rows.append(Indicator(criterion=RESPONSE_TIME, indicator=name, actual=p95))
    return sorted(rows, key=lambda row: CRITERIA.index(row.criterion))


def criterion_of(assertion: Assertion) -> str:
    """Name the criterion that an assertion speaks of.

    Parameters
    ----------
    assertion : Assertion
        Any.

    Returns
    -------
    str
        One of :data:`CRITERIA`.
    """
    if assertion.metric is Metric.DRIFT and assertion.series in _RESOURCES:
        return AVAILABILITY
    return _OF_METRIC.get(assertion.metric, RESPONSE_TIME)


def _stated(result: BudgetResult, validity: Validity) -> Indicator:
    assertion, budget = result.budget.assertion, result.budget
    criterion, actual = criterion_of(assertion), result.decision.measured
    subject = "" if budget.subject == "all" else f" of {budget.subject}"
    name = assertion.text.split(assertion.operator)[0].strip()
    verdict = _validly(result.shown, validity, unanswered=_unanswered(result))
    difference, percent = None, None
    if actual.value is not None:
        limit = limit_of(assertion)
        difference = actual.value - limit if assertion.upper else limit - actual.value
        percent = 100 * difference / limit if limit > 0 else None
    return Indicator(
        criterion=criterion,
        indicator=f"{name}{subject}",
        expected=f"{assertion.operator} {assertion.text.partition(assertion.operator)[2].strip()}",
        expectation=budget.expectation,
        actual=actual,
        difference=difference,
        difference_percent=percent,
        verdict=verdict,
        next=_next(criterion, verdict, assertion.metric),
    )


def _growth(
    results: Sequence[BudgetResult],
    scenario: Scenario,
    capacity: Capacity,
    validity: Validity,
    *,
    judged: bool,
) -> Indicator:
    actual, required = capacity.estimate(), scenario.load.required
    last, first = capacity.last_pass, capacity.first_fail
    verdict = Verdict.UNJUDGED
    if judged:
        verdict = Verdict.INCONCLUSIVE
        if last is not None and last >= required:
            verdict = Verdict.PASSED
        elif first is not None and first <= required:
            verdict = Verdict.FAILED
    unanswered = any(_unanswered(result) for result in results)
    shown = _validly(str(verdict), validity, unanswered=unanswered)
    difference = None if actual.value is None else required - actual.value
    return Indicator(
        criterion=USER_GROWTH,
        indicator=f"{capacity.unit} carried within the budgets",
        expected=f">= {named(required, capacity.unit)}",
        expectation=Expectation(owner=_common_owner(scenario), source=REQUIRED_SOURCE),
        actual=actual,
        difference=difference,
        difference_percent=None if difference is None else 100 * difference / required,
        verdict=shown,
        next=_next(USER_GROWTH, shown),
    )


def _common_owner(scenario: Scenario) -> str | None:
    """Whose the budgets are, where all that were written are one's."""
    owners = {budget.expectation.owner for budget in scenario.budgets if not budget.implied}
    return owners.pop() if len(owners) == 1 else None


def _not_assessed(scenario: Scenario) -> list[Indicator]:
    """Name the criteria that take several runs."""
    data, module = "one run has one volume of data", "one run has one set of modules"
    return [
        Indicator(
            criterion=DATA_GROWTH,
            indicator="growth of p(95) with the volume of data",
            actual=not_estimable(f"{data}: see a group of runs", method="log-log exponent"),
            next="trueload sweep data_growth",
        ),
        Indicator(
            criterion=EXTENSION,
            indicator="p(95) with a module switched on, against without",
            actual=not_estimable(f"{module}: see a comparison", method="ratio"),
            next=f"trueload duel {scenario.name} --base ... --candidate ...",
        ),
    ]


def _unanswered(result: BudgetResult) -> bool:
    """Whether it failed as no invalidity excuses."""
    return result.verdict is Verdict.FAILED and result.decision.unanswered


def _validly(verdict: str, validity: Validity, *, unanswered: bool) -> str:
    missed = verdict in {str(Verdict.FAILED), "warned"} and not unanswered
    if (verdict == Verdict.PASSED and validity.harmful) or (missed and validity.broken):
        return str(Verdict.INVALID)
    return verdict


def _next(criterion: str, verdict: str, metric: Metric | None = None) -> str:
    if verdict == "warned":
        verdict = str(Verdict.FAILED)
    known = Verdict(verdict)
    if metric is not None and (metric, known) in _NEXT_OF_METRIC:
        return _NEXT_OF_METRIC[metric, known]
    return _NEXT.get((criterion, known)) or _NEXT_ANYWHERE.get(known, "see the report")
