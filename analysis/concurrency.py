"""Concurrency: how many requests were in flight, on average over time."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from analysis.estimate import Estimate
from analysis.intervals import batch_means, slice_edges, too_short


def mean_in_flight(
    sent_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    start_s: float,
    stop_s: float,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Average the number of open requests over a window of time.

    Parameters
    ----------
    sent_s : array_like, shape (n,)
        When each request was sent, in seconds of run time; NaN: it never was.
    end_s : array_like, shape (n,)
        When it ended or was last seen open; NaN: still open when the window stops.
        Requests that began before the window or end after it count for their part.
    start_s, stop_s : float
        The window in seconds of run time.
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    Estimate
        Requests, with batch means over 10 to 20 equal slices of time; without
        ends when the window is shorter than ten seconds.

    Raises
    ------
    ValueError
        When the window has no length, or the arrays differ in length.

    References
    ----------
    Little (1961): this is X times R when what enters the window leaves it.
    """
    edges = slice_edges(start_s, stop_s)
    sent = np.asarray(sent_s, dtype=np.float64)
    end = np.asarray(end_s, dtype=np.float64)
    if sent.shape != end.shape:
        raise ValueError(f"found {len(sent)} sends and {len(end)} ends; allowed: as many")
    end = np.where(np.isnan(end), stop_s, end)
    open_in_it = (sent < stop_s) & (end > start_s)  # False where never sent
    sent, end = sent[open_in_it], end[open_in_it]
    n = len(sent)
    if n == 0:
        why = "no request was open in the window"
        return Estimate(value=0.0, unit="requests", method="time average", why=why)
    if edges is None:
        value = _average(sent, end, start_s, stop_s)
        why = too_short(start_s, stop_s)
        return Estimate(value=value, n=n, unit="requests", method="time average", why=why)
    averages = [_average(sent, end, a, b) for a, b in itertools.pairwise(edges.tolist())]
    value = float(np.mean(averages))  # the slices are equally long
    low, high = batch_means(averages, confidence=confidence)
    return Estimate(
        value=value,
        low=max(0.0, min(low, value)),
        high=max(high, value),
        level=confidence,
        n=n,
        unit="requests",
        method=f"time average; {len(averages)} slices of time, Student t",
    )


def _average(
    sent: npt.NDArray[np.float64], end: npt.NDArray[np.float64], start_s: float, stop_s: float
) -> float:
    """Sum of the overlaps of [sent, end] with the span, over its length."""
    overlap = np.minimum(end, stop_s) - np.maximum(sent, start_s)
    return float(np.maximum(overlap, 0.0).sum()) / (stop_s - start_s)
