import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.concurrency import mean_in_flight

repeatable = settings(derandomize=True, deadline=None)


def test_overlaps_count_for_their_part() -> None:
    #          before-in, inside, in-after, before-after, outside, touching
    sent = [0.0, 11.0, 19.0, 0.0, 30.0, 5.0]
    ends = [12.0, 14.0, 40.0, 40.0, 31.0, 10.0]
    estimate = mean_in_flight(sent, ends, 10.0, 20.0)
    assert estimate.value == pytest.approx((2 + 3 + 1 + 10) / 10)
    assert (estimate.n, estimate.unit) == (4, "requests")


def test_a_request_never_sent_is_not_in_flight_and_one_never_ended_still_is() -> None:
    estimate = mean_in_flight([math.nan, 2.0], [9.0, math.nan], 0.0, 4.0)
    assert (estimate.value, estimate.n) == (0.5, 1)


def test_an_empty_window_holds_nothing_and_says_so() -> None:
    estimate = mean_in_flight([], [], 0.0, 20.0)
    assert (estimate.value, estimate.high, estimate.n) == (0.0, None, 0)
    assert "no request was open" in str(estimate.why)


def test_a_short_window_has_no_interval_and_says_why() -> None:
    assert "shorter than" in str(mean_in_flight([0.0], [1.0], 0.0, 5.0).why)


def test_littles_law_holds_for_what_enters_and_leaves() -> None:
    rng = np.random.default_rng(1)
    sent = rng.uniform(1, 15, 500)
    times = rng.exponential(0.5, 500)
    estimate = mean_in_flight(sent, sent + times, 0.0, 40.0)
    assert estimate.value == pytest.approx(500 / 40 * times.mean())


def test_the_interval_holds_the_truth_of_a_delay_without_queue() -> None:
    # M/G/infinity: the number in flight has mean rate x time, whatever its law.
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sent = rng.uniform(-10, 60, rng.poisson(70 * 40))
        estimate = mean_in_flight(sent, sent + rng.exponential(0.2, len(sent)), 0.0, 60.0)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 8 <= estimate.high
    assert held >= 82  # 1 in 10,000 at a coverage of 93 %


@repeatable
@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), min_size=1, max_size=20))
def test_counting_at_many_moments_comes_to_the_same(spans: list[tuple[float, float]]) -> None:
    sent = np.array([a for a, _ in spans])
    ends = sent + np.array([b for _, b in spans])
    moments = np.linspace(5, 25, 20_001)[:-1] + 0.0005
    counted = sum(((moments >= a) & (moments < b)).mean() for a, b in zip(sent, ends, strict=True))
    estimate = mean_in_flight(sent, ends, 5.0, 25.0)
    assert estimate.value == pytest.approx(counted, abs=1e-4 * len(spans) + 1e-9)
    assert estimate.value is not None
    assert 0 <= estimate.value <= len(spans)


def test_sends_and_ends_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="as many"):
        mean_in_flight([1.0], [1.0, 2.0], 0.0, 4.0)
