"""Rows of a before/after table: one number of two systems, compared."""

from __future__ import annotations

from dataclasses import replace

from analysis.change import Change, Row, Values, Word
from analysis.change_of_factors import factor_row
from analysis.change_of_shares import share_row
from analysis.run_order import Design
from analysis.run_values import ERRORS, Indicator


def row_of(
    subject: str,
    indicator: Indicator,
    base: Values,
    candidate: Values,
    design: Design,
    *,
    tolerance: float,
) -> Row:
    """Compare one number of two systems.

    Parameters
    ----------
    subject : str
        ``"all"`` or an endpoint.
    indicator : Indicator
        What was measured.
    base, candidate : sequence of (Estimate or None)
        One a run, in the order in which `design` counts them.
    design : Design
        How the runs were laid out in time.
    tolerance : float
        Change for the worse that does not matter: 0.05 for 5 %, or for five
        percentage points of a share.

    Returns
    -------
    Row
        Without a p-value and a detectable change: those are a matter of all rows.
    """
    make = share_row if indicator.name == ERRORS else factor_row
    row = make(subject, indicator, base, candidate, design, tolerance)
    if row.change.value is None and row.points is None:
        return replace(row, word=Word.NOT_ESTIMABLE)
    if row.worse is None or not design.interleaved:
        why = row.why or (design.why if row.worse is not None else None)
        return replace(row, why=why or row.change.why)
    low, high = row.worse.interval()
    bound = any(estimate is not None and estimate.is_lower_bound for estimate in candidate)
    return replace(row, decision=_decide(low, high, row.limit, bound), word=_word(low, high, bound))


def _decide(low: float, high: float, limit: float, bound: bool) -> Change:
    if low > limit:
        return Change.REGRESSED
    return Change.NOT_REGRESSED if high < limit and not bound else Change.INCONCLUSIVE


def _word(low: float, high: float, bound: bool) -> Word:
    if low > 0:
        return Word.WORSE
    if bound:
        return Word.UNDECIDED
    return Word.BETTER if high < 0 else Word.NO_CHANGE
