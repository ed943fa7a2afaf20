"""The scorecard: what was expected of a run, what it did, and what to do about the difference.

A row is one indicator of one criterion of CRM evaluation::

    stability     availability, response time
    scalability   user growth, data growth, functional extension

Every budget is a row, with whose expectation it is and where it comes from. A criterion
that this run says nothing of has a row that says so: what was not looked at is not fine.
The sign of a difference: positive is worse than expected, whatever the indicator.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.capacity import Capacity
from analysis.comparison import TOLERANCE
from analysis.data_growth import expected_growth
from analysis.decision import Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.functional_extension import at_most, tolerance_source
from analysis.indicator import (
    AVAILABILITY,
    CRITERIA,
    DATA_GROWTH,
    EXTENSION,
    RESPONSE_TIME,
    USER_GROWTH,
    Indicator,
    next_action,
)
from analysis.judging import BudgetResult
from analysis.limits import limit_of
from analysis.validity import Validity
from scenarios.assertions import Assertion, Metric
from scenarios.crm_options import EXTENSIONS
from scenarios.model import Expectation, Scenario, named

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

VOLUMES = (1, 3, 10)
"""Times as much data as the run had: three volumes, a decade apart."""


def scorecard(
    results: Sequence[BudgetResult],
    scenario: Scenario,
    *,
    availability: Estimate,
    p95: Estimate,
    capacity: Capacity,
    judged: bool,
    validity: Validity,
    called: str,
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
    called : str
        What a command calls the scenario by.

    Returns
    -------
    list of Indicator
        In the order of the criteria; at least one of each.
    """
    stated = [_stated(result, validity) for result in results]
    rows = [
        *stated,
        _growth(results, scenario, capacity, validity, judged=judged),
        *of_several_runs(scenario, called),
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
        next=next_action(criterion, verdict, assertion.metric),
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
        expectation=Expectation(owner=scenario.owner, source=REQUIRED_SOURCE),
        actual=actual,
        difference=difference,
        difference_percent=None if difference is None else 100 * difference / required,
        verdict=shown,
        next=next_action(USER_GROWTH, shown),
    )


def called_by(manifest: Mapping[str, Any], scenario: Scenario) -> str:
    """Find what a command calls a recorded scenario by.

    Parameters
    ----------
    manifest : mapping
        Of the run; its ``command`` is what was typed.
    scenario : Scenario
        As it was run.

    Returns
    -------
    str
        The scenario's file, where one was named; else its name.
    """
    words = [str(word) for word in manifest.get("command") or ()]
    return next((word for word in words if word.endswith(".toml")), scenario.name)


def of_several_runs(scenario: Scenario, called: str) -> list[Indicator]:
    """Name the criteria that take several runs, and the commands that make them.

    Parameters
    ----------
    scenario : Scenario
        As it was run.
    called : str
        What a command calls it by.

    Returns
    -------
    list of Indicator
        Growth with the volume of data, and functional extension: not estimable.
    """
    data, module = "one run has one volume of data", "one run has one set of modules"
    tolerance = Expectation(owner=scenario.owner, source=tolerance_source(TOLERANCE))
    return [
        Indicator(
            criterion=DATA_GROWTH,
            indicator="p(95) over the volume of data, log-log exponent",
            expected=expected_growth(scenario.growth),
            expectation=scenario.growth.expectation,
            actual=not_estimable(f"{data}: see a group of runs", method="log-log exponent"),
            next=_of_data(scenario, called),
        ),
        Indicator(
            criterion=EXTENSION,
            indicator="p(95) with a module switched on, against without",
            expected=at_most(1 + TOLERANCE, lower_is_better=True),
            expectation=tolerance,
            actual=not_estimable(f"{module}: see a comparison", method="ratio"),
            next=_of_modules(scenario, called),
        ),
    ]


def _of_data(scenario: Scenario, called: str) -> str:
    """Write the command that varies the volume of data."""
    if scenario.target.app is None:
        return "make runs with less and with more data, then: trueload compare"
    varied = scenario.raw.get("vary")
    if isinstance(varied, Mapping) and set(varied) == {"target.customers"}:
        return shlex.join(["trueload", "sweep", called])
    volumes = ",".join(str(scenario.target.customers * times) for times in VOLUMES)
    return shlex.join(["trueload", "sweep", called, "--vary", f"target.customers={volumes}"])


def _of_modules(scenario: Scenario, called: str) -> str:
    """Write the command that runs with a module and without it."""
    target, duel = scenario.target, ["trueload", "duel", called]
    if target.app is None:
        command = [*duel, "--base", str(target.url), "--candidate"]
        return f"{shlex.join(command)} URL_WITH_THE_MODULE"
    if target.extensions:
        return shlex.join([*duel, "--base", "target.extensions=[]", "--candidate", "as-is"])
    return shlex.join([*duel, "--candidate", f'target.extensions=["{EXTENSIONS[0]}"]'])


def _unanswered(result: BudgetResult) -> bool:
    """Whether it failed as no invalidity excuses."""
    return result.verdict is Verdict.FAILED and result.decision.unanswered


def _validly(verdict: str, validity: Validity, *, unanswered: bool) -> str:
    missed = verdict in {str(Verdict.FAILED), "warned"} and not unanswered
    if (verdict == Verdict.PASSED and validity.harmful) or (missed and validity.broken):
        return str(Verdict.INVALID)
    return verdict
