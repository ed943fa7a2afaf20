import itertools
import math
import statistics
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import binom
from scipy.stats.mstats import mquantiles

from analysis.autocorrelation import autocorrelation_time
from analysis.percentile_intervals import interval_levels
from analysis.quantiles import (
    QUANTILE_METHOD,
    maximum,
    mean,
    quantile,
    quantiles,
    values_for_a_mean,
)
from tests.support.queues import mm1_responses

numbers = st.floats(0, 1e6, allow_nan=False, allow_subnormal=False)
series = st.lists(numbers, min_size=1, max_size=60)
levels = st.floats(0, 1, allow_nan=False)
repeatable = settings(derandomize=True, deadline=None)


def by_hand(values: list[float], level: float) -> float:
    """Type 7 in plain Python; infinite values allowed."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * level
    low = math.floor(place)
    weight = place - low
    if weight == 0:
        return ordered[low]
    return (1 - weight) * ordered[low] + weight * ordered[low + 1]


def test_the_definition_is_numpys_linear() -> None:
    assert QUANTILE_METHOD == "linear"
    assert quantile([10, 20, 30, 40], 0.5).value == 25
    assert quantile([10, 20, 30, 40], 0.95).value == pytest.approx(38.5)


def test_quantiles_agree_with_scipy_and_the_standard_library() -> None:
    values = np.random.default_rng(1).lognormal(size=1001)
    found = quantiles(values, [0.05, 0.5, 0.95, 0.999])
    for level, estimate in found.items():
        expected = float(mquantiles(values, [level], alphap=1, betap=1)[0])
        assert estimate.value == pytest.approx(expected)
    cuts = statistics.quantiles(values.tolist(), n=20, method="inclusive")
    assert found[0.95].value == pytest.approx(cuts[-1])


def test_one_value_is_every_quantile_of_itself() -> None:
    assert [e.value for e in quantiles([7.0], [0, 0.5, 1]).values()] == [7.0, 7.0, 7.0]


def test_no_values_have_no_quantile() -> None:
    estimate = quantile([], 0.95)
    assert estimate.value is None
    assert estimate.n == 0
    assert estimate.why == "there are no values"


def test_the_interval_is_read_off_the_values_at_the_levels_of_its_ends() -> None:
    values = mm1_responses(np.random.default_rng(5), 0.5, 5_000)
    ends = interval_levels(values, [0.5, 0.95])
    found = quantiles(values, [0.5, 0.95])
    for index, estimate in enumerate(found.values()):
        low, high = (by_hand(values.tolist(), end[index]) for end in (ends.low, ends.high))
        assert (estimate.low, estimate.high) == pytest.approx((low, high))
        assert (estimate.level, estimate.n_eff) == (0.95, ends.n_eff[index])
        assert estimate.why is None


def test_few_values_have_a_quantile_without_ends_and_say_how_many_it_takes() -> None:
    estimate = quantile(range(20), 0.5)
    assert (estimate.value, estimate.low, estimate.high, estimate.level) == (9.5, None, None, None)
    assert "20 values are too few" in str(estimate.why)
    assert "at least 24" in str(estimate.why)


def test_a_tail_without_enough_requests_has_no_upper_end() -> None:
    values = np.random.default_rng(6).exponential(10, 300)
    estimate = quantile(values, 0.99)
    assert estimate.low is not None
    assert estimate.high is None
    assert not estimate.is_lower_bound
    assert "at least 417" in str(estimate.why)


def test_a_long_memory_leaves_no_ends_and_says_what_the_values_are_worth() -> None:
    estimate = quantile(np.repeat(np.arange(10.0), 500), 0.5)
    assert (estimate.low, estimate.high) == (None, None)
    assert "depend on each other" in str(estimate.why)
    assert str(round(estimate.n_eff or 0)) in str(estimate.why)


def test_an_upper_end_among_the_censored_is_missing() -> None:
    values = np.arange(1000.0)
    shuffled = np.random.default_rng(7).permutation(values)
    estimate = quantile(shuffled, 0.95, censored=shuffled >= 955)
    assert estimate.value == pytest.approx(949.05)
    assert estimate.low is not None
    assert estimate.high is None
    assert "the upper end lies among the 45 of 1000" in str(estimate.why)


def test_equal_values_are_no_lower_bound_of_each_other() -> None:
    estimate = quantile(np.full(50, 3.0), 0.95)
    assert (estimate.value, estimate.low, estimate.high) == (3.0, None, None)
    assert not estimate.is_lower_bound
    both = quantile(np.full(500, 3.0), 0.95)
    assert (both.low, both.high) == (3.0, 3.0)


def test_a_quantile_among_the_censored_is_a_lower_bound() -> None:
    values = [float(v) for v in range(1, 101)]
    censored = [v > 96 for v in values]
    found = quantiles(values, [0.5, 0.95, 0.96, 0.97], censored=censored)
    assert [e.is_lower_bound for e in found.values()] == [False, False, True, True]
    assert "4 of 100" in str(found[0.97].why)


def test_a_young_censored_request_makes_even_the_median_a_lower_bound() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert quantile(values, 0.5, censored=[True, False, False, False, False]).is_lower_bound


def test_a_quantile_right_on_a_value_does_not_depend_on_the_next() -> None:
    # (n - 1) * 0.55 is 55.00000000000001 in floating point, and is 55.
    values = [float(v) for v in range(101)]
    censored = [v >= 56 for v in values]
    assert not quantile(values, 0.55, censored=censored).is_lower_bound
    assert quantile(values, 0.56, censored=censored).is_lower_bound


def test_zero_is_a_value() -> None:
    assert quantile([0.0, 0.0], 0.95).value == 0.0
    assert quantile([0.0, 0.0], 0.95, censored=[False, True]).is_lower_bound


@repeatable
@given(series, levels, st.randoms(use_true_random=False))
def test_a_lower_bound_is_a_quantile_that_infinity_would_change(
    values: list[float], level: float, random: Random
) -> None:
    level = round(level, 3)
    censored = [random.random() < 0.2 for _ in values]
    raised = [math.inf if c else v for v, c in zip(values, censored, strict=True)]
    place = (len(values) - 1) * level
    if 0 < abs(place - round(place)) < 1e-6:
        return  # the rounding of a product, tested by example
    changed = by_hand(raised, level) > by_hand(values, level) + 1e-9 * (max(values) + 1)
    assert quantile(values, level, censored=censored).is_lower_bound == changed


@repeatable
@given(series, st.lists(levels, min_size=2, max_size=5))
def test_quantiles_lie_within_the_values_and_rise_with_the_level(
    values: list[float], asked: list[float]
) -> None:
    found = quantiles(values, sorted(asked))
    results = [e.value for e in found.values() if e.value is not None]
    slack = 1e-9 * max(values)
    assert min(values) - slack <= results[0]
    assert results[-1] <= max(values) + slack
    assert all(b >= a - slack for a, b in itertools.pairwise(results))


@repeatable
@given(st.lists(numbers, min_size=26, max_size=200), st.lists(levels, min_size=1, max_size=4))
def test_a_quantile_lies_in_its_interval_and_a_surer_interval_is_wider(
    values: list[float], asked: list[float]
) -> None:
    wide, narrow = (quantiles(values, asked, confidence=c) for c in (0.95, 0.8))
    for level in asked:
        e, inner = wide[level], narrow[level]
        assert e.value is not None
        assert e.low is None or e.low <= e.value
        assert e.high is None or e.high >= e.value
        assert e.low is None or inner.low is None or e.low <= inner.low
        assert e.high is None or (inner.high is not None and inner.high <= e.high)


@repeatable
@given(series, levels, st.floats(0.1, 10))
def test_quantiles_ignore_order_and_follow_scale(
    values: list[float], level: float, factor: float
) -> None:
    plain = quantile(values, level).value
    assert quantile(values[::-1], level).value == plain
    assert plain is not None
    scaled = quantile([v * factor for v in values], level).value
    assert scaled == pytest.approx(plain * factor, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("level", [-0.1, 1.1, 95, math.nan])
def test_a_level_outside_0_to_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="allowed: 0 to 1"):
        quantile([1.0], level)


@pytest.mark.parametrize("bad", [[1.0, math.nan], [math.inf]])
def test_a_value_that_is_no_number_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        quantile(bad, 0.5)


def test_flags_must_match_the_values() -> None:
    with pytest.raises(ValueError, match="one each"):
        quantile([1.0, 2.0], 0.5, censored=[True])


def test_the_mean_agrees_with_the_standard_library_and_lies_in_its_interval() -> None:
    values = np.random.default_rng(2).exponential(10, 2000)
    estimate = mean(values)
    assert estimate.value == pytest.approx(statistics.fmean(values.tolist()))
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 10 < estimate.high
    # Independent values: the interval is about as wide as the textbook's.
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 10 / math.sqrt(2000), rel=0.6)


def test_the_means_interval_is_that_of_its_logarithm_on_the_longest_memory() -> None:
    values = mm1_responses(np.random.default_rng(4), 0.5, 5_000)
    estimate = mean(values, confidence=0.90)
    cuts = np.quantile(values, [0.5, 0.8, 0.9, 0.95])
    series = [values, values > values.mean(), *(values > cut for cut in cuts)]
    tau = max(autocorrelation_time(one) for one in series)
    df = 5_000 / (10 * tau + 1)
    error = float(values.std()) * math.sqrt(2 * tau * (1 + 1 / df) / 5_000)
    half = float(stats.t.ppf(0.95, df)) * error / float(values.mean())
    assert (estimate.low, estimate.high) == pytest.approx(
        (values.mean() * math.exp(-half), values.mean() * math.exp(half))
    )


@pytest.mark.simulation
def test_a_limit_at_the_true_mean_of_a_queue_is_rarely_passed_wrongly() -> None:
    # 95 % one-sided. A rule that errs in 8 % breaks this bound less than once in 10,000
    # series of seeds.
    wrong = failed = 0
    for seed in range(200):
        found = mean(mm1_responses(np.random.default_rng([2, seed]), 0.8, 5_000), confidence=0.90)
        wrong += found.high is not None and found.high < 5
        failed += found.low is not None and found.low > 5
    assert max(wrong, failed) <= binom.isf(1e-4, 200, 0.08)


def test_a_mean_of_negative_numbers_has_a_symmetric_interval() -> None:
    estimate = mean(np.random.default_rng(5).normal(0, 1, 500), unit="")
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.value is not None
    assert estimate.high - estimate.value == pytest.approx(estimate.value - estimate.low)


def test_the_mean_sorts_by_intended_start() -> None:
    rng = np.random.default_rng(3)
    intended = np.sort(rng.uniform(0, 100, 4000))
    values = 10 + np.sin(intended)
    shuffled = rng.permutation(4000)
    assert mean(values[shuffled], intended[shuffled]) == mean(values)
    assert mean(values[shuffled]).low != mean(values).low


def test_a_mean_with_a_censored_value_is_a_lower_bound() -> None:
    estimate = mean([1.0, 2.0, 3.0], censored=[False, False, True])
    assert estimate.is_lower_bound
    assert estimate.value == 2.0


def test_a_mean_of_few_values_has_no_interval_and_says_why() -> None:
    estimate = mean([1.0, 2.0, 3.0])
    assert (estimate.value, estimate.low, estimate.high) == (2.0, None, None)
    assert "3 values are too few" in str(estimate.why)


def test_a_constant_mean_is_within_its_own_interval() -> None:
    estimate = mean(np.full(1000, 0.1))
    assert estimate.value == pytest.approx(0.1)
    assert (estimate.low, estimate.high) == pytest.approx((0.1, 0.1))


def test_the_maximum_is_what_was_seen() -> None:
    estimate = maximum([3.0, 9.0, 4.0])
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (9.0, None, None, 3)
    assert "what was seen" in str(estimate.why)


def test_any_censored_value_may_have_been_the_largest() -> None:
    assert maximum([3.0, 9.0], censored=[True, False]).is_lower_bound


@pytest.mark.parametrize("measure", [mean, maximum])
def test_no_values_have_no_mean_and_no_maximum(measure: object) -> None:
    assert callable(measure)
    assert measure([]).value is None


def test_so_many_values_have_a_mean_with_an_interval_and_one_less_do_not() -> None:
    values = np.tile([1.0, 2.0], 50)  # they remember nothing for longer than themselves
    n = values_for_a_mean()

    assert mean(values[:n]).high is not None
    assert mean(values[: n - 1]).high is None
