"""Ratios of two systems over runs: candidate / base, with intervals from run to run.

A run is one observation: what differs from run to run (the machine, its caches, its
neighbours) is not seen inside a run, so a thousand requests more do not make it smaller.
Everything is computed on logarithms, where a ratio and its inverse lie equally far from
no change. Runs that were made next to each other are pairs: what they share cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from analysis.estimate import Estimate, not_estimable
from analysis.shift import ALPHA, CONFIDENCE, POWER, Shift

FloatArray = npt.NDArray[np.float64]

TOLERANCE: Final = 0.05
"""A change for the worse up to so much is none that matters."""

FEWEST = 2
"""Runs a side, or pairs, from which their variance can be told at all."""

MOST_NEEDED = 1_000
"""Beyond so many runs nobody wants to know the number."""

PAIRED = "paired t on the logarithm"
WELCH = "Welch's t on the logarithm"


def _t(probability: float, df: float) -> float:
    return float(stdtrit(df, probability))


def paired_shift(differences: npt.ArrayLike) -> Shift | None:
    """Find the mean of paired differences, with its error.

    Parameters
    ----------
    differences : array_like, shape (m,)
        One a pair: of logarithms, or of shares.

    Returns
    -------
    Shift or None
        None with fewer than two pairs, or when they do not vary at all: then nothing
        is known of what varies from run to run.
    """
    found = np.asarray(differences, dtype=np.float64)
    if len(found) < FEWEST or found.min() == found.max():
        return None
    return Shift(
        mean=float(found.mean()),
        se=float(found.std(ddof=1)) / math.sqrt(len(found)),
        df=float(len(found) - 1),
        n=len(found),
        method=PAIRED,
    )


def welch_shift(base: npt.ArrayLike, candidate: npt.ArrayLike) -> Shift | None:
    """Find the difference of two means, with its error.

    Parameters
    ----------
    base : array_like, shape (n,)
        One value a run: logarithms, or shares.
    candidate : array_like, shape (m,)
        The same.

    Returns
    -------
    Shift or None
        None with fewer than two runs a side, or when neither side varies.

    References
    ----------
    Welch (1947), "The generalization of Student's problem when several different
    population variances are involved", with the degrees of freedom of its equation 28.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (base, candidate)]
    sizes = [len(side) for side in sides]
    if min(sizes) < FEWEST or all(side.min() == side.max() for side in sides):
        return None
    parts = [float(side.var(ddof=1)) / len(side) for side in sides]
    spread = sum(parts)
    df = spread**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return Shift(
        mean=float(sides[1].mean() - sides[0].mean()),
        se=math.sqrt(spread),
        df=df,
        n=sum(sizes),
        method=WELCH,
    )


def as_ratio(
    shift: Shift | None, ratios: FloatArray, confidence: float = CONFIDENCE, *, method: str
) -> Estimate:
    """Write a shift of logarithms as a ratio.

    Parameters
    ----------
    shift : Shift or None
        Of logarithms.
    ratios : ndarray, shape (m,)
        Logarithms of what was seen, for the value where there is no shift.
    confidence : float
        Two-sided.
    method : str
        How it would have been found.

    Returns
    -------
    Estimate
        Without a unit: 1 is no change.
    """
    if shift is not None:
        low, high = shift.interval(confidence)
        return Estimate(
            value=math.exp(shift.mean),
            low=math.exp(low),
            high=math.exp(high),
            level=confidence,
            n=shift.n,
            method=shift.method,
            covers="runs",
        )
    if len(ratios) == 0:
        return not_estimable("there are no runs", method=method)
    return Estimate(
        value=math.exp(float(ratios.mean())),
        n=len(ratios),
        method=method,
        why=ONE_RUN if len(ratios) < FEWEST else NO_VARIATION,
    )


ONE_RUN = "of one run nobody knows how much it would differ from the next"
NO_VARIATION = "the runs do not vary at all, which no machine does: look how they were recorded"


def minimum_detectable_ratio(
    sd: float,
    m: int,
    alpha: float = ALPHA,
    power: float = POWER,
    tolerance: float = TOLERANCE,
) -> float:
    """Say which true ratio would be called regressed so often.

    Parameters
    ----------
    sd : float
        Standard deviation of ln(candidate / base) from pair to pair.
    m : int
        Pairs, at least two.
    alpha : float
        One-sided error allowed at the tolerance.
    power : float
        How often it is to be found.
    tolerance : float
        Change that does not matter, 0.05 for 5 %.

    Returns
    -------
    float
        exp(ln(1 + tolerance) + (t(1 - alpha) + t(power)) sd / sqrt(m)), t of m - 1
        degrees of freedom.

    Raises
    ------
    ValueError
        With fewer than two pairs, or a standard deviation below 0.
    """
    if m < FEWEST or not sd >= 0:
        raise ValueError(f"found {m} pairs of sd {sd}; allowed: two and more, from 0")
    reach = _t(1 - alpha, m - 1) + _t(power, m - 1)
    return (1 + tolerance) * math.exp(reach * sd / math.sqrt(m))


def pairs_needed(
    sd: float, *, alpha: float = ALPHA, power: float = POWER, tolerance: float = TOLERANCE
) -> int | None:
    """Say how many pairs it takes to recognise that nothing has changed.

    Parameters
    ----------
    sd : float
        Standard deviation of ln(candidate / base) from pair to pair.
    alpha : float
        One-sided error allowed at the tolerance.
    power : float
        How often it is to be recognised.
    tolerance : float
        Change that does not matter.

    Returns
    -------
    int or None
        The fewest pairs with (t(1 - alpha) + t(power)) sd / sqrt(m) at most
        ln(1 + tolerance); None beyond a thousand.
    """
    m = np.arange(FEWEST, MOST_NEEDED + 1)
    reach = (stdtrit(m - 1, 1 - alpha) + stdtrit(m - 1, power)) * sd / np.sqrt(m)
    enough = np.flatnonzero(reach <= math.log1p(tolerance))
    return int(m[enough[0]]) if len(enough) else None


def holm(chances: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Adjust p-values so that one false alarm among all is as rare as asked for one.

    Parameters
    ----------
    chances : sequence of float
        p-values, 0..1, in any order.
    weights : sequence of float, optional
        How much of the error is each one's, above 0 and declared before; without them
        all have the same.

    Returns
    -------
    list of float
        Adjusted, in the same order: what is at most alpha is an alarm.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure", which gives
    the steps with weights as well.
    """
    found = np.asarray(chances, dtype=np.float64)
    shares = np.ones(len(found)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(found / shares, kind="stable")
    left = np.cumsum(shares[order][::-1])[::-1]
    stepped = np.maximum.accumulate((found / shares)[order] * left)
    adjusted = np.empty(len(found))
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(chance) for chance in adjusted]
