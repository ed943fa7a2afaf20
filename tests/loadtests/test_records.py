"""Which records virtual users touch."""

from __future__ import annotations

import random

import pytest

from loadtests.generator.personas.records import Portfolio, Products, zipf


def test_popular_ranks_are_drawn_often_and_every_rank_exists() -> None:
    rng = random.Random(1)
    drawn = [zipf(rng, 1_000) for _ in range(20_000)]

    assert set(drawn) <= set(range(1_000))
    # Zipf .99 over 1,000: the first ten hold 38.8 % of the draws (sum of weights)
    assert sum(rank < 10 for rank in drawn) / len(drawn) == pytest.approx(0.388, abs=0.02)
    assert {zipf(rng, 3) for _ in range(200)} == {0, 1, 2}  # of fewer ranks, after more


def test_products_are_those_there_are_and_the_hot_ones_no_neighbours() -> None:
    products, rng = Products(100), random.Random(1)
    drawn = [products.draw(rng) for _ in range(5_000)]
    hottest = sorted(set(drawn), key=drawn.count, reverse=True)[:3]

    assert set(drawn) == set(range(1, 101))
    assert max(hottest) - min(hottest) > 3


def test_a_portfolio_holds_whom_one_has_met_each_once_the_first_most_often() -> None:
    portfolio, rng = Portfolio(), random.Random(1)
    portfolio.meet([{"id": 7, "name": "Ann"}, {"id": 3, "name": "Bo"}])
    portfolio.meet([{"id": 3, "name": "Bob"}, {"id": 9, "name": "Cy"}])
    drawn = [portfolio.draw(rng) for _ in range(1_000)]

    assert len(portfolio) == 3
    assert portfolio.name(3) == "Bob"
    assert drawn.count(7) > drawn.count(3) > drawn.count(9) > 0
