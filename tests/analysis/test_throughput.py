import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.throughput import answers_for, poisson_interval, throughput
from tests.support.queues import closed_queue_ends

repeatable = settings(derandomize=True, deadline=None)


def test_throughput_counts_what_came_inside_the_window() -> None:
    done = [0.5, 1.0, 1.5, 2.0, math.nan]
    estimate = throughput(done, 1.0, 2.0)
    assert (estimate.value, estimate.n, estimate.unit) == (2.0, 2, "1/s")


def test_a_window_below_a_second_has_no_interval_and_says_why() -> None:
    estimate = throughput([0.5], 0.0, 0.9)
    assert (estimate.low, estimate.high) == (None, None)
    assert "shorter than 1 s" in str(estimate.why)


@pytest.mark.parametrize(("length", "slices"), [(1.0, 10), (9.0, 10), (30.0, 20)])
def test_answers_that_come_together_are_seen_in_slices_counted_one_by_one(
    length: float, slices: int
) -> None:
    # All in the first half: slices differ far more than Poisson counts.
    done = np.random.default_rng(1).uniform(5, 5 + length / 2, 900)
    estimate = throughput(done, 5.0, 5.0 + length)
    counts, _ = np.histogram(done, np.linspace(5, 5 + length, slices + 1))
    expected = stats.ttest_1samp(counts * slices / length, 0).confidence_interval(0.95)
    assert estimate.value == pytest.approx(900 / length)
    assert (estimate.low, estimate.high) == pytest.approx(
        (max(0.0, float(expected.low)), float(expected.high))
    )


def test_a_steady_clock_is_no_surer_than_a_poisson_count() -> None:
    estimate = throughput(np.arange(0, 40, 0.5) + 0.25, 0.0, 40.0)
    expected = stats.chi2.ppf(0.025, 160) / 2, stats.chi2.ppf(0.975, 162) / 2
    assert (estimate.low, estimate.high) == pytest.approx(tuple(end / 40 for end in expected))


def test_the_poisson_interval_reproduces_garwoods_table() -> None:
    # Garwood (1936), table 1, 95 %: counts 0, 1, 10, 50.
    printed = {0: (0.0, 3.69), 1: (0.0253, 5.57), 10: (4.80, 18.39), 50: (37.11, 65.92)}
    for count, ends in printed.items():
        assert poisson_interval(count, 0.95) == pytest.approx(ends, abs=6e-3)


def test_nothing_at_all_is_zero_and_not_certainty() -> None:
    estimate = throughput([], 0.0, 30.0, confidence=0.90)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(-math.log(0.05) / 30)  # the rule of three


@pytest.mark.simulation
@pytest.mark.parametrize(("users", "rate"), [(50, 49.0695), (100, 92.4300), (120, 99.4310)])
def test_a_short_hold_of_a_closed_queue_holds_its_throughput(users: int, rate: float) -> None:
    """M/M/1//N, service 10 ms, think time 1 s: rates by the formula in queueing_reference."""
    held = 0
    for seed in range(60):
        done = closed_queue_ends(np.random.default_rng([users, seed]), users, until_s=7.0)
        estimate = throughput(done, 4.0, 7.0)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= rate <= estimate.high
    # At 95 % the count falls below this once in 10,000 series of seeds.
    assert held >= stats.binom.ppf(1e-4, 60, 0.95)


def test_the_interval_holds_the_rate_of_poisson_arrivals() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        estimate = throughput(rng.uniform(0, 20, rng.poisson(1000)), 0.0, 20.0)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 50 <= estimate.high
    assert held >= stats.binom.ppf(1e-4, 200, 0.95)


@repeatable
@given(st.lists(st.floats(0, 50), max_size=80), st.floats(0, 20), st.floats(1, 30))
def test_windows_add_up(done: list[float], start: float, length: float) -> None:
    middle, end = start + length / 3, start + length
    parts = [throughput(done, start, middle), throughput(done, middle, end)]
    whole = throughput(done, start, end)
    assert whole.n == sum(part.n for part in parts)
    if whole.low is not None and whole.high is not None and whole.value is not None:
        assert 0 <= whole.low <= whole.value <= whole.high


def test_a_window_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no length"):
        throughput([1.0], 2.0, 1.0)


@pytest.mark.parametrize(("rate_rps", "length_s"), [(0.01, 10.0), (1, 20), (50, 100), (900, 3600)])
def test_the_answers_that_show_a_rate_are_the_fewest_that_do(
    rate_rps: float, length_s: float
) -> None:
    n = answers_for(rate_rps, length_s, confidence=0.90)

    assert poisson_interval(n, 0.90)[0] >= rate_rps * length_s
    assert poisson_interval(n - 1, 0.90)[0] < rate_rps * length_s
