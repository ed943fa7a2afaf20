"""Where to read the ends of percentiles' intervals, under dependence.

The share of requests at or below the true quantile is p, give or take
t sqrt(p (1 - p) / n_eff): so the quantiles at p minus and plus that are the ends (a
score interval of the indicator, inverted; no density is estimated). n_eff is n over
the autocorrelation time of the indicator, and t is Student's with as many degrees of
freedom as went into that time (:func:`analysis.autocorrelation.degrees_of_freedom`): a short
series says little about its memory, and its intervals are wider for it.

Few requests lie beyond a tail, and they show too little of their memory. The time at a
level is therefore the longest at any height from the middle up to it; and whether an
end can be given at all is asked with the longest at any height, as a budget is
decided (docs/decisions/0022-intervals-of-percentiles.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from analysis.autocorrelation import (
    QUANTILE_METHOD,
    TAU_LEVELS,
    FloatArray,
    degrees_of_freedom,
    memories,
    unbiased_time,
)

MIDDLE = 0.5

LEAST_DF = 2.0
"""Up to twenty autocorrelation times Student's t has no variance: no end is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where the ends of the intervals of some quantiles lie, as levels of quantiles.

    Attributes
    ----------
    low, high : ndarray of float, shape (k,)
        0..1; NaN where there is no such end.
    n_eff : ndarray of float, shape (k,)
        Independent observations that the series is worth at each level.
    least_n_eff : float
        And at the height at which its memory is longest: that decides which ends
        there are.
    confidence : float
        Two-sided.
    """

    low: FloatArray
    high: FloatArray
    n_eff: FloatArray
    least_n_eff: float
    confidence: float


def interval_levels(
    values: npt.ArrayLike, levels: Sequence[float], *, confidence: float = 0.95
) -> Ends:
    """Find the levels at which the ends of intervals are to be read.

    Parameters
    ----------
    values : array_like, shape (n,)
        **In the order of intended starts**; censored ones at their age.
    levels : sequence of float, shape (k,)
        0..1.
    confidence : float
        Two-sided.

    Returns
    -------
    Ends
        Those for which there is too little evidence are NaN.

    References
    ----------
    Wilson (1927) for the score interval; Chen and Kelton (2006), "Quantile and tolerance-
    interval estimation in simulation", for what dependence does to it.
    """
    series = np.asarray(values, dtype=np.float64)
    wanted = np.asarray(levels, dtype=np.float64)
    n = len(series)
    if n == 0:
        nowhere = np.full(len(wanted), np.nan)
        return Ends(
            low=nowhere,
            high=nowhere,
            n_eff=np.zeros(len(wanted)),
            least_n_eff=0.0,
            confidence=confidence,
        )
    heights = np.unique(np.concatenate([TAU_LEVELS, wanted[(wanted > 0) & (wanted < 1)]]))
    cuts = np.quantile(series, heights, method=QUANTILE_METHOD)
    taus = memories(series > cut for cut in cuts)
    at = np.array([_longest(heights, taus, level) for level in wanted])
    longest = float(taus.max())
    low, high = score_levels(wanted, n, at, confidence)
    lowest, highest = score_levels(wanted, n, longest, confidence)
    known = degrees_of_freedom(longest, n) > LEAST_DF
    inside = known & (wanted > 0) & (wanted < 1)
    return Ends(
        low=np.where(inside & (lowest > 0), low, np.nan),
        high=np.where(inside & (highest < 1), high, np.nan),
        n_eff=n / unbiased_time(at, n),
        least_n_eff=float(n / unbiased_time(longest, n)),
        confidence=confidence,
    )


def score_levels(
    levels: npt.ArrayLike, n: int, tau: npt.ArrayLike, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Invert the score interval of a share at given quantiles.

    Parameters
    ----------
    levels : array_like, shape (k,)
        p, 0..1.
    n : int
        Observations.
    tau : array_like, shape (k,) or scalar
        Their autocorrelation time, as estimated.
    confidence : float
        Two-sided.

    Returns
    -------
    tuple of (ndarray, ndarray)
        p -+ t sqrt(p (1 - p) / n_eff): levels of quantiles, outside 0..1 where there is
        too little evidence for an end.
    """
    p = np.asarray(levels, dtype=np.float64)
    t = stdtrit(degrees_of_freedom(tau, n), (1 + confidence) / 2)
    half = t * np.sqrt(p * (1 - p) * unbiased_time(tau, n) / n)
    return p - half, p + half


def _longest(heights: FloatArray, taus: FloatArray, level: float) -> float:
    """Take the longest time between the middle and a level, both included."""
    between = (heights >= min(MIDDLE, level)) & (heights <= max(MIDDLE, level))
    return float(taus[between].max())


def values_for_both_ends(level: float, confidence: float) -> int:
    """Count the independent values that both ends of a quantile take at least.

    Parameters
    ----------
    level : float
        Above 0 and below 1.
    confidence : float
        Two-sided.

    Returns
    -------
    int
        Dependent ones take several times as many.
    """
    rare = max(min(level, 1 - level), 1e-9)

    def enough(n: int) -> bool:
        return (
            float(degrees_of_freedom(1.0, n)) > LEAST_DF
            and float(score_levels(1 - rare, n, 1.0, confidence)[1]) < 1
        )

    least, most = 1, 2
    while not enough(most):
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return most
