"""Numbers that change by a factor: latencies and throughput."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.change import Row, Values
from analysis.comparison import (
    NO_VARIATION,
    ONE_RUN,
    FloatArray,
    as_ratio,
    paired_shift,
    welch_shift,
)
from analysis.estimate import Estimate, not_estimable
from analysis.ratio_of_two_runs import ratio_within
from analysis.run_order import Design, Order
from analysis.run_values import Indicator
from analysis.shift import CONFIDENCE, Shift


def factor_row(
    subject: str,
    indicator: Indicator,
    base: Values,
    candidate: Values,
    design: Design,
    tolerance: float,
) -> Row:
    """Compare a number that changes by a factor: a latency, or throughput.

    Parameters
    ----------
    subject, indicator, base, candidate, design, tolerance
        As :func:`analysis.before_after.row_of` takes them.

    Returns
    -------
    Row
        Undecided.
    """
    before, after, pairs, why = _usable(base, candidate, design)
    row = Row(
        subject=subject,
        indicator=indicator,
        before=over_runs(before, indicator.unit),
        after=over_runs(after, indicator.unit),
        change=not_estimable(why or "there are no runs to compare"),
        limit=math.log1p(tolerance),
        why=why,
    )
    if not before or not after:
        return row
    if len(before) == len(after) == 1:
        return replace(row, change=ratio_within(before[0], after[0]), why=why or ONE_RUN)
    logs, later = _logs(before), _logs(after)
    shift = paired_shift(later - logs) if pairs else welch_shift(logs, later)
    seen = (
        later - logs if pairs else np.full(min(len(logs), len(later)), later.mean() - logs.mean())
    )
    change = as_ratio(shift, seen, method=shift.method if shift else "")
    if any(estimate.is_lower_bound for estimate in after) and change.value is not None:
        change = replace(change, high=None, why="requests of the candidate's runs did not end")
    worse = shift if shift is None or indicator.lower_is_better else _turned(shift)
    return replace(row, change=change, worse=worse)


def _turned(shift: Shift) -> Shift:
    return replace(shift, mean=-shift.mean)


def _logs(estimates: Sequence[Estimate]) -> FloatArray:
    return np.asarray(np.log([estimate.value or np.nan for estimate in estimates]), np.float64)


def _usable(
    base: Values, candidate: Values, design: Design
) -> tuple[list[Estimate], list[Estimate], bool, str | None]:
    """Pick the runs that have a number; of pairs, those in which both have."""
    paired = design.order is Order.PAIRS
    if paired:
        whole = [(base[b], candidate[c]) for b, c in design.pairs]
        kept = [(b, c) for b, c in whole if b is not None and c is not None and _has(b) and _has(c)]
        before, after = [b for b, _ in kept], [c for _, c in kept]
        missing, of, what = len(whole) - len(kept), len(whole), "pairs"
    else:
        before = [b for b in base if b is not None and _has(b)]
        after = [c for c in candidate if c is not None and _has(c)]
        of, what = len(base) + len(candidate), "runs"
        missing = of - len(before) - len(after)
    if any(estimate.is_lower_bound for estimate in before):
        return [], [], paired, "requests of the base's runs did not end: nobody knows how long"
    why = f"{missing} of {of} {what} have no such number" if missing else None
    return before, after, paired, why


def _has(estimate: Estimate) -> bool:
    return estimate.value is not None and estimate.value > 0


def over_runs(estimates: Sequence[Estimate], unit: str) -> Estimate:
    """Estimate a positive number over the runs of one side.

    Parameters
    ----------
    estimates : sequence of Estimate
        One a run, each above 0.
    unit : str
        Their unit.

    Returns
    -------
    Estimate
        Geometric mean with Student's t on the logarithm; of one run its own.
    """
    if not estimates:
        return not_estimable("there are no runs to compare", unit=unit)
    if len(estimates) == 1:
        return estimates[0]
    logs = _logs(estimates)
    shift = paired_shift(logs)
    method = f"geometric mean of {len(logs)} runs"
    if shift is None:
        value = math.exp(float(logs.mean()))
        return Estimate(value=value, n=len(logs), unit=unit, method=method, why=NO_VARIATION)
    low, high = shift.interval(CONFIDENCE)
    return Estimate(
        value=math.exp(shift.mean),
        low=math.exp(low),
        high=math.exp(high),
        level=CONFIDENCE,
        n=len(logs),
        unit=unit,
        method=f"{method}; t on the logarithm",
        covers="runs",
    )
