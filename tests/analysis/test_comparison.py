"""Ratios over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.change_of_factors import factor_row
from analysis.comparison import (
    as_ratio,
    holm,
    minimum_detectable_ratio,
    paired_shift,
    pairs_needed,
    welch_shift,
)
from analysis.estimate import Estimate
from analysis.ratio_of_two_runs import ratio_within
from analysis.run_order import Design, Order
from analysis.run_values import INDICATORS
from analysis.shift import CONFIDENCE

values = st.floats(1e-3, 1e6)
sides = st.lists(st.tuples(values, values), min_size=2, max_size=12)


def runs(seed: int, n: int, *, centre: float = 50.0, sd: float = 0.05) -> list[float]:
    return list(centre * np.exp(np.random.default_rng(seed).normal(0, sd, n)))


def change(base: Sequence[float], candidate: Sequence[float], order: Order) -> Estimate:
    """The ratio of two sides as a table has it; pairs are those at the same place."""
    design = Design(order=order, pairs=tuple((n, n) for n in range(len(base))))
    before, after = (
        [Estimate(value=value, why="no interval") for value in side] for side in (base, candidate)
    )
    return factor_row("all", INDICATORS["p95"], before, after, design, 0.05).change


def test_pairs_agree_with_the_t_test_of_scipy() -> None:
    base, candidate = runs(1, 8), runs(2, 8, centre=54.0)
    found = change(base, candidate, Order.PAIRS)
    expected = stats.ttest_rel(np.log(candidate), np.log(base)).confidence_interval(0.90)
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(expected.high))
    assert (found.n, found.covers, found.level) == (8, "runs", CONFIDENCE)


def test_runs_that_are_no_pairs_agree_with_the_welch_test_of_scipy() -> None:
    base, candidate = runs(1, 5, sd=0.02), runs(2, 9, centre=54.0, sd=0.08)
    found = change(base, candidate, Order.MIXED)
    test = stats.ttest_ind(np.log(candidate), np.log(base), equal_var=False)
    expected = test.confidence_interval(0.90)
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(expected.high))
    shift = welch_shift(np.log(base), np.log(candidate))
    assert shift is not None
    one_sided = stats.ttest_ind(
        np.log(candidate), np.log(base) + math.log(1.05), equal_var=False, alternative="greater"
    )
    assert shift.chance_beyond(math.log(1.05)) == pytest.approx(one_sided.pvalue)


def test_the_chance_beyond_a_limit_is_that_of_the_one_sided_test() -> None:
    differences = np.log(runs(3, 7, centre=1.08))
    shift = paired_shift(differences)
    assert shift is not None
    expected = stats.ttest_1samp(differences, math.log(1.05), alternative="greater")
    assert shift.chance_beyond(math.log(1.05)) == pytest.approx(expected.pvalue)


@given(pairs=sides)
def test_base_and_candidate_exchanged_give_the_inverse(pairs: list[tuple[float, float]]) -> None:
    base, candidate = [b for b, _ in pairs], [c for _, c in pairs]
    there, back = (change(*sides, Order.PAIRS) for sides in ((base, candidate), (candidate, base)))
    assert there.value is not None
    assert back.value is not None
    assert there.value * back.value == pytest.approx(1)
    if there.low is not None and back.high is not None and 0 < there.low < 1e300:
        assert there.low * back.high == pytest.approx(1, rel=1e-6)


@given(pairs=sides, unit=st.floats(0.01, 100))
def test_the_unit_of_the_values_does_not_matter(
    pairs: list[tuple[float, float]], unit: float
) -> None:
    there, scaled = (
        change([by * b for b, _ in pairs], [by * c for _, c in pairs], Order.PAIRS)
        for by in (1.0, unit)
    )
    assert there.value is not None
    assert there.value == pytest.approx(scaled.value)


def test_one_pair_has_a_ratio_and_no_interval_over_runs() -> None:
    found = as_ratio(paired_shift([math.log(1.2)]), np.log([1.2]), method="")
    assert found.value == pytest.approx(1.2)
    assert (found.low, found.high) == (None, None)
    assert "of one run" in (found.why or "")


@pytest.mark.parametrize("order", [Order.PAIRS, Order.MIXED])
def test_runs_that_do_not_vary_decide_nothing(order: Order) -> None:
    found = change([10.0, 10.0, 10.0], [11.0, 11.0, 11.0], order)
    assert found.value == pytest.approx(1.1)
    assert found.low is None
    assert "do not vary" in (found.why or "")


@pytest.mark.parametrize(
    ("sd", "m", "percent"),
    [(0.02, 4, 8.6), (0.02, 8, 7.1), (0.04, 8, 9.2), (0.04, 20, 7.5), (0.08, 12, 11.7)],
)
def test_the_detectable_ratio_is_that_of_the_design_study(
    sd: float, m: int, percent: float
) -> None:
    assert 100 * (minimum_detectable_ratio(sd, m) - 1) == pytest.approx(percent, abs=0.06)


def test_the_detectable_ratio_is_detected_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    sd, m, campaigns = 0.04, 8, 4_000
    truth = math.log(minimum_detectable_ratio(sd, m))
    found = rng.normal(truth, sd, (campaigns, m))
    t = (found.mean(axis=1) - math.log(1.05)) / (found.std(axis=1, ddof=1) / math.sqrt(m))
    share = float((t > stats.t.ppf(0.95, m - 1)).mean())
    # The sum of two t quantiles is an approximation, good to a point or two at m = 8; the
    # simulation's own error is 0.6 points. The seed is fixed, so this never fails by chance.
    assert share == pytest.approx(0.80, abs=0.03)


@pytest.mark.parametrize("sd", [0.01, 0.03, 0.08])
def test_the_pairs_needed_are_the_fewest_that_suffice(sd: float) -> None:
    m = pairs_needed(sd)
    assert m is not None

    def reach(m: int) -> float:
        t = stats.t(m - 1)
        return float((t.ppf(0.95) + t.ppf(0.80)) * sd / math.sqrt(m))

    assert reach(m) <= math.log(1.05)
    assert m == 2 or reach(m - 1) > math.log(1.05)


def test_hopeless_noise_needs_no_number_of_pairs() -> None:
    assert pairs_needed(5.0) is None


def test_holm_agrees_with_a_worked_example() -> None:
    # By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, 1 x 0.04, and never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_weights_deal_the_error_out() -> None:
    # By hand, weights 3 and 1: 0.03 / 3 < 0.02 / 1, so 0.03 x 4 / 3, then 0.02 x 1 but no less.
    assert holm([0.03, 0.02], [3.0, 1.0]) == pytest.approx([0.04, 0.04])
    assert holm([0.01, 0.2], [1.0, 1.0]) == holm([0.01, 0.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_no_adjustment_and_bonferroni(chances: list[float]) -> None:
    adjusted = np.array(holm(chances))
    assert (adjusted >= np.array(chances)).all()
    assert (adjusted <= max(chances) * len(chances)).all()
    assert adjusted.min() == pytest.approx(min(1.0, min(chances) * len(chances)))
    by_chance = adjusted[np.argsort(chances, kind="stable")]
    assert (np.diff(by_chance) >= 0).all()


def within(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, level=0.95, unit="ms")


def test_two_runs_give_a_ratio_that_speaks_of_these_runs_only() -> None:
    found = ratio_within(within(100.0, 95.0, 105.0), within(110.0, 104.0, 117.0))
    assert found.value == pytest.approx(1.1)
    assert found.covers == "this run"
    # by hand: down = hypot(ln(110/104), ln(105/100)), up = hypot(ln(117/110), ln(100/95))
    assert found.low == pytest.approx(1.1 * math.exp(-math.hypot(0.056089, 0.048790)), rel=1e-5)
    assert found.high == pytest.approx(1.1 * math.exp(math.hypot(0.061693, 0.051293)), rel=1e-5)


def test_two_runs_without_intervals_give_the_ratio_alone() -> None:
    bare = Estimate(value=100.0, why="too few requests", unit="ms")
    found = ratio_within(within(100.0, 95.0, 105.0), bare)
    assert found.value == pytest.approx(1.0)
    assert (found.low, found.high, found.why) == (None, None, "too few requests")
