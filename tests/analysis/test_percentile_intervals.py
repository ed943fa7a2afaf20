import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.autocorrelation import (
    TAU_LEVELS,
    autocorrelation_time,
    degrees_of_freedom,
    memories,
    memory,
    unbiased_time,
)
from analysis.intervals import wilson_bound
from analysis.percentile_intervals import interval_levels, score_levels, values_for_both_ends
from tests.support.queues import mm1_responses

repeatable = settings(derandomize=True, deadline=None)
LEVELS = (0.5, 0.95, 0.99)


# Ranks l < u with P(l <= B <= u - 1) >= 95 %, B binomial(n, p): the interval of
# independent values from order statistics (David and Nagaraja, Order Statistics, 7.1).
@pytest.mark.parametrize(
    ("n", "p", "ranks"),
    [
        (100, 0.5, (40, 61)),
        (1_000, 0.95, (936, 964)),
        (1_000, 0.99, (983, 997)),
        (10_000, 0.99, (9_880, 9_920)),
    ],
)
def test_the_levels_agree_with_the_order_statistics_of_independent_values(
    n: int, p: float, ranks: tuple[int, int]
) -> None:
    low, high = score_levels(p, n, 1.0, 0.95)
    # What is not known here and is there: that they are independent. It costs 2 % of the
    # width at 1,000 values, 20 % at 100; and ranks are whole.
    widened = float(stats.t.ppf(0.975, n / 11) / stats.norm.ppf(0.975)) * math.sqrt(1 + 11 / n)
    middle, half = (ranks[0] + ranks[1]) / 2, (ranks[1] - ranks[0]) / 2
    expected = (middle - half * widened, middle + half * widened)
    assert (n * float(low), n * float(high)) == pytest.approx(expected, abs=1.6)


def test_the_ends_agree_with_scipys_for_many_independent_values() -> None:
    n = 20_000
    values = np.random.default_rng(1).lognormal(size=n)
    ordered = np.sort(values)
    for level in LEVELS:
        theirs: Any = stats.quantile_test(values, p=level).confidence_interval(0.95)
        mine = score_levels(level, n, 1.0, 0.95)
        for end, other in zip(mine, (theirs.low, theirs.high), strict=True):
            # Theirs is a value that was seen, and its ranks are whole.
            assert n * float(end) == pytest.approx(np.searchsorted(ordered, other), abs=2.0)


@repeatable
@given(st.floats(0.01, 0.99), st.integers(25, 10**6), st.floats(1, 50))
def test_an_end_is_where_wilsons_bound_of_the_share_meets_the_level(
    p: float, n: int, tau: float
) -> None:
    low, high = (float(end) for end in score_levels(p, n, tau, 0.95))
    n_eff = float(n / unbiased_time(tau, n))
    z = float(stats.t.ppf(0.975, degrees_of_freedom(tau, n)))
    confidence = float(stats.norm.cdf(z))
    for end, upper in ((low, True), (high, False)):
        if 0 < end < 1 and confidence < 1 - 1e-9:
            assert wilson_bound(end, n_eff, confidence=confidence, upper=upper) == pytest.approx(p)


def test_the_tail_is_given_the_longest_memory_from_the_middle_up_to_it() -> None:
    values = mm1_responses(np.random.default_rng(2), 0.8, 5_000)
    heights = [*TAU_LEVELS, 0.99]
    cuts = np.quantile(values, heights)
    taus = memories(values > cut for cut in cuts)
    n_eff = interval_levels(values, LEVELS).n_eff
    for found, used in zip(n_eff, (taus[0], max(taus[:4]), max(taus)), strict=True):
        assert len(values) / found == pytest.approx(unbiased_time(used, len(values)))


def test_the_memory_of_a_long_series_is_that_of_its_bins() -> None:
    values = mm1_responses(np.random.default_rng(8), 0.8, 300_000)
    for cut in np.quantile(values, (0.5, 0.95)):
        # The window ends at another lag, and with it the sum: some per cent either way.
        assert memory(values > cut) == pytest.approx(autocorrelation_time(values > cut), rel=0.1)
    independent = np.random.default_rng(9).random(300_000) < 0.05
    assert memory(independent) == pytest.approx(1, rel=0.05)
    assert memory(np.zeros(300_000, dtype=bool)) == 1.0


def test_below_the_middle_the_same_holds_mirrored() -> None:
    values = mm1_responses(np.random.default_rng(3), 0.5, 5_000)
    upright, mirrored = interval_levels(values, [0.95]), interval_levels(-values, [0.05])
    assert float(upright.high[0]) == pytest.approx(1 - float(mirrored.low[0]), abs=0.005)


def test_the_ends_are_decided_by_the_longest_memory_at_any_height() -> None:
    # Every second is as good as the other at the median, but a stall holds one of the tail.
    rng = np.random.default_rng(4)
    values = rng.exponential(10, 2_000)
    assert np.isfinite(interval_levels(values, [0.9]).high).all()
    values[1_000:1_200] += 1_000
    ends = interval_levels(values, [0.9])
    assert math.isnan(ends.high[0])
    assert ends.least_n_eff < 20


def test_the_order_matters() -> None:
    values = mm1_responses(np.random.default_rng(5), 0.8, 5_000)
    shuffled = np.random.default_rng(6).permutation(values)
    there, elsewhere = interval_levels(values, [0.5]), interval_levels(shuffled, [0.5])
    assert there.n_eff[0] < elsewhere.n_eff[0] / 5


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9, 0.95, 0.99])
def test_so_many_independent_values_have_both_ends_and_fewer_have_not(level: float) -> None:
    needed = values_for_both_ends(level, 0.95)
    # Alternating around every cut: the time of such a series is 1 at each height.
    for n, given_both in ((needed, True), (needed - 1, False)):
        ends = interval_levels(_memoryless(n, level), [level])
        assert ends.n_eff[0] == pytest.approx(n / (1 + 11 / n))
        assert bool(np.isfinite(ends.low[0]) and np.isfinite(ends.high[0])) is given_both


def _memoryless(n: int, level: float) -> npt.NDArray[np.float64]:
    """A series whose indicators are never positively correlated: a sweep, spread evenly."""
    heights = [*TAU_LEVELS, level]
    for step in range(round(n * 0.618), n):
        sweep = np.arange(n, dtype=float) * step % n
        cuts = np.quantile(sweep, heights)
        if math.gcd(step, n) == 1 and (memories(sweep > cut for cut in cuts) == 1).all():
            return sweep
    raise AssertionError(f"no sweep of {n} steps will do")


def test_no_values_have_no_ends() -> None:
    ends = interval_levels([], LEVELS)
    assert np.isnan(ends.low).all()
    assert np.isnan(ends.high).all()


@repeatable
@given(st.integers(1, 300), st.integers(0, 5))
def test_the_ends_lie_on_both_sides_of_the_level_and_inside_0_to_1(n: int, seed: int) -> None:
    ends = interval_levels(np.random.default_rng(seed).normal(size=n), [0.0, *LEVELS, 1.0])
    for level, low, high in zip((0.0, *LEVELS, 1.0), ends.low, ends.high, strict=True):
        assert math.isnan(low) or 0 < low < level
        assert math.isnan(high) or level < high < 1


@pytest.mark.costly
def test_a_queues_percentiles_lie_in_their_intervals() -> None:
    """Nominal 95 %; held against the 90 % and 85 % that are promised.

    At 90 % (p99: 85 %) the count falls below the bound once in 10,000 series of seeds;
    intervals on the raw number of requests hold p95 in every second run.
    """
    runs, n, rho = 150, 5_000, 0.5
    naive_low, _ = score_levels(0.95, n, 1.0, 0.95)
    held, naive = dict.fromkeys(LEVELS, 0), 0
    for seed in range(runs):
        values = mm1_responses(np.random.default_rng([1, seed]), rho, n)
        ends = interval_levels(values, LEVELS)
        for level, low, high in zip(LEVELS, ends.low, ends.high, strict=True):
            below = float((values <= -math.log(1 - level) / (1 - rho)).mean())
            held[level] += (math.isnan(low) or low <= below) and (math.isnan(high) or below <= high)
            if level == 0.95:
                naive += abs(below - level) <= level - float(naive_low)
    for level, least in zip(LEVELS, (0.9, 0.9, 0.85), strict=True):
        assert held[level] >= stats.binom.ppf(1e-4, runs, least)
    assert naive < stats.binom.ppf(1e-4, runs, 0.9)
