"""The scorecard: indicator, expected, actual, difference, for each criterion that is measured.

The sign of a difference: positive is worse than expected, whatever the indicator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.budgets import limit_of
from analysis.capacity import Capacity
from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.judging import BudgetResult
from scenarios.assertions import Metric
from scenarios.model import named

NO_EXPECTATION = None
"""What stands as expected where the budgets state none: shown as "no expectation stated"."""


def scorecard(
    results: Sequence[BudgetResult],
    *,
    availability: Estimate,
    p95: Estimate,
    capacity: Capacity,
    required: float,
    judged: bool,
    valid: bool,
) -> list[dict[str, Any]]:
    """Lay what was measured beside what was expected.

    Parameters
    ----------
    results : sequence of BudgetResult
        Of all budgets.
    availability, p95 : Estimate
        What is shown where no budget states an expectation.
    capacity : Capacity
        Of the run.
    required : float
        The load that must be carried: an expectation of its own.
    judged : bool
        Whether any budget is judged in holds: else no load passes or fails.
    valid : bool
        Of the run: an invalid one fulfils no expectation, and misses none.

    Returns
    -------
    list of dict
        Rows as verdict.json has them.
    """
    rows = _stated(results, Metric.AVAILABILITY, "stability.availability") or [
        _row("stability.availability", "availability over time", availability)
    ]
    rows += _stated(results, None, "stability.response_time") or [
        _row("stability.response_time", "p(95) of all requests, at the required load", p95)
    ]
    rows.append(_growth(capacity, required, judged=judged))
    if not valid:
        for row in rows:
            if row["verdict"] == Verdict.PASSED:
                row["verdict"] = str(Verdict.INVALID)
    return rows


def _stated(
    results: Sequence[BudgetResult], metric: Metric | None, criterion: str
) -> list[dict[str, Any]]:
    """Give a row for each budget of a metric; None stands for all latencies."""
    rows = []
    for result in results:
        assertion = result.budget.assertion
        if assertion.metric is metric or (metric is None and assertion.is_latency):
            subject = "" if result.budget.subject == "all" else f" of {result.budget.subject}"
            name = assertion.text.split(assertion.operator)[0].strip()
            row = _row(criterion, f"{name}{subject}", result.decision.measured)
            row["expected"] = f"{assertion.operator} {assertion.text.split()[-1]}"
            row["verdict"] = str(result.shown)
            value = result.decision.measured.value
            if value is not None:
                worse = value - limit_of(assertion)
                row["difference"] = worse if assertion.upper else -worse
            rows.append(row)
    return rows


def _growth(capacity: Capacity, required: float, *, judged: bool) -> dict[str, Any]:
    actual = capacity.estimate()
    row = _row("scalability.user_growth", f"{capacity.unit} carried within the budgets", actual)
    row["expected"] = f">= {named(required, capacity.unit)}"
    if actual.value is not None:
        row["difference"] = required - actual.value
    last, first = capacity.last_pass, capacity.first_fail
    if judged:
        verdict = Verdict.INCONCLUSIVE
        if last is not None and last >= required:
            verdict = Verdict.PASSED
        elif first is not None and first <= required:
            verdict = Verdict.FAILED
        row["verdict"] = str(verdict)
    return row


def _row(criterion: str, indicator: str, actual: Estimate) -> dict[str, Any]:
    return {
        "criterion": criterion,
        "indicator": indicator,
        "expected": NO_EXPECTATION,
        "actual": actual.as_dict(),
        "difference": None,
        "unit": actual.unit,
        "verdict": str(Verdict.UNJUDGED),
    }
