"""Where the law's peak lies and how high it is: intervals from the likelihood.

The place of a peak, P = sqrt((1 - sigma) / kappa), is far from normal: it has no upper end
where kappa may as well be 0. Its interval is therefore the places that the levels do not
reject (profile likelihood): those at which the best curve with its peak there leaves no
more over than the best curve of all, by an F test.

Whether noise is equal at all levels or grows with throughput is not known, and the two
weigh the levels otherwise. Both are fitted (least squares of throughput, and of its
logarithm), and the interval is what either allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar

from analysis.intervals import student_t
from analysis.law import FloatArray
from analysis.usl import PARAMETERS

_PLACES = 17
"""Places of the peak that are looked at before the best is refined."""

_SHARES = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 40)])
"""Where in its range sigma is looked for first: small ones differ by factors."""

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakEnds:
    """Intervals of a peak.

    Attributes
    ----------
    low, high : float
        Of its place, requests in flight.
    least, most : float
        Of its height, requests per second.
    """

    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class _Curve:
    """The law with its peak at a place: what is left over, and its coefficients."""

    rss: float
    sigma: float
    kappa: float
    lambda_: float


def peak_ends(
    load: npt.ArrayLike,
    throughput: npt.ArrayLike,
    *,
    within: tuple[float, float],
    confidence: float,
) -> PeakEnds:
    """Bound a peak that was seen between two loads.

    Parameters
    ----------
    load, throughput : array_like, shape (n,)
        As :func:`analysis.usl.fit_usl` takes them.
    within : tuple of (float, float)
        Loads between which the peak lies.
    confidence : float
        Two-sided, 0..1.

    Returns
    -------
    PeakEnds
        What noise that is equal at all levels allows, and what noise proportional to
        throughput does, together; the latter only where no throughput is 0.

    References
    ----------
    Bates and Watts, "Nonlinear regression analysis and its applications" (1988), 6.1:
    profile t intervals, RSS(P) <= RSS (1 + t^2 / (n - p)). The height is nearly linear
    in the coefficients, and has the delta method's.
    """
    n_in = np.asarray(load, dtype=np.float64)
    x = np.asarray(throughput, dtype=np.float64)
    noises = (False, True) if (x > 0).all() else (False,)
    each = [_ends(n_in, x, within, confidence, relative=relative) for relative in noises]
    return PeakEnds(
        low=min(ends.low for ends in each),
        high=max(ends.high for ends in each),
        least=min(ends.least for ends in each),
        most=max(ends.most for ends in each),
    )


def _ends(
    load: FloatArray,
    x: FloatArray,
    within: tuple[float, float],
    confidence: float,
    *,
    relative: bool,
) -> PeakEnds:
    first, last = math.log(within[0]), math.log(within[1])

    def left(place: float) -> float:
        return _best_with_peak_at(math.exp(place), load, x, relative=relative).rss

    places = np.linspace(first, last, _PLACES)
    near = _around([left(place) for place in places], places)
    at = _least(left, *near)
    best = _best_with_peak_at(math.exp(at), load, x, relative=relative)
    df = len(x) - PARAMETERS
    t = student_t(confidence, df)
    limit = best.rss * (1 + t**2 / df)

    def beyond(place: float) -> float:
        return left(place) - limit

    low = brentq(beyond, first, at) if beyond(first) > 0 > beyond(at) else first
    high = brentq(beyond, at, last) if beyond(last) > 0 > beyond(at) else last
    height, error = _height(math.exp(at), best, load, relative=relative)
    half = t * error * math.sqrt(best.rss / df)
    return PeakEnds(
        low=math.exp(low),
        high=math.exp(high),
        least=height * math.exp(-half) if relative else max(0.0, height - half),
        most=height * math.exp(min(half, 700.0)) if relative else height + half,
    )


def _best_with_peak_at(place: float, load: FloatArray, x: FloatArray, *, relative: bool) -> _Curve:
    """Find sigma and lambda of the best curve that is highest at a place."""
    # X = lambda N / (a + sigma b), for kappa = (1 - sigma) / P^2, which is at most 1.
    turn = load * (load - 1) / place**2
    a, b = 1 + turn, load - 1 - turn
    least = max(0.0, 1 - place**2)

    def left(sigma: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        curve = load / (a + np.asarray(sigma)[..., None] * b)
        if relative:
            logs = np.log(x) - np.log(curve)
            factor = logs.mean(axis=-1)
            return ((logs - factor[..., None]) ** 2).sum(axis=-1), np.exp(factor)
        factor = curve @ x / (curve**2).sum(axis=-1)
        return ((x - factor[..., None] * curve) ** 2).sum(axis=-1), factor

    sigmas = least + (1 - least) * _SHARES
    low, high = _around(left(sigmas)[0].tolist(), sigmas)
    sigma = _least(lambda each: float(left(each)[0]), low, high)
    rss, lambda_ = left(sigma)
    return _Curve(float(rss), sigma, (1 - sigma) / place**2, float(lambda_))


def _around(costs: list[float], places: FloatArray) -> tuple[float, float]:
    """Neighbours of the place with the least cost."""
    least = int(np.argmin(costs))
    return float(places[max(least - 1, 0)]), float(places[min(least + 1, len(places) - 1)])


def _least(cost: Callable[[float], float], low: float, high: float) -> float:
    """Place of the least cost between two, the ends included."""
    inside = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": _CLOSE})
    return min((float(inside.x), low, high), key=cost)


def _height(
    place: float, curve: _Curve, load: FloatArray, *, relative: bool
) -> tuple[float, float]:
    """Height of the peak, and its error (of its logarithm) for residuals of one unit.

    The place may move without changing the height, for there the curve is level.
    """
    sigma, kappa, lambda_ = curve.sigma, curve.kappa, curve.lambda_

    def by_each(n: FloatArray) -> tuple[FloatArray, FloatArray]:
        divisor = 1 + sigma * (n - 1) + kappa * n * (n - 1)
        by = [-(n - 1) / divisor, -n * (n - 1) / divisor, np.full_like(n, 1 / lambda_)]
        height = lambda_ * n / divisor
        of_logarithm = np.column_stack(by)
        return height, of_logarithm if relative else of_logarithm * height[:, None]

    heights, gradient = by_each(np.array([place]))
    jacobian = by_each(load)[1]
    lengths = np.sqrt((jacobian**2).sum(axis=0))
    scaled = np.linalg.pinv(jacobian / lengths)
    error = np.linalg.norm((gradient[0] / lengths) @ scaled)
    return float(heights[0]), float(error)
