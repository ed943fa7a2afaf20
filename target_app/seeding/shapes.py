"""The shapes of the data, each with where it comes from. All draw from a generator passed in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from target_app.seeding.columns import NULL, Ints

ORDERS_MEAN = 3.0
ORDERS_DISPERSION = 0.55
"""k of the negative binomial: the standard model of repeat buying (Gamma-Poisson; Ehrenberg). With
a mean of 3 it leaves (k / (k + 3))^k = 36 % of customers without an order, and few with many."""

ACTIVITIES_MEAN = 8.0
ACTIVITIES_DISPERSION = 0.8
"""Of calls, mails and notes; the same model, a little less uneven (no source: a choice)."""

ITEMS_PER_ORDER = (0.30, 0.25, 0.20, 0.15, 0.10)
"""Shares of orders with 1, 2, ... 5 items; 2.5 in the mean."""

FEEDBACK_PER_CUSTOMER = 0.35

SCORES = (0.14, 0.05, 0.08, 0.18, 0.55)
"""Shares of scores 1 to 5: the J of online reviews (Hu, Pavlou, Zhang, CACM 52(10), 2009)."""

PRODUCT_SKEW = 0.8
"""Exponent of the products' popularity (Zipf): the one of rank r sells as r^-0.8."""


def counts(random: np.random.Generator, size: int, mean: float, dispersion: float) -> Ints:
    """
    Draw how often each of some customers did something.

    Parameters
    ----------
    random : Generator
        The table's stream.
    size : int
        How many customers.
    mean : float
        Of the counts.
    dispersion : float
        k: the smaller, the more uneven.

    Returns
    -------
    ndarray of int64, shape (size,)
        Negative binomial.
    """
    share = dispersion / (dispersion + mean)
    return random.negative_binomial(dispersion, share, size).astype(np.int64)


def none_share(mean: float, dispersion: float) -> float:
    """
    Give the share of customers who never did it.

    Parameters
    ----------
    mean : float
        Of the counts.
    dispersion : float
        k.

    Returns
    -------
    float
    """
    return float((dispersion / (dispersion + mean)) ** dispersion)


def repeat_rate(mean: float, dispersion: float) -> float:
    """
    Give the share of those who did it again among those who did it.

    Parameters
    ----------
    mean : float
        Of the counts.
    dispersion : float
        k.

    Returns
    -------
    float
        P(2 or more | 1 or more) of the negative binomial.
    """
    none = none_share(mean, dispersion)
    once = none * dispersion * mean / (dispersion + mean)
    return (1 - none - once) / (1 - none)


def choose(random: np.random.Generator, size: int, shares: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """
    Draw places in a list of shares.

    Parameters
    ----------
    random : Generator
        The table's stream.
    size : int
        How many.
    shares : array_like
        Which add up to 1.

    Returns
    -------
    ndarray of int16, shape (size,)
    """
    ends = np.cumsum(np.asarray(shares, float))
    ends[-1] = 1  # whatever rounding made of it
    return np.searchsorted(ends, random.random(size), side="right").astype(np.int16)


def some(random: np.random.Generator, values: Ints, share: float) -> Ints:
    """
    Keep a share of the values, and put none where the others were.

    Parameters
    ----------
    random : Generator
        The table's stream.
    values : ndarray of int64
        Numbers or moments.
    share : float
        Which part stays.

    Returns
    -------
    ndarray of int64
    """
    return np.where(random.random(values.size) < share, values, NULL)
