"""Which records virtual users touch: popular ones often, most of them rarely."""

from __future__ import annotations

import random
from bisect import bisect_left
from itertools import accumulate

ZIPF_EXPONENT = 0.99
"""Skew of access; YCSB's default constant (Cooper et al., SoCC 2010)."""


class Records:
    """Draws customers and products by Zipf's law.

    Parameters
    ----------
    customers, products : int
        How many there are; ids run from 1.
    """

    def __init__(self, *, customers: int, products: int) -> None:
        self._customers = _Zipf(customers)
        self._products = _Zipf(products)

    def customer(self, rng: random.Random) -> int:
        """Draw a customer's id."""
        return self._customers.draw(rng)

    def product(self, rng: random.Random) -> int:
        """Draw a product's id."""
        return self._products.draw(rng)


class _Zipf:
    """Ranks by Zipf's law, scattered over the ids so that hot ones are no neighbours."""

    def __init__(self, count: int) -> None:
        self._cumulative = list(accumulate((rank + 1) ** -ZIPF_EXPONENT for rank in range(count)))
        self._ids = list(range(1, count + 1))
        random.Random(count).shuffle(self._ids)  # noqa: S311 - load, not secrets

    def draw(self, rng: random.Random) -> int:
        at = rng.random() * self._cumulative[-1]
        return self._ids[bisect_left(self._cumulative, at)]
