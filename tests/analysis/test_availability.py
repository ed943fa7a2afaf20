import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.availability import Availability, Outage, availability

repeatable = settings(derandomize=True, deadline=None)

GOOD, BAD, CANCELLED = "good", "bad", "cancelled"
Request = tuple[float, float, str]


def measure(requests: list[Request], start_s: float, stop_s: float) -> Availability:
    return availability(
        [r[0] for r in requests],
        [r[1] for r in requests],
        [r[2] == GOOD for r in requests],
        [r[2] == BAD for r in requests],
        start_s,
        stop_s,
    )


def every_second(start: int, stop: int, kind: str) -> list[Request]:
    return [(second + 0.2, second + 0.3, kind) for second in range(start, stop)]


def test_a_service_that_answers_every_second_is_always_up() -> None:
    result = measure(every_second(0, 10, GOOD), 0, 10)
    assert result.estimate.value == 1.0
    assert (result.up_s, result.down_s, result.unknown_s) == (10, 0, 0)
    assert result.outages == ()
    assert "no outage" in str(result.mttr.why)
    assert "10 s of service" in str(result.mtbf.why)


def test_a_crash_of_three_seconds_is_one_outage_with_its_times() -> None:
    requests = [
        *every_second(100, 104, GOOD),
        *every_second(104, 107, BAD),
        *every_second(107, 110, GOOD),
    ]
    result = measure(requests, 100, 110)
    (outage,) = result.outages
    # the first that failed was intended at 104.2, the first right answer came at 107.3
    assert (outage.start_s, outage.end_s) == pytest.approx((104.2, 107.3))
    assert result.estimate.value == pytest.approx(0.7)
    assert result.mttr.value == pytest.approx(3.1)
    assert result.mtbf.value == 7
    assert outage.as_dict() == {"start_s": outage.start_s, "end_s": outage.end_s, "open": False}


def test_a_good_answer_makes_a_second_up_however_many_fail_in_it() -> None:
    requests = [(0.1, 0.2, BAD)] * 50 + [(0.5, 0.6, GOOD)]
    assert measure(requests, 0, 1).up_s == 1


def test_a_hang_covers_every_second_from_its_intended_start_to_its_end() -> None:
    result = measure([(0.5, 0.6, GOOD), (1.5, 5.0, BAD), (5.5, 5.6, GOOD)], 0, 6)
    assert result.down_s == 4  # it ends as second 5 begins
    assert result.outages == (Outage(start_s=1.5, end_s=5.6),)


def test_a_bad_request_that_never_ended_covers_the_rest() -> None:
    result = measure([(0.5, 0.6, GOOD), (1.5, math.nan, BAD), (2.5, math.nan, GOOD)], 0, 4)
    assert result.outages == (Outage(start_s=1.5, end_s=4, open=True),)


def test_a_bad_request_without_length_makes_its_own_second_down() -> None:
    assert measure([(2.0, 2.0, BAD)], 0, 4).outages == (Outage(start_s=2, end_s=3, open=True),)


def test_nobody_asking_and_slow_good_answers_are_unknown_not_down() -> None:
    result = measure([(0.1, 3.5, GOOD)], 0, 5)
    assert (result.up_s, result.down_s, result.unknown_s) == (1, 0, 4)
    assert result.estimate.value == 1.0


def test_a_cancelled_request_tells_nothing() -> None:
    result = measure([(0.1, 3.5, CANCELLED)], 0, 5)
    assert result.unknown_s == 5
    assert result.estimate.value is None
    assert result.by_requests.value is None
    assert result.estimate.why is not None


def test_seconds_of_which_nothing_is_known_do_not_split_an_outage() -> None:
    requests = [
        *every_second(0, 2, GOOD),
        *every_second(2, 4, BAD),
        *every_second(5, 6, BAD),
        *every_second(6, 8, GOOD),
        *every_second(8, 9, BAD),
        *every_second(9, 10, GOOD),
    ]
    result = measure(requests, 0, 10)
    spans = [(outage.start_s, outage.end_s) for outage in result.outages]
    assert spans == [(2.2, 6.3), (8.2, 9.3)]
    assert (result.down_s, result.unknown_s) == (4, 1)
    assert result.mttr.value == pytest.approx((4.1 + 1.1) / 2)


def test_an_outage_that_nobody_saw_the_end_of_is_open_and_bounds_the_repair_time() -> None:
    result = measure([*every_second(0, 3, GOOD), *every_second(3, 5, BAD)], 0, 6)
    assert result.outages == (Outage(start_s=3.2, end_s=5, open=True),)
    assert result.mttr.is_lower_bound
    assert result.mttr.value == pytest.approx(1.8)


def test_the_last_part_of_a_second_counts_for_its_length() -> None:
    result = measure([*every_second(0, 2, GOOD), (2.1, 2.2, BAD)], 0, 2.5)
    assert (result.up_s, result.down_s) == (2, 0.5)
    assert result.outages == (Outage(start_s=2.1, end_s=2.5, open=True),)
    assert result.estimate.value == pytest.approx(2 / 2.5)


def test_rounding_makes_no_second_of_its_own() -> None:
    result = measure(every_second(0, 3, GOOD), 0, 3 + 1e-9)
    assert result.estimate.n == 3
    assert result.unknown_s == 0


def test_what_ended_before_or_begins_after_the_window_is_not_in_it() -> None:
    requests = [(1.0, 5.0, BAD), (8.0, 9.0, BAD), (3.0, 5.0, GOOD), (7.5, 8.0, GOOD)]
    result = measure(requests, 5, 8)
    assert result.down_s == 0
    assert result.up_s == 1  # a good one that completed as the window begins
    assert result.by_requests.n == 1


def test_requests_are_counted_beside_time() -> None:
    requests = [(0.001 * i, 0.001 * i, BAD) for i in range(900)] + every_second(1, 101, GOOD)
    result = measure(requests, 0, 101)
    assert result.estimate.value == pytest.approx(100 / 101)
    assert result.by_requests.value == pytest.approx(0.1)
    assert result.by_requests.low is not None
    assert result.by_requests.high is not None
    assert result.by_requests.low < 0.1 < result.by_requests.high


def by_hand(requests: list[Request], start: int, seconds: int) -> list[str]:
    states = []
    for second in range(start, start + seconds):
        up = any(k == GOOD and second <= end < second + 1 for _, end, k in requests)
        down = any(
            k == BAD and begin < second + 1 and (end > second or begin >= second)
            for begin, end, k in requests
        )
        states.append("up" if up else "down" if down else "unknown")
    return states


@repeatable
@given(
    st.lists(
        st.tuples(
            st.integers(-4, 60),
            st.integers(0, 20),
            st.sampled_from([GOOD, BAD, CANCELLED]),
        ),
        max_size=25,
    ),
    st.integers(1, 14),
)
def test_it_agrees_with_asking_every_second_by_itself(
    quarters: list[tuple[int, int, str]], seconds: int
) -> None:
    requests = [(begin / 4, (begin + length) / 4, kind) for begin, length, kind in quarters]
    states = by_hand(requests, 1, seconds)
    result = measure(requests, 1, 1 + seconds)
    assert result.up_s == states.count("up")
    assert result.down_s == states.count("down")
    assert result.unknown_s == states.count("unknown")
    spelled = "".join(state[0] for state in states if state != "unknown")
    assert len(result.outages) == len([span for span in spelled.split("u") if span])
    assert [o.open for o in result.outages[:-1]] == [False] * len(result.outages[:-1])
    if result.outages:
        assert result.outages[-1].open == spelled.endswith("d")
        assert all(o.start_s <= o.end_s for o in result.outages)
        # the first second of an outage may have begun before it, and no other
        lengths = sum(o.duration_s for o in result.outages)
        assert lengths >= result.down_s - len(result.outages)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no length"):
        measure([], 5, 5)
    with pytest.raises(ValueError, match="differ in length"):
        availability([1.0], [1.0, 2.0], [True], [False], 0, 5)


def poisson(rng: np.random.Generator, rate: float, stop_s: float) -> list[float]:
    return sorted(float(at_s) for at_s in rng.uniform(0, stop_s, rng.poisson(rate * stop_s)))


@pytest.mark.parametrize("hangs", [False, True], ids=["refused", "frozen"])
def test_outages_are_found_within_a_second_of_their_truth(hangs: bool) -> None:
    """Twenty requests a second; outages of two to nine seconds, at any fraction of a second."""
    rng = np.random.default_rng(1)
    truth = [(20 * i + rng.uniform(3, 6), rng.uniform(2, 9)) for i in range(40)]
    spans = [(start, start + length) for start, length in truth]
    requests: list[Request] = []
    for at_s in poisson(rng, 20, 800):
        within = next((span for span in spans if span[0] <= at_s < span[1]), None)
        if within is None:
            requests.append((at_s, at_s + 0.01, GOOD))
        elif hangs:
            late = within[1] - at_s > 1.5  # who gave up before it was back
            requests.append((at_s, at_s + 1.5 if late else within[1] + 0.01, BAD if late else GOOD))
        else:
            requests.append((at_s, at_s + 0.001, BAD))
    found = measure(requests, 0, 800).outages
    errors = [
        (outage.start_s - start, outage.end_s - end)
        for outage, (start, end) in zip(found, spans, strict=True)
    ]
    assert max(abs(error) for pair in errors for error in pair) < 1.0
    # not a second too short on average, as whole seconds would be
    lengths = [o.duration_s - (end - start) for o, (start, end) in zip(found, spans, strict=True)]
    assert abs(np.mean(lengths)) < 0.15


def test_times_to_repair_and_between_failures_have_the_intervals_of_exponential_times() -> None:
    requests: list[Request] = []
    for i in range(8):
        requests += every_second(20 * i, 20 * i + 15 - i, GOOD)
        requests += every_second(20 * i + 15 - i, 20 * i + 20, BAD)
    result = measure(requests, 0, 160)
    lengths = sum(o.duration_s for o in result.outages[:-1]) + result.outages[-1].duration_s
    assert result.mttr.is_lower_bound  # the last one is open
    requests += every_second(160, 165, GOOD)
    closed = measure(requests, 0, 165)
    assert closed.mttr.value == pytest.approx(lengths / 8, rel=0.05)
    for estimate, total, n_low in (
        (closed.mttr, closed.mttr.value or 0, 16),
        (closed.mtbf, closed.mtbf.value or 0, 18),
    ):
        assert estimate.low == pytest.approx(16 * total / stats.chi2.ppf(0.975, n_low))
        assert estimate.high == pytest.approx(16 * total / stats.chi2.ppf(0.025, 16))
    assert "exponential" in closed.mttr.method


def test_four_outages_have_a_mean_and_no_interval() -> None:
    requests: list[Request] = []
    for i in range(4):
        requests += [
            *every_second(9 * i, 9 * i + 5, GOOD),
            *every_second(9 * i + 5, 9 * i + 9, BAD),
        ]
    result = measure([*requests, *every_second(36, 40, GOOD)], 0, 40)
    assert result.mttr.value is not None
    assert result.mttr.low is None
    assert "5 or more" in str(result.mttr.why)
    assert "4 outages" in str(result.mtbf.why)
