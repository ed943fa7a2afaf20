"""Trends: published values, other implementations, and how often they cry wolf."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import binom, kendalltau, linregress, norm, theilslopes

from analysis.trend import MIN_BINS, corrected_phi, effective_bins, theil_sen, trend

Floats = npt.NDArray[np.float64]

PUBLISHED = [3.1, 2.9, 3.4, 3.8, 3.3, 4.1, 4.0, 4.4, 4.2, 4.9, 5.1, 4.8]
"""Example of the original Mann-Kendall test and Sen's slope, as pymannkendall 1.4.3 has it."""


def autoregressive(rng: np.random.Generator, shape: tuple[int, int], phi: float) -> Floats:
    """Stationary series of variance 1, one a row."""
    noise = rng.standard_normal((shape[0], shape[1] + 300)) * np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1], [1, -phi], noise, axis=1)[:, 300:])


def alarms(series: Floats) -> int:
    """How many of the series have a slope that is certain."""
    at = np.arange(series.shape[1])
    found = [trend(at, row) for row in series]
    return sum(
        each.low is not None and each.high is not None and not each.low <= 0 <= each.high
        for each in found
    )


def mann_kendall(values: npt.ArrayLike) -> tuple[int, float, float]:
    """S, its variance without ties, and Z: the test that does not hold here."""
    x = np.asarray(values)
    n = len(x)
    s = int(np.sign(x[None, :] - x[:, None])[np.triu_indices(n, 1)].sum())
    variance = n * (n - 1) * (2 * n + 5) / 18
    return s, variance, (s - np.sign(s)) / np.sqrt(variance)


def test_the_published_slope_is_found() -> None:
    at = np.arange(len(PUBLISHED))

    assert theil_sen(at, PUBLISHED) == pytest.approx(0.2)
    assert float(np.median(PUBLISHED) - 0.2 * np.median(at)) == pytest.approx(2.95)


def test_the_reference_that_it_is_compared_with_gives_its_published_values() -> None:
    s, variance, z = mann_kendall(PUBLISHED)

    assert s == 52
    assert variance == pytest.approx(212.667, abs=1e-3)
    assert z == pytest.approx(3.4972, abs=1e-4)
    assert 2 * norm.sf(z) == pytest.approx(4.7017e-4, rel=1e-4)
    assert kendalltau(range(12), PUBLISHED).statistic == pytest.approx(0.78788, abs=1e-5)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=40))
def test_the_slope_is_scipys(values: list[float]) -> None:
    at = np.arange(len(values)) * 0.5

    assert theil_sen(at, values) == pytest.approx(
        float(theilslopes(values, at).slope), rel=1e-9, abs=1e-9
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100), st.floats(-100, 100), st.floats(0.01, 1000))
def test_a_slope_follows_the_units_and_turns_with_the_series(
    seed: int, scale: float, offset: float, width: float
) -> None:
    values = autoregressive(np.random.default_rng(seed), (1, 80), 0.4)[0]
    at = np.arange(80.0)
    plain, other = trend(at, values), trend(at * width, offset - scale * values)

    assert plain.value is not None
    assert plain.low is not None
    assert plain.high is not None
    assert other.value == pytest.approx(-plain.value * scale / width, rel=1e-6, abs=1e-9)
    assert other.low == pytest.approx(-plain.high * scale / width, rel=1e-6, abs=1e-9)
    assert plain.low <= plain.value <= plain.high
    assert other.n_eff == pytest.approx(plain.n_eff, rel=1e-6)


def test_independent_bins_get_the_interval_of_a_regression_or_a_wider_one() -> None:
    # phi and tau of white noise are estimated, so a little wider is right; narrower never
    for values in np.random.default_rng(5).standard_normal((50, 240)):
        at = np.arange(240)
        found, plain = trend(at, values), linregress(at, values)
        assert found.low is not None
        assert found.high is not None
        half = (found.high - found.low) / 2
        assert 1.0 <= half / (1.9700 * plain.stderr) < 2.0  # t of 238 degrees of freedom


def test_the_correction_takes_the_bias_out_of_phi() -> None:
    # residuals of a line over 120 bins at .6: r1 alone is .56 in the mean
    rng = np.random.default_rng(7)
    x = np.arange(120) - 59.5
    found = []
    for row in autoregressive(rng, (2_000, 120), 0.6):
        left = row - row.mean()
        found.append(corrected_phi(left - x * (x @ left) / (x @ x)))

    # standard error of the mean .002; the correction is of first order
    assert np.mean(found) == pytest.approx(0.6, abs=0.02)


@pytest.mark.simulation
@pytest.mark.parametrize(("phi", "n", "runs"), [(0.0, 120, 150), (0.6, 120, 300), (0.9, 360, 80)])
def test_series_without_a_trend_hardly_ever_alarm(phi: float, n: int, runs: int) -> None:
    series = autoregressive(np.random.default_rng(11), (runs, n), phi)

    # nominal 5 %, measured below 6 %: a right program fails this less than once in 10,000 times
    assert alarms(series) <= binom.isf(1e-4, runs, 0.06)


def test_mann_kendall_alone_would_alarm_on_a_third_of_them() -> None:
    series = autoregressive(np.random.default_rng(11), (300, 120), 0.6)

    assert sum(abs(mann_kendall(row)[2]) > 1.96 for row in series) > 75, "33 % in the literature"


@pytest.mark.simulation
def test_slow_movement_under_the_noise_of_the_bins_is_no_trend() -> None:
    # lag 1 shows .45 of it; with that alone a third of such series alarm
    rng = np.random.default_rng(13)
    slow = autoregressive(rng, (100, 360), 0.9)
    series = slow + rng.standard_normal(slow.shape)

    # measured below 9 %; a right program fails this less than once in 10,000 times
    assert alarms(series) <= binom.isf(1e-4, 100, 0.09)


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("phi", "n", "least"), [(0.0, 120, 0.99), (0.6, 120, 0.8), (0.9, 600, 0.8)]
)
def test_a_drift_of_two_standard_deviations_is_found(phi: float, n: int, least: float) -> None:
    series = autoregressive(np.random.default_rng(17), (60, n), phi)

    # `least` lies below the measured power: a right program fails this once in 10,000 times
    assert alarms(series + np.linspace(0, 2, n)) >= binom.ppf(1e-4, 60, least)


def test_too_few_bins_are_said() -> None:
    found = trend(range(20), np.arange(20.0))

    assert found.value is None
    assert found.why == f"not enough data: 20 bins, at least {MIN_BINS} are needed"


def test_a_series_that_wanders_is_not_told_from_a_trend() -> None:
    walk = np.cumsum(np.random.default_rng(3).standard_normal(120))
    found = trend(range(120), walk)

    assert found.value is not None
    assert found.low is None
    assert found.high is None
    assert found.why is not None
    assert "120 bins depend on each other" in found.why


def test_a_line_is_itself() -> None:
    found = trend(np.arange(100.0), 3 + 0.25 * np.arange(100.0))

    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)


def test_a_constant_has_the_slope_nothing() -> None:
    found = trend(range(100), np.full(100, 0.1))

    assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


def test_a_few_wild_bins_do_not_turn_the_slope() -> None:
    values = 100 + 0.1 * np.arange(100) + np.random.default_rng(1).standard_normal(100)
    values[[90, 95, 99]] = 10_000

    assert trend(range(100), values).value == pytest.approx(0.1, abs=0.02)


def test_bins_are_worth_at_most_their_number() -> None:
    swinging = np.tile([1.0, -1.0], 60)

    assert effective_bins(swinging) <= 120


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        trend(range(100), [float("nan"), *range(99)])
    with pytest.raises(ValueError, match="shapes"):
        trend(range(99), range(100))
