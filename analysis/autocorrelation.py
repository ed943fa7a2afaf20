"""The memory of a series: how long what happened to one request is felt by others.

Requests queue behind each other: a thousand of them say less than a thousand
independent ones. Everything here takes a series **in the order of intended starts**,
the order in which the load met the target. The order of the rows of a file (process by
process) or of completions hides the dependence, and intervals become several times too
narrow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, next_fast_len, rfft

FloatArray = npt.NDArray[np.float64]

QUANTILE_METHOD: Final = "linear"
"""The one definition of a quantile here: NumPy's, Hyndman and Fan's type 7."""

WINDOW = 5.0
"""Sokal's window: the sum over lags stops at the first M with M >= 5 tau."""

FIRST_LAGS, MORE_LAGS = 1_000, 16
"""Lags that are looked at first for where the window ends, and the factor to the next."""

BLOCK_LAGS = 8
"""Length of a transform in lags: longer ones leave the cache, shorter ones overlap more."""

TOGETHER = 1 << 18
"""Values that are transformed in one call."""

TAU_LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Sample quantiles at which the dependence of a latency series is looked at."""

TAU_ALLOWANCE = 1.5
"""How much longer than estimated the autocorrelation time is taken to be: from a
series of a few thousand requests it comes out too short more often than too long."""

MOST_BINS = 65_536
"""A longer series is averaged into at most so many bins before its memory is looked at:
the time comes out the same within some per cent, in a fifth of the time."""


def as_series(values: npt.ArrayLike) -> FloatArray:
    """Check that values are one series of finite numbers.

    Parameters
    ----------
    values : array_like, shape (n,)
        Any.

    Returns
    -------
    ndarray of float, shape (n,)
        The same.

    Raises
    ------
    ValueError
        When they are not.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"found {series.ndim} dimensions; allowed: a series has one")
    if not np.isfinite(series).all():
        raise ValueError("the series holds NaN or infinity: say before what they count as")
    return series


def autocorrelation_time(series: npt.ArrayLike) -> float:
    """Estimate the integrated autocorrelation time of a series.

    Parameters
    ----------
    series : array_like, shape (n,)
        Numbers or truth values, in the order of intended starts.

    Returns
    -------
    float
        tau = 1 + 2 sum of rho(k) for k up to the first M >= 5 tau(M), in steps of
        the series; at least 1, and 1 for a constant or shorter than two.

    References
    ----------
    Sokal (1997), "Monte Carlo methods in statistical mechanics", section 3.
    """
    values = np.asarray(series)
    values = values if values.dtype == np.bool_ and values.ndim == 1 else as_series(values)
    sums, window = _windowed(values)
    return _at(sums, window)


def _windowed(values: npt.NDArray[Any]) -> tuple[FloatArray, int]:
    """Give tau(M) for M = 1.. as far as it was asked for, and Sokal's M."""
    # Asked of the values, not of the variance: 0.1 n times has a mean that is not 0.1.
    if len(values) <= 1 or values.min() == values.max():
        return np.ones(max(1, len(values))), 1
    lags = 0
    while True:
        # Most series forget soon: the rest of the lags is looked at only where one does not.
        lags = min(lags * MORE_LAGS or FIRST_LAGS, len(values) - 1)
        sums = _sums(values, lags)
        ends = np.arange(1, lags + 1) >= WINDOW * sums
        # There always is such a lag: over all lags the sum is -1/2, so tau ends at 0.
        if ends.any() or lags == len(values) - 1:
            return sums, int(np.argmax(ends)) + 1


def _sums(values: npt.NDArray[Any], lags: int) -> FloatArray:
    """Give tau(M) for M = 1..lags."""
    covariance = autocovariance(values, lags)
    return np.asarray(1 + 2 * np.cumsum(covariance[1:] / covariance[0]), dtype=np.float64)


def _at(sums: FloatArray, window: int) -> float:
    return max(1.0, float(sums[window - 1]))


def autocovariance(values: npt.NDArray[Any], lags: int) -> FloatArray:
    """Sum the products of a series with itself, some steps later.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite numbers or truth values.
    lags : int
        The longest lag, below n.

    Returns
    -------
    ndarray, shape (lags + 1,)
        sum over i of (x[i] - mean) (x[i + k] - mean) for k = 0..lags: the same as by one
        transform of everything, by many short ones, which need no memory and stay in the
        cache.
    """
    mean = float(values.mean())
    size = next_fast_len(BLOCK_LAGS * max(lags, FIRST_LAGS), real=True)
    if size >= 2 * len(values):
        # Padded to twice the length, or the transform would wrap the end around to the start.
        size = next_fast_len(len(values) + lags, real=True)
        power = np.abs(rfft(values - mean, size)) ** 2
        return np.asarray(irfft(power, size)[: lags + 1], dtype=np.float64)
    step = size - lags
    together = max(1, TOGETHER // size)
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    for first in range(0, len(values), step * together):
        part = values[first : first + step * together + lags] - mean
        blocks = -(-min(len(values) - first, step * together) // step)
        padded = np.zeros(blocks * step + lags)
        padded[: len(part)] = part
        later = rfft(sliding_window_view(padded, size)[::step])
        now = rfft(padded[: blocks * step].reshape(blocks, step), size)
        spectrum += np.einsum("ij,ij->j", now.conj(), later)
    return np.asarray(irfft(spectrum, size)[: lags + 1], dtype=np.float64)


def memory(series: npt.ArrayLike) -> float:
    """Estimate the autocorrelation time of a series, by bins where it is long.

    Parameters
    ----------
    series : array_like, shape (n,)
        Numbers or truth values, in the order of intended starts.

    Returns
    -------
    float
        At least 1. n var(mean) = var tau holds for the values and for the means of bins
        of k of them alike: so tau = k var(bins) tau(bins) / var.
    """
    bins, factor = _binned(np.asarray(series))
    return max(1.0, factor * autocorrelation_time(bins))


def memories(series: Iterable[npt.NDArray[Any]]) -> FloatArray:
    """Estimate the autocorrelation times of several views of one series, with one window.

    Parameters
    ----------
    series : iterable of k arrays, shape (n,) each
        Say, the indicators of its values at several heights.

    Returns
    -------
    ndarray of float, shape (k,)
        As :func:`memory` gives them, but for the window of lags, which is as long for each
        as for the one that remembers longest: how long a queue remembers does not depend on
        where it is looked at. A view that shows little of a long memory has a short time of
        its own, and a window that follows it ends before that little has been counted.
    """
    binned = [_binned(view) for view in series]
    seen = [_windowed(bins) for bins, _ in binned]
    longest = max(window for _, window in seen)
    times = []
    for (bins, factor), (sums, window) in zip(binned, seen, strict=True):
        further = sums if len(sums) >= longest else _sums(bins, longest)
        times.append(max(1.0, factor * max(_at(sums, window), _at(further, longest))))
    return np.array(times)


def _binned(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float]:
    """Average a long series into bins: them, and what turns their time into the series'."""
    k = -(-len(values) // MOST_BINS)
    if k <= 1 or values.min() == values.max():
        return values, 1.0
    bins = values[: len(values) // k * k].reshape(-1, k).mean(axis=1)
    mean = float(values.mean())
    is_truth = values.dtype == np.bool_
    variance = mean * (1 - mean) if is_truth else float(values.var())
    return bins, k * float(bins.var()) / variance


def largest_autocorrelation_time(latencies: npt.ArrayLike, limit: float) -> float:
    """Find the longest memory that a latency series shows at any height.

    The tail alone has too few events to show its own; a queue's memory is best
    seen at the middle, a rare stall's at the limit. The largest is the safe one.

    Parameters
    ----------
    latencies : array_like, shape (n,)
        In the order of intended starts; censored ones at their age.
    limit : float
        The limit of the budget, in the unit of `latencies`.

    Returns
    -------
    float
        tau_max, the largest :func:`autocorrelation_time` of the indicators
        "above the cut" with the cut at p50, p80, p90, p95 and at `limit`.
    """
    values = as_series(latencies)
    if len(values) == 0:
        return 1.0
    cuts = {*np.quantile(values, TAU_LEVELS, method=QUANTILE_METHOD).tolist(), float(limit)}
    return max(autocorrelation_time(values > cut) for cut in cuts)


def effective_size(n: int, tau: float) -> float:
    """Say how many independent observations a dependent sample is worth.

    Parameters
    ----------
    n : int
        Observations.
    tau : float
        Their autocorrelation time, at least 1.

    Returns
    -------
    float
        n / (1.5 tau).

    Raises
    ------
    ValueError
        When `tau` is below 1.
    """
    if not tau >= 1:
        raise ValueError(f"tau = {tau}; allowed: at least 1")
    return n / (TAU_ALLOWANCE * tau)


def degrees_of_freedom(tau: npt.ArrayLike, n: int) -> FloatArray:
    """Say how much a series tells of its own autocorrelation time.

    Parameters
    ----------
    tau : array_like
        The time as :func:`autocorrelation_time` estimates it.
    n : int
        Observations.

    Returns
    -------
    ndarray
        n / (2 M + 1) with M = 5 tau the window of lags: the variance of tau is
        2 (2 M + 1) / n of its square, which is that of chi-squared with so many degrees.

    References
    ----------
    Sokal (1997), "Monte Carlo methods in statistical mechanics", section 3: the variance
    of the windowed estimator.
    """
    return n / (2 * WINDOW * np.asarray(tau, dtype=np.float64) + 1)


def unbiased_time(tau: npt.ArrayLike, n: int) -> FloatArray:
    """Give back what an estimated autocorrelation time lost to the estimated mean.

    Parameters
    ----------
    tau : array_like
        The time as :func:`autocorrelation_time` estimates it.
    n : int
        Observations.

    Returns
    -------
    ndarray
        tau (1 + (2 M + 1) / n) with M = 5 tau the window of lags.

    References
    ----------
    Wolff (2004), "Monte Carlo errors with less errors": the bias of the windowed sum.
    """
    times = np.asarray(tau, dtype=np.float64)
    return np.asarray(times * (1 + 1 / degrees_of_freedom(times, n)))
