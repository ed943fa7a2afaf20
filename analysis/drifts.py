"""Drift: whether a measure moved over a hold, and what that comes to in an hour.

A drift is found where the slope is certain, its interval without 0 although the bins
depend on each other, *and* the line moved by a twentieth of where it began over the
hold as it was run, files and connections also by one; faults and recoveries at an end of
the hold are cut off it. What a minute shows may be a hundred percent an hour and nothing at
all: rates per hour are stated with their interval, and alarm by themselves never.

==============  ==========================================================================
failed          the interval of the slope lies on the bad side, and the line moved by 5 %
passed          even the bad end of the interval moved by less; or the whole series stayed
                within 5 %, however its bins depend on each other
inconclusive    otherwise, and below 60 bins or what 10 independent ones are worth
==============  ==========================================================================

A budget on a drift speaks of an hour: ``analysis.drift_budget``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from analysis.autocorrelation import FloatArray
from analysis.decision import Verdict
from analysis.drift import (
    HOUR_S,
    LEAST_STEP,
    PRACTICAL_LIMIT,
    Drift,
    at_most,
    limit_of,
    moved,
    over,
    percent,
    signed,
    speaks_of,
    within,
)
from analysis.drift_series import FALLS, DriftSeries, series_in
from analysis.estimate import Estimate, not_estimable
from analysis.phases import Stretch
from analysis.recording.reader import Recording
from analysis.trend import MIN_BINS, trend
from analysis.windows import Hold
from scenarios.assertions import Metric
from scenarios.counting import count_of

_FORGIVEN_S: Final = 1e-3
"""Bins and holds are differences of floats."""

SERIES: Final = ("med", "p(95)", "throughput", "memory", "files", "connections")
"""What is looked at in every run, of all requests."""


def drifts_of(
    recording: Recording, hold: Hold, disturbed: Sequence[Stretch] = ()
) -> tuple[Drift, ...]:
    """Look at the series of a run for drift.

    Parameters
    ----------
    recording : Recording
        The run.
    hold : Hold
        Of the required stage: across stages of different load a slope is the load's.
    disturbed : sequence of (Label, float, float)
        What of the run was under a fault or in recovery: left out.

    Returns
    -------
    tuple of Drift
        Of the usual series of all requests, as far as somebody looked, and of those that
        budgets name.
    """
    asked = [
        (budget.subject, budget.assertion.series or "")
        for budget in recording.scenario.budgets
        if budget.assertion.metric is Metric.DRIFT
    ]
    found: list[Drift] = []
    for subject, metric in [*(("all", metric) for metric in SERIES), *asked]:
        if any(speaks_of(drift, metric, subject) for drift in found):
            continue
        series = series_in(recording, hold, metric=metric, subject=subject, disturbed=disturbed)
        if series.why is None or (subject, metric) in asked:
            window = hold.window
            found.append(drift_in(series, span_s=(window.start_s, window.end_s)))
    return tuple(found)


def drift_in(series: DriftSeries, *, span_s: tuple[float, float]) -> Drift:
    """Judge one series.

    Parameters
    ----------
    series : DriftSeries
        In bins.
    span_s : tuple of (float, float)
        The hold that it is of.

    Returns
    -------
    Drift
        With its verdict and words.
    """
    n = len(series.values)
    if series.why is not None or n < MIN_BINS:
        why = series.why or f"not enough data: {count_of(n, 'bin')}, at least {MIN_BINS} are needed"
        return _undecided(series, span_s, why)
    at_h = (series.start_s + series.width_s / 2) / HOUR_S
    slope = trend(at_h, series.values, unit=f"{series.unit}/h")
    kept_s = _kept(series, span_s)
    hours = (kept_s[1] - kept_s[0]) / HOUR_S
    middle = float(np.median(series.values))
    before_h = float(np.median(at_h)) - kept_s[0] / HOUR_S
    lowest, highest = float(series.values.min()), float(series.values.max())
    drift = Drift(
        metric=series.metric,
        subject=series.subject,
        span_s=span_s,
        kept_s=kept_s,
        width_s=series.width_s,
        level=_level(middle, series),
        begin=_begin(slope.value, middle, before_h),
        over_hold=_relative(slope, middle, before_h, times=hours),
        slope_per_h=_relative(slope, middle, before_h, times=1.0),
        exhausted_s=_exhausted(_towards_the_end(series, at_h, slope), series.headroom),
        range_ratio=_growth(lowest, highest),
        verdict=Verdict.INCONCLUSIVE,
        why="",
    )
    verdict, why = _judged(drift, slope, hours, spread=highest - lowest)
    return replace(drift, verdict=verdict, why=why)


def _kept(series: DriftSeries, span_s: tuple[float, float]) -> tuple[float, float]:
    """Find the part of a hold from its first to its last bin; all of it but for a broken bin."""
    first_s, last_s = float(series.start_s[0]), float(series.start_s[-1]) + series.width_s
    broken_s = series.width_s - _FORGIVEN_S
    return (
        first_s if first_s - span_s[0] > broken_s else span_s[0],
        last_s if span_s[1] - last_s > broken_s else span_s[1],
    )


def _level(middle: float, series: DriftSeries) -> Estimate:
    return Estimate(
        value=middle,
        n=len(series.values),
        unit=series.unit,
        method=f"median of bins of {series.width_s:g} s",
        why="the middle of what was seen has no interval",
    )


def _growth(begin: float, end: float) -> float | None:
    if begin == end:
        return 0.0
    return end / begin - 1 if begin > 0 else None


def _undecided(series: DriftSeries, span_s: tuple[float, float], why: str) -> Drift:
    nothing = not_estimable(why, unit="ratio", n=len(series.values))
    return Drift(
        metric=series.metric,
        subject=series.subject,
        span_s=span_s,
        kept_s=span_s,
        width_s=series.width_s,
        level=replace(nothing, unit=series.unit),
        begin=None,
        over_hold=nothing,
        slope_per_h=nothing,
        exhausted_s=None,
        range_ratio=None,
        verdict=Verdict.INCONCLUSIVE,
        why=why,
    )


def _begin(b: float | None, middle: float, before_h: float) -> float | None:
    """Follow the line of a slope back from the middle; None where it began at nothing."""
    begin = None if b is None else middle - b * before_h
    return begin if begin is not None and begin > 0 else None


def _relative(slope: Estimate, middle: float, before_h: float, *, times: float) -> Estimate:
    """Turn a slope into a growth, relative to where its own line begins.

    The line of each slope goes through the median of the values at the median of their
    times, `before_h` after it begins, so a steeper one begins lower: b T / (m - b before_h).
    It rises with b; from b before_h = m on it began at nothing.

    References
    ----------
    Conover (1980), "Practical nonparametric statistics": the intercept of Theil-Sen's line.
    """

    def ratio(b: float | None) -> float | None:
        if b == 0:
            return 0.0
        begin = _begin(b, middle, before_h)
        return None if b is None or begin is None else b * times / begin

    value, low, high = (ratio(b) for b in (slope.value, slope.low, slope.high))
    why = slope.why
    if why is None and (value is None or high is None):
        why = "it may have begun at nothing, so growth has no end"
    if value is None:
        low = high = None
    return replace(slope, value=value, low=low, high=high, unit="ratio", why=why)


def _towards_the_end(series: DriftSeries, at_h: FloatArray, slope: Estimate) -> Estimate:
    """Take the slope of what `headroom` is of: of one process, where each has its own limit."""
    if series.nearest is None:
        return slope
    seen = np.isfinite(series.nearest)
    return trend(at_h[seen], series.nearest[seen], unit=f"{series.unit}/h")


def _exhausted(slope: Estimate, headroom: float | None) -> Estimate | None:
    """Extrapolate the line to the end of the resource, where it surely rises."""
    if headroom is None or slope.value is None or slope.low is None or slope.low <= 0:
        return None
    assert slope.high is not None  # noqa: S101 - a trend has both ends or none
    at = [headroom / rate * HOUR_S for rate in (slope.high, slope.value, slope.low)]
    method = "what is left divided by the slope: as if it went on like this"
    return replace(slope, value=at[1], low=at[0], high=at[2], unit="s", method=method)


def _judged(drift: Drift, slope: Estimate, hours: float, *, spread: float) -> tuple[Verdict, str]:
    """Apply the table at the top of this module."""
    sign, grown = (-1.0 if drift.metric in FALLS else 1.0), drift.over_hold
    least = LEAST_STEP.get(drift.metric, 0.0)
    ends = [] if slope.low is None or slope.high is None else [slope.low, slope.high]
    bad = sorted(sign * end for end in ends)
    end = grown.high if sign > 0 else grown.low
    matters = abs(slope.value or 0.0) * hours >= least and (
        grown.value is None or abs(grown.value) >= PRACTICAL_LIMIT
    )
    verdict = Verdict.PASSED
    if bad and matters and bad[0] > 0:
        verdict, why = Verdict.FAILED, moved(drift)
    elif bad and matters and bad[1] < 0:
        why = f"{moved(drift)}: no harm"
    elif end is not None and sign * end < PRACTICAL_LIMIT:
        word, most = "fell" if sign < 0 else "grew", at_most(max(sign * end, 0.0))
        why = f"no drift that matters: {word} by less than {most} {over(drift)}"
    elif bad and bad[1] * hours < least:
        why = f"no drift that matters: grew by less than one {over(drift)}"
    elif drift.range_ratio is not None and drift.range_ratio < PRACTICAL_LIMIT:
        why = f"no drift that matters: {within(drift)}"
    elif spread < least:
        why = "no drift that matters: the highest bin lies less than one above the lowest"
    else:
        verdict, open_to = Verdict.INCONCLUSIVE, f"{signed(grown.low)} to {signed(grown.high)}"
        why = slope.why or (
            f"undecided: {open_to} {over(drift)}, and {percent(limit_of(drift))} would matter"
        )
    return verdict, why
