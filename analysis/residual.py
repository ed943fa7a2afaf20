"""What a disturbance left behind: the level after it against the level before."""

from __future__ import annotations

import math

import numpy as np

from analysis.band import memory
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t
from analysis.pulse import Floats
from scenarios.counting import count_of

FEWEST = 10
"""Windows that each side needs."""

BLOCKS = 30
"""Into how many blocks of neighbours the windows of a side are put, at the least."""

METHOD = "means of logarithms of windows, after - before; blocks of them, AR(1)-ESS, Welch's t"


def residual(before: Floats, after: Floats, *, confidence: float = 0.95) -> Estimate:
    """Compare the levels of two series of windows.

    Parameters
    ----------
    before, after : ndarray, shape (n,), (m,)
        A positive measure in each window, in order of time; NaN and 0 are left out.
    confidence : float
        Two-sided.

    Returns
    -------
    Estimate
        Growth as a ratio: 0.1 is a tenth more than before. Not estimable where one
        side has fewer than ten windows, or is worth fewer than two.

    References
    ----------
    Welch (1947), with n (1 - phi) / (1 + phi) for the number of blocks of each side.
    """
    sides = [np.log(side[np.isfinite(side) & (side > 0)]) for side in (before, after)]
    fewest = min(len(side) for side in sides)
    n = len(sides[1])
    if fewest < FEWEST:
        which = "before" if len(sides[0]) == fewest else "after"
        why = f"{count_of(fewest, 'window')} {which} it: {FEWEST} are needed"
        return not_estimable(why, unit="ratio", n=n, method=METHOD)
    blocks = [_blocks(side) for side in sides]
    kept = [memory(side) for side in blocks]
    sizes = [len(b) * (1 - phi) / (1 + phi) for b, phi in zip(blocks, kept, strict=True)]
    parts = [_variance(b, size) / size for b, size in zip(blocks, sizes, strict=True)]
    if min(sizes) <= 2:  # noqa: PLR2004 - fewer have no variance
        why = "neighbouring windows are too much alike: a longer run is needed"
        return not_estimable(why, unit="ratio", n=n, method=METHOD)
    shift = float(sides[1].mean() - sides[0].mean())
    spread = sum(parts)
    half = 0.0
    if spread > 0:
        freedom = spread**2 / sum(p**2 / (w - 1) for p, w in zip(parts, sizes, strict=True))
        half = student_t(confidence, freedom) * math.sqrt(spread)
    return Estimate(
        value=math.expm1(shift),
        low=math.expm1(shift - half),
        high=math.expm1(shift + half),
        level=confidence,
        n=n,
        n_eff=sizes[1],
        unit="ratio",
        method=METHOD,
    )


def _blocks(values: Floats) -> Floats:
    """Average neighbours: noise within a window hides how slowly a level moves."""
    each = max(1, len(values) // BLOCKS)
    means: Floats = values[: len(values) // each * each].reshape(-1, each).mean(axis=1)
    return means


def _variance(values: Floats, worth: float) -> float:
    n = len(values)
    return float(values.var(ddof=1)) * (1 - 1 / n) / (1 - 1 / max(worth, 1.5))
