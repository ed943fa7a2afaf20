"""Error bursts: where bad requests stand closer together than chance puts them.

Requests in the order of their intended starts are good or bad. Where each is bad with
the same probability p0, whatever the others were, a walk over them that gains
ln(p1 / p0) with a bad one and ln((1 - p1) / (1 - p0)) with a good one drifts downwards:
it is the logarithm of a likelihood ratio, whose expectation is 1. From a given request
on it rises by h or more with a probability of exp(-h) at most (Ville's inequality), so
anywhere among n requests with n exp(-h) at most. A *burst* is a rise of
h = ln(3 n / alpha), from the bad request at which it begins to its peak; three, because
three walks are taken: for bad requests that are twice and ten times as frequent as
otherwise, and for every second request bad.

p0 is the upper end of the error ratio outside of bursts, found in a few rounds that begin
with the better half of the run, so that a long outage does not make itself usual. Requests
of one click fail together: fewer than five bad ones are no burst. Two that are less than a
second apart are one.

References
----------
Page (1954), "Continuous inspection schemes"; Ville (1939); Karlin and Altschul (1990) for
maximal segments of such walks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.intervals import wilson_bound

FALSE_ALARM = 0.002
"""Probability that a run whose bad requests come by chance has a burst at all."""

FEWEST = 5
"""Bad requests of a burst."""

APART_S = 1.0
"""Bursts that are less apart are one."""

MOST = 100
"""Bursts of each walk that are looked for."""

_TIMES = (2.0, 10.0)
_HALF = 0.5
_ROUNDS = 5
_PARTS = 50

Places = npt.NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Bad requests close together.

    Attributes
    ----------
    start_s, end_s : float
        Intended start of the first, and end of the last of them, in seconds of run time.
    bad : int
        How many they are.
    requests : int
        Of how many, good ones between them included.
    outcomes : mapping of str to int
        How they ended, the most frequent first.
    during : str or None
        What disturbed the run at that time.
    """

    start_s: float
    end_s: float
    bad: int
    requests: int
    outcomes: Mapping[str, int]
    during: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers and texts.
        """
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "bad": self.bad,
            "requests": self.requests,
            "outcomes": dict(self.outcomes),
            "during": self.during,
        }


def bursts(
    intended_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    bad: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    false_alarm: float = FALSE_ALARM,
) -> tuple[Burst, ...]:
    """Find where bad requests cluster beyond chance.

    Parameters
    ----------
    intended_s, end_s : array_like, shape (n,)
        Intended start, and last byte or last time seen, in seconds of run time; in the
        order of intended starts, without cancelled requests.
    bad : array_like of bool, shape (n,)
        As the outcomes say.
    outcome : array_like of str, shape (n,)
        How each ended.
    false_alarm : float
        Probability of finding any where bad requests come by chance.

    Returns
    -------
    tuple of Burst
        In order of time; they do not overlap in the order of intended starts.

    Raises
    ------
    ValueError
        When the arrays differ in length.
    """
    begin, end = (np.asarray(each, dtype=np.float64) for each in (intended_s, end_s))
    wrong, how = np.asarray(bad, dtype=np.bool_), np.asarray(outcome)
    if not begin.shape == end.shape == wrong.shape == how.shape:
        raise ValueError("intended_s, end_s, bad and outcome differ in length")
    places = np.flatnonzero(wrong).astype(np.int64)
    found = []
    apart = segments(places, len(wrong), false_alarm=false_alarm)
    for first, last in _joined(apart, begin[places]):
        members = places[first : last + 1]
        kinds, counts = np.unique(how[members].astype(str), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        found.append(
            Burst(
                start_s=float(begin[members[0]]),
                end_s=float(end[members].max()),
                bad=len(members),
                requests=int(members[-1] - members[0]) + 1,
                outcomes={str(kinds[i]): int(counts[i]) for i in order},
            )
        )
    return tuple(found)


def segments(places: Places, n: int, *, false_alarm: float) -> list[Pair]:
    """Find the runs of bad requests that chance does not explain.

    Parameters
    ----------
    places : ndarray of int, shape (b,)
        Which of the requests were bad; rising.
    n : int
        Requests in all.
    false_alarm : float
        As :func:`bursts` takes it.

    Returns
    -------
    list of (int, int)
        First and last of each, as indices into `places`.
    """
    if len(places) < FEWEST:
        return []
    threshold = math.log((len(_TIMES) + 1) * n / false_alarm)
    found: list[Pair] = []
    usual = _least_usual(places, n)
    for _ in range(_ROUNDS):
        again = _all_rises(places, usual, threshold)
        if again == found:
            break
        found = again
        usual = _usual(places, n, found)
    return found


def _all_rises(places: Places, usual: float, threshold: float) -> list[Pair]:
    """Take the walks one after the other, the steepest first, each without what was found.

    To the walk of bad requests twice as frequent good ones say little: it would not come
    down between two outages.
    """
    left = np.arange(len(places))
    raised: list[Pair] = []
    for other in (_HALF, *(times * usual for times in reversed(_TIMES))):
        if not usual < other <= _HALF or len(left) == 0:
            continue
        gone = np.cumsum(_covered(places, raised))[left]  # requests that were taken out before
        rises = _rises(places[left] - gone, usual, other, threshold)
        raised += [(int(left[first]), int(left[last])) for first, last in rises]
        inside = np.zeros(len(places), dtype=np.bool_)
        for first, last in raised:
            inside[first : last + 1] = True
        left = np.flatnonzero(~inside)
    return [span for span in _merged(raised) if span[1] - span[0] + 1 >= FEWEST]


def _covered(places: Places, spans: list[Pair]) -> Places:
    """Tell at the last bad request of each span how many requests the span covers."""
    covered = np.zeros(len(places), dtype=np.int64)
    for first, last in _merged(spans):
        covered[last] += places[last] - places[first] + 1
    return covered


def _least_usual(places: Places, n: int) -> float:
    """Bound the error ratio of that half of the run that has the fewest bad requests."""
    parts = max(1, min(_PARTS, n))
    edges = np.linspace(0, n, parts + 1).astype(np.int64)
    counts = np.sort(np.histogram(places, bins=edges)[0] / np.diff(edges))
    half = max(1, n // 2)
    return wilson_bound(float(counts[: (parts + 1) // 2].mean()), half, upper=True)


def _usual(places: Places, n: int, found: list[Pair]) -> float:
    """Bound the error ratio outside of what was found from above."""
    inside = sum(int(places[last] - places[first]) + 1 for first, last in found)
    bad = len(places) - sum(last - first + 1 for first, last in found)
    rest = n - inside
    return wilson_bound(bad / rest, rest, upper=True) if rest > 0 else 1.0


def _rises(places: Places, usual: float, other: float, threshold: float) -> list[Pair]:
    """Find the rises of a walk: each from where it began to its peak.

    A rise is over where the walk has fallen from its peak by as much as makes one: what
    comes then is another burst, however high the first one was.
    """
    gain, loss = math.log(other / usual), math.log((1 - usual) / (1 - other))
    between = np.diff(places, prepend=places[:1]) - 1  # good ones before each bad one
    between[:1] = 0
    before = gain * np.arange(len(places)) - loss * np.cumsum(between)
    found: list[Pair] = []
    begin = 0
    while begin < len(places) and len(found) < MOST:
        rest = before[begin:]
        high = rest + gain - np.minimum.accumulate(rest) >= threshold
        if not high.any():
            break
        top = int(np.argmax(high))
        first = int(np.argmin(rest[: top + 1]))
        peaks = np.maximum.accumulate(rest[first:]) + gain
        fallen = peaks[:-1] - rest[first + 1 :] >= threshold
        until = first + 1 + (int(np.argmax(fallen)) if fallen.any() else len(fallen))
        last = first + int(np.argmax(rest[first:until]))
        found.append((begin + first, begin + last))
        begin += last + 1
    return found


def _joined(spans: list[Pair], at_s: npt.NDArray[np.float64]) -> list[Pair]:
    joined: list[Pair] = []
    for first, last in spans:
        if joined and at_s[first] - at_s[joined[-1][1]] < APART_S:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _merged(spans: list[Pair]) -> list[Pair]:
    merged: list[Pair] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
