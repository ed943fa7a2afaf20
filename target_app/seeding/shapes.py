"""The shapes of the data, each with where it comes from. All draw from a generator passed in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

EPOCH = np.datetime64("2026-01-01T00:00:00", "us")
"""The dataset's own present. Frozen, so that no row depends on the day it was made."""

HISTORY_DAYS = 3 * 365
"""How far the past goes back."""

ORDERS_MEAN = 3.0
ORDERS_DISPERSION = 0.55
"""k of the negative binomial: the standard model of repeat buying (Gamma-Poisson; Ehrenberg). With
a mean of 3 it leaves (k / (k + 3))^k = 36 % of customers without an order, and few with many."""

ITEMS_PER_ORDER = (0.30, 0.25, 0.20, 0.15, 0.10)
"""Shares of orders with 1, 2, ... 5 items; 2.5 in the mean."""

FEEDBACK_PER_CUSTOMER = 0.35

SCORES = (0.14, 0.05, 0.08, 0.18, 0.55)
"""Shares of scores 1 to 5: the J of online reviews (Hu, Pavlou, Zhang, CACM 52(10), 2009)."""

TEXT_MEDIAN, TEXT_SIGMA, TEXT_LONGEST = 120, 0.7, 500
"""Text lengths are lognormal, and cut where the form cuts them."""

# Two office peaks and quiet nights; Monday to Sunday.
_HOURS = np.array(
    [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 17, 12, 14, 19, 19, 16, 12, 9, 8, 7, 5, 3, 2]
)
_WEEKDAYS = np.array([16, 17, 17, 16, 15, 10, 9])

_DAY_US = 24 * 3600 * 1_000_000
_HOUR_US = 3600 * 1_000_000


def orders_per_customer(random: np.random.Generator, customers: int) -> Numbers:
    """
    Draw how often each customer has ordered.

    Parameters
    ----------
    random : Generator
        The table's stream.
    customers : int
        How many customers.

    Returns
    -------
    ndarray of int64, shape (customers,)
    """
    share = ORDERS_DISPERSION / (ORDERS_DISPERSION + ORDERS_MEAN)
    return random.negative_binomial(ORDERS_DISPERSION, share, customers).astype(np.int64)


def items_per_order(random: np.random.Generator, orders: int) -> Numbers:
    """
    Draw how many items each order has.

    Parameters
    ----------
    random : Generator
        The table's stream.
    orders : int
        How many orders.

    Returns
    -------
    ndarray of int64, shape (orders,)
    """
    return random.choice(len(ITEMS_PER_ORDER), orders, p=ITEMS_PER_ORDER).astype(np.int64) + 1


def scores(random: np.random.Generator, count: int) -> Numbers:
    """
    Draw scores from 1 to 5.

    Parameters
    ----------
    random : Generator
        The table's stream.
    count : int
        How many.

    Returns
    -------
    ndarray of int64, shape (count,)
    """
    return random.choice(len(SCORES), count, p=SCORES).astype(np.int64) + 1


def text_lengths(random: np.random.Generator, count: int) -> Numbers:
    """
    Draw lengths of texts, in characters.

    Parameters
    ----------
    random : Generator
        The table's stream.
    count : int
        How many.

    Returns
    -------
    ndarray of int64, shape (count,)
        From 5 to `TEXT_LONGEST`.
    """
    lengths = random.lognormal(np.log(TEXT_MEDIAN), TEXT_SIGMA, count)
    return np.clip(lengths, 5, TEXT_LONGEST).astype(np.int64)


def moments(random: np.random.Generator, since_days: Numbers) -> Numbers:
    """
    Draw moments at office hours, one for each, between some day and the day before the epoch.

    Parameters
    ----------
    random : Generator
        The table's stream.
    since_days : ndarray of int64, shape (n,)
        The first day of each, in days before the epoch, at least 1.

    Returns
    -------
    ndarray of int64, shape (n,)
        Microseconds since 1970, UTC.
    """
    ago = 1 + np.floor(random.random(since_days.size) * since_days).astype(np.int64)
    # The day moves to a drawn day of its own week, where that lies within the span.
    weekday = (_epoch_weekday() - ago) % 7
    drawn = random.choice(7, ago.size, p=_WEEKDAYS / _WEEKDAYS.sum())
    moved = ago + weekday - drawn
    ago = np.where((moved >= 1) & (moved <= since_days), moved, ago)
    hour = random.choice(24, ago.size, p=_HOURS / _HOURS.sum())
    within = random.integers(0, _HOUR_US, ago.size)
    start = EPOCH.astype(np.int64)
    return np.asarray(start - ago * _DAY_US + hour * _HOUR_US + within, dtype=np.int64)


def _epoch_weekday() -> int:
    """Give the weekday of the epoch, Monday 0; 1970 began on a Thursday."""
    return int((EPOCH.astype("datetime64[D]").astype(np.int64) + 3) % 7)
