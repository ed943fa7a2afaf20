"""Bursts of bad requests: what they must catch, and how seldom they cry wolf."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.bursts import FALSE_ALARM, FEWEST, Burst, bursts, segments

repeatable = settings(derandomize=True, deadline=None)

N = 6_000
RATE = 100.0
"""Requests per second of the runs below, which last a minute."""


def found_in(bad: np.ndarray, outcome: str = "timeout") -> tuple[Burst, ...]:
    at_s = np.arange(len(bad)) / RATE
    kinds = np.where(bad, outcome, "ok")
    return bursts(at_s, at_s + 0.1, bad, kinds)


def by_chance(seed: int, share: float, n: int = N) -> np.ndarray:
    bad: np.ndarray = np.random.default_rng(seed).random(n) < share
    return bad


def test_refusals_for_three_seconds_are_a_burst_with_its_times_and_kinds() -> None:
    bad = by_chance(1, 0.002)
    bad[2000:2300] = True
    at_s = np.arange(N) / RATE
    kinds = np.where(bad, "timeout", "ok").astype(object)
    kinds[2000:2200] = "connection_error"
    (burst,) = bursts(at_s, at_s + 0.1, bad, kinds)
    assert (burst.start_s, burst.end_s) == pytest.approx((20.0, 23.09), abs=0.03)
    assert 300 <= burst.bad <= 302
    assert burst.requests <= burst.bad + 2
    assert list(burst.outcomes) == ["connection_error", "timeout"]
    assert burst.outcomes["connection_error"] == 200
    assert burst.as_dict()["during"] is None


@pytest.mark.parametrize(
    ("share", "inside", "length"),
    [(0.0, 1.0, 6), (0.01, 1.0, 12), (0.01, 0.3, 200), (0.01, 0.05, 2000), (0.1, 0.9, 60)],
)
def test_what_is_denser_than_the_rest_is_found(share: float, inside: float, length: int) -> None:
    bad = by_chance(2, share)
    bad[3000 : 3000 + length] = by_chance(3, inside, length)
    found = found_in(bad)
    assert found
    # a bad one by chance just before it belongs to it: nobody can tell
    assert 29.0 <= found[0].start_s <= 30.0 + 0.3 * length / RATE
    assert found[-1].end_s <= 30.3 + length / RATE
    assert sum(burst.bad for burst in found) >= 0.7 * bad[3000 : 3000 + length].sum()


def test_two_that_are_apart_are_two_and_two_within_a_second_are_one() -> None:
    bad = np.zeros(N, dtype=bool)
    bad[1000:1100] = bad[1300:1400] = True
    assert len(found_in(bad)) == 2
    bad = np.zeros(N, dtype=bool)
    bad[1000:1100] = bad[1180:1280] = True
    (one,) = found_in(bad)
    assert (one.bad, one.requests) == (200, 280)


def test_an_outage_of_half_of_the_run_does_not_make_itself_usual() -> None:
    bad = np.zeros(N, dtype=bool)
    bad[N // 2 :] = True
    (burst,) = found_in(bad)
    assert (burst.start_s, burst.bad) == (30.0, N // 2)


def test_a_click_of_four_requests_that_fail_together_is_no_burst() -> None:
    bad = np.zeros(N, dtype=bool)
    bad[1000 : 1000 + FEWEST - 1] = True
    assert found_in(bad) == ()


@pytest.mark.parametrize("bad", [np.zeros(0, bool), np.zeros(9, bool), np.ones(9, bool)])
def test_runs_with_nothing_to_tell_apart_have_none(bad: np.ndarray) -> None:
    assert found_in(bad) == ()


@pytest.mark.simulation
@pytest.mark.parametrize("share", [0.002, 0.02, 0.2])
def test_bad_requests_by_chance_are_hardly_ever_a_burst(share: float) -> None:
    """1 in 100 is the bound; 15 of 500 fails a right program once in 10,000."""
    alarms = sum(
        bool(segments(np.flatnonzero(by_chance(s, share)), N, false_alarm=FALSE_ALARM))
        for s in range(500)
    )
    assert alarms <= 15


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        bursts([1.0], [1.0, 2.0], [True], ["ok"])


@repeatable
@given(
    spans=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200)), max_size=5),
    seed=st.integers(0, 100),
)
def test_bursts_are_in_order_apart_and_begin_and_end_with_a_bad_request(
    spans: list[tuple[int, int]], seed: int
) -> None:
    bad = by_chance(seed, 0.01, 1_000)
    for first, length in spans:
        bad[first : first + length] = True
    places = np.flatnonzero(bad)
    found = segments(places, len(bad), false_alarm=FALSE_ALARM)
    assert all(last - first + 1 >= FEWEST for first, last in found)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
    for burst in found_in(bad):
        assert bad[round(burst.start_s * RATE)]
        assert sum(burst.outcomes.values()) == burst.bad <= burst.requests
