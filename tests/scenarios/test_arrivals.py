"""When clicks arrive: counts, gaps, kinds and shards agree with theory.

Every seed is fixed: a statistical test gives the same answer for ever. Its level is 1e-4
all the same, so that a change of the seed would not fail it either.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from scenarios.arrivals import (
    Arrival,
    Intensity,
    arrival_times,
    arrivals,
    expected_count,
    pool_sizes,
)
from scenarios.loading import parse_scenario
from scenarios.mix import Click
from scenarios.model import Load, Scenario
from scenarios.schedule import Schedule, plan

LEVEL = 1e-4
MIX: dict[Click, float] = {
    ("sales_rep", "search"): 0.5,
    ("sales_rep", "open_customer"): 0.2,
    ("portal_customer", "my_orders"): 0.3,
}


def scenario(*stages: dict[str, Any], **load: Any) -> Scenario:
    raw = {
        "load": {"model": "open", "mix": {"sales_rep": 1}, "settle": "0s", **load}
        | {"stages": [{"hold": "10s", **stage} for stage in stages]}
    }
    return parse_scenario(raw, name="test", folder=None)


def planned(*stages: dict[str, Any], **load: Any) -> tuple[Schedule, Load]:
    found = scenario(*stages, **load)
    return plan(found), found.load


STEPS_AND_RAMPS = (
    {"rate": 50, "ramp": "4s"},
    {"rate": 400, "hold": "2s"},
    {"rate": 20, "ramp": "10s", "hold": "5s"},
)


def between(times_s: list[float], start_s: float, end_s: float) -> int:
    return sum(start_s <= t_s < end_s for t_s in times_s)


# the intensity


def test_the_area_is_the_integral_of_the_level() -> None:
    schedule, _ = planned(*STEPS_AND_RAMPS, warmup="3s")
    intensity = Intensity(schedule)
    edges = [schedule.warmup_s, *(t for s in schedule.spans for t in (s.ramped_s, s.end_s))]

    for start_s, end_s in itertools.combinations([0.0, 1.0, 5.0, 20.0, schedule.end_s], 2):
        breaks = [edge for edge in edges if start_s < edge < end_s]
        by_quadrature, _ = integrate.quad(
            lambda t_s: schedule.at(t_s).level, start_s, end_s, points=breaks or None
        )
        found = intensity.cumulative(end_s) - intensity.cumulative(start_s)
        assert found == pytest.approx(by_quadrature, rel=1e-6)
        assert found == expected_count(schedule, start_s, end_s)
    assert intensity.total == pytest.approx(150 + 200 + 500 + 800 + 2100 + 100)


stages = st.lists(
    st.fixed_dictionaries(
        {
            "rate": st.floats(0.01, 5_000),
            "hold": st.integers(1, 20).map(lambda s: f"{s}s"),
            "ramp": st.integers(0, 10).map(lambda s: f"{s}s"),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(stages, st.integers(0, 5), st.floats(0, 1))
def test_the_inverse_of_the_area_is_its_inverse(
    rates: list[dict[str, Any]], warmup_s: int, share: float
) -> None:
    schedule, _ = planned(*rates, warmup=f"{warmup_s}s")
    intensity = Intensity(schedule)
    t_s = intensity.when(share * intensity.total)

    assert 0 <= t_s <= schedule.end_s
    assert intensity.cumulative(t_s) == pytest.approx(share * intensity.total, abs=1e-6, rel=1e-9)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(stages, st.sampled_from(["poisson", "even"]), st.integers())
def test_arrivals_ascend_and_lie_in_the_schedule(
    rates: list[dict[str, Any]], spacing: str, seed: int
) -> None:
    schedule, load = planned(*rates, arrivals=spacing)
    times_s = list(itertools.islice(arrival_times(schedule, load.arrivals, seed), 2_000))

    assert times_s == sorted(times_s)
    assert all(0 <= t_s <= schedule.end_s for t_s in times_s)


# evenly spaced


def test_even_arrivals_come_in_the_middle_of_equal_gaps() -> None:
    schedule, load = planned({"rate": 40}, arrivals="even")

    assert list(arrival_times(schedule, load.arrivals, 1)) == pytest.approx(
        [(k + 0.5) / 40 for k in range(400)], abs=1e-9
    )


def test_even_arrivals_on_a_ramp_come_where_the_area_says() -> None:
    schedule, load = planned({"rate": 40, "ramp": "10s", "hold": "1s"}, arrivals="even")
    times_s = list(arrival_times(schedule, load.arrivals, 1))

    # from nobody to 40/s in 10 s: 2 t^2 arrivals up to t
    assert times_s[:200] == pytest.approx([math.sqrt((k + 0.5) / 2) for k in range(200)])
    assert len(times_s) == 240


def test_even_arrivals_come_in_every_span_as_often_as_asked() -> None:
    schedule, load = planned(*STEPS_AND_RAMPS, arrivals="even", warmup="3s")
    times_s = list(arrival_times(schedule, load.arrivals, 1))

    for span in schedule.spans:
        asked = expected_count(schedule, span.hold_s, span.end_s)
        assert abs(between(times_s, span.hold_s, span.end_s) - asked) <= 1


# Poisson


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gaps_are_exponential(seed: int) -> None:
    schedule, load = planned({"rate": 500, "hold": "20s"})
    times_s = list(arrival_times(schedule, load.arrivals, seed))
    gaps_s = [b - a for a, b in itertools.pairwise([0.0, *times_s])]

    assert stats.kstest(gaps_s, stats.expon(scale=1 / 500).cdf).pvalue > LEVEL
    again = stats.spearmanr(gaps_s[:-1], gaps_s[1:])
    assert again.pvalue > LEVEL, "a gap says nothing about the next one"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counts_are_poisson_with_the_mean_that_was_asked(seed: int) -> None:
    schedule, load = planned(*STEPS_AND_RAMPS, warmup="3s")
    times_s = list(arrival_times(schedule, load.arrivals, seed))
    spans = [(k * 0.5, k * 0.5 + 0.5) for k in range(int(schedule.end_s / 0.5))]
    asked = [expected_count(schedule, *span) for span in spans]
    chi2 = sum(
        (between(times_s, *span) - mean) ** 2 / mean
        for span, mean in zip(spans, asked, strict=True)
    )

    # as many degrees of freedom as spans: nothing was fitted; too regular is wrong too
    assert LEVEL < stats.chi2(len(spans)).sf(chi2) < 1 - LEVEL
    low, high = stats.poisson(sum(asked)).interval(1 - LEVEL)
    assert low <= len(times_s) <= high


def test_arrivals_within_a_ramp_follow_the_ramp() -> None:
    schedule, load = planned({"rate": 1000, "ramp": "10s", "hold": "1s"})
    times_s = [t_s for t_s in arrival_times(schedule, load.arrivals, 1) if t_s < 10]

    # given their number, they are independent with the density 2 t / 100
    assert stats.kstest([(t_s / 10) ** 2 for t_s in times_s], "uniform").pvalue > LEVEL


# kinds, seeds and shards


@pytest.mark.simulation
def test_kinds_come_as_often_as_the_mix_says() -> None:
    schedule, load = planned({"rate": 1000, "hold": "20s"})
    seen = Counter((a.persona, a.step) for a in arrivals(schedule, load, MIX, 1))
    whole = sum(seen.values())

    assert set(seen) == set(MIX)
    observed = [seen[kind] for kind in MIX]
    assert stats.chisquare(observed, [whole * share for share in MIX.values()]).pvalue > LEVEL


def test_what_comes_says_nothing_about_what_comes_next() -> None:
    schedule, load = planned({"rate": 1000, "hold": "20s"})
    kinds = [(a.persona, a.step) for a in arrivals(schedule, load, MIX, 1)]
    pairs = Counter(itertools.pairwise(kinds))
    table = [[pairs[first, second] for second in MIX] for first in MIX]

    assert stats.chi2_contingency(table).pvalue > LEVEL


def test_the_same_seed_gives_the_same_arrivals_and_another_gives_others() -> None:
    schedule, load = planned(*STEPS_AND_RAMPS)
    first, again = (list(arrivals(schedule, load, MIX, 7)) for _ in range(2))

    assert first == again
    assert first != list(arrivals(schedule, load, MIX, 8))


def test_another_mix_leaves_the_times_as_they_are() -> None:
    schedule, load = planned({"rate": 100})
    other = {("manager", "dashboard"): 1.0}
    times = [[a.t_s for a in arrivals(schedule, load, mix, 7)] for mix in (MIX, other, {})]

    assert times[0] == times[1] == times[2]


def test_a_later_end_leaves_the_arrivals_before_it_as_they_are() -> None:
    short, load = planned({"rate": 100, "hold": "5s"})
    long, _ = planned({"rate": 100, "hold": "9s"})
    times_s = list(arrival_times(short, load.arrivals, 7))

    assert list(arrival_times(long, load.arrivals, 7))[: len(times_s)] == times_s


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_shards_together_are_the_one_schedule(shards: int) -> None:
    schedule, load = planned(*STEPS_AND_RAMPS)
    parts = [
        list(arrivals(schedule, load, MIX, 7, shard=shard, shards=shards))
        for shard in range(shards)
    ]

    assert sorted(itertools.chain(*parts), key=lambda a: a.index) == list(
        arrivals(schedule, load, MIX, 7)
    )
    assert all(a.index % shards == shard for shard, part in enumerate(parts) for a in part)


def test_an_endless_schedule_costs_nothing_before_its_arrivals_come() -> None:
    schedule, load = planned({"rate": 100_000, "hold": "168h"})
    first = next(arrivals(schedule, load, {}, 7))

    assert first == Arrival(index=0, t_s=first.t_s)
    assert 0 < first.t_s < 1


# pools


@pytest.mark.costly
@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(1, 500), st.lists(st.floats(1e-3, 1), min_size=1, max_size=5), st.integers(1, 4))
def test_every_persona_has_users_in_every_process_and_together_they_are_all(
    max_users: int, weights: list[float], processes: int
) -> None:
    shares = {(f"p{index}", "step"): weight for index, weight in enumerate(weights)}
    _, load = planned({"rate": 1}, max_users=max_users)
    pools = [
        pool_sizes(load, shares, process=process, processes=processes)
        for process in range(processes)
    ]

    assert all(users >= 1 for pool in pools for users in pool.values())
    if max_users >= processes * len(weights):
        assert sum(sum(pool.values()) for pool in pools) == max_users
    for pool in pools:  # whoever clicks more often has at least as many, but for the rounding
        by_weight = [
            pool[f"p{index}"] for index in sorted(range(len(weights)), key=weights.__getitem__)
        ]
        assert all(b >= a - 1 for a, b in itertools.pairwise(by_weight))


def test_a_persona_that_clicks_seldom_has_users_to_spare() -> None:
    shares = {("often", "a"): 0.99, ("seldom", "b"): 0.01}
    _, load = planned({"rate": 1}, max_users=100)

    # 99 + 3 sqrt(99) and 1 + 3 sqrt(1), of 132.8 scaled to 100, and rounded up
    assert pool_sizes(load, shares) == {"often": 96, "seldom": 4}


def test_a_locustfiles_users_are_one_pool() -> None:
    _, load = planned({"rate": 1}, max_users=51)

    assert pool_sizes(load, {}) == {None: 51}
    assert pool_sizes(load, {}, process=1, processes=2) == {None: 25}
