import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from analysis.estimate import Estimate
from analysis.scalability import Level, Scalability, fit_usl, scalability

repeatable = settings(derandomize=True, deadline=None)
DATA = Path(__file__).parent / "data"
Array = npt.NDArray[np.float64]


def published(name: str) -> tuple[Array, Array]:
    rows = np.loadtxt(DATA / f"usl_{name}.csv", delimiter=",", skiprows=2)
    return rows[:, 0], rows[:, 1]


def law(n: Array, sigma: float, kappa: float, lambda_: float) -> Array:
    return np.asarray(lambda_ * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)))


def levels(
    loads: list[float], throughputs: list[float], *, half: float = 0.02, valid: bool = True
) -> list[Level]:
    """Levels whose throughput has an interval of `half` of it either way."""
    return [
        Level(
            users=10 * n,
            in_flight=Estimate(value=n, low=n, high=n, unit="requests"),
            throughput=Estimate(
                value=x, low=x * (1 - half), high=x * (1 + half), level=0.95, unit="1/s"
            ),
            valid=valid,
        )
        for n, x in zip(loads, throughputs, strict=True)
    ]


# -- the fit, against published values ------------------------------------------------------


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


# -- what is claimed ------------------------------------------------------------------------


def test_a_peak_is_claimed_where_a_higher_level_lies_clearly_below() -> None:
    loads, throughputs = published("specsdm91")
    result = scalability(levels(loads.tolist(), throughputs.tolist()))
    assert result.peak.value == pytest.approx(96.5196, abs=5e-5)
    assert result.peak.low is not None
    assert result.peak.high is not None
    assert 72 < result.peak.low < 96.5 < result.peak.high < 144
    assert result.saturation.value is None
    assert (result.levels, result.refused) == (7, None)
    assert result.sigma.low == pytest.approx(0.0024025, abs=5e-7)


def test_the_peaks_interval_is_the_delta_methods() -> None:
    loads, throughputs = published("specsdm91")
    result = scalability(levels(loads.tolist(), throughputs.tolist()))
    fit = result.fit
    assert fit is not None
    a, b = fit.sigma.value, fit.kappa.value
    variance = (
        fit.cov[0][0] / (1 - a) ** 2 + fit.cov[1][1] / b**2 + 2 * fit.cov[0][1] / ((1 - a) * b)
    ) / 4
    factor = math.exp(2.7764451 * math.sqrt(variance))  # t(.975, 4)
    assert result.peak.high == pytest.approx(96.51956 * factor, rel=1e-6)
    assert result.peak.low == pytest.approx(96.51956 / factor, rel=1e-6)


def test_intervals_that_overlap_claim_no_peak() -> None:
    loads, throughputs = published("specsdm91")
    result = scalability(levels(loads.tolist(), throughputs.tolist(), half=0.1))
    assert result.peak.value is None
    assert "more than both intervals" in str(result.peak.why)


def test_a_peak_that_the_fit_misses_lies_between_its_neighbours() -> None:
    # A cliff: the law cannot bend so sharply, but the fall was seen.
    result = scalability(levels([1, 2, 4, 8, 16, 17], [10, 20, 40, 80, 160, 20]))
    fit = result.fit
    assert fit is not None
    if fit.peak_load is None or not 1 <= fit.peak_load <= 17:
        assert (result.peak.low, result.peak.value, result.peak.high) == (8, 16, 17)
    assert result.peak.value is not None


def test_a_flat_top_saturates_at_its_throughput() -> None:
    result = scalability(levels([1, 2, 4, 8, 16, 32, 64], [50, 67, 80, 95, 100, 101, 99]))
    assert result.peak.value is None
    assert "saturates" in str(result.peak.why)
    assert result.saturation.value == pytest.approx(100)
    assert (result.saturation.low, result.saturation.high) == pytest.approx((97.02, 103.02))
    assert (result.saturation.n, result.saturation.unit) == (3, "1/s")


def test_growth_to_the_end_claims_neither() -> None:
    result = scalability(levels([1, 2, 4, 8, 16, 32], [10, 20, 39, 76, 145, 260]))
    assert result.peak.value is None
    assert result.saturation.value is None
    assert "factor of 2" in str(result.saturation.why)


def test_wide_intervals_alone_make_nothing_flat() -> None:
    result = scalability(levels([1, 2, 4, 8, 16, 32], [50, 67, 80, 90, 95, 98], half=0.3))
    assert result.saturation.value is None


def test_throughput_without_intervals_claims_neither() -> None:
    bare = [
        Level(
            users=n,
            in_flight=Estimate(value=n, why="short"),
            throughput=Estimate(value=x, why="short"),
        )
        for n, x in zip(*(column.tolist() for column in published("specsdm91")), strict=True)
    ]
    result = scalability(bare)
    assert result.sigma.value is not None
    assert result.peak.value is None
    assert result.saturation.value is None
    assert "no interval" in str(result.peak.why)


def test_fewer_than_six_valid_levels_are_refused() -> None:
    good = levels([1, 2, 4, 8, 16], [10, 20, 38, 70, 120])
    result = scalability([*good, *levels([32], [200], valid=False)])
    assert result.refused == "5 valid levels; the law needs at least 6"
    assert result.levels == 5
    assert (result.sigma.value, result.peak.value, result.saturation.value) == (None, None, None)
    assert result.lambda_.why == result.refused
    assert result.fit is None


def test_levels_that_hardly_differ_are_refused() -> None:
    result = scalability(levels([10, 11, 12, 13, 14, 15], [100, 101, 102, 103, 104, 105]))
    assert "10 to 15" in str(result.refused)
    assert "factor of 2" in str(result.refused)


def test_levels_without_numbers_are_refused() -> None:
    nothing = Estimate(value=None, why="no samples")
    empty = [Level(users=1, in_flight=nothing, throughput=nothing)] * 2
    result = scalability([*levels([1, 2, 4, 8, 16], [10, 20, 38, 70, 120]), *empty])
    assert result.refused == ("5 valid levels (2 more have no numbers); the law needs at least 6")


def test_levels_in_which_nothing_was_answered_are_refused() -> None:
    result = scalability(levels([1, 2, 4, 8, 16, 32], [0, 0, 0, 0, 0, 0]))
    assert "cannot be fitted" in str(result.refused)


def test_the_order_of_levels_does_not_matter() -> None:
    loads, throughputs = published("specsdm91")
    plain = levels(loads.tolist(), throughputs.tolist())
    assert scalability(plain[::-1]).as_dict() == scalability(plain).as_dict()


def test_a_coefficient_at_its_bound_says_so() -> None:
    loads, throughputs = published("raytracer")
    result = scalability(levels(loads.tolist(), throughputs.tolist()))
    assert "at the bound" in str(result.kappa.why)
    assert result.sigma.why is None


def test_the_dictionary_has_the_shape_of_verdict_json() -> None:
    loads, throughputs = published("specsdm91")
    document = scalability(levels(loads.tolist(), throughputs.tolist())).as_dict()
    assert list(document) == [
        "model", "axis", "sigma", "kappa", "lambda", "peak", "saturation", "levels", "refused",
    ]  # fmt: skip
    assert (document["model"], document["axis"]) == ("usl", "in_flight")
    assert json.loads(json.dumps(document)) == document


def noisy(truth: list[float], rng: np.random.Generator) -> Scalability:
    """Measure with 2 % noise and honest 95 % intervals."""
    seen = np.array(truth) * (1 + 0.02 * rng.standard_normal(len(truth)))
    return scalability(levels([1, 2, 4, 8, 16, 32, 64, 128], seen.tolist(), half=1.96 * 0.02))


def test_noise_alone_seldom_makes_a_peak_and_a_true_one_is_found() -> None:
    flat = [50.0, 67.0, 80.0, 100.0, 100.0, 100.0, 100.0, 100.0]
    bent = [50.0, 67.0, 80.0, 100.0, 110.0, 100.0, 90.0, 70.0]
    rng = np.random.default_rng(1)
    invented = sum(noisy(flat, rng).peak.value is not None for _ in range(100))
    missed = sum(noisy(bent, rng).peak.value is None for _ in range(20))
    assert invented <= 15  # near 3 %: the largest of five is compared with four
    assert missed == 0
