"""The pulse of a run: how it was served, in short equal windows around a moment.

::

      baseline                 o = the disturbance begins: window 0 begins with it
    |--|--|--|--|--|--|--|--|--o--|--|--|--|--|--|--|--|     no window holds
                              -1  0  1  2                    the time before and after

Two clocks, each the one that verdicts use: latencies and bad requests stand in the
window of their *intended start*, goodput in the window in which the last byte came.

A frozen server is asked nothing by users who all wait for it. Where a window has too
few requests of its own, those that were open through all of it speak for it: they were
intended before and had not ended when it did. A window in which nobody asked and nobody
waited is unknown: neither good nor bad.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.series import binned_percentiles

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

FEWEST = 5
"""Requests that a window needs to have a median of its own."""

FAST, MIDDLE, TAIL = 0.1, 0.5, 0.95

_SLIVER = 1e-9
"""Part of a window that rounding may take from a span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests as arrays, in the order of their intended starts.

    Attributes
    ----------
    intended_s, end_s : ndarray, shape (n,)
        Intended start, and last byte or last time seen, in seconds of run time; an end
        may be infinite.
    latency_ms : ndarray, shape (n,)
        From the intended start to the end.
    good, bad, censored : ndarray of bool, shape (n,)
        As the outcomes say.
    """

    intended_s: Floats
    end_s: Floats
    latency_ms: Floats
    good: npt.NDArray[np.bool_]
    bad: npt.NDArray[np.bool_]
    censored: npt.NDArray[np.bool_]

    def between(self, start_s: float, stop_s: float) -> Requests:
        """Take those that were open at some moment of a span.

        Parameters
        ----------
        start_s, stop_s : float
            The span in seconds of run time.

        Returns
        -------
        Requests
            In the same order.
        """
        chosen = (self.intended_s < stop_s) & (self.end_s >= start_s)
        return Requests(
            intended_s=self.intended_s[chosen],
            end_s=self.end_s[chosen],
            latency_ms=self.latency_ms[chosen],
            good=self.good[chosen],
            bad=self.bad[chosen],
            censored=self.censored[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Equal windows of a run, one after the other.

    Attributes
    ----------
    width_s : float
        Length of a window.
    start_s : ndarray, shape (k,)
        Where each begins, in seconds of run time.
    p10_ms, p50_ms, p95_ms : ndarray, shape (k,)
        Latencies of the window, NaN where too few requests made them: lower bounds
        where they fall among requests whose end nobody saw.
    asked : ndarray of int, shape (k,)
        Requests intended in the window, cancelled ones left out.
    bad : ndarray of int, shape (k,)
        Those of them that were bad.
    ok : ndarray of int, shape (k,)
        Right answers whose last byte came in the window.
    waiting : ndarray of int, shape (k,)
        Requests that were open through all of the window.
    """

    width_s: float
    start_s: Floats
    p10_ms: Floats
    p50_ms: Floats
    p95_ms: Floats
    asked: Counts
    bad: Counts
    ok: Counts
    waiting: Counts

    @property
    def end_s(self) -> Floats:
        """Where each window ends, shape (k,)."""
        return self.start_s + self.width_s

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Windows that something can be said of, shape (k,): their latency, or bad requests."""
        return np.asarray(np.isfinite(self.p50_ms) | (self.bad > 0), dtype=np.bool_)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Pulse:
        """Take some of the windows.

        Parameters
        ----------
        chosen : ndarray of bool, shape (k,)
            True for those.

        Returns
        -------
        Pulse
            In the same order.
        """
        return Pulse(
            width_s=self.width_s,
            start_s=self.start_s[chosen],
            p10_ms=self.p10_ms[chosen],
            p50_ms=self.p50_ms[chosen],
            p95_ms=self.p95_ms[chosen],
            asked=self.asked[chosen],
            bad=self.bad[chosen],
            ok=self.ok[chosen],
            waiting=self.waiting[chosen],
        )

    def within(self, start_s: float, stop_s: float) -> npt.NDArray[np.bool_]:
        """Find the windows that lie wholly in a span.

        Parameters
        ----------
        start_s, stop_s : float
            The span in seconds of run time.

        Returns
        -------
        ndarray of bool, shape (k,)
            True for those.
        """
        slack = _SLIVER * max(1.0, abs(stop_s), abs(start_s))
        inside = (self.start_s >= start_s - slack) & (self.end_s <= stop_s + slack)
        return np.asarray(inside, dtype=np.bool_)


def pulse_of(
    requests: Requests, *, origin_s: float, width_s: float, start_s: float, stop_s: float
) -> Pulse:
    """Cut a span of a run into windows.

    Parameters
    ----------
    requests : Requests
        Of the run, or of the part of it that reaches into the span.
    origin_s : float
        Where a window begins, in seconds of run time.
    width_s : float
        Length of a window in seconds.
    start_s, stop_s : float
        The span; windows that do not lie wholly in it are left out.

    Returns
    -------
    Pulse
        Perhaps without a window.

    Raises
    ------
    ValueError
        When `width_s` is not above zero.
    """
    if not width_s > 0:
        raise ValueError(f"width_s = {width_s}; allowed: above 0")
    first = int(np.ceil((start_s - origin_s) / width_s - _SLIVER))
    last = int(np.floor((stop_s - origin_s) / width_s + _SLIVER))
    count = max(0, last - first)
    starts = origin_s + width_s * np.arange(first, first + count, dtype=np.float64)
    near = requests.between(starts[0], starts[-1] + width_s) if count else requests.between(0, 0)
    intended = _window(near.intended_s, origin_s, width_s, first)
    ended = _window(near.end_s, origin_s, width_s, first)
    here = (intended >= 0) & (intended < count)
    timed = near.good | near.censored
    own = here & timed
    latencies = binned_percentiles(
        intended[own], near.latency_ms[own], max(count, 1), (FAST, MIDDLE, TAIL)
    )
    p10, p50, p95 = (latencies[level][:count] for level in (FAST, MIDDLE, TAIL))
    few = np.bincount(intended[own], minlength=max(count, 1))[:count] < FEWEST
    p10[few] = p50[few] = np.nan
    _let_the_waiting_speak(near, intended, p50, np.flatnonzero(few), starts, width_s)
    done = near.good & (ended >= 0) & (ended < count)
    return Pulse(
        width_s=width_s,
        start_s=starts,
        p10_ms=p10,
        p50_ms=p50,
        p95_ms=p95,
        asked=_counted(intended[here & (near.good | near.bad)], count),
        bad=_counted(intended[here & near.bad], count),
        ok=_counted(ended[done], count),
        waiting=_waiting(near, origin_s, width_s, first, count),
    )


def _window(times_s: Floats, origin_s: float, width_s: float, first: int) -> Counts:
    number = np.floor((times_s - origin_s) / width_s)
    number = np.where(np.isfinite(number), number, np.iinfo(np.int32).max)
    return np.asarray(number - first, dtype=np.int64)


def _waiting(near: Requests, origin_s: float, width_s: float, first: int, count: int) -> Counts:
    """Count in each window who came before it and was still there at its end."""
    begin = np.ceil((near.intended_s - origin_s) / width_s) - first
    last_s = origin_s + (first + count) * width_s
    until = np.floor((np.minimum(near.end_s, last_s) - origin_s) / width_s) - first
    begin, until = np.clip(begin, 0, count), np.clip(until, 0, count)
    through = until > begin
    steps = np.bincount(begin[through].astype(np.int64), minlength=count + 1)
    steps = steps - np.bincount(until[through].astype(np.int64), minlength=count + 1)
    return np.cumsum(steps)[:count].astype(np.int64)


def _counted(numbers: Counts, count: int) -> Counts:
    return np.bincount(numbers, minlength=count).astype(np.int64)


def _let_the_waiting_speak(
    near: Requests,
    intended: Counts,
    p50_ms: Floats,
    few: npt.NDArray[np.intp],
    starts: Floats,
    width_s: float,
) -> None:
    """Give windows that hardly anybody asked in the median of those who waited through them."""
    timed = near.good | near.censored
    long = timed & (near.end_s - near.intended_s >= width_s)
    if not long.any():
        return
    begin, end, latency = near.intended_s[long], near.end_s[long], near.latency_ms[long]
    for index in few:
        start = starts[index]
        waiting = (begin < start) & (end >= start + width_s)
        if waiting.any():
            own = near.latency_ms[timed & (intended == index)]
            p50_ms[index] = np.median(np.concatenate([latency[waiting], own]))
