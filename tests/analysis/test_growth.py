"""Growth over the volume of data: a known exponent is found, and words only where they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from analysis.estimate import Estimate, not_estimable
from analysis.growth import Growth, growth, in_words

VOLUMES = (10_000.0, 100_000.0, 1_000_000.0)


def at(value: float, relative: float | None = None) -> Estimate:
    if relative is None:
        return Estimate(value=value, unit="ms", why="no interval")
    return Estimate(
        value=value, low=value / (1 + relative), high=value * (1 + relative), level=0.95, unit="ms"
    )


def power(exponent: float, relative: float | None = 0.05) -> Growth:
    return growth(VOLUMES, [at(5 * (v / VOLUMES[0]) ** exponent, relative) for v in VOLUMES])


@pytest.mark.parametrize(
    ("exponent", "words"),
    [
        (0.0, "constant"),
        (0.15, "logarithmic"),
        (0.5, "sublinear"),
        (1.0, "linear"),
        (2.0, "worse than linear"),
    ],
)
def test_a_power_is_named(exponent: float, words: str) -> None:
    found = power(exponent)
    assert found.exponent.value == pytest.approx(exponent, abs=1e-12)
    assert found.words == words


def test_what_the_interval_does_not_tell_apart_is_not_told_apart() -> None:
    assert power(0.04, relative=0.3).words == "between constant and logarithmic"


@given(st.floats(-0.5, 3.0), st.floats(1.0, 1e6))
def test_the_unit_of_volume_and_time_does_not_matter(exponent: float, unit: float) -> None:
    times = [at(unit * (v / VOLUMES[0]) ** exponent, 0.1) for v in VOLUMES]
    found = growth([v * unit for v in VOLUMES], times).exponent
    same = power(exponent, 0.1).exponent
    assert found.value == pytest.approx(same.value, abs=1e-9)
    assert found.low == pytest.approx(same.low, abs=1e-9)


def test_without_intervals_it_is_the_line_of_scipy() -> None:
    times = [4.0, 7.0, 9.0, 21.0]
    volumes = [1e3, 1e4, 1e5, 1e6]
    found = growth(volumes, [at(t) for t in times]).exponent
    line = stats.linregress(np.log(volumes), np.log(times))
    half = stats.t.ppf(0.975, 2) * line.stderr
    assert found.value == pytest.approx(line.slope)
    assert (found.low, found.high) == pytest.approx((line.slope - half, line.slope + half))


@pytest.mark.parametrize("between", [0.0, 3.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(between: float) -> None:
    # Points err by what their intervals say, and runs differ by `between` times as much. With
    # three volumes the half width is the larger of 1.96 and t_1 |r|, r the one residual, so the
    # share that holds the truth is known: .993 without such differences, .950 with.
    k, t = math.hypot(1.0, between), stats.t.ppf(0.975, 1)
    missed, _ = integrate.quad(
        lambda z: 2 * stats.norm.pdf(z) * (2 * stats.norm.cdf(z / t) - 1), 1.96 / k, math.inf
    )
    rng = np.random.default_rng(4)
    relative, held, lines = 0.2, 0, 1000
    sd = k * math.log((1 + relative) ** 2) / (2 * 1.96)
    for _ in range(lines):
        times = [at(5 * (v / 1e4) ** 0.3 * math.exp(rng.normal(0, sd)), relative) for v in VOLUMES]
        found = growth(VOLUMES, times).exponent
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.3 <= found.high
    assert held >= stats.binom.ppf(1e-4, lines, 1 - missed)
    assert held <= stats.binom.ppf(1 - 1e-4, lines, 1 - missed)


def test_a_time_that_is_only_known_to_be_at_least_so_long_is_no_time() -> None:
    censored = Estimate(value=10_000.0, low=10_000.0, unit="ms", why="at least so long")
    found = growth(VOLUMES, [at(5.0, 0.1), at(20.0, 0.1), censored])
    assert found.exponent.value is None
    assert "1 of 3 times" in str(found.exponent.why)
    assert found.words == "not known"


def test_points_that_lie_on_no_line_widen_the_interval() -> None:
    straight = power(0.5, 0.05).exponent
    bent = growth(VOLUMES, [at(5.0, 0.05), at(50.0, 0.05), at(50.0, 0.05)]).exponent
    assert bent.value == pytest.approx(0.5)
    assert straight.high is not None
    assert bent.high is not None
    assert bent.high - 0.5 > 5 * (straight.high - 0.5)


@pytest.mark.parametrize(
    ("volumes", "times"),
    [
        ([1e4, 1e5], [not_estimable("none"), at(1.0)]),
        ([1e4, 1.5e4], [at(1.0), at(1.0)]),
        ([1e4, 1e5], [at(0.0), at(1.0)]),
        ([], []),
    ],
)
def test_too_little_is_not_estimable(volumes: list[float], times: list[Estimate]) -> None:
    found = growth(volumes, times)
    assert found.exponent.value is None
    assert found.exponent.why
    assert found.words == "not known"


@pytest.mark.parametrize("relative", [None, 0.05])
def test_two_runs_give_a_value_and_no_interval_whatever_each_knows_of_itself(
    relative: float | None,
) -> None:
    found = growth([1e4, 1e6], [at(1.0, relative), at(100.0, relative)])
    assert found.exponent.value == pytest.approx(1.0)
    assert (found.exponent.low, found.exponent.high) == (None, None)
    assert found.low_among_all is None
    assert "a third one is needed" in str(found.exponent.why)
    assert found.words == "perhaps linear"
    assert in_words(found.exponent) == found.words


@pytest.mark.parametrize(("volumes", "times"), [([1.0], []), ([0.0], [at(1.0)])])
def test_nonsense_is_refused(volumes: list[float], times: list[Estimate]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        growth(volumes, times)


@pytest.mark.costly
def test_one_of_many_operations_at_its_limit_is_seldom_called_beyond_it() -> None:
    """Ten operations exactly at the limit, 500 times: at most one sweep in forty may fail.

    The bound is one that a right program misses once in 10,000 times; by themselves, one of
    the ten would be beyond it more often than that allows.
    """
    limit, sweeps, operations, relative = 0.25, 500, 10, 0.1
    rng, se = np.random.default_rng(5), math.log1p(relative) / stats.norm.ppf(0.975)
    volumes = VOLUMES[:2] * 4  # each volume four times
    together = alone = 0
    for noise in rng.normal(0, se, (sweeps, operations, len(volumes))):
        found = [
            growth(
                volumes,
                [
                    at(5 * (volume / volumes[0]) ** limit * math.exp(error), relative)
                    for volume, error in zip(volumes, errors, strict=True)
                ],
                family=operations,
            )
            for errors in noise
        ]
        together += any((each.low_among_all or 0.0) > limit for each in found)
        alone += any((each.exponent.low or 0.0) > limit for each in found)
    assert together <= stats.binom.isf(1e-4, sweeps, 0.025)
    assert alone > stats.binom.isf(1e-4, sweeps, 0.025)
