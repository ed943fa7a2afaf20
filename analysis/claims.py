"""Peak and saturation: what the measured levels show, and a fitted law only places.

::

    a higher level lies clearly below the maximum            a peak
    throughput stayed level while load doubled               it saturates
    else                                                     neither: say what is missing

*Clearly* is by the levels' own intervals. Where every level was measured once and nothing
is known of its noise, it is by the scatter around the fitted law, which is at least as
large; or the levels from the maximum on fall along a straight line as chance brings about
in one of two hundred cases.

Where few measurements of a curve show its peak, those do in which noise made the fall
steeper, or the scatter smaller, and intervals made of them miss the truth more often than
they say (decision 31). Those of a peak are made with more confidence than they are given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t
from analysis.law import FloatArray
from analysis.peak import peak_ends
from analysis.usl import CONFIDENCE, UslFit

FLAT_LOAD = 2.0
"""Factor by which the number in flight must have grown where a curve is called flat."""

FLAT_GROWTH = 0.25
"""Growth of throughput that the intervals must exclude where a curve is called flat:
intervals so wide that this much could hide in them show nothing."""

FALL_CHANCE = 0.005
"""How often chance may make single measurements fall from their maximum on: smaller than
usual, because the maximum is where a fall by chance begins."""

SCATTER = 0.99
"""Confidence of the intervals that the scatter around the law gives single measurements
where a fall is asked for: with 95 % one in twenty flat curves had a peak (simulated)."""

SHOWN = 0.99
"""Confidence with which the intervals of a peak are made that are to hold the truth in 95 % of
the measurements that show one: what 1 % of all miss is missed by at most 5 % of those, where
at least one in five shows the peak."""

LEAST_FALL = 0.01
"""Part of the maximum that single measurements must fall by: less is nobody's concern."""

LEVEL_GROWTH = 0.05
"""Growth over a doubled load up to which single measurements are called level."""

NO_FALL = "no higher level lies below the maximum by more than both intervals"
STILL_RISING = f"throughput was not seen to stay level while load grew by a factor of {FLAT_LOAD:g}"

_LINE = 3  # levels that a line with a residual takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A level with its numbers.

    Attributes
    ----------
    load, throughput : float
        Requests in flight, and per second.
    low, high : float or None
        Interval of the throughput; None where its noise is not known.
    """

    load: float
    throughput: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is claimed of a curve; at most one of peak and saturation has a value.

    Loads are requests in flight, or what else the levels' loads are.

    Attributes
    ----------
    peak, peak_throughput : Estimate
        Requests in flight at which throughput is highest, and how high.
    saturation : Estimate
        Throughput that more load no longer raises.
    """

    peak: Estimate
    peak_throughput: Estimate
    saturation: Estimate


def claim(
    points: Sequence[Point], fit: UslFit, *, single: bool, covers: str = "this run"
) -> Claims:
    """Say what the levels show.

    Parameters
    ----------
    points : sequence of Point
        By load, each load once.
    fit : UslFit
        Of them.
    single : bool
        Whether levels whose noise nobody knows may show something by their trend.
    covers : str
        What intervals made of the points speak of: ``"runs"`` or ``"this run"``.

    Returns
    -------
    Claims
        What is not claimed says why.
    """
    found = _claimed(points, fit, single=single)
    return Claims(
        peak=replace(found.peak, covers=covers),
        peak_throughput=replace(found.peak_throughput, covers=covers),
        saturation=replace(found.saturation, covers=covers),
    )


def _claimed(points: Sequence[Point], fit: UslFit, *, single: bool) -> Claims:
    n = len(points)
    ends = [(p.low, p.high) for p in points if p.low is not None and p.high is not None]
    if len(ends) < n and (ends or not single):
        why = "a level's throughput has no interval: a rise or a fall cannot be told from chance"
        return _none(n, why, why)
    top = max(range(n), key=lambda i: points[i].throughput)
    bracket = _bracket(points, ends or _ends_by_fit(points, fit, SCATTER), top)
    if bracket is None and not ends:
        bracket = _bracket_of_single(points, top)
    if bracket is not None:
        return _peak(points, fit, top, bracket)
    saturation = _level_by_intervals(points, ends or _ends_by_fit(points, fit, CONFIDENCE))
    if saturation is None and not ends:
        saturation = _level_of_single(points)
    no_peak = NO_FALL if ends else _no_fall_of_single(points, top)
    if saturation is None:
        return _none(n, no_peak, STILL_RISING)
    return Claims(
        peak=not_estimable(f"{no_peak}: it saturates", unit="requests", n=n),
        peak_throughput=not_estimable("there is no peak", unit="1/s", n=n),
        saturation=saturation,
    )


def _ends_by_fit(
    points: Sequence[Point], fit: UslFit, confidence: float
) -> list[tuple[float, float]]:
    half = student_t(confidence, fit.residual_df) * fit.residual_se
    return [(max(0.0, p.throughput - half), p.throughput + half) for p in points]


def _none(n: int, peak: str, saturation: str) -> Claims:
    return Claims(
        peak=not_estimable(peak, unit="requests", n=n),
        peak_throughput=not_estimable(peak, unit="1/s", n=n),
        saturation=not_estimable(saturation, unit="1/s", n=n),
    )


def _bracket(
    points: Sequence[Point], ends: Sequence[tuple[float, float]], top: int
) -> tuple[float, float] | None:
    """Find the loads nearest to the peak that lie clearly below it."""
    least = ends[top][0]
    beyond = [i for i in range(top + 1, len(points)) if ends[i][1] < least]
    before = [i for i in range(top) if ends[i][1] < least]
    if not beyond:
        return None
    return points[before[-1] if before else 0].load, points[beyond[0]].load


def _bracket_of_single(points: Sequence[Point], top: int) -> tuple[float, float] | None:
    tail = points[top:]
    if len(tail) < _LINE:
        return None
    slope, error, fall = _line(tail, log=False)
    chance = float(stdtr(len(tail) - 2, slope / error)) if error > 0 else float(slope >= 0)
    if chance >= FALL_CHANCE or -fall < LEAST_FALL * points[top].throughput:
        return None
    return points[0].load, points[-1].load


def _no_fall_of_single(points: Sequence[Point], top: int) -> str:
    if top == len(points) - 1:
        return "throughput is highest at the highest load: no fall was seen"
    if len(points) - top < _LINE:
        return "one level alone lies below the maximum, and each was measured once"
    return "the levels beyond the maximum do not fall beyond chance, and each was measured once"


def _line(points: Sequence[Point], *, log: bool) -> tuple[float, float, float]:
    """Slope of a straight line through levels, its standard error, and its whole rise."""
    load = np.array([p.load for p in points])
    at: FloatArray = np.log(load) if log else load
    x = np.array([p.throughput for p in points])
    from_mean = at - at.mean()
    spread = float(from_mean @ from_mean)
    slope = float(from_mean @ x) / spread
    residuals = x - x.mean() - slope * from_mean
    error = math.sqrt(float(residuals @ residuals) / (len(x) - 2) / spread)
    return slope, error, slope * float(at[-1] - at[0])


def _level_by_intervals(
    points: Sequence[Point], ends: Sequence[tuple[float, float]]
) -> Estimate | None:
    """Saturation: from some level on throughput stayed level up to the top.

    Level means: from it to the highest load, requests in flight doubled at least;
    no level between lies outside of its interval and its own; and growth by a
    quarter can be excluded, so that wide intervals alone make nothing level.
    """
    highest = points[-1].load
    for first, point in enumerate(points[:-1]):
        low, high = ends[first]
        doubled = highest >= FLAT_LOAD * point.load
        above = ends[first + 1 :]
        overlapping = all(other[0] <= high and other[1] >= low for other in above)
        excluded = max(end for _, end in above) < (1 + FLAT_GROWTH) * low
        if doubled and overlapping and excluded:
            return Estimate(
                value=float(np.mean([p.throughput for p in points[first:]])),
                low=min(each for each, _ in ends[first:]),
                high=max(each for _, each in ends[first:]),
                n=len(points) - first,
                unit="1/s",
                method="mean of the levels that do not differ; all their intervals together",
            )
    return None


def _level_of_single(points: Sequence[Point]) -> Estimate | None:
    """Saturation of levels measured once: a line over them that hardly rises, and surely so."""
    highest = points[-1].load
    for first in range(len(points) - _LINE + 1):
        tail = points[first:]
        if highest < FLAT_LOAD * tail[0].load:
            return None
        x = np.array([p.throughput for p in tail])
        slope, error, rise = _line(tail, log=True)
        if slope == 0 and error == 0:
            most = rise
        else:
            t = student_t(CONFIDENCE, len(tail) - 2)
            most = rise + t * error * math.log(highest / tail[0].load)
        if rise <= LEVEL_GROWTH * x.mean() and most < FLAT_GROWTH * x.mean():
            half = student_t(CONFIDENCE, len(x) - 1) * float(x.std(ddof=1)) / math.sqrt(len(x))
            return Estimate(
                value=float(x.mean()),
                low=max(0.0, float(x.mean()) - half),
                high=float(x.mean()) + half,
                level=CONFIDENCE,
                n=len(x),
                unit="1/s",
                method="mean of the levels that do not rise; Student t over them",
            )
    return None


def _peak(points: Sequence[Point], fit: UslFit, top: int, bracket: tuple[float, float]) -> Claims:
    """Place a peak that was seen: by the fit within the bracket, else at the highest level."""
    place, height = fit.peak_load, fit.peak_throughput
    # A kappa that may as well be 0 has no peak to place, though one was seen.
    unplaced = place is None or fit.kappa.least <= 0 or not bracket[0] <= place <= bracket[1]
    if unplaced or place is None or height is None:
        return _peak_at_level(points, top, bracket)
    ends = peak_ends(fit.load, fit.observed, within=bracket, confidence=SHOWN)
    asked, n = f"at {SHOWN:.0%}, for only curves that show a peak are asked", len(points)
    return Claims(
        peak=Estimate(
            value=place,
            low=min(place, ends.low),
            high=max(place, ends.high),
            level=CONFIDENCE,
            n=n,
            unit="requests",
            method=f"sqrt((1 - sigma) / kappa); profile likelihood within what was seen, {asked}",
        ),
        peak_throughput=Estimate(
            value=height,
            low=min(height, ends.least),
            high=max(height, ends.most),
            level=CONFIDENCE,
            n=n,
            unit="1/s",
            method=f"the law at its peak; delta method, {asked}",
        ),
        saturation=_no_saturation(n),
    )


def _peak_at_level(points: Sequence[Point], top: int, bracket: tuple[float, float]) -> Claims:
    n, at = len(points), points[top]
    return Claims(
        peak=Estimate(
            value=at.load,
            low=bracket[0],
            high=bracket[1],
            n=n,
            unit="requests",
            method="the highest level, between those that lie clearly below it",
            why="the law does not place the peak: it lies between these levels, with no level "
            "of confidence",
        ),
        peak_throughput=Estimate(
            value=at.throughput,
            low=at.low,
            high=at.high,
            n=n,
            unit="1/s",
            method="measured at the highest level",
            why=None if at.low is not None else "the level was measured once",
        ),
        saturation=_no_saturation(n),
    )


def _no_saturation(n: int) -> Estimate:
    return not_estimable("throughput falls beyond a peak", unit="1/s", n=n)
