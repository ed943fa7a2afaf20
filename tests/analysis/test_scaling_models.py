import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import curve_fit

from analysis.fit_check import check_fit, lack_of_fit_p, runs_p
from analysis.law import Law
from analysis.scaling_models import Asymptotes, choose, curve_of, fit_asymptotes, fit_models
from tests.analysis.test_usl import published

Array = npt.NDArray[np.float64]
LOADS = np.array([1.0, 2, 4, 8, 16, 32, 64, 128])


def test_amdahls_law_is_the_fit_of_another_program() -> None:
    loads, throughputs = published("raytracer")
    amdahl = fit_models(loads, throughputs)[1]

    def law(n: Array, sigma: float, lambda_: float) -> Array:
        return np.asarray(lambda_ * n / (1 + sigma * (n - 1)))

    expected, _ = curve_fit(law, loads, throughputs, p0=(0.1, 20.0))
    assert amdahl.coefficients["sigma"] == pytest.approx(expected[0], rel=1e-5)
    assert amdahl.coefficients["lambda"] == pytest.approx(expected[1], rel=1e-5)


def test_the_law_beside_the_others_is_the_published_one() -> None:
    usl = fit_models(*published("specsdm91"))[-1]
    assert usl.coefficients["sigma"] == pytest.approx(0.0277285, abs=5e-8)
    assert usl.rmse == pytest.approx(math.sqrt(27453.720 / 7), rel=1e-6)  # lmfit: chi-square
    # n ln(RSS / n) + 2 k + 2 k (k + 1) / (n - k - 1) with the variance among the k
    assert usl.aicc == pytest.approx(7 * math.log(27453.720 / 7) + 8 + 40 / 2, rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.001, 10), st.integers(1, 6), st.floats(1.0, 1.9))
def test_the_bounds_of_a_queue_come_back(response_s: float, knee: int, beyond: float) -> None:
    truth = Asymptotes(response_s=response_s, most=float(LOADS[knee]) * beyond / response_s)
    found = fit_asymptotes(LOADS, truth.throughput(LOADS))
    assert found.response_s == pytest.approx(response_s)
    assert found.throughput(LOADS) == pytest.approx(truth.throughput(LOADS))
    assert found.knee == pytest.approx(truth.knee)


def test_the_bounds_are_the_best_over_a_grid_of_them() -> None:
    rng = np.random.default_rng(5)
    x = np.minimum(LOADS * 10, 300) * (1 + 0.1 * rng.standard_normal(len(LOADS)))
    found = fit_asymptotes(LOADS, x)
    cost = float(((x - found.throughput(LOADS)) ** 2).sum())
    grid = itertools.product(np.linspace(0.05, 0.2, 60), np.linspace(200, 400, 60))
    others = [Asymptotes(response_s=r, most=m).throughput(LOADS) for r, m in grid]
    assert cost <= min(float(((x - other) ** 2).sum()) for other in others)


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("truth", "name", "least"),
    [
        (Law(sigma=0.0, kappa=0.0, lambda_=10.0), "linear", 15),
        (Law(sigma=0.05, kappa=0.0, lambda_=10.0), "amdahl", 28),
        (Law(sigma=0.02, kappa=2e-4, lambda_=10.0), "usl", 36),
        (Asymptotes(response_s=0.1, most=300.0), "asymptotes", 36),
    ],
)
def test_the_model_that_made_the_data_is_chosen(
    truth: Law | Asymptotes, name: str, least: int
) -> None:
    # 1 % of noise. Of 200 choices 70 % were right for a line (a queue that bends beyond the
    # last level but one looks the same), 92 % for Amdahl's law, all for the others: of 40
    # fewer than these are right with a chance below 1e-4.
    rng = np.random.default_rng(11)
    right = 0
    for _ in range(40):
        noise = 1 + 0.01 * rng.standard_normal(len(LOADS))
        models = fit_models(LOADS, truth.throughput(LOADS) * noise)
        right += choose(models, falls=name == "usl").name == name
    assert right >= least


def test_held_out_levels_are_those_at_the_top() -> None:
    x = LOADS * 10
    x[-2:] = [400.0, 300.0]  # the model of the others says 640 and 1280
    linear = fit_models(LOADS, x)[0]
    expected = math.sqrt(((640 / 400 - 1) ** 2 + (1280 / 300 - 1) ** 2) / 2)
    assert linear.held_out == pytest.approx(expected)


def test_only_the_law_can_fall() -> None:
    models = fit_models(*published("specsdm91"))
    assert choose(models, falls=False).name == "asymptotes"
    assert choose(models, falls=True).name == "usl"


def test_a_model_survives_its_dictionary() -> None:
    for model in fit_models(*published("specsdm91")):
        again = curve_of(model.as_dict())
        assert again.throughput(LOADS) == pytest.approx(model.curve.throughput(LOADS))


def test_the_chance_of_runs_is_that_of_all_arrangements() -> None:
    for plus, minus in ((3, 4), (2, 6), (5, 5)):
        total = plus + minus
        arrangements = [
            [i in chosen for i in range(total)]
            for chosen in itertools.combinations(range(total), plus)
        ]
        runs = [1 + sum(a != b for a, b in itertools.pairwise(each)) for each in arrangements]
        for each, seen in zip(arrangements, runs, strict=True):
            expected = sum(run <= seen for run in runs) / len(runs)
            assert runs_p(each) == pytest.approx(expected)
    assert runs_p([True, True]) is None


def test_lack_of_fit_is_the_f_test_of_a_textbook() -> None:
    # With the curve at 1 relative and absolute are the same: one-way analysis of variance
    # against a known mean, computed from scipy's distribution.
    load = np.repeat([1.0, 2.0, 3.0, 4.0], 3)
    rng = np.random.default_rng(3)
    x = 1 + 0.05 * rng.standard_normal(12) + 0.04 * (load == 4)
    groups = x.reshape(4, 3)
    pure = ((groups - groups.mean(axis=1, keepdims=True)) ** 2).sum() / 8
    lack = (3 * (groups.mean(axis=1) - 1) ** 2).sum() / 2
    found = lack_of_fit_p(load, x, np.ones(12), 2)
    assert found == pytest.approx(float(stats.f.sf(lack / pure, 2, 8)))


@pytest.mark.simulation
def test_a_law_that_bends_otherwise_is_told_from_noise() -> None:
    knee = np.minimum(LOADS * 10, 300)
    rng = np.random.default_rng(9)
    load = np.repeat(LOADS, 3)
    cried = caught = 0
    for _ in range(60):
        noise = 1 + 0.02 * rng.standard_normal(len(load))
        law = Law(sigma=0.05, kappa=1e-4, lambda_=10.0).throughput(load)
        cried += _bends(load, law * noise)
        caught += _bends(load, np.repeat(knee, 3) * noise)
    # At most 8 % cry wolf (two tests at 5 %, one of them coarse): more than 14 of 60 in less
    # than 1e-4.
    assert cried <= 14
    assert caught >= 55


def _bends(load: Array, x: Array) -> bool:
    curve = fit_models(load, x)[-1].curve
    return check_fit(load, x, curve.throughput(load), 3).bends_otherwise


def test_a_curve_that_is_met_exactly_has_no_signs() -> None:
    check = check_fit(LOADS, LOADS, LOADS, 3)
    assert (check.signs, check.runs_p, check.bends_otherwise) == ("", None, False)
