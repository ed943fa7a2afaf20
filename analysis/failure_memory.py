"""How long failures remember: by themselves, and as far as they come with what slows requests.

A run that is short for its memory has seen few of the clusters in which its errors come, and
the flags alone cannot know how long those last. The latencies can: every request tells
of the queue. So where errors begin after slow requests (or quick ones) more often than
chance has it, they are taken to fade as the latencies do (docs/decisions/0030).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from analysis.autocorrelation import (
    QUANTILE_METHOD,
    TAU_LEVELS,
    autocorrelation_time,
    memory,
)

Flags = npt.NDArray[np.bool_]

CHANCE = 2.0
"""Standard deviations beyond which errors begin after slow requests too often for chance."""


def failure_time(bad: npt.ArrayLike, latencies: npt.ArrayLike) -> float:
    """Estimate the autocorrelation time of failures, with what the latencies tell of it.

    Parameters
    ----------
    bad : array_like of bool, shape (n,)
        Whether each request ended badly, in the order of intended starts.
    latencies : array_like, shape (n,)
        Of the same requests, in any unit; censored ones at their age.

    Returns
    -------
    float
        The flags' own time, or 1 + s (tau - 1) where that is longer and errors begin
        after slow requests (above the median) more or less often than chance has it. tau
        is the longest time of the latencies at any height, and s, at most 1, how much of
        its correlation from one request to the next the flags have.

    Raises
    ------
    ValueError
        When the arrays differ in length.
    """
    flags, values = np.asarray(bad, dtype=np.bool_), np.asarray(latencies, dtype=np.float64)
    if flags.shape != values.shape:
        raise ValueError(f"found {len(values)} latencies of {len(flags)} flags; allowed: one each")
    own = autocorrelation_time(flags)
    if not _begin_after_slow_ones(flags, values):
        return own
    cuts = np.quantile(values, TAU_LEVELS, method=QUANTILE_METHOD)
    time, cut = max((memory(values > cut), float(cut)) for cut in cuts)
    whole = _from_one_to_the_next(values > cut)
    share = min(1.0, max(0.0, _from_one_to_the_next(flags)) / whole) if whole > 0 else 0.0
    return max(own, 1 + share * (time - 1))


def _begin_after_slow_ones(bad: Flags, values: npt.NDArray[np.float64]) -> bool:
    """Say whether errors begin after slow requests more, or less, often than chance has it.

    Of the requests that follow one that was not bad. Errors that know nothing of the latencies
    are drawn from these without replacement: the count is hypergeometric, however long the
    latencies remember, and whatever else follows each of the errors.
    """
    after_good = ~bad[:-1]
    now = bad[1:][after_good]
    k, n = int(now.sum()), len(now)
    if k in {0, n}:
        return False
    before = (values > np.median(values))[:-1][after_good]
    share = float(before.mean())
    spread = math.sqrt(k * share * (1 - share) * (n - k) / (n - 1))
    return abs(int((now & before).sum()) - k * share) > CHANCE * spread


def _from_one_to_the_next(flags: Flags) -> float:
    """Correlation of a series with itself one step later; it is not constant."""
    apart = flags - float(flags.mean())
    return float(apart[1:] @ apart[:-1] / (apart @ apart))
