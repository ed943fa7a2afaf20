"""Drift: whether a measure moved over a hold, and what that comes to in an hour.

A drift is found where the slope is certain, its interval without 0 although the bins
depend on each other, *and* the line moved by a twentieth of where it began over the
hold as it was run, files and connections also by one. What a minute shows may be a
hundred percent an hour and nothing at all: rates per hour are stated with their
interval, and alarm by themselves never.

==============  ==========================================================================
failed          the interval of the slope lies on the bad side, and the line moved by 5 %
passed          even the bad end of the interval moved by less; or the whole series stayed
                within 5 %, however its bins depend on each other
inconclusive    otherwise, and below 60 bins or what 10 independent ones are worth
==============  ==========================================================================

A budget ``drift(series) < 10%`` speaks of an hour, and is decided on the interval per hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from analysis.autocorrelation import FloatArray
from analysis.decision import Decision, Verdict
from analysis.drift_series import FALLS, DriftSeries, level_of, series_in
from analysis.estimate import Estimate, not_estimable
from analysis.limits import unit_of
from analysis.phases import Stretch
from analysis.recording.reader import Recording
from analysis.trend import MIN_BINS, trend
from analysis.windows import Hold
from scenarios.assertions import Assertion, Metric
from scenarios.counting import count_of
from scenarios.units import in_long_unit

PRACTICAL_LIMIT: Final = 0.05
"""Over the hold as it was run: what a line must have moved by to matter."""

LEAST_STEP: Final = {"files": 1.0, "connections": 1.0}
"""What is counted matters from one on, over the hold."""

SERIES: Final = ("med", "p(95)", "throughput", "memory", "files", "connections")
"""What is looked at in every run, of all requests."""

HOUR_S: Final = 3600.0
LONG_S: Final = 1800.0
"""From such a hold on, words give a rate per hour, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a measure moved over the hold of the required load.

    Attributes
    ----------
    metric : str
        As budgets name series: ``"p(95)"``, ``"throughput"``, ``"memory"``, ...
    subject : str
        Endpoint or ``"all"``.
    span_s : tuple of (float, float)
        The hold, in seconds of run time.
    width_s : float
        Length of a bin in seconds.
    level : Estimate
        Median of the bins, in the unit of the series.
    over_hold : Estimate
        Growth over the hold, relative to the level that the line began at: a ratio.
    slope_per_h : Estimate
        The same in an hour.
    exhausted_s : Estimate or None
        Seconds from the end of the hold until the resource is used up; None where nothing
        grows, or nobody knows how much there is.
    range_ratio : float or None
        By how much the highest bin exceeds the lowest: nothing moved further.
    verdict : Verdict
        Passed where no drift was seen that matters, failed, or inconclusive.
    why : str
        In words.
    """

    metric: str
    subject: str
    span_s: tuple[float, float]
    width_s: float
    level: Estimate
    over_hold: Estimate
    slope_per_h: Estimate
    exhausted_s: Estimate | None
    range_ratio: float | None
    verdict: Verdict
    why: str

    @property
    def hold_s(self) -> float:
        """Length of the hold in seconds."""
        return self.span_s[1] - self.span_s[0]

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
            "hold": list(self.span_s),
            "width_s": self.width_s,
            "level": self.level.as_dict(),
            "over_hold": self.over_hold.as_dict(),
            "slope_per_h": self.slope_per_h.as_dict(),
            "exhausted_s": None if self.exhausted_s is None else self.exhausted_s.as_dict(),
            "verdict": str(self.verdict),
            "why": self.why,
        }


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
        if any(_speaks_of(drift, metric, subject) for drift in found):
            continue
        series = series_in(recording, hold, metric=metric, subject=subject, disturbed=disturbed)
        if series.why is None or (subject, metric) in asked:
            window = hold.window
            found.append(drift_in(series, span_s=(window.start_s, window.end_s)))
    return tuple(found)


def _speaks_of(drift: Drift, metric: str, subject: str) -> bool:
    same = drift.metric == metric or (
        level_of(metric) is not None and level_of(drift.metric) == level_of(metric)
    )
    return same and drift.subject == subject


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
    hours = (span_s[1] - span_s[0]) / HOUR_S
    middle = float(np.median(series.values))
    over_hold = _relative(slope, middle, hours, times=hours)
    lowest, highest = float(series.values.min()), float(series.values.max())
    drift = Drift(
        metric=series.metric,
        subject=series.subject,
        span_s=span_s,
        width_s=series.width_s,
        level=_level(middle, series),
        over_hold=over_hold,
        slope_per_h=_relative(slope, middle, hours, times=1.0),
        exhausted_s=_exhausted(_towards_the_end(series, at_h, slope), series.headroom),
        range_ratio=_growth(lowest, highest),
        verdict=Verdict.INCONCLUSIVE,
        why="",
    )
    verdict, why = _judged(drift, slope, hours, spread=highest - lowest)
    return replace(drift, verdict=verdict, why=why)


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
        width_s=series.width_s,
        level=replace(nothing, unit=series.unit),
        over_hold=nothing,
        slope_per_h=nothing,
        exhausted_s=None,
        range_ratio=None,
        verdict=Verdict.INCONCLUSIVE,
        why=why,
    )


def _relative(slope: Estimate, middle: float, hours: float, *, times: float) -> Estimate:
    """Turn a slope into a growth, relative to where its own line begins.

    The line of each slope goes through the middle of the series, so a steeper one begins
    lower: b T / (m - b T / 2). It rises with b; from b T = 2 m on it began at nothing.
    """

    def ratio(b: float | None) -> float | None:
        if b is None:
            return None
        if b == 0:
            return 0.0
        begin = middle - b * hours / 2
        return b * times / begin if begin > 0 else None

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
        verdict, why = Verdict.FAILED, _moved(drift)
    elif bad and matters and bad[1] < 0:
        why = f"{_moved(drift)}: no harm"
    elif end is not None and sign * end < PRACTICAL_LIMIT:
        word, most = "fell" if sign < 0 else "grew", _up(max(sign * end, 0.0))
        why = f"no drift that matters: {word} by less than {most} {_over(drift)}"
    elif bad and bad[1] * hours < least:
        why = f"no drift that matters: grew by less than one {_over(drift)}"
    elif drift.range_ratio is not None and drift.range_ratio < PRACTICAL_LIMIT:
        why = f"no drift that matters: {_within(drift)}"
    elif spread < least:
        why = "no drift that matters: the highest bin lies less than one above the lowest"
    else:
        verdict, open_to = Verdict.INCONCLUSIVE, f"{_signed(grown.low)} to {_signed(grown.high)}"
        why = slope.why or (
            f"undecided: {open_to} {_over(drift)}, and {_percent(_limit(drift))} would matter"
        )
    return verdict, why


def _over(drift: Drift) -> str:
    return f"over the hold of {_length(drift.hold_s)}"


def _limit(drift: Drift) -> float:
    """Give what matters: a twentieth, and of what is counted at least one."""
    least, middle = LEAST_STEP.get(drift.metric, 0.0), drift.level.value or 0.0
    begin = middle / (1 + (drift.over_hold.value or 0.0) / 2)
    return max(PRACTICAL_LIMIT, least / begin if begin > 0 else 0.0)


def _moved(drift: Drift) -> str:
    over, grown = _over(drift), drift.over_hold
    word = "fell" if grown.value is not None and grown.value < 0 else "grew"
    if grown.value is None:
        return f"{word} from about nothing {over}"
    said = f"{word} by {_percent(abs(grown.value))} {over} {_between(grown)}"
    if drift.hold_s >= LONG_S and drift.slope_per_h.value is not None:
        said += f", {_percent(abs(drift.slope_per_h.value))} an hour"
    left = drift.exhausted_s
    if left is not None and left.value is not None:
        said += f"; used up in {_length(left.value)} if it goes on like this"
    return said


def _between(grown: Estimate) -> str:
    ends = [end for end in (grown.low, grown.high) if end is not None]
    if len(ends) == 1:
        return f"(at least {_percent(abs(ends[0]))})"
    low, high = sorted(abs(end) for end in ends)
    return f"({_percent(low).removesuffix(' %')} to {_percent(high)})"


def _within(drift: Drift) -> str:
    return f"the highest bin lies less than {_up(drift.range_ratio or 0.0)} above the lowest"


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.3g} %"


def _up(ratio: float) -> str:
    """Write what something stays below: never rounded to less."""
    per_mille = -(-ratio * 1000 // 1)
    return f"{max(per_mille, 1) / 10:g} %"


def _signed(ratio: float | None) -> str:
    return "any growth" if ratio is None else f"{100 * ratio:+.3g} %"


def _length(seconds: float) -> str:
    number, unit = in_long_unit(seconds)
    return f"{number:.3g} {unit}"


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
    found = next((drift for drift in drifts if _speaks_of(drift, metric, subject)), None)
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
    per_h = HOUR_S / found.hold_s if found.hold_s > 0 else 0.0
    low, high = measured.low, measured.high
    if high is not None and assertion.holds(high):
        return Verdict.PASSED, found.why
    if found.range_ratio is not None and assertion.holds(found.range_ratio * per_h):
        return Verdict.PASSED, _within(found)
    broken = measured.value is None if low is None else not assertion.holds(low)
    if broken and found.verdict is Verdict.FAILED:
        return Verdict.FAILED, found.why
    if broken and low is not None:
        return Verdict.INCONCLUSIVE, f"{found.why}: too little to conclude on an hour"
    if low is None or high is None:
        return Verdict.INCONCLUSIVE, found.why
    return Verdict.INCONCLUSIVE, (
        f"{found.why}; the hold of {_length(found.hold_s)} leaves {_signed(low)} to "
        f"{_signed(high)} an hour open"
    )
