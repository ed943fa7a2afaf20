"""The way of a virtual user through its journey, against what the journey comes to.

Every draw has a fixed seed. Over seeds, a right program fails one of the statistical tests
less than once in 10,000: bounds are those of a normal at that level, over all kinds of
clicks that are looked at together (Bonferroni).
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import chi2

from analysis.mix import spread
from loadtests.generator.personas import CLASSES
from loadtests.generator.personas.walk import Walk
from scenarios.mix import Click, intended_mix, mean_think_s, visits
from scenarios.persona_fields import builtin_personas
from scenarios.personas import START, THINK_CUT

PERSONAS = builtin_personas()
MIX = {
    "sales_rep": 9,
    "support_agent": 5,
    "manager": 1,
    "marketing": 1,
    "portal_customer": 4,
}
ONE_IN = 10_000


def bound(kinds: int) -> float:
    """Standard deviations that none of some normal numbers exceeds, but once in 10,000."""
    return NormalDist().inv_cdf(1 - 1 / (2 * ONE_IN * kinds))


def clicks_until(walk: Walk, end_s: float) -> Iterator[str]:
    """The steps of a user whom answers cost no time, until a moment."""
    now_s = 0.0
    while True:
        walk.go_on()
        now_s += walk.think_s()
        if now_s >= end_s:
            return
        yield walk.step


def simulated(users: Mapping[str, int], end_s: float, seed: int) -> Counter[Click]:
    """Clicks of some users, from their first think time on."""
    counted: Counter[Click] = Counter()
    for name, count in users.items():
        for user in range(count):
            walk = Walk(PERSONAS[name], random.Random(f"{seed}-{name}-{user}"))
            counted.update((name, step) for step in clicks_until(walk, end_s))
    return counted


@pytest.mark.parametrize("name", PERSONAS)
def test_every_step_of_a_persona_is_a_method_of_its_class(name: str) -> None:
    assert all(callable(getattr(CLASSES[name], step)) for step in PERSONAS[name].steps)
    assert PERSONAS.keys() == CLASSES.keys()


def test_a_session_begins_at_the_start_and_another_one_after_its_end() -> None:
    persona = PERSONAS["portal_customer"]
    walk, firsts, lengths = Walk(persona, random.Random(1)), [], Counter[int]()
    assert (walk.step, walk.sessions) == (START, 0)
    for _ in range(20_000):
        before = walk.sessions
        walk.go_on()
        lengths[walk.sessions] += 1
        if walk.sessions != before:
            firsts.append(walk.step)
    whole = list(lengths.values())[:-1]

    assert walk.sessions == before or walk.sessions == before + 1
    assert len(firsts) == walk.sessions
    assert set(firsts) == set(persona.journey[START])
    # the mean of some 1,600 lengths, each of which has a standard deviation of its mean
    expected = sum(visits(persona).values())
    assert np.mean(whole) == pytest.approx(expected, rel=bound(1) * 1.1 / math.sqrt(len(whole)))


def test_think_times_are_cut_exponentials_and_the_first_one_is_uniform() -> None:
    persona = PERSONAS["sales_rep"]
    firsts, drawn = [], dict[str, list[float]](search=[], create_order=[])
    for seed in range(300):
        walk = Walk(persona, random.Random(seed))
        walk.go_on()
        firsts.append(walk.think_s())
    walk = Walk(persona, random.Random(1))
    for _ in range(30_000):
        walk.go_on()
        think_s = walk.think_s()
        if walk.step in drawn:
            drawn[walk.step].append(think_s)

    assert 0 <= min(firsts) < 1
    assert 19 < max(firsts) <= 2 * persona.think_s
    for step, times in drawn.items():
        longest = THINK_CUT * persona.think_s * persona.steps[step].think
        mean_s = persona.think_before_s(step)
        assert 0 <= min(times) < max(times) <= longest
        # an exponential's mean strays by itself over the root of their number
        assert np.mean(times) == pytest.approx(mean_s, rel=bound(2) / math.sqrt(len(times)))


def test_users_click_in_the_intended_mix() -> None:
    end_s = 4_000.0
    counted = simulated(MIX, end_s, seed=1)
    total = counted.total()
    shares, variance = intended_mix(PERSONAS, MIX), spread(PERSONAS, MIX)
    off = {
        kind: (counted[kind] / total - share) / math.sqrt(variance[kind] / total)
        for kind, share in shares.items()
    }

    assert counted.keys() == shares.keys()
    assert total == pytest.approx(
        end_s * sum(count / mean_think_s(PERSONAS[name]) for name, count in MIX.items()), rel=0.05
    )
    assert max(map(abs, off.values())) < bound(len(off)), off


def test_a_mix_that_is_another_one_is_told_apart() -> None:
    total, users = 20_000, {**MIX, "portal_customer": 6}  # half as many again
    shares, variance = intended_mix(PERSONAS, MIX), spread(PERSONAS, MIX)
    others = intended_mix(PERSONAS, users)
    kind = ("portal_customer", "my_orders")

    assert abs(others[kind] - shares[kind]) / math.sqrt(variance[kind] / total) > 2 * bound(28)


@pytest.mark.simulation
def test_shares_stray_as_far_as_the_journeys_say() -> None:
    users, runs = {"portal_customer": 2, "support_agent": 1}, 200
    shares, variance = intended_mix(PERSONAS, users), spread(PERSONAS, users)
    squares: dict[Click, list[float]] = {kind: [] for kind in shares}
    for seed in range(runs):
        counted = simulated(users, 5_000.0, seed)
        total = counted.total()
        for kind, share in shares.items():
            off = (counted[kind] / total - share) ** 2
            squares[kind].append(off * total / variance[kind])
    ratios = {kind: float(np.mean(found)) for kind, found in squares.items()}

    # Each is the mean of 200 squares of standard normals; what runs are cut off by at their
    # ends is worth some per cent more.
    chance = 1 / (2 * ONE_IN * len(ratios))
    low, high = chi2(runs).ppf(chance) / runs - 0.05, chi2(runs).isf(chance) / runs + 0.05
    assert all(low < ratio < high for ratio in ratios.values()), ratios
    # Were clicks drawn one by one, it would be p (1 - p), which is another number.
    assert variance["support_agent", "respond"] < 0.4 * shares["support_agent", "respond"]
    assert low > 0.4


def test_the_same_seed_walks_the_same_way() -> None:
    ways = []
    for _ in range(2):
        walk = Walk(PERSONAS["manager"], random.Random("1-0-manager-1"))
        ways.append(list(itertools.islice(clicks_until(walk, math.inf), 50)))

    assert ways[0] == ways[1]
