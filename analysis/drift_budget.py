"""A budget on a drift: ``drift(series) < 10%`` speaks of an hour.

It is decided on the interval of the growth per hour, which a short hold leaves wide; the series
itself is judged over the hold as it was run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.decision import Decision, Verdict
from analysis.drift import HOUR_S, Drift, seen, signed, speaks_of, within
from analysis.drift_series import FALLS
from analysis.estimate import Estimate, not_estimable
from analysis.limits import unit_of
from scenarios.assertions import Assertion


def judge_drift(assertion: Assertion, subject: str, drifts: Sequence[Drift]) -> Decision:
    """Decide an assertion about a drift: per hour, on its interval.

    Parameters
    ----------
    assertion : Assertion
        Of the metric drift.
    subject : str
        Of the budget.
    drifts : sequence of Drift
        What was looked at.

    Returns
    -------
    Decision
        Measured per hour, the bad direction positive: a throughput's fall. Failed only
        where the drift also matters over the hold as it was run.
    """
    metric = assertion.series or ""
    found = next((drift for drift in drifts if speaks_of(drift, metric, subject)), None)
    if found is None:
        why = "the run ended before anything was judged"
        measured = not_estimable(why, unit=unit_of(assertion))
        return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
    measured = found.slope_per_h
    if metric in FALLS:
        measured = _turned(measured)
    verdict, why = _decided(assertion, found, measured)
    return Decision(verdict=verdict, measured=measured, why=why)


def _turned(slope: Estimate) -> Estimate:
    value, low, high = (
        None if end is None else -end for end in (slope.value, slope.high, slope.low)
    )
    return replace(slope, value=value, low=low, high=high, method=f"fall; {slope.method}")


def _decided(assertion: Assertion, found: Drift, measured: Estimate) -> tuple[Verdict, str]:
    per_h = HOUR_S / found.length_s if found.length_s > 0 else 0.0
    low, high = measured.low, measured.high
    if high is not None and assertion.holds(high):
        return Verdict.PASSED, found.why
    if found.range_ratio is not None and assertion.holds(found.range_ratio * per_h):
        return Verdict.PASSED, within(found)
    broken = measured.value is None if low is None else not assertion.holds(low)
    if broken and found.verdict is Verdict.FAILED:
        return Verdict.FAILED, found.why
    if broken and low is not None:
        return Verdict.INCONCLUSIVE, f"{found.why}: too little to conclude on an hour"
    if low is None or high is None:
        return Verdict.INCONCLUSIVE, found.why
    return Verdict.INCONCLUSIVE, (
        f"{found.why}; {seen(found)} leaves {signed(low)} to {signed(high)} an hour open"
    )
