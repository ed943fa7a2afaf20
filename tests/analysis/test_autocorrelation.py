import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.autocorrelation import (
    autocorrelation_time,
    autocovariance,
    degrees_of_freedom,
    effective_size,
    largest_autocorrelation_time,
    memories,
    memory,
    unbiased_time,
)
from tests.support.queues import mm1_responses

repeatable = settings(derandomize=True, deadline=None)


def ar1(phi: float, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -phi], rng.normal(size=n + 200))[200:])


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_autocorrelation_time_of_an_ar1_is_known(phi: float) -> None:
    series = ar1(phi, 200_000, np.random.default_rng(4))
    assert autocorrelation_time(series) == pytest.approx((1 + phi) / (1 - phi), rel=0.1)


def test_the_transform_agrees_with_plain_sums() -> None:
    values = ar1(0.7, 300, np.random.default_rng(5))
    centred = values - values.mean()
    tau, lag = 1.0, 0
    while not (lag and lag >= 5 * tau):
        lag += 1
        tau += 2 * float(centred[:-lag] @ centred[lag:]) / float(centred @ centred)
    assert autocorrelation_time(values) == pytest.approx(max(1.0, tau))


@pytest.mark.parametrize("n", [7_000, 60_000, 700_001])
def test_many_short_transforms_agree_with_plain_sums(n: int) -> None:
    values = ar1(0.9, n, np.random.default_rng(11))
    centred = values - values.mean()
    found = autocovariance(values, 1_500)
    for lag in (0, 1, 37, 1_500):
        expected = float(centred[: n - lag] @ centred[lag:])
        assert found[lag] == pytest.approx(expected, abs=1e-9 * found[0])


def test_a_memory_beyond_the_lags_looked_at_first_is_followed() -> None:
    values = np.repeat(np.random.default_rng(12).normal(size=800), 400)
    centred = values - values.mean()
    covariance = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * len(values))) ** 2)
    tau = 1 + 2 * np.cumsum(covariance[1 : len(values)] / covariance[0])
    end = int(np.argmax(np.arange(1, len(values)) >= 5 * tau))
    assert end > 1_500
    assert autocorrelation_time(values) == pytest.approx(tau[end])


def test_an_indicator_series_has_an_autocorrelation_time() -> None:
    # A two-state chain that stays with probability 0.9: rho(k) = 0.8^k, tau = 1.8 / 0.2.
    rng = np.random.default_rng(6)
    flips = rng.random(200_000) < 0.1
    state = np.cumsum(flips) % 2 == 1
    assert autocorrelation_time(state) == pytest.approx(9, rel=0.1)


@pytest.mark.parametrize("n", [60_000, 300_000])
def test_a_view_that_shows_little_of_a_long_memory_is_given_all_of_it(n: int) -> None:
    # One part in twenty of the variance is the slow series': tau = 1 + 2 (1/20) phi / (1 - phi).
    rng, phi, part = np.random.default_rng(13), 0.98, 0.05
    slow = ar1(phi, n, rng) * math.sqrt(1 - phi**2)
    quick = math.sqrt(part) * slow + math.sqrt(1 - part) * rng.normal(size=n)
    truth = 1 + 2 * part * phi / (1 - phi)
    if n == 60_000:
        assert memory(quick) < truth / 2
    alone, shown = memories([slow, quick])
    assert shown == pytest.approx(truth, rel=0.25)
    assert alone == memory(slow)


def test_views_that_never_change_have_time_one_beside_others() -> None:
    slow = ar1(0.9, 5_000, np.random.default_rng(14))
    assert memories([slow, np.full(5_000, 3.0)]).tolist() == [memory(slow), 1.0]
    assert memories([np.zeros(1), np.ones(1)]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("series", [[], [3.0], [0.1] * 1000, [False] * 50])
def test_a_constant_or_tiny_series_has_time_one(series: list[float]) -> None:
    assert autocorrelation_time(series) == 1.0


def test_an_alternating_series_is_not_worth_more_than_it_holds() -> None:
    assert autocorrelation_time([0, 1] * 500) == 1.0


@repeatable
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=100))
def test_the_autocorrelation_time_lies_between_one_and_the_length(values: list[float]) -> None:
    tau = autocorrelation_time(values)
    assert 1 <= tau <= max(1, len(values))


@repeatable
@given(st.lists(st.integers(0, 20), min_size=3, max_size=60))
def test_shift_and_scale_leave_the_autocorrelation_time(values: list[int]) -> None:
    tau = autocorrelation_time(values)
    assert autocorrelation_time([3.0 * v - 7 for v in values]) == pytest.approx(tau, rel=1e-6)


def test_a_series_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        autocorrelation_time([1.0, math.nan])
    with pytest.raises(ValueError, match="one"):
        autocorrelation_time(np.zeros((2, 2)))


def test_the_largest_time_is_the_largest_over_the_cuts() -> None:
    values = 10 * mm1_responses(np.random.default_rng(7), 0.8, 5000)
    cuts = [*np.quantile(values, [0.5, 0.8, 0.9, 0.95]), 200.0]
    expected = max(autocorrelation_time(values > cut) for cut in cuts)
    assert largest_autocorrelation_time(values, 200.0) == pytest.approx(expected)


def test_the_largest_time_sees_a_stall_at_the_limit() -> None:
    values = np.random.default_rng(8).exponential(10, 5000)
    values[2000:2100] += 1000
    assert largest_autocorrelation_time(values, 500.0) > 30
    assert largest_autocorrelation_time([], 500.0) == 1.0


def test_the_order_of_rows_would_hide_the_dependence() -> None:
    values = 10 * mm1_responses(np.random.default_rng(9), 0.8, 5000)
    shuffled = np.random.default_rng(10).permutation(values)
    assert largest_autocorrelation_time(values, 150) > 5 * largest_autocorrelation_time(
        shuffled, 150
    )


def test_the_effective_size_allows_for_a_time_estimated_too_short() -> None:
    assert effective_size(3000, 2.0) == 1000
    with pytest.raises(ValueError, match="at least 1"):
        effective_size(10, 0.5)


def test_a_series_tells_its_memory_as_well_as_its_degrees_of_freedom_say() -> None:
    n, phi, runs = 2_000, 0.5, 300
    rng = np.random.default_rng(14)
    taus = np.array([autocorrelation_time(ar1(phi, n, rng)) for _ in range(runs)])
    # The relative variance of chi-squared over its degrees is 2 / df. That of a variance over
    # 300 runs is sqrt(2 / 300) = 8 %; the window moves with tau, which makes it larger.
    df = float(degrees_of_freedom(3.0, n))
    assert df == pytest.approx(n / 31)
    assert taus.var() / taus.mean() ** 2 == pytest.approx(2 / df, rel=0.5)
    # And what the mean takes away from it is given back: 1.6 % of 3, found to 1 %.
    assert float(unbiased_time(taus, n).mean()) == pytest.approx(3.0, rel=0.05)
    assert float(unbiased_time(3.0, n)) == pytest.approx(3.0 * (1 + 31 / n))
