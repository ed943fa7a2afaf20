"""Has it got worse? Decided pair by pair, and ended as soon as the answer is known.

A pair is two runs made one after the other, base and candidate, **in an order that
was randomised**. So under "the candidate is exactly theta worse" the difference of
the pair's logarithms less theta is as likely to have one sign as the other, whatever
the machine does meanwhile: drift, spikes and neighbours only make it large or small.
The chances of all patterns of signs are known from the randomisation alone, and errors are
counted in them instead of being read off a normal curve.

::

    at each interim analysis (look), of the patterns of signs that are still in play
    the most extreme, as many as may be spent by now
      towards worse, under theta = the tolerance     regressed
      towards better, under theta = the tolerance    not regressed
    the last pair is made, and neither               inconclusive

What may be spent by pair k of K is ``error (k / K)^2``: declared before the first
pair, whatever the data say, so that looking often costs nothing that was not paid.

References
----------
Fisher (1935), "The design of experiments", section 21: the randomisation test.
Lan and DeMets (1983), "Discrete sequential boundaries for clinical trials": spending.
Kim and DeMets (1987), "Design and analysis of group sequential tests based on the
type I error spending rate function": the power family, here with exponent 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.comparison import TOLERANCE
from analysis.estimate import Estimate, not_estimable
from scenarios.counting import count_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PAIRS: Final = 8
"""At most so many, unless something else is asked for."""

MOST_PAIRS: Final = 12
"""Patterns of signs double with each pair; who needs more should hold each run longer."""

FALSE_ALARM: Final = 0.05
"""How often a candidate worse by exactly the tolerance may be called regressed."""

MISS: Final = 0.10
"""How often a candidate worse by exactly the tolerance may be called not regressed:
eight pairs of a noisy machine cannot give 5 % and an answer more often than not."""

EXPONENT: Final = 2.0
"""Of the spending: most of the error is left for the last pairs, which know most."""

METHOD: Final = "randomisation test of the signs, root scores"

_HALVINGS = 50
_GRID = 9
_ROUNDS = 7
_SAME = 1e-9
"""Patterns whose scores differ by less are alike, and spent together or not at all."""


class Answer(StrEnum):
    """What a duel can say."""

    REGRESSED = "regressed"
    NOT_REGRESSED = "not regressed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is declared before the first pair.

    Attributes
    ----------
    pairs : int
        The most that are made.
    tolerance : float
        Change for the worse that does not matter, 0.05 for 5 %.
    false_alarm, miss : float
        Errors over all looks, for a candidate worse by exactly the tolerance: to be
        called regressed, and to be called not regressed.
    """

    pairs: int = PAIRS
    tolerance: float = TOLERANCE
    false_alarm: float = FALSE_ALARM
    miss: float = MISS

    def __post_init__(self) -> None:
        for name in ("false_alarm", "miss"):
            if not 0 < getattr(self, name) < 1 / 2:
                raise ValueError(f"{name} = {getattr(self, name)}; allowed: above 0, below 0.5")
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"tolerance = {self.tolerance}; allowed: from 0")
        if self.fewest > MOST_PAIRS:
            name = min(("miss", "false_alarm"), key=lambda each: float(getattr(self, each)))
            raise ValueError(
                f"{name} = {getattr(self, name)}; allowed: at least 1/{2**MOST_PAIRS}, one pattern "
                f"of signs of the {MOST_PAIRS} pairs that are the most"
            )
        if not self.fewest <= self.pairs <= MOST_PAIRS:
            raise ValueError(
                f"pairs = {self.pairs}; allowed: {self.fewest} to {MOST_PAIRS}: {self._why_not}"
            )

    @property
    def _why_not(self) -> str:
        """Why there are too many pairs, or too few."""
        if self.pairs > MOST_PAIRS:
            return "patterns of signs double with each pair; hold each run longer instead"
        fewer = self.fewest - 1
        return (
            f"of {count_of(fewer, 'pair')}, {2**fewer} patterns of signs are as likely as each "
            f"other, and one is more than {self.smallest_error:.3g} of them"
        )

    @property
    def smallest_error(self) -> float:
        """The smaller of both errors."""
        return min(self.false_alarm, self.miss)

    @property
    def fewest(self) -> int:
        """Pairs from which both answers can be given at all."""
        return math.ceil(-math.log2(self.smallest_error))

    @property
    def limit(self) -> float:
        """The tolerance as a difference of logarithms."""
        return math.log1p(self.tolerance)

    def spent(self, look: int) -> tuple[float, float]:
        """Say how much of each error may be spent by a look.

        Parameters
        ----------
        look : int
            Pairs made by then, from 1.

        Returns
        -------
        tuple of (float, float)
            For regressed, and for not regressed.
        """
        part = (look / self.pairs) ** EXPONENT
        return self.false_alarm * part, self.miss * part


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a duel stands after some pairs.

    Attributes
    ----------
    answer : Answer
        Inconclusive while it may go on, too.
    decided : int or None
        The pair at which it was answered.
    pairs : int
        Made so far.
    shift : Estimate
        Difference of the logarithms, candidate less base, worse above 0. The lower end
        is wrong at most as often as a false alarm, the upper one as a miss, over all looks.
    spent : tuple of (float, float)
        Of both errors, by now.
    sd : float or None
        Standard deviation of the differences from pair to pair.
    """

    answer: Answer
    decided: int | None
    pairs: int
    shift: Estimate
    spent: tuple[float, float]
    sd: float | None

    @property
    def is_over(self) -> bool:
        """Whether the answer is known."""
        return self.decided is not None


def judge(differences: npt.ArrayLike, rules: Rules) -> Standing:
    """Judge the pairs made so far.

    Parameters
    ----------
    differences : array_like, shape (m,)
        ln(candidate / base) of each pair, worse above 0, in the order they were made.
    rules : Rules
        As they were declared.

    Returns
    -------
    Standing
        The answer at the first look that gives one; pairs after it change nothing of it.

    Raises
    ------
    ValueError
        When there are more pairs than declared, or a difference is not finite.
    """
    made = np.asarray(differences, dtype=np.float64)
    if made.ndim != 1 or not np.isfinite(made).all():
        raise ValueError("differences must be one series of finite numbers")
    if len(made) > rules.pairs:
        raise ValueError(
            f"found {count_of(len(made), 'pair')}; allowed: the {rules.pairs} that were declared"
        )
    answer, decided = Answer.INCONCLUSIVE, None
    if len(made):
        worse, better = refuted(made[np.newaxis] - rules.limit, rules)
        if worse[0]:
            answer, decided = Answer.REGRESSED, int(worse[0])
        elif better[0]:
            answer, decided = Answer.NOT_REGRESSED, int(better[0])
    return Standing(
        answer=answer,
        decided=decided,
        pairs=len(made),
        shift=shift_of(made, rules),
        spent=rules.spent(decided or max(len(made), 1)) if len(made) else (0.0, 0.0),
        sd=float(made.std(ddof=1)) if len(made) > 1 else None,
    )


def refuted(beyond: FloatArray, rules: Rules) -> tuple[IntArray, IntArray]:
    """Find the look at which each series of pairs refutes what is supposed of it.

    Parameters
    ----------
    beyond : ndarray, shape (r, m)
        A series a row: differences in the order of the pairs, less the one supposed.
    rules : Rules
        What may be spent by when.

    Returns
    -------
    tuple of (ndarray of int, ndarray of int), each of shape (r,)
        Pairs made when the series was found to lie above 0, and below it; 0 where it
        was not.
    """
    series, pairs = beyond.shape
    rows = np.arange(series)
    play = np.ones((series, 1), dtype=bool)
    seen = np.zeros(series, dtype=np.int64)
    gone = np.zeros((2, series), dtype=np.int64)
    found = np.zeros((2, series), dtype=np.int64)
    for look in range(1, pairs + 1):
        # each pattern goes on with both signs of the new pair: twice the patterns
        play, gone = np.repeat(play, 2, axis=1), 2 * gone
        seen = 2 * seen + (beyond[:, look - 1] > 0)
        scores = _weights(beyond[:, :look]) @ _patterns(look).T
        for side, (sign, error) in enumerate(zip((1, -1), rules.spent(look), strict=True)):
            # a billionth is forgiven: 1/32 of 0.03125 is one
            may = np.floor(error * 2**look + _SAME).astype(np.int64) - gone[side]
            extreme = _most_extreme(np.where(play, sign * scores, -np.inf), may)
            gone[side] += extreme.sum(axis=1)
            play &= ~extreme
            found[side, extreme[rows, seen] & (found[side] == 0)] = look
    return found[0], found[1]


def _patterns(pairs: int) -> FloatArray:
    """All patterns of signs, the first pair's the highest bit of a pattern's number."""
    bits = np.arange(2**pairs)[:, np.newaxis] >> np.arange(pairs)[::-1]
    return np.asarray(2.0 * (bits & 1) - 1.0)


def _weights(beyond: FloatArray) -> FloatArray:
    """Weigh pairs by the root of how far they lie; the largest of a row is 1.

    Any weights that do not know the signs keep the errors. By the distance itself one
    spike of the machine outweighs all other pairs, by the sign alone most of what the
    pairs know is lost; the root lies between. Weights that fall again far out would
    find still more beside spikes, but then a difference could be refuted and a larger
    one not, and neither answer nor interval would mean what they say.
    """
    distance = np.abs(beyond)
    largest = distance.max(axis=1, keepdims=True)
    return np.asarray(np.sqrt(distance / np.where(largest > 0, largest, 1.0)))


def _most_extreme(scores: FloatArray, may: IntArray) -> npt.NDArray[np.bool_]:
    """Choose the highest patterns of each row, at most as many as may be; ties as one."""
    chosen = np.zeros(scores.shape, dtype=np.bool_)
    for count in np.unique(may[may > 0]):
        rows = may == count
        place = max(scores.shape[1] - 1 - int(count), 0)
        first_left = np.partition(scores[rows], place, axis=1)[:, place]
        chosen[rows] = scores[rows] > first_left[:, np.newaxis] + _SAME
    return chosen


def shift_of(made: FloatArray, rules: Rules) -> Estimate:
    """Estimate the difference, its interval by the same test as the answer.

    Parameters
    ----------
    made : ndarray, shape (m,)
        Differences in the order of the pairs.
    rules : Rules
        What may be spent by when.

    Returns
    -------
    Estimate
        The value at which the pairs weigh as much on both sides; the interval holds
        every true difference that no look has refuted. Without an end where so few
        pairs can refute none on that side.
    """
    if len(made) == 0:
        return not_estimable("there are no pairs", method=METHOD)
    value = _balance(made)
    low, high = _ends(made, value, rules)
    missing = low is None or high is None
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=None if missing else 1 - rules.false_alarm - rules.miss,
        n=len(made),
        method=METHOD,
        covers="runs",
        why=f"{count_of(len(made), 'pair')} cannot bound it: chance alone may line them up"
        if missing
        else None,
    )


def _balance(made: FloatArray) -> float:
    """Find where the roots of the distances above and below add up to the same."""
    low, high = float(made.min()), float(made.max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = made - middle
        if float((np.sign(beyond) * np.sqrt(np.abs(beyond))).sum()) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _ends(made: FloatArray, value: float, rules: Rules) -> tuple[float | None, float | None]:
    """Find the outermost differences that are not refuted.

    Beyond all pairs every sign is the same: either that is refuted, and the end lies
    among the pairs, or nothing is.
    """
    outside = np.array([made.min() - 1.0, made.max() + 1.0])
    worse, better = refuted(made - outside[:, np.newaxis], rules)
    low = _edge(made, float(made.min()), value, rules, side=0) if worse[0] else None
    high = _edge(made, float(made.max()), value, rules, side=1) if better[1] else None
    return low, high


def _edge(made: FloatArray, start: float, value: float, rules: Rules, *, side: int) -> float:
    """Close in on the first theta from `start` towards `value` that is not refuted."""
    end = value
    for _ in range(_ROUNDS):
        grid = np.linspace(start, end, _GRID)
        kept = np.flatnonzero(refuted(made - grid[:, np.newaxis], rules)[side] == 0)
        if len(kept) == 0 or kept[0] == 0:
            return end if len(kept) == 0 else start
        start, end = float(grid[kept[0] - 1]), float(grid[kept[0]])
    return start
