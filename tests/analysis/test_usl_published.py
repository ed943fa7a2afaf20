"""Numbers that other tools print for published tables, each to the digits that it has."""

import math

import numpy as np
import pytest

from analysis.usl import fit_usl
from tests.support.published_usl import LMFIT, NLXB, Printed, printed, rounded_like, table

NUMBERS = [
    pytest.param(number, id=f"{name}, {number.tool}, {number.what}")
    for name in ("specsdm91", "raytracer")
    for number in printed(name)
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_printed_number_comes_out_as_it_was_printed(number: Printed) -> None:
    assert number.agrees
    stopped_early = number.common != number.text  # decision 31
    assert (number.rounded == number.text) == (not stopped_early)


def test_digits_are_compared_as_they_were_printed() -> None:
    assert rounded_like(1.98752e-5, "1.988e-05") == "1.988e-05"
    assert rounded_like(0.0277284758, "0.0277285") == "0.0277285"
    assert rounded_like(0.0277284, "0.0277285") != "0.0277285"
    assert rounded_like(1883.4, "1884") == "1883"


def left(sigma: float, kappa: float, lambda_: float) -> np.longdouble:
    """Sum of squares, in more digits than a double has."""
    load, x = (each.astype(np.longdouble) for each in table("specsdm91"))
    a, b, c = (np.longdouble(each) for each in (sigma, kappa, lambda_))
    residuals = x - c * load / (1 + a * (load - 1) + b * load * (load - 1))
    return np.longdouble((residuals**2).sum())


@pytest.mark.parametrize("theirs", [89.9952384, 89.9954927], ids=[NLXB, LMFIT])
def test_the_best_curve_with_another_tools_lambda_misses_more_by_next_to_nothing(
    theirs: float,
) -> None:
    # Given lambda the best sigma and kappa are where the covariance puts them, and what
    # is left over grows by (s d / se)^2.
    fit = fit_usl(*table("specsdm91"))
    law, cov, d = fit.law, fit.cov, theirs - fit.law.lambda_
    ours = left(law.sigma, law.kappa, law.lambda_)
    best = left(
        law.sigma + d * cov[0][2] / cov[2][2], law.kappa + d * cov[1][2] / cov[2][2], theirs
    )
    expected = (fit.residual_se * d / fit.lambda_.standard_error) ** 2
    assert float(best - ours) == pytest.approx(expected, rel=0.1)
    # MINPACK stops by default when a step gains less than 1.5e-8 of the sum of squares.
    assert 0 < (best - ours) / ours < math.sqrt(np.finfo(float).eps)


def test_at_lmfits_coefficients_more_is_left_over_though_it_prints_the_same() -> None:
    fit = fit_usl(*table("specsdm91"))
    ours = left(fit.law.sigma, fit.law.kappa, fit.law.lambda_)
    theirs = left(0.02772863, 0.00010437, 89.9954927)
    assert ours < theirs
    assert f"{ours:.2f}" == f"{theirs:.2f}" == "27453.72"


def test_our_residuals_are_at_right_angles_to_every_change_of_the_curve() -> None:
    # What least squares means, and where neither tool had arrived.
    fit = fit_usl(*table("specsdm91"))
    a, b, n = fit.law.sigma, fit.law.kappa, fit.load
    d = 1 + a * (n - 1) + b * n * (n - 1)
    residuals = fit.observed - fit.law.lambda_ * n / d
    for change in (n / d, n * (n - 1) / d**2, n**2 * (n - 1) / d**2):
        cosine = residuals @ change / np.linalg.norm(residuals) / np.linalg.norm(change)
        assert abs(cosine) < 1e-8
