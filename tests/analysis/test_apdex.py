import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.apdex import apdex

repeatable = settings(derandomize=True, deadline=None)


def test_the_published_example_comes_out() -> None:
    # 40 satisfied, 200 tolerating, 48 frustrated of 288: (40 + 100) / 288.
    latency = np.repeat([100.0, 1000.0, 5000.0], [40, 200, 48])
    estimate = apdex(latency, np.ones(288, bool), np.zeros(288, bool), 0.5)
    assert estimate.value == pytest.approx(0.486, abs=5e-4)
    assert (estimate.n, estimate.unit, estimate.why) == (288, "ratio", None)


def test_the_zones_include_their_upper_ends() -> None:
    scores = [
        apdex([latency], [True], [False], 0.5).value for latency in (500.0, 500.1, 2000.0, 2000.1)
    ]
    assert scores == [1.0, 0.5, 0.5, 0.0]


def test_a_fast_error_is_frustrated() -> None:
    assert apdex([1.0, 1.0], [True, False], [False, False], 0.5).value == 0.5


def test_a_young_censored_request_counts_both_ways() -> None:
    n = 100_000  # so many that only the doubt itself is left of the interval
    latency = np.full(n, 10.0)
    censored = np.arange(n) % 2 == 0
    for age, best in ((10.0, 1.0), (1000.0, 0.75), (3000.0, 0.5)):
        latency[censored] = age
        estimate = apdex(latency, ~censored, censored, 0.5)
        assert estimate.value == pytest.approx(0.5)
        assert estimate.low == pytest.approx(0.5, abs=0.01)
        assert estimate.high == pytest.approx(best, abs=0.01)
        assert (estimate.why is None) == (age == 3000.0)


def test_a_timeout_that_is_a_plain_error_is_not_flagged() -> None:
    estimate = apdex([1000.0], [False], [False], 0.5)
    assert (estimate.value, estimate.why) == (0.0, None)


def test_no_requests_have_no_score() -> None:
    assert apdex([], [], [], 0.5).value is None


def test_intended_starts_give_the_order_back() -> None:
    rng = np.random.default_rng(1)
    latency = np.repeat([100.0, 3000.0, 100.0], [500, 100, 400])
    good, censored = np.ones(1000, bool), np.zeros(1000, bool)
    expected = apdex(latency, good, censored, 0.5)
    mixed = rng.permutation(1000)
    found = apdex(latency[mixed], good, censored, 0.5, intended_s=mixed.astype(float))
    assert found == expected
    assert found.n_eff is not None
    assert found.n_eff < 50


@pytest.mark.costly
@repeatable
@given(
    st.lists(st.tuples(st.floats(0, 5000), st.integers(0, 2)), min_size=1, max_size=80),
    st.floats(0.01, 2),
)
def test_the_score_is_the_sum_by_hand_and_lies_in_its_interval(
    requests: list[tuple[float, int]], threshold_s: float
) -> None:
    total = 0.0
    for latency, kind in requests:
        if kind == 0 and latency <= threshold_s * 1e3:
            total += 1
        elif kind == 0 and latency <= 4 * (threshold_s * 1e3):
            total += 0.5
    estimate = apdex(
        [latency for latency, _ in requests],
        [kind == 0 for _, kind in requests],
        [kind == 2 for _, kind in requests],
        threshold_s,
    )
    assert estimate.value == pytest.approx(total / len(requests))
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0 <= estimate.low <= total / len(requests) + 1e-12
    assert total / len(requests) - 1e-12 <= estimate.high <= 1


@repeatable
@given(st.lists(st.floats(0, 5000), min_size=1, max_size=50))
def test_a_wider_threshold_never_lowers_the_score(latencies: list[float]) -> None:
    n = len(latencies)
    scores = [
        apdex(latencies, [True] * n, [False] * n, threshold).value or 0.0
        for threshold in (0.1, 0.5, 1.0, 5.0)
    ]
    assert scores == sorted(scores)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        apdex([1.0], [True], [False], 0.0)
    with pytest.raises(ValueError, match="good and censored"):
        apdex([1.0], [True], [True], 0.5)
    with pytest.raises(ValueError, match="as many"):
        apdex([1.0], [True, False], [False], 0.5)
