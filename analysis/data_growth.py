"""The scorecard's rows on data growth: how p95 grows with the volume of data, against what may be.

::

    all requests      passed: the interval of the exponent ends at or below the limit
                      failed: it begins above it;  else inconclusive
    the operations    failed: one begins above the limit, also after allowing for their number
                      passed: each one's interval ends at or below it;  else inconclusive

That each of several operations is within a limit needs no correction: all must be. That one
of them is beyond it does, for with twenty of them one is beyond by chance (Bonferroni). Where
runs were left out nothing passes: they may be those in which it did not hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from analysis.decision import Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.growth import CLASSES, Growth
from analysis.indicator import DATA_GROWTH, Indicator, next_action
from scenarios.model import GrowthExpectation

LEVEL = "p95"
ALL = "all"

_LIMITS = dict(CLASSES)
_MORE = "another volume, farther apart, or longer holds: --vary target.customers=..."
_WHOLE = "make the runs that were left out again: growth passes where every run can be used"
_ALONE = "vary target.customers alone, or with seeds: --vary target.customers=..."
_PLANS = "read the query plans of {} at the largest volume: an index, a limit, a count"


def limit_of(expected: GrowthExpectation) -> float:
    """Give the exponent that an expectation ends at.

    Parameters
    ----------
    expected : GrowthExpectation
        Any.

    Returns
    -------
    float
        Of T = c V^b.
    """
    return _LIMITS[expected.worst]


def expected_growth(expected: GrowthExpectation) -> str:
    """Write an expectation of growth.

    Parameters
    ----------
    expected : GrowthExpectation
        Any.

    Returns
    -------
    str
        Its word, and the exponent where that ends.
    """
    return f"no worse than {expected.worst} (exponent <= {limit_of(expected):g})"


def growth_rows(
    found: Mapping[str, Mapping[str, Growth]], expected: GrowthExpectation, *, whole: bool = True
) -> tuple[Indicator, ...]:
    """Lay growth with the volume of data beside what is expected of it.

    Parameters
    ----------
    found : mapping of str to mapping of str to Growth
        By operation (``"all"`` among them) and percentile.
    expected : GrowthExpectation
        Of the scenario.
    whole : bool
        Whether every run of the sweep is in it.

    Returns
    -------
    tuple of Indicator
        One for all requests, one for the operation that decides; none where nothing is
        known of growth.
    """
    if not found:
        return ()
    growths = {name: levels[LEVEL] for name, levels in found.items()}
    verdict = _of_one(growths[ALL], expected)
    rows = [_row("p(95) of all requests", growths[ALL], verdict, expected, whole=whole)]
    operations = {name: growth for name, growth in growths.items() if name != ALL}
    if operations:
        name, verdict = _deciding(operations, expected)
        which = f"{name}, which decides of {len(operations)} operations,"
        rows.append(
            _row(f"p(95) of {which}", operations[name], verdict, expected, name, whole=whole)
        )
    return tuple(rows)


def unjudged_row(expected: GrowthExpectation, why: str) -> Indicator:
    """Lay beside what is expected that nothing was told of it.

    Parameters
    ----------
    expected : GrowthExpectation
        Of the scenario.
    why : str
        Why runs over several volumes tell nothing of growth.

    Returns
    -------
    Indicator
        Inconclusive.
    """
    return Indicator(
        criterion=DATA_GROWTH,
        indicator=_indicator("p(95) of all requests"),
        expected=expected_growth(expected),
        expectation=expected.expectation,
        actual=not_estimable(why),
        verdict=str(Verdict.INCONCLUSIVE),
        next=f"{why}; {_ALONE}",
    )


def _indicator(of_what: str) -> str:
    return f"{of_what} over the volume of data, log-log exponent"


def _of_one(growth: Growth, expected: GrowthExpectation) -> Verdict:
    low, high, limit = growth.exponent.low, growth.exponent.high, limit_of(expected)
    if high is not None and high <= limit:
        return Verdict.PASSED
    return Verdict.FAILED if low is not None and low > limit else Verdict.INCONCLUSIVE


def _deciding(operations: Mapping[str, Growth], expected: GrowthExpectation) -> tuple[str, Verdict]:
    """Find the operation that decides, and what comes of it."""
    limit = limit_of(expected)
    surely = {
        name: growth.low_among_all
        for name, growth in operations.items()
        if growth.low_among_all is not None and growth.low_among_all > limit
    }
    if surely:
        return max(surely, key=lambda name: surely[name]), Verdict.FAILED
    highs = {name: growth.exponent.high for name, growth in operations.items()}
    known = {name: high for name, high in highs.items() if high is not None}
    worst = max(known, key=lambda name: known[name], default=None)
    if worst is None or (known[worst] <= limit and len(known) < len(highs)):
        return next(name for name, high in highs.items() if high is None), Verdict.INCONCLUSIVE
    return worst, Verdict.PASSED if known[worst] <= limit else Verdict.INCONCLUSIVE


def _row(
    of_what: str,
    growth: Growth,
    verdict: Verdict,
    expected: GrowthExpectation,
    operation: str = "the slowest operations",
    *,
    whole: bool,
) -> Indicator:
    actual, limit = growth.exponent, limit_of(expected)
    missed = verdict is Verdict.PASSED and not whole
    verdict = Verdict.INCONCLUSIVE if missed else verdict
    difference = None if actual.value is None else actual.value - limit
    return Indicator(
        criterion=DATA_GROWTH,
        indicator=_indicator(of_what),
        expected=expected_growth(expected),
        expectation=expected.expectation,
        actual=actual,
        difference=difference,
        difference_percent=None if difference is None else 100 * difference / limit,
        verdict=str(verdict),
        next=_WHOLE if missed else _next(actual, verdict, operation),
    )


def _next(actual: Estimate, verdict: Verdict, operation: str) -> str:
    if verdict is Verdict.FAILED:
        return _PLANS.format(operation)
    if verdict is Verdict.INCONCLUSIVE:
        return f"{actual.why}; {_MORE}" if actual.value is None else _MORE
    return next_action(DATA_GROWTH, str(verdict))
