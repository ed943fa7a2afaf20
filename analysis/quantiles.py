"""Percentiles, mean and maximum of latencies, some of which are only known to be at least so long.

A request that timed out, or that nobody saw the end of, has no latency: only an
age that its latency exceeds. It counts at that age, and a statistic that would
change if it had lasted for ever is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.autocorrelation import (
    QUANTILE_METHOD,
    TAU_LEVELS,
    degrees_of_freedom,
    memory,
    unbiased_time,
)
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import intended_order, student_t
from analysis.percentile_intervals import Ends, interval_levels, values_for_both_ends
from scenarios.counting import agreeing, count_of

__all__ = ["NO_VALUES", "QUANTILE_METHOD", "SEEN", "maximum", "mean", "quantile", "quantiles"]

NO_VALUES = "there are no values"
SEEN = "what was seen in this run: a maximum has no interval"
QUANTILE = f"numpy {QUANTILE_METHOD}"
MEAN = "mean"
MEAN_INTERVAL = "mean; value exp(-+ t s / value), s on the effective size"

MEAN_ALLOWANCE = 2.0
"""How much longer than estimated the memory is taken to be for a mean: with 1.5 a limit at
the true mean is wrongly passed in 8 to 10 % of runs of a queue at .8, with 2 in 4 to 6 %."""

LEAST_DF = 6.0
"""Sixty autocorrelation times and a little more: in a shorter run only those in which the
memory happened to look short would have an interval."""

QUANTILE_INTERVAL = f"{QUANTILE}; quantiles at the level -+ t sqrt(p (1 - p) / n_eff)"


def _checked(
    values: npt.ArrayLike, censored: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("values must be one series of finite numbers")
    if censored is None:
        return numbers, np.zeros(len(numbers), dtype=np.bool_)
    flags = np.asarray(censored, dtype=np.bool_)
    if flags.shape != numbers.shape:
        raise ValueError(f"found {len(flags)} flags for {len(numbers)} values; allowed: one each")
    return numbers, flags


def _at_least(censored: int, n: int) -> str:
    return f"a lower bound: {censored} of {n} did not end while they were watched"


def quantile(
    values: npt.ArrayLike,
    level: float,
    *,
    censored: npt.ArrayLike | None = None,
    unit: str = "ms",
    confidence: float = 0.95,
) -> Estimate:
    """Compute one quantile.

    Parameters
    ----------
    values : array_like, shape (n,)
        In `unit`, **in the order of intended starts**; censored ones at their age.
    level : float
        0..1; 0.95 for the 95th percentile.
    censored : array_like of bool, shape (n,), optional
        Which values are only lower bounds.
    unit : str
        Unit of `values`.
    confidence : float
        Two-sided.

    Returns
    -------
    Estimate
        As :func:`quantiles` makes it.
    """
    found = quantiles(values, [level], censored=censored, unit=unit, confidence=confidence)
    return found[float(level)]


def quantiles(
    values: npt.ArrayLike,
    levels: Iterable[float],
    *,
    censored: npt.ArrayLike | None = None,
    unit: str = "ms",
    confidence: float = 0.95,
) -> dict[float, Estimate]:
    """Compute quantiles with their intervals.

    Parameters
    ----------
    values : array_like, shape (n,)
        In `unit`, **in the order of intended starts** (the values themselves do not depend
        on it, their intervals do); censored ones at their age.
    levels : iterable of float
        0..1.
    censored : array_like of bool, shape (n,), optional
        Which values are only lower bounds.
    unit : str
        Unit of `values`.
    confidence : float
        Two-sided.

    Returns
    -------
    dict of float to Estimate
        One for each level. It is a lower bound, and says so, when the quantile would
        be another one if the censored values were infinite; an end of which that is
        true, or for which there is too little evidence, is missing and says why.

    Raises
    ------
    ValueError
        When values are no numbers, lengths differ, or a level is outside 0..1.

    References
    ----------
    Hyndman and Fan (1996), "Sample quantiles in statistical packages", type 7. For the
    intervals see :mod:`analysis.percentile_intervals`.
    """
    wanted = [float(level) for level in levels]
    for level in wanted:
        if not 0 <= level <= 1:
            raise ValueError(f"quantile level = {level}; allowed: 0 to 1")
    numbers, flags = _checked(values, censored)
    if len(numbers) == 0:
        empty = not_estimable(NO_VALUES, unit=unit, method=QUANTILE)
        return dict.fromkeys(wanted, empty)
    ends = interval_levels(numbers, wanted, confidence=confidence)
    asked = np.concatenate([wanted, ends.low, ends.high])
    asked = np.where(np.isnan(asked), 0.0, asked)  # there is no such end: it is not read below
    numbers_at = np.quantile(numbers, asked, method=QUANTILE_METHOD)
    bounded = _would_change(numbers, flags, asked, numbers_at)
    read = _Read(ends, numbers_at.reshape(3, -1), bounded.reshape(3, -1), int(flags.sum()))
    return {
        level: read.estimate(index, level, len(numbers), unit) for index, level in enumerate(wanted)
    }


@dataclass(frozen=True, slots=True)
class _Read:
    """Quantiles and the ends of their intervals, as read off the values; one column each."""

    ends: Ends
    numbers: npt.NDArray[np.float64]  # shape (3, k): value, low, high
    bounded: npt.NDArray[np.bool_]  # shape (3, k): whether the censored leave them open above
    censored: int

    def estimate(self, index: int, level: float, n: int, unit: str) -> Estimate:
        """Give one quantile, with the ends that there are."""
        value, low, high = (float(number) for number in self.numbers[:, index])
        if self.bounded[0, index]:
            bound = _at_least(self.censored, n)
            return Estimate(value=value, low=value, n=n, unit=unit, method=QUANTILE, why=bound)
        no_low, no_high = np.isnan(self.ends.low[index]), np.isnan(self.ends.high[index])
        why = _too_few(self.ends, level, n) if no_low or no_high else None
        if not no_high and self.bounded[2, index]:
            no_high = True
            why = (
                f"the upper end lies among the {self.censored} of {n} "
                "that did not end while they were watched"
            )
        # With no end above, an end that equals the value would read as a lower bound.
        no_low = no_low or (no_high and low == value)
        given = not (no_low and no_high)
        return Estimate(
            value=value,
            low=None if no_low else low,
            high=None if no_high else high,
            level=self.ends.confidence if given else None,
            n=n,
            n_eff=float(self.ends.n_eff[index]),
            unit=unit,
            method=QUANTILE_INTERVAL if given else QUANTILE,
            why=why,
        )


def _too_few(ends: Ends, level: float, n: int) -> str:
    """Say what an end would take: more values, or values that depend less on each other."""
    if level in {0.0, 1.0}:
        return SEEN
    needed = values_for_both_ends(level, ends.confidence)
    if n < needed:
        few = f"{count_of(n, 'value', 'are')} too few for both ends of an interval"
        return f"{few}: they take at least {needed:,}"
    worth = count_of(round(ends.least_n_eff), "independent one")
    return (
        f"{count_of(n, 'value', 'depend')} on each other so long that they are worth {worth}, "
        f"too few for both ends of an interval"
    )


def _would_change(
    numbers: npt.NDArray[np.float64],
    flags: npt.NDArray[np.bool_],
    levels: npt.NDArray[np.float64],
    found: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Whether each quantile would be another one if the censored values were infinite.

    They are raised above everything instead of to infinity, which would make
    0 * inf at levels that fall right on a value; whoever notices the one notices
    the other. A weight that is only the rounding of (n - 1) * level is no weight.
    """
    if not flags.any():
        return np.zeros(len(levels), dtype=np.bool_)
    step = float(np.abs(numbers).max()) + 1.0
    raised = np.where(flags, numbers.max() + step, numbers)
    changed = np.quantile(raised, levels, method=QUANTILE_METHOD) - found
    return np.asarray(changed > 1e-9 * step, dtype=np.bool_)


def values_for_a_mean() -> int:
    """Count the values that the interval of a mean takes at least: independent ones.

    Returns
    -------
    int
        With fewer :func:`mean` gives no ends, however little they vary.
    """
    return math.ceil(LEAST_DF / float(degrees_of_freedom(1.0, 1)))


def mean(
    values: npt.ArrayLike,
    intended_s: npt.ArrayLike | None = None,
    *,
    censored: npt.ArrayLike | None = None,
    unit: str = "ms",
    confidence: float = 0.95,
) -> Estimate:
    """Compute the mean, with an interval on the logarithm.

    The mean of a queue lives on its rare long ones: where a run had few of them its mean is
    too low and its spread too small at once, and every interval that is symmetric about
    the mean passes such runs. The relative error varies less, so the ends are
    value exp(-+ t s / value) with s = sd sqrt(2 tau / n); the autocorrelation time is the
    longest of the values and of the indicators at any height, taken twice.

    Parameters
    ----------
    values : array_like, shape (n,)
        In `unit`; censored ones at their age. With a negative one the ends are symmetric.
    intended_s : array_like, shape (n,), optional
        Intended starts in seconds; without them `values` are in their order already.
    censored : array_like of bool, shape (n,), optional
        Which values are only lower bounds.
    unit : str
        Unit of `values`.
    confidence : float
        Two-sided; 0.90 makes each end a one-sided 95 % bound.

    Returns
    -------
    Estimate
        A lower bound when any value is censored; without ends when the series is
        too short to show its memory.

    Raises
    ------
    ValueError
        When a value is no number, or lengths differ.
    """
    numbers, flags = _checked(values, censored)
    n = len(numbers)
    if n == 0:
        return not_estimable(NO_VALUES, unit=unit, method=MEAN)
    value = float(numbers.mean())
    if flags.any():
        why = _at_least(int(flags.sum()), n)
        return Estimate(value=value, low=value, n=n, unit=unit, method=MEAN, why=why)
    if intended_s is not None:
        numbers = numbers[intended_order(intended_s)]
    cuts = [value, *np.quantile(numbers, TAU_LEVELS, method=QUANTILE_METHOD).tolist()]
    tau = max(memory(numbers), *(memory(numbers > cut) for cut in cuts))
    df = float(degrees_of_freedom(tau, n))
    if df < LEAST_DF:
        few = f"{count_of(n, 'value', 'are')} too few"
        why = f"{few}, or {agreeing(n, 'depend')} too long on each other, for an interval"
        return Estimate(value=value, n=n, unit=unit, method=MEAN, why=why)
    n_eff = float(n / (MEAN_ALLOWANCE * unbiased_time(tau, n)))
    half = student_t(confidence, df) * float(numbers.std()) / math.sqrt(n_eff)
    positive = value > 0 and numbers.min() >= 0
    factor = math.exp(half / value) if positive else 1.0
    return Estimate(
        value=value,
        low=value / factor if positive else value - half,
        high=value * factor if positive else value + half,
        level=confidence,
        n=n,
        n_eff=n_eff,
        unit=unit,
        method=MEAN_INTERVAL,
    )


def maximum(
    values: npt.ArrayLike,
    *,
    censored: npt.ArrayLike | None = None,
    unit: str = "ms",
) -> Estimate:
    """Find the largest value that was seen.

    Parameters
    ----------
    values : array_like, shape (n,)
        In `unit`, in any order; censored ones at their age.
    censored : array_like of bool, shape (n,), optional
        Which values are only lower bounds.
    unit : str
        Unit of `values`.

    Returns
    -------
    Estimate
        Without an interval: it speaks of this run alone. A lower bound when any
        value is censored, for that one may have lasted longest.
    """
    numbers, flags = _checked(values, censored)
    n, method = len(numbers), "largest seen"
    if n == 0:
        return not_estimable(NO_VALUES, unit=unit, method=method)
    value = float(numbers.max())
    if flags.any():
        why = _at_least(int(flags.sum()), n)
        return Estimate(value=value, low=value, n=n, unit=unit, method=method, why=why)
    return Estimate(value=value, n=n, unit=unit, method=method, why=SEEN)
