"""Windows around a moment: what stands in them, and what is unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.pulse import FEWEST, Pulse, Requests, pulse_of

repeatable = settings(derandomize=True, deadline=None)


def requests(rows: list[tuple[float, float, str]]) -> Requests:
    """Rows of (intended, end, "good" | "bad" | "censored"); what is censored is bad."""
    intended, end = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    kinds = np.array([row[2] for row in rows])
    return Requests(
        intended_s=intended,
        end_s=end,
        latency_ms=(end - intended) * 1e3,
        good=kinds == "good",
        bad=kinds != "good",
        censored=kinds == "censored",
    )


def one_window(rows: list[tuple[float, float, str]], at_s: float = 10.0) -> Pulse:
    return pulse_of(requests(rows), origin_s=at_s, width_s=1.0, start_s=at_s, stop_s=at_s + 1)


def test_windows_begin_at_the_moment_and_hold_no_time_of_both_sides() -> None:
    pulse = pulse_of(requests([]), origin_s=5.3, width_s=0.5, start_s=4.0, stop_s=6.5)
    assert pulse.start_s == pytest.approx([4.3, 4.8, 5.3, 5.8])
    assert pulse.end_s == pytest.approx([4.8, 5.3, 5.8, 6.3])
    assert pulse.within(4.3, 5.3).tolist() == [True, True, False, False]
    assert pulse.within(4.4, 5.3).tolist() == [False, True, False, False]
    assert not pulse.known.any()


def test_latency_and_bad_requests_stand_where_they_were_intended_goodput_where_it_came() -> None:
    rows = [(10.1, 12.5, "good")] * 6 + [(10.2, 11.5, "bad")] * 2
    pulse = pulse_of(requests(rows), origin_s=10.0, width_s=1.0, start_s=10.0, stop_s=13.0)
    assert pulse.p50_ms[0] == pytest.approx(2400)
    assert pulse.asked.tolist() == [8, 0, 0]
    assert pulse.bad.tolist() == [2, 0, 0]
    assert pulse.ok.tolist() == [0, 0, 6]


def test_wrong_and_refused_answers_are_no_latency() -> None:
    pulse = one_window([(10.1, 10.101, "bad")] * 50 + [(10.2, 10.7, "good")] * FEWEST)
    assert pulse.p50_ms[0] == pytest.approx(500)


def test_the_median_of_a_full_window_is_numpys_and_its_tail_takes_twenty() -> None:
    rng = np.random.default_rng(1)
    latency = rng.exponential(0.01, 40)
    pulse = one_window([(10.5, 10.5 + x, "good") for x in latency])
    assert pulse.p50_ms[0] == pytest.approx(np.quantile(latency, 0.5) * 1e3, abs=1e-3)
    assert pulse.p95_ms[0] == pytest.approx(np.quantile(latency, 0.95) * 1e3, abs=1e-3)
    assert pulse.p10_ms[0] == pytest.approx(np.quantile(latency, 0.1) * 1e3, abs=1e-3)
    assert math.isnan(one_window([(10.5, 10.6, "good")] * 19).p95_ms[0])


def test_who_waits_through_a_window_speaks_for_it_where_nobody_else_came() -> None:
    waiting = [(8.0 + 0.1 * i, 14.0, "good") for i in range(3)]
    pulse = one_window(waiting)
    assert pulse.p50_ms[0] == pytest.approx(5900)
    assert math.isnan(pulse.p10_ms[0])  # of whom it is not known how the fastest are served
    assert pulse.known[0]


def test_one_who_waits_says_nothing_of_a_window_in_which_others_were_served() -> None:
    rows = [(8.0, 20.0, "censored"), *[(10.1 * 1.0, 10.2, "good")] * FEWEST]
    assert one_window(rows).p50_ms[0] == pytest.approx(100, abs=0.01)


def test_nobody_asked_and_nobody_waited_is_unknown_not_bad() -> None:
    pulse = one_window([(9.0, 9.1, "good"), (10.5, 10.6, "good")])
    assert not pulse.known[0]
    assert one_window([(10.5, 10.6, "bad")]).known[0]


def test_a_request_that_never_ended_is_counted_and_waits_for_ever() -> None:
    pulse = pulse_of(
        Requests(
            intended_s=np.array([1.0]),
            end_s=np.array([np.inf]),
            latency_ms=np.array([4000.0]),
            good=np.array([False]),
            bad=np.array([True]),
            censored=np.array([True]),
        ),
        origin_s=0.0,
        width_s=1.0,
        start_s=0.0,
        stop_s=5.0,
    )
    assert pulse.bad.tolist() == [0, 1, 0, 0, 0]
    assert pulse.known.tolist() == [False, True, True, True, True]
    assert pulse.waiting.tolist() == [0, 1, 1, 1, 1]


def test_a_window_has_a_length() -> None:
    with pytest.raises(ValueError, match="above 0"):
        pulse_of(requests([]), origin_s=0, width_s=0, start_s=0, stop_s=1)


@repeatable
@given(
    rows=st.lists(
        st.tuples(st.floats(0, 20), st.floats(0.001, 30), st.sampled_from(["good", "bad"])),
        max_size=60,
    ),
    origin_s=st.floats(-3, 25),
    width_s=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
)
def test_every_request_in_the_span_is_in_exactly_one_window(
    rows: list[tuple[float, float, str]], origin_s: float, width_s: float
) -> None:
    made = requests([(begin, begin + length, kind) for begin, length, kind in rows])
    pulse = pulse_of(made, origin_s=origin_s, width_s=width_s, start_s=0, stop_s=60)
    edges = [*pulse.start_s, pulse.end_s[-1]]
    assert (
        pulse.asked.sum() == ((made.intended_s >= edges[0]) & (made.intended_s < edges[-1])).sum()
    )
    through = [
        ((made.intended_s <= begin) & (made.end_s >= begin + width_s)).sum()
        for begin in pulse.start_s
    ]
    assert np.abs(pulse.waiting - through).sum() <= len(rows)  # rounding at an edge of each
    by_hand, _ = np.histogram(made.end_s[made.good], bins=edges)
    assert pulse.ok.sum() == pytest.approx(by_hand.sum(), abs=1)  # histogram closes its last bin
