"""Numbers that change by percentage points: shares of bad requests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.change import Row, Values
from analysis.comparison import ONE_RUN, paired_shift, welch_shift
from analysis.estimate import Estimate, not_estimable
from analysis.run_order import Design, Order
from analysis.run_values import Indicator
from analysis.shift import CONFIDENCE, Shift


def share_row(
    subject: str,
    indicator: Indicator,
    base: Values,
    candidate: Values,
    design: Design,
    tolerance: float,
) -> Row:
    """Compare a number that changes by percentage points.

    Parameters
    ----------
    subject, indicator, base, candidate, design, tolerance
        As :func:`analysis.before_after.row_of` takes them.

    Returns
    -------
    Row
        Undecided.
    """
    before = [b for b in base if b is not None and b.value is not None]
    after = [c for c in candidate if c is not None and c.value is not None]
    row = Row(
        subject=subject,
        indicator=indicator,
        before=_mean_share(before),
        after=_mean_share(after),
        change=not_estimable("there are no runs to compare"),
        limit=tolerance,
    )
    if not before or not after:
        return replace(row, why="a side was sent no such request")
    first, last = row.before.value or 0.0, row.after.value or 0.0
    change = (
        Estimate(value=last / first, n=2, method="ratio of the means", why=IN_POINTS)
        if first > 0
        else not_estimable("there were no bad requests before")
    )
    if len(before) == len(after) == 1:
        points = _points_within(before[0], after[0])
        return replace(row, change=change, points=points, why=ONE_RUN)
    whole = len(before) == len(base) and len(after) == len(candidate)
    shift = _share_shift(before, after, design if whole else None)
    points = Estimate(value=last - first, n=len(before) + len(after), unit="ratio", why=ONE_RUN)
    if shift is not None:
        low, high = (min(1.0, max(-1.0, end)) for end in shift.interval())
        points = replace(
            points,
            low=low,
            high=high,
            level=CONFIDENCE,
            method=shift.method,
            covers="runs",
            why=None,
        )
    return replace(row, change=change, points=points, worse=shift)


IN_POINTS = "its interval is that of the percentage points"


def _share_shift(
    before: Sequence[Estimate], after: Sequence[Estimate], design: Design | None
) -> Shift | None:
    """Compare shares over runs, never surer than the requests themselves allow.

    Runs without a bad request do not vary; that is no certainty. The error is at least
    the binomial one of the requests that all runs of a side are worth together.
    """
    first, last = (np.array([e.value for e in side], dtype=float) for side in (before, after))
    fewest = min(len(first), len(last))
    if fewest == 1:
        return None
    if design is not None and design.order is Order.PAIRS:
        places = np.array(design.pairs)
        shift = paired_shift(last[places[:, 1]] - first[places[:, 0]])
    else:
        shift = welch_shift(first, last)
    floor = math.hypot(_binomial_error(before), _binomial_error(after))
    if shift is None:
        mean = float(last.mean() - first.mean())
        return Shift(mean=mean, se=floor, df=fewest - 1.0, n=len(first) + len(last), method=FLOOR)
    return replace(
        shift,
        se=max(shift.se, floor),
        method=shift.method.removesuffix(" on the logarithm") + f"; {FLOOR}",
    )


FLOOR = "at least the binomial error of the requests"


def _binomial_error(side: Sequence[Estimate]) -> float:
    worth = sum(e.n_eff or e.n for e in side)
    bad = sum((e.value or 0.0) * (e.n_eff or e.n) for e in side)
    share = (bad + 1) / (worth + 2)  # Laplace's: none seen is not none there
    return math.sqrt(share * (1 - share) / max(worth, 1.0))


def _mean_share(side: Sequence[Estimate]) -> Estimate:
    if not side:
        return not_estimable("a side was sent no such request", unit="ratio")
    if len(side) == 1:
        return side[0]
    shares = np.array([e.value for e in side], dtype=float)
    return Estimate(
        value=float(shares.mean()),
        n=len(shares),
        unit="ratio",
        method=f"mean of {len(shares)} runs",
        covers="runs",
        why="the interval is that of the difference",
    )


def _points_within(before: Estimate, after: Estimate) -> Estimate:
    """Take the difference of two runs' shares, with the distances of their ends combined."""
    first, last = before.value or 0.0, after.value or 0.0
    ends = (before.low, before.high, after.low, after.high)
    if None in ends:
        why = after.why or before.why or "an interval of a run has no end"
        return Estimate(value=last - first, n=2, unit="ratio", why=why)
    b_low, b_high, a_low, a_high = (float(end or 0.0) for end in ends)
    return Estimate(
        value=last - first,
        low=last - first - math.hypot(last - a_low, b_high - first),
        high=last - first + math.hypot(a_high - last, first - b_low),
        level=before.level,
        n=2,
        unit="ratio",
        method="two intervals combined",
    )
