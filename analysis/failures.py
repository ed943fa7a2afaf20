"""Failures: how requests ended, and the share that ended badly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.autocorrelation import autocorrelation_time, effective_size
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import intended_order, least_share, wilson_bound
from analysis.recording.format import BAD, Outcome

METHOD = "share; Wilson score on the effective size, from below the exact bound of fewer than ten"


def outcome_counts(outcomes: Iterable[str] | pd.Series) -> dict[str, int]:
    """Count how requests ended.

    Parameters
    ----------
    outcomes : Series or iterable of str, shape (n,)
        Labels of :class:`~analysis.recording.format.Outcome`.

    Returns
    -------
    dict of str to int
        Every label there is, 0 included, in the order of the format.

    Raises
    ------
    ValueError
        When a label is unknown.
    """
    series = outcomes if isinstance(outcomes, pd.Series) else pd.Series(list(outcomes), dtype=str)
    seen = {str(label): int(count) for label, count in series.value_counts().items() if count}
    counts = {outcome.label: seen.pop(outcome.label, 0) for outcome in Outcome}
    if seen:
        raise ValueError(f"unknown outcomes {sorted(seen)}; allowed: {', '.join(counts)}")
    return counts


def error_ratio(
    bad: npt.ArrayLike,
    counted: npt.ArrayLike | None = None,
    *,
    intended_s: npt.ArrayLike | None = None,
    tau: float | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Compute the share of requests that ended badly.

    Parameters
    ----------
    bad : array_like of bool, shape (n,)
        Whether each request ended badly.
    counted : array_like of bool, shape (n,), optional
        Which requests count: all but the cancelled ones. Without it, all.
    intended_s : array_like, shape (n,), optional
        Intended starts in seconds; without them `bad` is in their order already.
    tau : float, optional
        The autocorrelation time of what counts, where it is known already
        (:func:`analysis.failure_memory.failure_time`).
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    Estimate
        Bad / counted, 0..1, with Wilson's interval on the effective size of the
        series, from below at most the exact one where fewer than ten were bad; without a value
        when no request counts.

    Raises
    ------
    ValueError
        When the arrays differ in length.
    """
    flags = np.asarray(bad, dtype=np.bool_)
    kept = np.ones(len(flags), dtype=np.bool_) if counted is None else np.asarray(counted, np.bool_)
    if kept.shape != flags.shape:
        raise ValueError(f"found {len(kept)} counted of {len(flags)}; allowed: one flag each")
    if intended_s is not None:
        order = intended_order(intended_s)
        flags, kept = flags[order], kept[order]
    flags = flags[kept]
    n = len(flags)
    if n == 0:
        return not_estimable("no request was counted", unit="ratio", method=METHOD)
    value = float(flags.mean())
    n_eff = effective_size(n, autocorrelation_time(flags) if tau is None else tau)
    each = (1 + confidence) / 2
    return Estimate(
        value=value,
        low=least_share(value, n, n_eff, confidence=each),
        high=wilson_bound(value, n_eff, confidence=each, upper=True),
        level=confidence,
        n=n,
        n_eff=n_eff,
        unit="ratio",
        method=METHOD,
    )


def ratios_by_outcome(outcomes: pd.Series, *, confidence: float = 0.95) -> dict[str, Estimate]:
    """Compute the share of requests that ended badly in each way.

    Parameters
    ----------
    outcomes : Series, shape (n,)
        Labels of :class:`~analysis.recording.format.Outcome`, in the order of intended
        starts.
    confidence : float
        Two-sided.

    Returns
    -------
    dict of str to Estimate
        As :func:`error_ratio`, by each bad label that occurs, in the order of the format;
        cancelled requests do not count. The shares add up to the error ratio.
    """
    counted = (outcomes != Outcome.CANCELLED.label).to_numpy()
    found = outcome_counts(outcomes)
    return {
        outcome.label: error_ratio(
            (outcomes == outcome.label).to_numpy(), counted, confidence=confidence
        )
        for outcome in Outcome
        if outcome in BAD and found[outcome.label]
    }
