"""Which records virtual users touch: popular ones often, most of them rarely."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

ZIPF_EXPONENT = 0.99
"""Skew of access; YCSB's default constant (Cooper et al., SoCC 2010)."""

_cumulative: list[float] = []
"""Weights of the ranks, added up; as many as anybody has asked for."""


def zipf(rng: random.Random, count: int) -> int:
    """Draw a rank by Zipf's law.

    Parameters
    ----------
    rng : Random
        Whose draw it is.
    count : int
        How many ranks there are.

    Returns
    -------
    int
        From 0, the most popular, to `count` - 1.
    """
    while len(_cumulative) < count:
        before = _cumulative[-1] if _cumulative else 0.0
        _cumulative.append(before + (len(_cumulative) + 1) ** -ZIPF_EXPONENT)
    at = rng.random() * _cumulative[count - 1]
    return bisect_left(_cumulative, at, 0, count - 1)


class Products:
    """The catalogue: ids from 1, scattered over the ranks so that hot ones are no neighbours.

    Parameters
    ----------
    count : int
        How many there are.
    """

    def __init__(self, count: int) -> None:
        self._ids = list(range(1, count + 1))
        random.Random(count).shuffle(self._ids)  # noqa: S311 - load, not secrets

    def draw(self, rng: random.Random) -> int:
        """Draw a product's id."""
        return self._ids[zipf(rng, len(self._ids))]


class Portfolio:
    """The customers that somebody has met, in lists and searches, and so may ask for.

    What was met first is asked for most.
    """

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._order)

    def meet(self, customers: Iterable[Mapping[str, Any]]) -> None:
        """Remember customers: records with their ids and names."""
        for customer in customers:
            if customer["id"] not in self._names:
                self._order.append(customer["id"])
            self._names[customer["id"]] = customer["name"]

    def draw(self, rng: random.Random) -> int:
        """Draw the id of one of them; there must be one."""
        return self._order[zipf(rng, len(self._order))]

    def name(self, customer: int) -> str:
        """Name of one of them."""
        return self._names[customer]
