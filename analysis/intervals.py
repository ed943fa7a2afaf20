"""Intervals that hold although one request's fate depends on that of the one before.

Requests queue behind each other: a thousand of them say less than a thousand
independent ones. Everything here that takes a series takes it **in the order of
intended starts**, the order in which the load met the target. The order of the
rows of a file (process by process) or of completions hides the dependence, and
intervals become several times too narrow.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri, stdtrit

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

MIN_BATCHES, MAX_BATCHES = 10, 20
"""Fewer batches make Student's t wide, more make them too short to be independent."""

BATCH_TAUS = 5.0
"""Autocorrelation times that a batch must last."""

SHORTEST_SLICE_S = 1.0
"""Seconds that a slice of time must last."""


def _series(values: npt.ArrayLike) -> FloatArray:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"found {series.ndim} dimensions; allowed: a series has one")
    if not np.isfinite(series).all():
        raise ValueError("the series holds NaN or infinity: say before what they count as")
    return series


def intended_order(intended_s: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Find the order of intended starts.

    Parameters
    ----------
    intended_s : array_like, shape (n,)
        Intended starts in seconds.

    Returns
    -------
    ndarray of int, shape (n,)
        Indices that sort; equal times keep the order that they have.
    """
    times = np.asarray(intended_s, dtype=np.float64)
    return np.argsort(times, kind="stable")


def wilson_bound(share: float, n_eff: float, *, confidence: float = 0.95, upper: bool) -> float:
    """Bound a share from one side with Wilson's score interval.

    Parameters
    ----------
    share : float
        Share seen, 0..1.
    n_eff : float
        Independent observations that the sample is worth; need not be whole.
    confidence : float
        One-sided confidence, from 0.5 to below 1.
    upper : bool
        Whether to bound from above, else from below.

    Returns
    -------
    float
        The bound, 0..1.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical
    inference": the p with |share - p| = z sqrt(p (1 - p) / n).
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share = {share}; allowed: 0 to 1")
    if not 0 < n_eff < math.inf:
        raise ValueError(f"n_eff = {n_eff}; allowed: above 0")
    z = _normal_quantile(confidence)
    z2n = z * z / n_eff
    spread = z * math.sqrt(share * (1 - share) / n_eff + z2n / (4 * n_eff))
    bound = (share + z2n / 2 + (spread if upper else -spread)) / (1 + z2n)
    # Rounding must not put the seen share outside its own interval.
    return min(max(bound, share), 1.0) if upper else max(min(bound, share), 0.0)


def wilson_interval(share: float, n_eff: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Bound a share from both sides: each end is missed by half of the rest.

    With ``confidence=0.90`` the ends are the one-sided 95 % bounds of a decision.

    Parameters
    ----------
    share, n_eff : float
        As :func:`wilson_bound` takes them.
    confidence : float
        Two-sided confidence, 0..1.

    Returns
    -------
    tuple of (float, float)
        Low and high.
    """
    each = (1 + confidence) / 2
    return (
        wilson_bound(share, n_eff, confidence=each, upper=False),
        wilson_bound(share, n_eff, confidence=each, upper=True),
    )


def _normal_quantile(confidence: float) -> float:
    if not 1 / 2 <= confidence < 1:
        raise ValueError(f"confidence = {confidence}; allowed: from 0.5 to below 1")
    return float(ndtri(confidence))


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
    values = values if values.dtype == np.bool_ and values.ndim == 1 else _series(values)
    # Asked of the values, not of the variance: 0.1 n times has a mean that is not 0.1.
    if len(values) <= 1 or values.min() == values.max():
        return 1.0
    lags = 0
    while True:
        # Most series forget soon: the rest of the lags is looked at only where one does not.
        lags = min(lags * MORE_LAGS or FIRST_LAGS, len(values) - 1)
        covariance = autocovariance(values, lags)
        tau = 1 + 2 * np.cumsum(covariance[1:] / covariance[0])
        window = np.arange(1, lags + 1) >= WINDOW * tau
        # There always is such a lag: over all lags the sum is -1/2, so tau ends at 0.
        if window.any() or lags == len(values) - 1:
            return max(1.0, float(tau[np.argmax(window)]))


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
    values = _series(latencies)
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


def batch_means(
    values_per_batch: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound a mean from both sides by how much its batches differ.

    Parameters
    ----------
    values_per_batch : array_like, shape (b,)
        The mean of each batch; batches of equal weight, one after the other.
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    tuple of (float, float)
        Mean of the batches -+ t(b - 1) sd / sqrt(b).

    Raises
    ------
    ValueError
        When there are fewer than two batches.
    """
    batches = _series(values_per_batch)
    b = len(batches)
    if b <= 1:
        raise ValueError(f"found {b} batches; allowed: at least 2")
    centre = float(batches.mean())
    half = student_t(confidence, b - 1) * float(batches.std(ddof=1)) / math.sqrt(b)
    return centre - half, centre + half


def student_t(confidence: float, df: float) -> float:
    """Look up the two-sided quantile of Student's t.

    Parameters
    ----------
    confidence : float
        Two-sided confidence, 0..1.
    df : float
        Degrees of freedom.

    Returns
    -------
    float
        t with P(-t <= T <= t) = confidence.

    Raises
    ------
    ValueError
        When `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence}; allowed: between 0 and 1")
    return float(stdtrit(df, (1 + confidence) / 2))


def batch_averages(values: npt.ArrayLike, tau: float | None = None) -> FloatArray | None:
    """Cut a series into batches long enough to be nearly independent.

    Parameters
    ----------
    values : array_like, shape (n,)
        In the order of intended starts.
    tau : float, optional
        Their autocorrelation time, where it is known already.

    Returns
    -------
    ndarray of float, shape (b,), or None
        Means of 10 to 20 batches of equal length (but for one), each of at least
        five autocorrelation times; None when the series is too short for ten.
    """
    series = _series(values)
    if len(series) == 0:
        return None
    tau = autocorrelation_time(series) if tau is None else tau
    lasting = int(len(series) / (BATCH_TAUS * tau))
    b = min(MAX_BATCHES, lasting)
    if b < MIN_BATCHES:
        return None
    starts = np.arange(b) * len(series) // b
    sizes = np.diff(np.append(starts, len(series)))
    return np.asarray(np.add.reduceat(series, starts) / sizes, dtype=np.float64)


def slice_edges(start_s: float, stop_s: float) -> FloatArray | None:
    """Cut a span of time into equal slices for batch means.

    Parameters
    ----------
    start_s, stop_s : float
        The span in seconds.

    Returns
    -------
    ndarray of float, shape (b + 1,), or None
        Edges of 10 to 20 slices of at least a second; None when the span is too short.

    Raises
    ------
    ValueError
        When the span does not end after it starts.
    """
    if not stop_s > start_s:
        raise ValueError(f"the window {start_s} s to {stop_s} s has no length")
    # A billionth of a second is forgiven: spans are differences of floats.
    b = min(MAX_BATCHES, int((stop_s - start_s + 1e-9) / SHORTEST_SLICE_S))
    return np.linspace(start_s, stop_s, b + 1) if b >= MIN_BATCHES else None


def too_short(start_s: float, stop_s: float) -> str:
    """Word why a span has no interval by slices of time.

    Parameters
    ----------
    start_s, stop_s : float
        The span in seconds.

    Returns
    -------
    str
        The reason.
    """
    return (
        f"the window of {stop_s - start_s:.3g} s is shorter than "
        f"{MIN_BATCHES} slices of {SHORTEST_SLICE_S:g} s"
    )
