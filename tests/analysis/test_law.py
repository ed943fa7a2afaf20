import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.law import Law

repeatable = settings(derandomize=True, deadline=None, max_examples=100)

laws = st.builds(
    Law,
    sigma=st.floats(0.0, 0.95),
    kappa=st.sampled_from([0.0, 1e-6, 1e-4, 0.02, 0.5]),
    lambda_=st.floats(0.01, 1e5),
)


def test_specsdm91_peaks_where_it_is_published() -> None:
    # R package usl 3.0.3: peak at 96.51956, 1884 per second; optimal load 1/sigma 36.06401
    # with 1542 per second; with kappa 5e-5 instead the peak would be at 139.4.
    law = Law(sigma=0.0277284756, kappa=1.043654838e-4, lambda_=89.9952343)
    assert law.peak_load == pytest.approx(96.51956, abs=5e-5)
    assert law.peak_throughput == pytest.approx(1884, abs=0.5)
    assert law.asymptote == pytest.approx(3245.589, abs=5e-3)
    assert law.throughput(36.06401) == pytest.approx(1542, abs=0.5)
    assert Law(sigma=0.0277285, kappa=5e-5, lambda_=90).peak_load == pytest.approx(139.4, abs=0.05)


@repeatable
@given(laws, st.floats(0.05, 0.999))
def test_load_at_throughput_is_the_way_back_of_the_rising_branch(law: Law, part: float) -> None:
    load = part * (law.peak_load or 1e4)
    throughput = float(law.throughput(load))
    # So near to saturation that a digit of throughput is a decade of load, there is no way back.
    assume(law.peak_load is not None or law.sigma * load < 1e6)
    assert law.load_at_throughput(throughput) == pytest.approx(load, rel=1e-6)


@pytest.mark.costly
@repeatable
@given(laws, st.floats(0.6, 1e4))
def test_load_at_mean_response_is_the_way_back_beyond_the_peak_too(law: Law, load: float) -> None:
    # From half a request in flight on, response time rises with load whatever the coefficients.
    response_s = float(law.mean_response_s(load))
    assume(law.sigma * load > 1e-6 or law.kappa * load * load > 1e-6)
    assert law.load_at_mean_response(response_s) == pytest.approx(load, rel=1e-6)
    expected = float(law.throughput(load))
    assert law.throughput_at_mean_response(response_s) == pytest.approx(expected, rel=1e-6)


def test_load_at_a_mean_response_is_the_closed_form() -> None:
    # N(r) = [b - a + sqrt(a^2 + b^2 + 2b(2 g r + a - 2))] / (2b)
    a, b, g, r = 0.0277285, 1.044e-4, 89.9952, 0.1
    expected = (b - a + math.sqrt(a * a + b * b + 2 * b * (2 * g * r + a - 2))) / (2 * b)
    assert Law(sigma=a, kappa=b, lambda_=g).load_at_mean_response(r) == pytest.approx(expected)


def test_what_the_tools_leave_out_matters() -> None:
    # usl4j and its ports: (sigma - 1) / (sigma X - lambda) for the response at a throughput.
    law = Law(sigma=0.02, kappa=0.001, lambda_=100.0)
    load = 20.0
    throughput = float(law.throughput(load))
    theirs = (law.sigma - 1) / (law.sigma * throughput - law.lambda_)
    assert abs(theirs / float(law.mean_response_s(load)) - 1) > 0.1


@repeatable
@given(laws, st.floats(1.0, 1e4))
def test_the_parts_of_a_units_time_add_up_to_it(law: Law, load: float) -> None:
    parts = law.overhead(load)
    whole = parts.ideal + parts.contention + parts.coherency
    assert whole == pytest.approx(float(law.throughput(1) / law.throughput(load)), rel=1e-9)
    assert law.efficiency(load) == pytest.approx(1 / (load * float(whole)), rel=1e-9)


@pytest.mark.parametrize("throughput", [0.0, -1.0, 101.0])
def test_a_throughput_that_the_law_does_not_reach_is_refused(throughput: float) -> None:
    with pytest.raises(ValueError, match="at most 100"):
        Law(sigma=0.1, kappa=0.0, lambda_=10.0).load_at_throughput(throughput)


def test_a_response_time_below_that_of_a_lone_request_is_refused() -> None:
    with pytest.raises(ValueError, match=r"allowed: more than 0\.09 s"):
        Law(sigma=0.1, kappa=0.0, lambda_=10.0).load_at_mean_response(0.09)
    with pytest.raises(ValueError, match="does not depend on load"):
        Law(sigma=0.0, kappa=0.0, lambda_=10.0).load_at_mean_response(1.0)


@pytest.mark.parametrize(("sigma", "kappa", "lambda_"), [(-0.1, 0, 1), (0, 2, 1), (0, 0, 0)])
def test_coefficients_outside_their_range_are_no_law(
    sigma: float, kappa: float, lambda_: float
) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Law(sigma=sigma, kappa=kappa, lambda_=lambda_)


def test_without_coherency_there_is_no_peak_and_without_contention_no_asymptote() -> None:
    assert Law(sigma=0.1, kappa=0.0, lambda_=1.0).peak_load is None
    assert Law(sigma=1.0, kappa=0.1, lambda_=1.0).peak_throughput is None
    assert Law(sigma=0.0, kappa=0.1, lambda_=1.0).asymptote is None
    assert np.all(Law(sigma=0.0, kappa=0.0, lambda_=2.0).throughput([1, 2]) == [2, 4])
