import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from analysis.usl import fit_usl

repeatable = settings(derandomize=True, deadline=None, max_examples=40)
DATA = Path(__file__).parent / "data"
Array = npt.NDArray[np.float64]


def published(name: str) -> tuple[Array, Array]:
    rows = np.loadtxt(DATA / f"usl_{name}.csv", delimiter=",", skiprows=2)
    return rows[:, 0], rows[:, 1]


def law(n: Array, sigma: float, kappa: float, lambda_: float) -> Array:
    return np.asarray(lambda_ * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)))


def test_specsdm91_comes_out_to_the_printed_digits() -> None:
    # R package usl 3.0.3, summary and vignette.
    fit = fit_usl(*published("specsdm91"))
    assert fit.sigma.value == pytest.approx(0.0277285, abs=5e-8)
    assert fit.kappa.value == pytest.approx(1.044e-4, abs=5e-8)
    assert fit.lambda_.value == pytest.approx(89.9952, abs=5e-5)
    assert fit.sigma.standard_error == pytest.approx(9.122e-3, abs=5e-7)
    assert fit.kappa.standard_error == pytest.approx(1.988e-5, abs=5e-9)
    assert fit.lambda_.standard_error == pytest.approx(14.2135, abs=5e-5)
    assert fit.residual_se == pytest.approx(82.85, abs=5e-3)
    assert fit.residual_df == 4
    assert fit.r2 == pytest.approx(0.98956, abs=5e-6)
    assert fit.peak_load == pytest.approx(96.5196, abs=5e-5)
    assert fit.peak_throughput == pytest.approx(1884, abs=0.5)
    assert fit.asymptote == pytest.approx(3245.589, abs=5e-4)
    assert not fit.sigma.at_bound
    assert fit.throughput([1, 18, 36, 72, 108, 144, 216]).round().tolist() == [
        90, 1078, 1541, 1850, 1879, 1822, 1646,
    ]  # fmt: skip


def test_specsdm91_has_the_published_correlations() -> None:
    # sca_tools (lmfit), README: lambda,sigma .964; sigma,kappa -.467; lambda,kappa -.243.
    cov = np.array(fit_usl(*published("specsdm91")).cov)
    errors = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(errors, errors)
    assert correlation[0, 2] == pytest.approx(0.964, abs=5e-4)
    assert correlation[0, 1] == pytest.approx(-0.467, abs=5e-4)
    assert correlation[1, 2] == pytest.approx(-0.243, abs=5e-4)


def test_raytracer_ends_at_the_bound_and_has_no_peak() -> None:
    fit = fit_usl(*published("raytracer"))
    assert fit.sigma.value == pytest.approx(0.057771, abs=5e-7)
    assert fit.kappa.value == 0.0
    assert fit.kappa.at_bound
    assert fit.lambda_.value == pytest.approx(21.848843, abs=5e-7)
    assert fit.sigma.standard_error == pytest.approx(0.013293, abs=5e-7)
    assert fit.kappa.standard_error == pytest.approx(0.000118, abs=5e-7)
    assert fit.lambda_.standard_error == pytest.approx(2.196165, abs=5e-7)
    assert (fit.residual_df, fit.peak_load, fit.peak_throughput) == (8, None, None)
    assert fit.residual_se == pytest.approx(9.34, abs=5e-3)
    assert fit.r2 == pytest.approx(0.9907, abs=5e-5)
    assert fit.asymptote == pytest.approx(378, abs=0.5)


def test_intervals_use_students_t_of_n_less_three() -> None:
    # R's confint prints alpha [.00754, .04135]: a quantile of the wrong side and df.
    loads, throughputs = published("raytracer")
    fit = fit_usl(loads[:6], throughputs[:6])
    assert (fit.sigma.low, fit.sigma.high) == pytest.approx((-0.00226, 0.05115), abs=5e-6)
    assert (fit.kappa.low, fit.kappa.high) == pytest.approx((0.000795, 0.002459), abs=5e-7)
    assert (fit.lambda_.low, fit.lambda_.high) == pytest.approx((18.347, 23.365), abs=5e-4)


def test_scipys_curve_fit_agrees_where_nothing_is_at_a_bound() -> None:
    loads, throughputs = published("specsdm91")
    expected, cov = curve_fit(law, loads, throughputs, p0=(0.01, 1e-4, 80.0))
    fit = fit_usl(loads, throughputs)
    found = (fit.sigma.value, fit.kappa.value, fit.lambda_.value)
    assert found == pytest.approx(tuple(expected), rel=1e-5)
    assert np.diag(fit.cov) == pytest.approx(np.diag(cov), rel=1e-3)


def test_an_open_single_server_queue_is_the_law_with_half_of_contention() -> None:
    # M/M/1: N = rho / (1 - rho), X = mu rho = mu N / (1 + N): sigma 1/2, lambda mu/2.
    rho = np.array([0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
    fit = fit_usl(rho / (1 - rho), 100 * rho)
    assert fit.sigma.value == pytest.approx(0.5)
    assert fit.kappa.value == pytest.approx(0.0, abs=1e-9)
    assert fit.lambda_.value == pytest.approx(50)
    assert fit.asymptote == pytest.approx(100)


@pytest.mark.costly
@repeatable
@given(st.floats(0.001, 0.9), st.floats(1e-6, 0.1), st.floats(0.1, 1e4))
def test_noiseless_levels_give_their_law_back(sigma: float, kappa: float, lambda_: float) -> None:
    loads = np.array([0.5, 1, 2, 5, 10, 20, 50, 100])
    fit = fit_usl(loads, law(loads, sigma, kappa, lambda_))
    assert fit.sigma.value == pytest.approx(sigma, rel=1e-4)
    assert fit.kappa.value == pytest.approx(kappa, rel=1e-3, abs=1e-9)
    assert fit.lambda_.value == pytest.approx(lambda_, rel=1e-4)


@pytest.mark.parametrize("factor", [0.01, 0.37, 1000.0])
def test_the_unit_of_throughput_scales_lambda_alone(factor: float) -> None:
    loads, throughputs = published("specsdm91")
    plain, scaled = fit_usl(loads, throughputs), fit_usl(loads, throughputs * factor)
    assert scaled.sigma.value == pytest.approx(plain.sigma.value, rel=1e-6)
    assert scaled.kappa.value == pytest.approx(plain.kappa.value, rel=1e-6)
    assert scaled.lambda_.value == pytest.approx(plain.lambda_.value * factor, rel=1e-6)


def test_growth_faster_than_load_is_flagged() -> None:
    loads = np.array([1.0, 2, 4, 8, 16, 32])
    fit = fit_usl(loads, loads**1.2)
    assert (fit.sigma.value, fit.sigma.at_bound) == (0.0, True)
    assert fit.asymptote is None


@pytest.mark.parametrize(
    ("loads", "throughputs"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 2, 2], [1, 1, 2, 2]),
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([1, 2, 3, 4], [0, 0, 0, 0]),
        ([1, 2, 3, 4], [1, 2, 3, math.nan]),
        ([1, 2, 3, 4], [1, 2, 3]),
    ],
)
def test_levels_that_tell_nothing_are_refused(loads: list[float], throughputs: list[float]) -> None:
    with pytest.raises(ValueError, match=r"allowed|finite"):
        fit_usl(loads, throughputs)


def test_levels_too_close_to_tell_are_refused() -> None:
    with pytest.raises(ValueError, match="tell the coefficients apart"):
        fit_usl([10, 10 + 1e-9, 10 + 2e-9, 10 + 3e-9], [1, 1, 1, 1])
