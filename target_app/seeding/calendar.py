"""When things happen: years that grow, seasons, weekdays, office hours; all before the epoch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from target_app.seeding.columns import Ints
from target_app.seeding.manifest import EPOCH

Weights = npt.NDArray[np.float64]
Days = npt.NDArray[np.int32]

HISTORY_DAYS = 3 * 365
"""How far the past goes back."""

GROWTH = 1.25
"""Each year has as many times the new customers, and as many times the dealings with each."""

HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 17, 12, 14, 19, 19, 16, 12, 9, 8, 7, 5, 3, 2)
"""Two office peaks and quiet nights."""

WEEKDAYS = (16, 17, 17, 16, 15, 10, 9)
"""Monday to Sunday."""

SEASON = (88, 86, 94, 96, 98, 97, 90, 88, 100, 108, 125, 130)
"""January to December, of orders: summer is quiet, and the year ends busily."""

DAY_US = 24 * 3600 * 1_000_000
_HOUR_US = 3600 * 1_000_000
END = int(np.datetime64(EPOCH.removesuffix("Z"), "us").astype(np.int64))
"""The epoch in microseconds since 1970."""
START = END - HISTORY_DAYS * DAY_US


def day_weights(*, season: bool) -> Weights:
    """
    Weigh the days of the past.

    Parameters
    ----------
    season : bool
        Whether the month matters.

    Returns
    -------
    ndarray of float64, shape (HISTORY_DAYS,)
        The oldest day first; they add up to 1.
    """
    days = np.arange(HISTORY_DAYS)
    since_1970 = START // DAY_US + days
    weights = GROWTH ** (days / 365) * np.array(WEEKDAYS)[(since_1970 + 3) % 7]  # 1970: Thursday
    if season:
        months = since_1970.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
        weights = weights * np.array(SEASON)[months]
    return np.asarray(weights / weights.sum())


def moments(random: np.random.Generator, weights: Weights, since: Days) -> Ints:
    """
    Draw a moment for each, at office hours mostly.

    Parameters
    ----------
    random : Generator
        The table's stream.
    weights : ndarray of float64, shape (HISTORY_DAYS,)
        Of the days.
    since : ndarray of int32, shape (n,)
        The first day of each, counted from the start of the past; before `HISTORY_DAYS`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Microseconds since 1970, UTC; before the epoch.
    """
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    ends /= ends[-1]
    # By inversion, of the part of the distribution that lies after each one's first day.
    before = ends[since]
    drawn = before + random.random(since.size) * (1 - before)
    days = np.searchsorted(ends, drawn, side="right") - 1
    days = np.minimum(np.maximum(days, since), HISTORY_DAYS - 1)  # where rounding went too far
    hours = np.cumsum(HOURS) / sum(HOURS)
    hour = np.searchsorted(hours[:-1], random.random(since.size), side="right")
    within = random.integers(0, _HOUR_US, since.size)
    return np.asarray(START + days * DAY_US + hour * _HOUR_US + within, np.int64)


def next_day(moments: Ints) -> Days:
    """
    Give the number of the day after each moment.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970.

    Returns
    -------
    ndarray of int32
        Counted from the start of the past.
    """
    return ((moments - START) // DAY_US + 1).astype(np.int32)
