"""Throughput: right answers per second, by when their last byte came."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from analysis.estimate import Estimate
from analysis.intervals import MIN_BATCHES, batch_means, slice_edges

SHORTEST_S = 1.0
"""Below, not even ten slices of a tenth of a second say how much slices differ."""


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
        Requests per second. The interval is the wider one of two: batch means over 10
        to 20 equal slices of time, which see answers that come together; and that of a
        Poisson count, for slices are too alike where the load changes more slowly than
        they last (users who wait for a server that is just saturated). Without ends
        when the window is shorter than a second.

    Raises
    ------
    ValueError
        When the window does not end after it starts.

    References
    ----------
    Garwood (1936), "Fiducial limits for the Poisson distribution".
    """
    edges = slice_edges(start_s, end_s)
    length_s = end_s - start_s
    done = np.asarray(done_s, dtype=np.float64)
    inside = done[(done >= start_s) & (done < end_s)]
    n, value = len(inside), len(inside) / length_s
    # A billionth of a second is forgiven: windows are differences of floats.
    if length_s < SHORTEST_S - 1e-9:
        why = f"the window of {length_s:.3g} s is shorter than {SHORTEST_S:g} s"
        return Estimate(value=value, n=n, unit="1/s", method="count / length", why=why)
    low, high = (end / length_s for end in poisson_interval(n, confidence))
    b = MIN_BATCHES if edges is None else len(edges) - 1
    if n > 0:  # slices that are all empty do not differ, but that is not certainty
        # The last slice takes what rounding would put behind it.
        slices = np.minimum(((inside - start_s) * (b / length_s)).astype(np.intp), b - 1)
        least, most = batch_means(
            np.bincount(slices, minlength=b) * (b / length_s), confidence=confidence
        )
        low, high = max(0.0, min(low, least)), max(high, most)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=confidence,
        n=n,
        unit="1/s",
        method=f"count / length; the wider of a Poisson count and {b} slices of time, Student t",
    )


def answers_for(rate_rps: float, length_s: float, *, confidence: float = 0.95) -> int:
    """Count the right answers that show a rate: the low end of their Poisson count is above it.

    Parameters
    ----------
    rate_rps : float
        Requests per second.
    length_s : float
        Of the window in seconds.
    confidence : float
        Two-sided, as :func:`throughput` takes it.

    Returns
    -------
    int
        At least so many; more where they come together.
    """
    asked = rate_rps * length_s
    n = math.ceil(asked)
    while poisson_interval(n, confidence)[0] < asked:
        # Half of what is missing, at least one: the low end grows nearly as fast as the count.
        n += max(1, int((asked - poisson_interval(n, confidence)[0]) / 2))
    return n


def poisson_interval(count: int, confidence: float) -> tuple[float, float]:
    """Bound the mean of a Poisson variable of which one value was seen, exactly.

    Parameters
    ----------
    count : int
        The value.
    confidence : float
        Two-sided.

    Returns
    -------
    tuple of (float, float)
        Half the quantiles of chi-squared with 2 count and 2 count + 2 degrees of freedom.

    References
    ----------
    Garwood (1936), "Fiducial limits for the Poisson distribution".
    """
    rest = (1 - confidence) / 2
    low = float(chdtri(2 * count, 1 - rest)) / 2 if count else 0.0
    return low, float(chdtri(2 * count + 2, rest)) / 2
