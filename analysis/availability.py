"""Availability: the share of seconds in which somebody who asked was served.

::

    in a second ...                              it is
    a good request completed                     up
    else, a bad one covers it (even in part)     down
    else                                         unknown: nobody knows

An outage lasts from the last good answer before its down seconds, or the first bad
request after that, to the first good answer after them: counted in whole seconds every
one would be a second too short on average, for its first and last second are often up.

The share of requests is no availability: a server that refuses in a millisecond
is asked a thousand times as often as one that hangs. It is shown beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from analysis.estimate import Estimate, not_estimable
from analysis.failures import METHOD as BY_REQUESTS
from analysis.failures import error_ratio
from analysis.intervals import intended_order
from scenarios.counting import count_of

SECOND = 1.0
"""Length of the pieces that are up or down; part of the definition."""

SLIVER_S = 1e-6
"""A last piece shorter than the recording's resolution is rounding, not time."""

SEEN = "what was seen in this run: a statement about it has no interval"

ENOUGH = 5
"""Outages that an interval takes; with fewer its ends are eight times apart or more."""

EXPONENTIAL = "chi-square, for exponential times"

BY_TIME = "up seconds / (up + down)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A span in which nobody was served: one down second at least, and no up second.

    Seconds of which nobody knows anything do not end an outage: a server that
    refuses now and then, and serves nobody in between, is down once.

    Attributes
    ----------
    start_s, end_s : float
        In run time: to the answers around it, which lie within a second of the down
        seconds, else to the second.
    open : bool
        Whether nobody was served after it until the end of the window.
    """

    start_s: float
    end_s: float
    open: bool = False

    @property
    def duration_s(self) -> float:
        """How long it lasted, or had lasted when the window ended."""
        return self.end_s - self.start_s

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Start, end and whether it was open.
        """
        return {"start_s": self.start_s, "end_s": self.end_s, "open": self.open}


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """How available the target was.

    Attributes
    ----------
    estimate : Estimate
        By time: up / (up + down).
    by_requests : Estimate
        Good / (good + bad) of the requests intended in the window.
    up_s, down_s, unknown_s : float
        Seconds; together the window.
    outages : tuple of Outage
        In order.
    mttr : Estimate
        Mean length of the outages in seconds; a lower bound while one is open.
    mtbf : Estimate
        Up seconds per outage. Both have intervals from five outages on, for outages
        that come and go without memory.
    """

    estimate: Estimate
    by_requests: Estimate
    up_s: float
    down_s: float
    unknown_s: float
    outages: tuple[Outage, ...]
    mttr: Estimate
    mtbf: Estimate


def availability(
    intended_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    good: npt.ArrayLike,
    bad: npt.ArrayLike,
    start_s: float,
    stop_s: float,
    *,
    confidence: float = 0.95,
) -> Availability:
    """Compute the availability over a window of the run.

    Parameters
    ----------
    intended_s, end_s : array_like, shape (n,)
        Intended start, and last byte or last time seen, of each request in seconds
        of run time, in any order. Requests that reach into the window count in it;
        an end that is NaN is one beyond it.
    good, bad : array_like of bool, shape (n,)
        As the outcomes say; a cancelled request is neither.
    start_s, stop_s : float
        The window; its end does not belong to it. A last part of a second counts
        for its length.
    confidence : float
        Of the intervals, two-sided.

    Returns
    -------
    Availability
        Without a value when there is no second that anything is known of.

    Raises
    ------
    ValueError
        When the window has no length, or the arrays differ in length.
    """
    if not stop_s > start_s:
        raise ValueError(f"the window {start_s} s to {stop_s} s has no length")
    begin = np.asarray(intended_s, dtype=np.float64)
    end = np.asarray(end_s, dtype=np.float64)
    unseen = np.isnan(end)
    end = np.where(unseen, np.inf, end) if unseen.any() else end
    right = np.asarray(good, dtype=np.bool_)
    wrong = np.asarray(bad, dtype=np.bool_)
    if not begin.shape == end.shape == right.shape == wrong.shape:
        raise ValueError("intended_s, end_s, good and bad differ in length")
    edges = _edges(start_s, stop_s)
    completed = (end >= start_s) & (end < stop_s)
    up = _count(_second(end[right & completed], edges), edges) > 0
    reaching = wrong & (begin < stop_s) & ((end > start_s) | (begin >= start_s))
    down = _covered(begin[reaching], end[reaching], edges) & ~up
    widths = np.diff(edges)
    up_s, down_s = float(widths[up].sum()), float(widths[down].sum())
    outages = _to_the_answers(
        _outages(up, down, edges), end[right & completed], begin[reaching], end[reaching], start_s
    )
    inside = (begin >= start_s) & (begin < stop_s)
    return Availability(
        estimate=_by_time(up_s, down_s, int(up.sum() + down.sum())),
        by_requests=_by_requests(begin[inside], right[inside], wrong[inside], confidence),
        up_s=up_s,
        down_s=down_s,
        unknown_s=float(widths[~(up | down)].sum()),
        outages=outages,
        mttr=_mttr(outages, confidence),
        mtbf=_mtbf(outages, up_s, confidence),
    )


def _edges(start_s: float, stop_s: float) -> npt.NDArray[np.float64]:
    pieces = max(1, math.ceil((stop_s - start_s - SLIVER_S) / SECOND))
    edges = start_s + SECOND * np.arange(pieces + 1, dtype=np.float64)
    edges[-1] = stop_s
    return np.asarray(edges, dtype=np.float64)


def _second(
    times_s: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Which piece each time lies in; those outside belong to the nearest."""
    number = np.floor((times_s - edges[0]) / SECOND)
    return np.asarray(np.clip(number, 0, len(edges) - 2), dtype=np.intp)


def _count(numbers: npt.NDArray[np.intp], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.bincount(numbers, minlength=len(edges) - 1)


def _covered(
    begin: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Which pieces at least one of the spans [begin, end) reaches into.

    One that ends as a piece begins does not reach into it, but one that ends as it
    begins reaches into its own.
    """
    first = _second(begin, edges)
    last = np.ceil((end - edges[0]) / SECOND) - 1
    last = np.clip(last, first, len(edges) - 2).astype(np.intp)
    entering = _count(first, edges)
    leaving = np.append(0, _count(last, edges)[:-1])
    return np.asarray(np.cumsum(entering - leaving) > 0, dtype=np.bool_)


def _outages(
    up: npt.NDArray[np.bool_], down: npt.NDArray[np.bool_], edges: npt.NDArray[np.float64]
) -> tuple[Outage, ...]:
    numbers = np.flatnonzero(down)
    if len(numbers) == 0:
        return ()
    # Down seconds with as many up seconds before them belong together.
    ups_before = np.cumsum(up)[numbers]
    firsts = np.append(True, np.diff(ups_before) > 0)
    lasts = np.append(firsts[1:], True)
    total = int(up.sum())
    return tuple(
        Outage(
            start_s=float(edges[first]),
            end_s=float(edges[last + 1]),
            open=int(before) == total,
        )
        for first, last, before in zip(
            numbers[firsts], numbers[lasts], ups_before[lasts], strict=True
        )
    )


def _to_the_answers(
    outages: tuple[Outage, ...],
    good_s: npt.NDArray[np.float64],
    bad_begin_s: npt.NDArray[np.float64],
    bad_end_s: npt.NDArray[np.float64],
    start_s: float,
) -> tuple[Outage, ...]:
    """Let outages begin and end with the answers around them, which lie in up seconds."""
    if not outages:
        return ()
    good_s = np.sort(good_s)
    order = np.argsort(bad_begin_s)
    begins, reached = bad_begin_s[order], np.maximum.accumulate(bad_end_s[order])
    found = []
    for outage in outages:
        after = int(np.searchsorted(good_s, outage.start_s))
        last_s = float(good_s[after - 1]) if after else -math.inf
        begin_s = max(last_s, outage.start_s - SECOND, start_s)
        later = int(np.searchsorted(begins, begin_s))
        if later == 0 or reached[later - 1] <= begin_s:  # nobody was waiting then
            begin_s = float(begins[later])
        end_s = outage.end_s
        if after < len(good_s) and good_s[after] < end_s + SECOND:
            end_s = float(good_s[after])
        found.append(replace(outage, start_s=begin_s, end_s=end_s))
    return tuple(found)


def _by_time(up_s: float, down_s: float, seconds: int) -> Estimate:
    if seconds == 0:
        why = "no request was answered, and none failed, in any second"
        return not_estimable(why, unit="ratio", method=BY_TIME)
    value = up_s / (up_s + down_s)
    return Estimate(value=value, n=seconds, unit="ratio", method=BY_TIME, why=SEEN)


def _by_requests(
    intended_s: npt.NDArray[np.float64],
    good: npt.NDArray[np.bool_],
    bad: npt.NDArray[np.bool_],
    confidence: float,
) -> Estimate:
    counted = good | bad
    order = intended_order(intended_s[counted])
    # The good share is one less the bad one; so are its ends, the other way round.
    ratio = error_ratio(bad[counted][order], confidence=confidence)
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return ratio
    return Estimate(
        value=1 - ratio.value,
        low=1 - ratio.high,
        high=1 - ratio.low,
        level=ratio.level,
        n=ratio.n,
        n_eff=ratio.n_eff,
        unit="ratio",
        method=BY_REQUESTS,
    )


def _mttr(outages: tuple[Outage, ...], confidence: float) -> Estimate:
    """Bound the mean length: 2 T / theta is chi-square with two degrees for each end that was seen.

    An outage that was open adds its time to T, and no end.
    """
    method = "length of outages / outages"
    if not outages:
        return not_estimable("no outage was seen", unit="s", method=method)
    n = len(outages)
    value = math.fsum(outage.duration_s for outage in outages) / n
    if outages[-1].open:
        why = "a lower bound: nobody was served after the last outage"
        return Estimate(value=value, low=value, n=n, unit="s", method=method, why=why)
    if n < ENOUGH:
        return Estimate(value=value, n=n, unit="s", method=method, why=_few(n))
    return Estimate(
        value=value,
        low=2 * n * value / _chi2(2 * n, (1 + confidence) / 2),
        high=2 * n * value / _chi2(2 * n, (1 - confidence) / 2),
        level=confidence,
        n=n,
        unit="s",
        method=f"{method}; {EXPONENTIAL}",
    )


def _mtbf(outages: tuple[Outage, ...], up_s: float, confidence: float) -> Estimate:
    """Bound the mean time: outages in a given time up are a Poisson number."""
    method = "up seconds / outages"
    if not outages:
        why = f"no outage was seen in {up_s:g} s of service"
        return not_estimable(why, unit="s", method=method)
    n = len(outages)
    if n < ENOUGH or up_s == 0:
        return Estimate(value=up_s / n, n=n, unit="s", method=method, why=_few(n))
    return Estimate(
        value=up_s / n,
        low=2 * up_s / _chi2(2 * n + 2, (1 + confidence) / 2),
        high=2 * up_s / _chi2(2 * n, (1 - confidence) / 2),
        level=confidence,
        n=n,
        unit="s",
        method=f"{method}; {EXPONENTIAL}",
    )


def _few(n: int) -> str:
    return f"{count_of(n, 'outage')}: an interval takes {ENOUGH} or more"


def _chi2(freedom: int, level: float) -> float:
    return 2 * float(gammaincinv(freedom / 2, level))
