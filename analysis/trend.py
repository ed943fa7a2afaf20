"""A trend in a series whose values depend on those before: how steep, and how sure.

A leak test that takes bins for independent cries wolf: Mann-Kendall alarms on a third
of series without a trend at a lag-1 autocorrelation of .6, on two thirds at .9. Here the
number of bins is replaced by the number of independent ones that they are worth, the
smaller of two estimates:

- n (1 - phi) / (1 + phi) for an autoregressive series, phi the lag-1 autocorrelation of
  what the straight line leaves over, corrected for its bias;
- n / (1.5 tau), tau the integrated autocorrelation time of the same. It is the one that
  notices a slow movement under the noise of short bins, which lag 1 hardly shows.

Gaps are closed up: a gap shortens the memory that is seen in one place only.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.autocorrelation import FloatArray, autocorrelation_time, effective_size
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t
from scenarios.counting import count_of

MIN_BINS: Final = 60
"""Below, the correction of phi is too rough: false alarms rise to 13 % at 30 bins."""

MIN_EFFECTIVE: Final = 10.0
"""Below so many independent bins phi cannot be told from a trend."""

CONFIDENCE: Final = 0.95
"""Two-sided."""

_METHOD: Final = (
    "Theil-Sen slope; Student's t on the bins' effective number: the smaller of "
    "n (1 - phi) / (1 + phi), phi corrected for bias, and n / (1.5 tau)"
)


def theil_sen(at: npt.ArrayLike, values: npt.ArrayLike) -> float:
    """Find the median slope between any two points.

    Parameters
    ----------
    at : array_like, shape (n,)
        Where, without equal ones.
    values : array_like, shape (n,)
        What was seen there.

    Returns
    -------
    float
        Per unit of `at`. A quarter of the points may be anything without moving it far.

    Raises
    ------
    ValueError
        When there are fewer than two points.

    References
    ----------
    Sen (1968), "Estimates of the regression coefficient based on Kendall's tau".
    """
    x, y = _points(at, values)
    if len(x) <= 1:
        raise ValueError(f"found {len(x)} points; allowed: at least 2")
    n = len(x)
    slopes, filled = np.empty(n * (n - 1) // 2), 0
    for first in range(n - 1):
        pairs = slice(filled, filled := filled + n - 1 - first)
        np.divide(y[first + 1 :] - y[first], x[first + 1 :] - x[first], out=slopes[pairs])
    return float(np.median(slopes))


def _points(at: npt.ArrayLike, values: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, y = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"found shapes {x.shape} and {y.shape}; allowed: two series of one length")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("the series holds NaN or infinity: leave such bins out before")
    return x, y


def corrected_phi(residuals: npt.ArrayLike) -> float:
    """Estimate the lag-1 autocorrelation of what a fitted line leaves over.

    Parameters
    ----------
    residuals : array_like, shape (n,)
        In the order of time; not all zero.

    Returns
    -------
    float
        r1 + (1 + 4 r1) / n; 0 where that is negative, and 1 or more where the series
        cannot be told from one that wanders off.

    References
    ----------
    Kendall (1954), "Note on bias in the estimation of autocorrelation": the estimate is
    too small by (1 + 4 phi) / n in the mean.
    """
    left = np.asarray(residuals, dtype=np.float64)
    r1 = float(left[1:] @ left[:-1]) / float(left @ left)
    return max(0.0, r1 + (1 + 4 * r1) / len(left))


def effective_bins(residuals: npt.ArrayLike) -> float:
    """Say how many independent bins the bins of a series are worth.

    Parameters
    ----------
    residuals : array_like, shape (n,)
        What the fitted line leaves over, in the order of time; not all zero.

    Returns
    -------
    float
        The smaller of the two estimates that stand at the top of this module.
    """
    left = np.asarray(residuals, dtype=np.float64)
    phi = corrected_phi(left)
    autoregressive = len(left) * (1 - phi) / (1 + phi) if phi < 1 else 0.0
    return min(autoregressive, effective_size(len(left), autocorrelation_time(left)))


def trend(
    at: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    unit: str = "",
    confidence: float = CONFIDENCE,
    least_bins: int = MIN_BINS,
) -> Estimate:
    """Estimate the slope of a series.

    Parameters
    ----------
    at : array_like, shape (n,)
        Where each bin lies, rising.
    values : array_like, shape (n,)
        What was seen in it.
    unit : str
        Of the slope.
    confidence : float
        Two-sided.
    least_bins : int
        Below so many bins it is not estimable.

    Returns
    -------
    Estimate
        Per unit of `at`. Without ends, and with the reason, where the bins are worth too
        few independent ones; not estimable with too few bins.

    References
    ----------
    Theil-Sen slope; the standard error of a least-squares slope scaled by
    sqrt((n - 2) / (n_e - 2)), and t with n_e - 2 degrees of freedom: Santer et al. (2000),
    "Statistical significance of trends and trend differences".
    """
    x, y = _points(at, values)
    n = len(x)
    if n < least_bins:
        why = f"not enough data: {count_of(n, 'bin')}, at least {least_bins} are needed"
        return not_estimable(why, unit=unit, n=n, method=_METHOD)
    return _estimated(x, y, unit=unit, confidence=confidence)


def _estimated(x: FloatArray, y: FloatArray, *, unit: str, confidence: float) -> Estimate:
    """Put an interval around the slope, from what least squares leaves over."""
    n, value, method = len(x), theil_sen(x, y), _METHOD
    centred = x - x.mean()
    spread = float(centred @ centred)
    left = y - y.mean()
    left = left - centred * (float(centred @ left) / spread)
    if float(np.abs(left).max()) <= 1e-12 * max(float(np.abs(y).max()), 1e-300):
        # nothing is left over: the series is the line, as far as numbers can tell
        return Estimate(
            value=value, low=value, high=value, level=confidence, n=n, unit=unit, method=method
        )
    n_eff = effective_bins(left)
    if n_eff < MIN_EFFECTIVE:
        worth = count_of(math.floor(n_eff), "independent one")
        why = (
            f"not enough data: {n} bins depend on each other so long that they are worth {worth}, "
            f"at least {MIN_EFFECTIVE:.0f} are needed"
        )
        return Estimate(value=value, n=n, n_eff=n_eff, unit=unit, method=method, why=why)
    error = math.sqrt(float(left @ left) / (n_eff - 2) / spread)
    half = student_t(confidence, n_eff - 2) * error
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        level=confidence,
        n=n,
        n_eff=n_eff,
        unit=unit,
        method=method,
    )
