"""Scalability: how throughput grew with load, and what may be claimed from it.

A curve that fits well proves nothing about where it was not measured. A peak or a
saturation is therefore claimed from the measured levels; the fitted law of
:mod:`analysis.usl` only places it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t
from analysis.usl import CONFIDENCE, Coefficient, UslFit, fit_usl

__all__ = ["Level", "Scalability", "UslFit", "fit_usl", "scalability"]

MIN_LEVELS = 6
"""Three parameters from fewer levels are a drawing, not a measurement (Gunther)."""

MIN_SPREAD = 2.0
"""Factor by which the number in flight must differ between the levels."""

FLAT_LOAD = 2.0
"""Factor by which the number in flight must have grown where a curve is called flat."""

FLAT_GROWTH = 0.25
"""Growth of throughput that the intervals must exclude where a curve is called flat:
intervals so wide that this much could hide in them show nothing."""

METHOD = "USL by bounded least squares; Student t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one level of load gave.

    Attributes
    ----------
    level : float
        Users, or arrivals per second, asked for: its name.
    in_flight, throughput : Estimate
        Mean number of requests in flight, and requests per second.
    valid : bool
        An invalid level leaves the fit.
    """

    level: float
    in_flight: Estimate
    throughput: Estimate
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalability:
    """How throughput grew with load.

    Attributes
    ----------
    sigma, kappa, lambda_ : Estimate
        Coefficients of the law.
    peak : Estimate
        Requests in flight at which throughput is highest, where a higher level
        was seen to lie below by more than both intervals.
    saturation : Estimate
        Throughput that more load no longer raises, where there is no peak.
    levels : int
        Levels that were fitted, or would have been.
    refused : str or None
        Why nothing was fitted.
    fit : UslFit or None
        The fit with all that a figure needs.
    """

    sigma: Estimate
    kappa: Estimate
    lambda_: Estimate
    peak: Estimate
    saturation: Estimate
    levels: int
    refused: str | None
    fit: UslFit | None
    model: str = "usl"
    axis: str = "in_flight"

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does, but for the capacity.

        Returns
        -------
        dict
            Plain numbers, texts, dicts and None.
        """
        return {
            "model": self.model,
            "axis": self.axis,
            "sigma": self.sigma.as_dict(),
            "kappa": self.kappa.as_dict(),
            "lambda": self.lambda_.as_dict(),
            "peak": self.peak.as_dict(),
            "saturation": self.saturation.as_dict(),
            "levels": self.levels,
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A level that has numbers."""

    load: float
    throughput: float
    low: float | None
    high: float | None


def scalability(levels: Sequence[Level]) -> Scalability:
    """Fit the law to the valid levels, and say what they show.

    Parameters
    ----------
    levels : sequence of Level
        In any order.

    Returns
    -------
    Scalability
        Without coefficients, and with the reason, when fewer than six levels are
        valid and have numbers, or their numbers in flight differ by less than a
        factor of two.
    """
    valid = [level for level in levels if level.valid]
    used = _points(valid)
    refused = _refusal(len(valid), used)
    fit = None
    if refused is None:
        try:
            fit = fit_usl([point.load for point in used], [point.throughput for point in used])
        except ValueError as error:
            refused = f"the law cannot be fitted: {error}"
    if fit is None:
        why = refused or ""
        return Scalability(
            sigma=not_estimable(why, n=len(used)),
            kappa=not_estimable(why, n=len(used)),
            lambda_=not_estimable(why, unit="1/s", n=len(used)),
            peak=not_estimable(why, unit="requests", n=len(used)),
            saturation=not_estimable(why, unit="1/s", n=len(used)),
            levels=len(used),
            refused=refused,
            fit=None,
        )
    peak, saturation = _claims(used, fit)
    return Scalability(
        sigma=_estimate(fit.sigma, len(used), ""),
        kappa=_estimate(fit.kappa, len(used), ""),
        lambda_=_estimate(fit.lambda_, len(used), "1/s"),
        peak=peak,
        saturation=saturation,
        levels=len(used),
        refused=None,
        fit=fit,
    )


def _points(levels: Sequence[Level]) -> list[_Point]:
    """Take the levels that have numbers, by number in flight."""
    points = [
        _Point(load=level.in_flight.value, throughput=x.value, low=x.low, high=x.high)
        for level in levels
        for x in [level.throughput]
        if level.in_flight.value and x.value is not None  # none in flight has no place either
    ]
    return sorted(points, key=lambda point: point.load)


def _refusal(valid: int, used: list[_Point]) -> str | None:
    if len(used) < MIN_LEVELS:
        without = f" ({valid - len(used)} more have no numbers)" if valid > len(used) else ""
        levels = "one valid level" if len(used) == 1 else f"{len(used)} valid levels"
        return f"{levels}{without}; the law needs at least {MIN_LEVELS}"
    low, high = used[0].load, used[-1].load
    if high < MIN_SPREAD * low:
        return (
            f"requests in flight went from {low:.3g} to {high:.3g} only; "
            f"the law needs a factor of {MIN_SPREAD:g}"
        )
    return None


def _estimate(coefficient: Coefficient, n: int, unit: str) -> Estimate:
    why = "at the bound of what the law allows: its interval is an indication"
    return Estimate(
        value=coefficient.value,
        low=coefficient.low,
        high=coefficient.high,
        level=CONFIDENCE,
        n=n,
        unit=unit,
        method=METHOD,
        why=why if coefficient.at_bound else None,
    )


def _claims(used: list[_Point], fit: UslFit) -> tuple[Estimate, Estimate]:
    """Peak and saturation: at most one of them is claimed, and seen levels decide."""
    n = len(used)

    def neither(peak: str, saturation: str) -> tuple[Estimate, Estimate]:
        return (
            not_estimable(peak, unit="requests", n=n),
            not_estimable(saturation, unit="1/s", n=n),
        )

    ends = [(p.low, p.high) for p in used if p.low is not None and p.high is not None]
    if len(ends) < n:
        why = "a level's throughput has no interval: a rise or a fall cannot be told from chance"
        return neither(why, why)
    top = max(range(n), key=lambda i: used[i].throughput)
    if any(high < ends[top][0] for _, high in ends[top + 1 :]):
        saturation = not_estimable("throughput falls beyond a peak", unit="1/s", n=n)
        return _peak(used, fit, top), saturation
    no_peak = "no higher level lies below the maximum by more than both intervals"
    flat = _plateau(used, ends)
    if flat is None:
        rising = (
            "throughput was not seen to stay level while requests in flight "
            f"grew by a factor of {FLAT_LOAD:g}"
        )
        return neither(no_peak, rising)
    saturation = Estimate(
        value=float(np.mean([point.throughput for point in used[flat:]])),
        low=min(low for low, _ in ends[flat:]),
        high=max(high for _, high in ends[flat:]),
        n=n - flat,
        unit="1/s",
        method="mean of the levels that do not differ; all their intervals together",
    )
    return not_estimable(f"{no_peak}: it saturates", unit="requests", n=n), saturation


def _plateau(used: list[_Point], ends: list[tuple[float, float]]) -> int | None:
    """First of the levels over which throughput stayed level up to the top, if any.

    Level means: from it to the highest load, requests in flight doubled at least;
    no level between lies outside of its interval and its own; and growth by a
    quarter can be excluded, so that wide intervals alone make nothing level.
    """
    highest = used[-1].load
    for first, point in enumerate(used[:-1]):
        low, high = ends[first]
        doubled = highest >= FLAT_LOAD * point.load
        above = ends[first + 1 :]
        overlapping = all(other[0] <= high and other[1] >= low for other in above)
        excluded = max(end for _, end in above) < (1 + FLAT_GROWTH) * low
        if doubled and overlapping and excluded:
            return first
    return None


def _peak(used: list[_Point], fit: UslFit, top: int) -> Estimate:
    """Place a peak that was seen: by the fit within what was measured, else between levels.

    References
    ----------
    The delta method on ln N_peak = (ln(1 - sigma) - ln kappa) / 2, whose error is
    closer to symmetric than that of N_peak itself.
    """
    n = len(used)
    loads = [point.load for point in used]
    place = fit.peak_load
    # A kappa that may as well be 0 has no peak to place, though one was seen.
    if place is None or fit.kappa.low <= 0 or not loads[0] <= place <= loads[-1]:
        return Estimate(
            value=loads[top],
            low=loads[max(top - 1, 0)],
            high=loads[top + 1],
            n=n,
            unit="requests",
            method="the highest level, between its neighbours",
        )
    gradient = np.array([-0.5 / (1 - fit.sigma.value), -0.5 / fit.kappa.value, 0.0])
    error = math.sqrt(max(0.0, float(gradient @ np.array(fit.cov) @ gradient)))
    factor = math.exp(min(student_t(CONFIDENCE, fit.residual_df) * error, 700.0))
    return Estimate(
        value=place,
        low=place / factor,
        high=place * factor,
        level=CONFIDENCE,
        n=n,
        unit="requests",
        method="sqrt((1 - sigma) / kappa); delta method on its logarithm",
    )
