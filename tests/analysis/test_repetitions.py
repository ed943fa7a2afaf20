import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.estimate import Estimate, not_estimable
from analysis.repetitions import over_runs
from tests.support.queues import mm1_responses

repeatable = settings(derandomize=True, deadline=None)


def runs(*values: float, unit: str = "ms") -> list[Estimate]:
    return [Estimate(value=v, low=v - 1, high=v + 1, unit=unit) for v in values]


def test_positive_quantities_are_combined_on_the_logarithm_as_scipy_does_it() -> None:
    values = [81.0, 90.0, 100.0, 140.0, 95.0]
    found = over_runs(runs(*values))
    expected = stats.ttest_1samp(np.log(values), 0).confidence_interval(0.95)
    assert found.value == pytest.approx(float(stats.gmean(values)))
    assert (found.low, found.high) == pytest.approx(
        (math.exp(float(expected.low)), math.exp(float(expected.high)))
    )
    assert (found.n, found.covers, found.level, found.unit) == (5, "runs", 0.95, "ms")


def test_with_a_zero_among_them_they_are_combined_as_they_are_and_stay_in_their_range() -> None:
    values = [0.0, 0.01, 0.002, 0.9]
    found = over_runs(runs(*values, unit="ratio"))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(values))
    assert found.low == 0.0
    assert found.high == pytest.approx(float(expected.high))
    assert over_runs(runs(0.9, 0.5, 0.99, unit="ratio")).high == 1.0


def test_two_runs_have_a_value_and_no_interval_and_say_how_many_it_takes() -> None:
    found = over_runs(runs(90, 110))
    assert found.value == pytest.approx(math.sqrt(9900))
    assert (found.low, found.high, found.level) == (None, None, None)
    assert "at least 3 of them; found: 2" in str(found.why)


def test_equal_runs_do_not_show_how_runs_differ() -> None:
    found = over_runs(runs(0, 0, 0, 0, unit="ratio"))
    assert (found.value, found.low, found.high) == (0.0, None, None)
    assert "the same value" in str(found.why)


def test_a_lower_bound_among_the_runs_makes_a_lower_bound() -> None:
    bound = Estimate(value=120.0, low=120.0, unit="ms", why="a lower bound")
    found = over_runs([*runs(90, 100, 110), bound])
    assert found.is_lower_bound
    assert "1 of 4 runs has no more" in str(found.why)


def test_a_run_without_a_value_is_not_left_out() -> None:
    found = over_runs([*runs(90, 100, 110), not_estimable("no request", unit="ms")])
    assert (found.value, found.covers) == (None, "runs")
    assert "1 of 4 runs has no value" in str(found.why)
    assert over_runs([]).why == "there are no runs"


def test_units_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="allowed: one"):
        over_runs([*runs(1.0), *runs(1.0, unit="s")])


@repeatable
@given(st.lists(st.floats(0.1, 1e4), min_size=3, max_size=20), st.floats(0.01, 100))
def test_the_interval_follows_the_scale_and_not_the_order(
    values: list[float], factor: float
) -> None:
    plain, scaled = over_runs(runs(*values)), over_runs(runs(*(v * factor for v in values)))
    assert over_runs(runs(*values[::-1])).value == pytest.approx(plain.value)
    assert plain.value is not None
    if plain.low is None or plain.high is None or scaled.low is None:
        return  # equal values, tested by example
    assert plain.low <= plain.value <= plain.high
    assert scaled.low == pytest.approx(plain.low * factor, rel=1e-6)


@pytest.mark.simulation
def test_the_interval_over_runs_holds_what_the_runs_of_one_queue_differ_by() -> None:
    # p95 of five short runs of M/M/1; each differs by its own arrivals alone, and the mean of
    # the logarithms over very many runs is the truth that five of them speak of.
    p95s = [
        float(np.quantile(mm1_responses(np.random.default_rng([4, seed]), 0.5, 2_000), 0.95))
        for seed in range(600)
    ]
    found, truth = runs(*p95s), float(stats.gmean(p95s))
    groups = [over_runs(found[start : start + 5]) for start in range(0, 600, 5)]
    held = sum((g.low or math.inf) <= truth <= (g.high or 0.0) for g in groups)
    # 120 groups at 95 %: below this once in 10,000 series of seeds.
    assert held >= stats.binom.ppf(1e-4, 120, 0.95)
