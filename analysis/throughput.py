"""Throughput: right answers per second, by when their last byte came."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from analysis.estimate import Estimate
from analysis.intervals import batch_means, slice_edges, too_short


def throughput(
    done_s: npt.ArrayLike, start_s: float, end_s: float, *, confidence: float = 0.95
) -> Estimate:
    """Compute the throughput of a window.

    Parameters
    ----------
    done_s : array_like, shape (n,)
        When the last byte of each ok request came, in seconds of run time and in
        any order; those outside the window and NaN (it never came) do not count.
    start_s, end_s : float
        The window; its end does not belong to it.
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    Estimate
        Requests per second, with batch means over 10 to 20 equal slices of time;
        without ends when the window is shorter than ten seconds.

    Raises
    ------
    ValueError
        When the window does not end after it starts.
    """
    edges = slice_edges(start_s, end_s)
    length_s = end_s - start_s
    done = np.asarray(done_s, dtype=np.float64)
    inside = done[(done >= start_s) & (done < end_s)]
    n, value = len(inside), len(inside) / length_s
    if n == 0:
        # Slices that are all empty do not differ, but that is not certainty: the
        # highest rate at which none at all is no rarer than the level leaves.
        high = -math.log((1 - confidence) / 2) / length_s
        return Estimate(
            value=0.0, low=0.0, high=high, level=confidence, unit="1/s", method="none seen; Poisson"
        )
    if edges is None:
        why = too_short(start_s, end_s)
        return Estimate(value=value, n=n, unit="1/s", method="count / length", why=why)
    b = len(edges) - 1
    # The last slice takes what rounding would put behind it.
    slices = np.minimum(((inside - start_s) * (b / length_s)).astype(np.intp), b - 1)
    low, high = batch_means(
        np.bincount(slices, minlength=b) * (b / length_s), confidence=confidence
    )
    return Estimate(
        value=value,
        low=max(0.0, min(low, value)),
        high=max(high, value),
        level=confidence,
        n=n,
        unit="1/s",
        method=f"count / length; {b} slices of time, Student t",
    )
