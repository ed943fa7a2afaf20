"""Apdex: one number for how content with the response times one may be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.autocorrelation import autocorrelation_time, effective_size
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import intended_order, least_share, wilson_bound

TOLERATING = 4
"""Up to so many times the threshold an answer is tolerated."""

METHOD = (
    "Apdex; Wilson score on the effective size, from above the exact bound of fewer than ten lost"
)


def apdex(
    latency_ms: npt.ArrayLike,
    good: npt.ArrayLike,
    censored: npt.ArrayLike,
    threshold_s: float,
    *,
    intended_s: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Compute the Apdex of a window: (satisfied + tolerating / 2) / all.

    ::

        good answer        satisfied 1 ---T--- tolerating 1/2 ---4T--- frustrated 0
        anything else      frustrated 0
        end not seen       0, but up to what its age still allows: 1 - T - 1/2 - 4T - 0

    A request whose end nobody saw counts both ways where its age leaves that open:
    the value and the low end hold it frustrated, the high end gives it the best
    that it could have become.

    Parameters
    ----------
    latency_ms : array_like, shape (n,)
        Milliseconds from the intended start; censored ones at their age. Cancelled
        requests are left out before.
    good : array_like of bool, shape (n,)
        Whether the answer was right.
    censored : array_like of bool, shape (n,)
        Whether nobody saw the end; none of these is good. To hold a timeout for a
        plain error, do not flag it.
    threshold_s : float
        T, in seconds as in the budget ``apdex(0.5s)``.
    intended_s : array_like, shape (n,), optional
        Intended starts in seconds; without them the rest is in their order already.
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    Estimate
        0..1. A score of halves varies less than a share of the same mean, so
        Wilson's interval is on the safe side; where less than ten are lost, the high end is
        at least the exact one.

    Raises
    ------
    ValueError
        When T is not positive, a request is good and censored, or lengths differ.

    References
    ----------
    Apdex Alliance (2007), "Application Performance Index, technical specification 1.1".
    """
    latency = np.asarray(latency_ms, dtype=np.float64)
    right = np.asarray(good, dtype=np.bool_)
    unseen = np.asarray(censored, dtype=np.bool_)
    if not latency.shape == right.shape == unseen.shape:
        raise ValueError(
            f"found {len(latency)} latencies, {len(right)} good, {len(unseen)} censored; "
            "allowed: as many of each"
        )
    if not threshold_s > 0:
        raise ValueError(f"threshold_s = {threshold_s}; allowed: above 0")
    if (right & unseen).any():
        raise ValueError("a request is good and censored; allowed: at most one of them")
    n = len(latency)
    if n == 0:
        return not_estimable("no request was counted", unit="ratio", method=METHOD)
    if intended_s is not None:
        order = intended_order(intended_s)
        latency, right, unseen = latency[order], right[order], unseen[order]
    score = _score(latency, threshold_s * 1e3)
    least = np.where(right, score, 0.0)
    most = np.where(right | unseen, score, 0.0)
    # Runs of satisfied and runs of frustrated may last differently: the longest counts.
    tau = max(autocorrelation_time(series) for series in (least, least == 1.0, least > 0.0))
    n_eff = effective_size(n, tau)
    each = (1 + confidence) / 2
    undecided = int((most > least).sum())
    return Estimate(
        value=float(least.mean()),
        low=wilson_bound(float(least.mean()), n_eff, confidence=each, upper=False),
        high=1 - least_share(1 - float(most.mean()), n, n_eff, confidence=each),
        level=confidence,
        n=n,
        n_eff=n_eff,
        unit="ratio",
        method=METHOD,
        why=f"{undecided} of {n} ended unseen and count both ways" if undecided else None,
    )


def _score(latency_ms: npt.NDArray[np.float64], threshold_ms: float) -> npt.NDArray[np.float64]:
    satisfied = latency_ms <= threshold_ms
    tolerating = latency_ms <= TOLERATING * threshold_ms
    return (satisfied.astype(np.float64) + tolerating) / 2
