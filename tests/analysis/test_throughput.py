import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.throughput import throughput

repeatable = settings(derandomize=True, deadline=None)


def test_throughput_counts_what_came_inside_the_window() -> None:
    done = [0.5, 1.0, 1.5, 2.0, math.nan]
    estimate = throughput(done, 1.0, 2.0)
    assert (estimate.value, estimate.n, estimate.unit) == (2.0, 2, "1/s")


def test_a_short_window_has_no_interval_and_says_why() -> None:
    estimate = throughput([0.5], 0.0, 9.0)
    assert (estimate.low, estimate.high) == (None, None)
    assert "shorter than 10 slices" in str(estimate.why)


def test_the_interval_agrees_with_slices_counted_one_by_one() -> None:
    done = np.random.default_rng(1).uniform(5, 35, 900)
    estimate = throughput(done, 5.0, 35.0)
    counts, _ = np.histogram(done, np.linspace(5, 35, 21))
    expected = stats.ttest_1samp(counts / 1.5, 0).confidence_interval(0.95)
    assert estimate.value == pytest.approx(30)
    assert (estimate.low, estimate.high) == pytest.approx(
        (float(expected.low), float(expected.high))
    )


def test_a_steady_clock_has_an_interval_without_width() -> None:
    estimate = throughput(np.arange(0, 40, 0.5) + 0.25, 0.0, 40.0)
    assert (estimate.low, estimate.value, estimate.high) == (2.0, 2.0, 2.0)


def test_nothing_at_all_is_zero_and_not_certainty() -> None:
    estimate = throughput([], 0.0, 30.0, confidence=0.90)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(-math.log(0.05) / 30)  # the rule of three


def test_the_interval_holds_the_rate_of_poisson_arrivals() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        estimate = throughput(rng.uniform(0, 20, rng.poisson(1000)), 0.0, 20.0)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 50 <= estimate.high
    assert held >= stats.binom.isf(0.9999, 200, 0.95)


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
