"""What is left behind: an interval that holds although windows resemble their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.band import memory
from analysis.residual import residual

repeatable = settings(derandomize=True, deadline=None)


def series(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    noise, x = rng.normal(size=n), np.zeros(n)
    x[0] = noise[0] / np.sqrt(1 - phi**2)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + noise[i]
    found: np.ndarray = np.exp(0.2 * x * np.sqrt(1 - phi**2))
    return found


def without_memory(rng: np.random.Generator, mean: float, spread: float, n: int) -> np.ndarray:
    """An independent series that also looks like one: every other one does."""
    while True:
        values = rng.lognormal(mean, spread, n)
        if memory(np.log(values)) == 0:
            return values


def test_without_memory_it_is_welchs_test_of_logarithms() -> None:
    rng = np.random.default_rng(1)
    before, after = without_memory(rng, 0, 0.1, 40), without_memory(rng, 0.2, 0.2, 30)
    found = residual(before, after)
    expected = stats.ttest_ind(np.log(after), np.log(before), equal_var=False)
    low, high = np.expm1(expected.confidence_interval(0.95))
    assert found.value == pytest.approx(np.expm1(np.log(after).mean() - np.log(before).mean()))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6)
    assert found.n == found.n_eff == 30


@pytest.mark.parametrize(("phi", "truth"), [(0.0, 0.0), (0.6, 0.2), (0.8, 0.0)])
def test_the_interval_holds_the_truth_although_neighbours_are_alike(
    phi: float, truth: float
) -> None:
    """95 % is stated, 90 % asked of 400: a right program fails it once in 100,000."""
    rng = np.random.default_rng(2)
    holds = said = 0
    for _ in range(400):
        found = residual(series(rng, 120, phi), series(rng, 120, phi) * (1 + truth))
        if found.low is not None and found.high is not None:
            said += 1
            holds += found.low <= truth <= found.high
    assert said >= 380
    assert holds / said >= 0.90


def test_too_few_windows_of_either_side_are_told() -> None:
    enough, few = np.ones(20), np.ones(9)
    assert "9 windows before" in str(residual(few, enough).why)
    assert "9 windows after" in str(residual(enough, few).why)
    unknown = np.full(30, np.nan)
    assert "0 windows after" in str(residual(enough, unknown).why)


def test_a_trend_is_no_level() -> None:
    found = residual(np.exp(np.arange(12.0)), np.exp(np.arange(12.0)))
    assert found.value is None
    assert "too much alike" in str(found.why)


def test_two_constant_levels_differ_surely() -> None:
    found = residual(np.full(20, 10.0), np.full(20, 11.0))
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


@repeatable
@given(
    before=st.lists(st.floats(0.1, 1e4), min_size=10, max_size=40),
    after=st.lists(st.floats(0.1, 1e4), min_size=10, max_size=40),
    scale=st.floats(0.01, 100),
)
def test_the_unit_does_not_matter_and_the_value_lies_within(
    before: list[float], after: list[float], scale: float
) -> None:
    plain = residual(np.array(before), np.array(after))
    scaled = residual(np.array(before) * scale, np.array(after) * scale)
    if plain.value is None:
        assert plain.why
        return
    assert plain.low is not None
    assert plain.high is not None
    assert plain.low <= plain.value <= plain.high
    assert scaled.value == pytest.approx(plain.value, rel=1e-6, abs=1e-9)
