"""Intervals that hold although one request's fate depends on that of the one before.

How long a series remembers is in :mod:`analysis.autocorrelation`; everything here that
takes one takes it in the order of intended starts, too.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri, stdtrit

from analysis.autocorrelation import (
    TAU_ALLOWANCE,
    FloatArray,
    as_series,
    autocorrelation_time,
)

MIN_BATCHES, MAX_BATCHES = 10, 20
"""Fewer batches make Student's t wide, more make them too short to be independent."""

BATCH_TAUS = 5.0
"""Autocorrelation times that a batch must last."""

SHORTEST_SLICE_S = 1.0
"""Seconds that a slice of time must last."""

FEW = 10
"""So many seen, and more, are bounded by Wilson's score alone, which is then the lower one."""

_HARDLY_ONE = 0.01
"""Of so little of an observation the exact bound is 0 in every digit."""


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
    _check_share(share, n_eff, confidence)
    z = float(ndtri(confidence))
    z2n = z * z / n_eff
    spread = z * math.sqrt(share * (1 - share) / n_eff + z2n / (4 * n_eff))
    bound = (share + z2n / 2 + (spread if upper else -spread)) / (1 + z2n)
    # Rounding must not put the seen share outside its own interval.
    return min(max(bound, share), 1.0) if upper else max(min(bound, share), 0.0)


def exact_floor(share: float, n: float, *, confidence: float = 0.95) -> float:
    """Bound a share from below with the exact binomial interval.

    Parameters
    ----------
    share : float
        Share seen, 0..1.
    n : float
        Independent observations; need not be whole, nor need the number seen.
    confidence : float
        One-sided confidence, from 0.5 to below 1.

    Returns
    -------
    float
        The share of which as many or more are seen with 1 - confidence; 0 where none was.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    References
    ----------
    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in
    the case of the binomial": the quantile of a beta distribution with k and n - k + 1.
    """
    _check_share(share, n, confidence)
    seen = share * n
    if seen < _HARDLY_ONE:
        return 0.0
    return min(float(betaincinv(seen, n - seen + 1, 1 - confidence)), share)


def least_share(share: float, n: int, n_eff: float, *, confidence: float = 0.95) -> float:
    """Bound a share from below, also where few were seen.

    Wilson's score takes the number seen for normal. Of a single one in sixteen it is sure that
    they are more than 1 %, though of 1 % every seventh such sample has one.

    Parameters
    ----------
    share : float
        Share seen, 0..1.
    n : int
        Observations.
    n_eff : float
        Independent observations that they are worth, as
        :func:`analysis.autocorrelation.effective_size` says: with its allowance.
    confidence : float
        One-sided confidence, from 0.5 to below 1.

    Returns
    -------
    float
        Wilson's bound on `n_eff`; where fewer than ten were seen at most the exact one on
        n / tau: what comes in clusters is counted by the cluster.
    """
    score = wilson_bound(share, n_eff, confidence=confidence, upper=False)
    if share * n >= FEW:
        return score
    return min(score, exact_floor(share, n_eff * TAU_ALLOWANCE, confidence=confidence))


def _check_share(share: float, n: float, confidence: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"share = {share}; allowed: 0 to 1")
    if not 0 < n < math.inf:
        raise ValueError(f"found {n} independent observations; allowed: above 0")
    if not 1 / 2 <= confidence < 1:
        raise ValueError(f"confidence = {confidence}; allowed: from 0.5 to below 1")


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
    batches = as_series(values_per_batch)
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
    series = as_series(values)
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
