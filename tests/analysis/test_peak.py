import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.intervals import student_t
from analysis.law import Law
from analysis.peak import peak_ends
from analysis.usl import fit_usl

DATA = Path(__file__).parent / "data"
WIDE = (2.0, 1000.0)
Array = npt.NDArray[np.float64]


def specsdm91() -> tuple[Array, Array]:
    rows = np.loadtxt(DATA / "usl_specsdm91.csv", delimiter=",", skiprows=2)
    return rows[:, 0], rows[:, 1]


def grid(load: Array, x: Array, t: float, *, relative: bool) -> tuple[float, float]:
    """Places of the peak that a fine grid over (place, sigma) does not reject."""
    places = np.geomspace(40, 220, 341)[:, None, None]
    sigma = np.linspace(0, 0.12, 1201)[None, :, None]
    curve = load / (1 + sigma * (load - 1) + (1 - sigma) * load * (load - 1) / places**2)
    if relative:
        residuals = np.log(x) - np.log(curve)
        residuals -= residuals.mean(axis=-1, keepdims=True)
    else:
        factor = (curve @ x / (curve**2).sum(axis=-1))[..., None]
        residuals = x - factor * curve
    rss = (residuals**2).sum(axis=-1).min(axis=1)
    inside = places[rss <= rss.min() * (1 + t**2 / (len(x) - 3)), 0, 0]
    return float(inside[0]), float(inside[-1])


@pytest.mark.costly
def test_the_place_is_what_a_grid_over_all_curves_does_not_reject() -> None:
    load, x = specsdm91()
    t = student_t(0.95, 4)
    expected = [grid(load, x, t, relative=relative) for relative in (False, True)]
    ends = peak_ends(load, x, within=WIDE, confidence=0.95)
    assert ends.low == pytest.approx(min(low for low, _ in expected), rel=0.01)
    assert ends.high == pytest.approx(max(high for _, high in expected), rel=0.01)


def test_the_height_holds_the_delta_methods() -> None:
    load, x = specsdm91()
    fit = fit_usl(load, x)
    ends = peak_ends(load, x, within=WIDE, confidence=0.95)
    place, height = fit.peak_load, fit.peak_throughput
    assert place is not None
    assert height is not None
    a, b, c = fit.law.sigma, fit.law.kappa, fit.law.lambda_
    d = 1 + a * (place - 1) + b * place * (place - 1)
    gradient = height * np.array([-(place - 1) / d, -place * (place - 1) / d, 1 / c])
    half = student_t(0.95, 4) * math.sqrt(gradient @ np.array(fit.cov) @ gradient)
    assert ends.least <= (height - half) * (1 + 1e-6)
    assert ends.most >= (height + half) * (1 - 1e-6)


def test_it_stays_within_what_was_seen() -> None:
    load, x = specsdm91()
    ends = peak_ends(load, x, within=(90, 100), confidence=0.999)
    assert (ends.low, ends.high) == pytest.approx((90, 100))


def test_more_confidence_is_wider() -> None:
    load, x = specsdm91()
    narrow, wide = (peak_ends(load, x, within=WIDE, confidence=c) for c in (0.95, 0.99))
    assert wide.low < narrow.low < 96.5 < narrow.high < wide.high
    assert wide.least < narrow.least < 1884 < narrow.most < wide.most


def test_a_level_without_throughput_has_no_logarithm_and_is_still_bounded() -> None:
    load, x = specsdm91()
    ends = peak_ends(load, np.where(load == 1, 0.0, x), within=WIDE, confidence=0.95)
    assert WIDE[0] <= ends.low < ends.high <= WIDE[1]
    assert math.isfinite(ends.most)


@pytest.mark.costly
@settings(derandomize=True, deadline=None, max_examples=10)
@given(st.floats(0, 0.5), st.floats(5, 100), st.floats(0.01, 1e4))
def test_a_curve_met_exactly_has_its_peak_and_no_width(
    sigma: float, place: float, lambda_: float
) -> None:
    load = np.array([1.0, 2, 5, 10, 20, 50, 100, 200])
    law = Law(sigma=sigma, kappa=(1 - sigma) / place**2, lambda_=lambda_)
    ends = peak_ends(load, law.throughput(load), within=(1, 200), confidence=0.95)
    assert (ends.low, ends.high) == pytest.approx((place, place), rel=1e-3)
    assert (ends.least, ends.most) == pytest.approx((law.peak_throughput,) * 2, rel=1e-3)
