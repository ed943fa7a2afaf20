"""Products, orders and their items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from target_app.models import CURRENCIES, ORDER_STATUSES
from target_app.seeding import shapes
from target_app.seeding.columns import Choices, Columns, Ints, Moments, Numbers, Texts
from target_app.seeding.happenings import Happenings
from target_app.seeding.pools import Pools

_STATUS_SHARES = (0.05, 0.15, 0.74, 0.06)
_CURRENCY_SHARES = (0.85, 0.10, 0.05)
_ONE_PIECE = 0.6
_MOST_PIECES = 20


def products(
    random: np.random.Generator, pools: Pools, customers: int
) -> tuple[Columns, npt.NDArray[np.int64]]:
    """
    Draw products; an assortment grows with the root of its customers.

    Parameters
    ----------
    random : Generator
        The table's stream.
    pools : Pools
        Words.
    customers : int
        How many there are.

    Returns
    -------
    Columns
        All rows.
    ndarray of int64
        Their prices in cents.
    """
    size = max(20, round(500 * (customers / 10_000) ** 0.5))
    goods = [(kind, noun) for kind, nouns in pools.places.goods.items() for noun in nouns]
    which = random.integers(0, len(goods), size).tolist()
    colours = pools.colours[random.integers(0, pools.colours.size, size)]
    prices = np.round(random.lognormal(np.log(3500), 1.0, size)).astype(np.int64) + 99
    columns: Columns = {
        "id": Numbers(np.arange(1, size + 1)),
        "sku": Texts([f"{place + 10}-{key:06}" for key, place in enumerate(which, 1)]),
        "name": Texts([f"{c} {goods[w][1]}" for c, w in zip(colours, which, strict=True)]),
        "category": Texts([goods[place][0] for place in which]),
        "price_cents": Numbers(prices),
    }
    return columns, prices


@dataclass(frozen=True, kw_only=True)
class Orders:
    """All orders, the oldest first."""

    placed: Happenings
    owner: Ints
    """Of the customers, by id - 1."""
    status: npt.NDArray[np.int16]
    currency: npt.NDArray[np.int16]
    totals: Ints

    @classmethod
    def draw(
        cls, random: np.random.Generator, placed: Happenings, owner: Ints, totals: Ints
    ) -> Orders:
        """
        Draw them.

        Parameters
        ----------
        random : Generator
            The table's stream.
        placed : Happenings
            Who ordered when.
        owner : ndarray of int64
            Of each customer, by id - 1.
        totals : ndarray of int64
            Of each, in cents.

        Returns
        -------
        Orders
        """
        return cls(
            placed=placed,
            owner=owner,
            status=shapes.choose(random, len(placed), _STATUS_SHARES),
            currency=shapes.choose(random, len(placed), _CURRENCY_SHARES),
            totals=totals,
        )

    def __len__(self) -> int:
        return len(self.placed)

    def columns(self, part: slice) -> Columns:
        """
        Give the rows of some of them.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        keys = np.arange(part.start, part.stop) + 1
        return {
            "id": Numbers(keys),
            "number": Texts([f"S-{key:010}" for key in keys.tolist()]),
            "customer_id": Numbers(self.placed.customer[part]),
            "owner_id": Numbers(self.owner[self.placed.customer[part] - 1]),
            "status": Choices(self.status[part], np.array(ORDER_STATUSES, object)),
            "currency": Choices(self.currency[part], np.array(CURRENCIES, object)),
            "total_cents": Numbers(self.totals[part]),
            "placed_at": Moments(self.placed.at[part]),
            "version": Numbers(np.ones(keys.size, np.int64)),
        }


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items of all orders, in their order."""

    order: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    """Places among the products."""
    pieces: npt.NDArray[np.int8]
    prices: Ints
    """Of the products."""
    totals: Ints
    """By order, in cents."""

    @classmethod
    def draw(cls, random: np.random.Generator, orders: int, prices: Ints) -> Items:
        """
        Draw them; some products sell far better than others.

        Parameters
        ----------
        random : Generator
            The table's stream.
        orders : int
            How many there are.
        prices : ndarray of int64
            Of the products, in cents.

        Returns
        -------
        Items
        """
        counts = shapes.choose(random, orders, shapes.ITEMS_PER_ORDER) + 1
        weights = 1 / np.arange(1, prices.size + 1) ** shapes.PRODUCT_SKEW
        weights = random.permutation(weights / weights.sum())
        size = int(counts.sum())
        product = shapes.choose(random, size, weights).astype(np.int32)
        pieces = np.minimum(random.geometric(_ONE_PIECE, size), _MOST_PIECES).astype(np.int8)
        starts = np.cumsum(counts, dtype=np.int64) - counts
        totals = np.add.reduceat(pieces * prices[product], starts) if orders else starts
        order = np.repeat(np.arange(1, orders + 1, dtype=np.int32), counts)
        return cls(order=order, product=product, pieces=pieces, prices=prices, totals=totals)

    def __len__(self) -> int:
        return self.order.size

    def columns(self, part: slice) -> Columns:
        """
        Give the rows of some of them.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        product = self.product[part]
        return {
            "id": Numbers(np.arange(part.start, part.stop) + 1),
            "order_id": Numbers(self.order[part]),
            "product_id": Numbers(product + 1),
            "qty": Numbers(self.pieces[part]),
            "unit_price_cents": Numbers(self.prices[product]),
        }
