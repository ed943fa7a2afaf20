"""The Universal Scalability Law fitted to measured levels.

Coefficients come with two standard errors. The textbook's takes the noise to be equally
large at every level, which makes intervals of sigma and kappa too narrow where noise grows
with throughput, as it mostly does: down to 55 % instead of 95 % (tests/accuracy/usl.py). The
other takes it to be proportional to throughput. Intervals use the larger of the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from analysis.intervals import student_t
from analysis.law import FloatArray, Law, divisor

PARAMETERS = 3

MAX_CONDITION = 1e7
"""Beyond it J'J, whose condition is the square, has no digit left to invert."""

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient of the law.

    Attributes
    ----------
    value, standard_error : float
        From the covariance of the fit.
    low, high : float
        Value -+ t(residual_df) standard errors, not cut at the bounds.
    error : float
        What intervals of results use: the larger of the standard error, and that with
        noise proportional to throughput.
    least : float
        Low end of the interval that results show: value - t error.
    at_bound : bool
        Whether the fit would have gone further than it was allowed; the interval
        is then only an indication.
    """

    value: float
    standard_error: float
    low: float
    high: float
    error: float
    least: float
    at_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UslFit:
    """The law, fitted.

    Attributes
    ----------
    law : Law
        With the fitted coefficients.
    sigma, kappa, lambda_ : Coefficient
        Contention and coherency (0..1), and requests per second (above 0).
    cov, proportional_cov : tuple of tuple of float, shape (3, 3)
        Covariance of sigma, kappa, lambda with noise that is equal at all levels, and
        with noise proportional to throughput.
    r2, rmse, residual_se : float
        Shown, and decide nothing: a law that bends fits almost any curve that
        does. The errors are in requests per second, over n and over `residual_df`.
    residual_df : int
        Levels less three.
    load, observed : ndarray, shape (n,)
        What was fitted: requests in flight, and per second.
    """

    law: Law
    sigma: Coefficient
    kappa: Coefficient
    lambda_: Coefficient
    cov: tuple[tuple[float, float, float], ...]
    proportional_cov: tuple[tuple[float, float, float], ...]
    r2: float
    rmse: float
    residual_se: float
    residual_df: int
    load: FloatArray
    observed: FloatArray

    @property
    def peak_load(self) -> float | None:
        """Where the fitted curve is highest; None when it has no peak."""
        return self.law.peak_load

    @property
    def peak_throughput(self) -> float | None:
        """How high it is there, requests per second."""
        return self.law.peak_throughput

    @property
    def asymptote(self) -> float | None:
        """Compute lambda / sigma, which no load exceeds; None without sigma."""
        return self.law.asymptote

    def throughput(self, load: npt.ArrayLike) -> FloatArray:
        """Evaluate the fitted curve.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight.

        Returns
        -------
        ndarray of float, shape (m,)
            Requests per second.
        """
        return self.law.throughput(load)

    def error_of(self, gradient: npt.ArrayLike) -> FloatArray:
        """Propagate the coefficients' errors (delta method).

        Parameters
        ----------
        gradient : array_like, shape (m, 3)
            Of a result by sigma, kappa and lambda.

        Returns
        -------
        ndarray of float, shape (m,)
            Standard error of the result: the larger of the two.
        """
        g = np.atleast_2d(np.asarray(gradient, dtype=np.float64))
        variances = [
            np.einsum("mi,ij,mj->m", g, np.array(cov), g)
            for cov in (self.cov, self.proportional_cov)
        ]
        return np.asarray(np.sqrt(np.maximum(0.0, np.max(variances, axis=0))), dtype=np.float64)

    def band(self, load: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Bound the fitted curve, 95 % at each load by itself.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight.

        Returns
        -------
        low, high : ndarray of float, shape (m,)
            Requests per second; not below 0.
        """
        n = np.asarray(load, dtype=np.float64)
        theta = np.array([self.law.sigma, self.law.kappa, self.law.lambda_])
        half = student_t(CONFIDENCE, self.residual_df) * self.error_of(_gradient(n, theta))
        middle = self.throughput(n)
        return np.maximum(0.0, middle - half), middle + half


def _law(load: FloatArray, theta: FloatArray) -> FloatArray:
    sigma, kappa, lambda_ = theta
    return np.asarray(lambda_ * load / divisor(load, sigma, kappa), dtype=np.float64)


def _gradient(load: FloatArray, theta: FloatArray) -> FloatArray:
    """Differentiate X by sigma, kappa and lambda, a column each."""
    sigma, kappa, lambda_ = theta
    d = divisor(load, sigma, kappa)
    by_sigma = -lambda_ * load * (load - 1) / d**2
    return np.column_stack([by_sigma, by_sigma * load, load / d])


def fit_usl(load: npt.ArrayLike, throughput: npt.ArrayLike) -> UslFit:
    """Fit the Universal Scalability Law.

    Parameters
    ----------
    load : array_like, shape (n,)
        Requests in flight on average, above 0; at least four levels, three of
        them different.
    throughput : array_like, shape (n,)
        Requests per second, not negative, and not all 0.

    Returns
    -------
    UslFit
        With sigma and kappa held in 0..1: a sigma that ends at 0 tells of
        throughput that grew faster than load.

    Raises
    ------
    ValueError
        When the numbers are outside those ranges or do not tell the coefficients
        apart.

    References
    ----------
    Gunther (2018), "USL scalability modeling with three parameters"; standard
    errors from the covariance s^2 (J'J)^-1 with s^2 = RSS / (n - 3).
    """
    n_in, x = _checked(load, throughput)
    theta, bounds = solve_law(n_in, x)
    residuals = x - _law(n_in, theta)
    rss, df = float(residuals @ residuals), len(x) - PARAMETERS
    inverse = _inverse(n_in, theta)
    cov = inverse * rss / df
    proportional = _proportional(n_in, theta, inverse, rss)
    total = float(((x - x.mean()) ** 2).sum())
    coefficients = [
        _coefficient(float(value), cov[i, i], proportional[i, i], df, at_bound=bool(bounds[i]))
        for i, value in enumerate(theta)
    ]
    return UslFit(
        law=Law(sigma=float(theta[0]), kappa=float(theta[1]), lambda_=float(theta[2])),
        sigma=coefficients[0],
        kappa=coefficients[1],
        lambda_=coefficients[2],
        cov=_plain(cov),
        proportional_cov=_plain(proportional),
        r2=1 - rss / total if total > 0 else 0.0,
        rmse=math.sqrt(rss / len(x)),
        residual_se=math.sqrt(rss / df),
        residual_df=df,
        load=n_in,
        observed=x,
    )


def _plain(cov: FloatArray) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(a), float(b), float(c)) for a, b, c in cov)


def _checked(load: npt.ArrayLike, throughput: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    n_in = np.asarray(load, dtype=np.float64)
    x = np.asarray(throughput, dtype=np.float64)
    if n_in.shape != x.shape or n_in.ndim != 1:
        raise ValueError(f"found {n_in.shape} loads and {x.shape} throughputs; allowed: as many")
    if len(x) <= PARAMETERS or len(np.unique(n_in)) < PARAMETERS:
        raise ValueError(
            f"found {len(x)} levels, {len(np.unique(n_in))} different; "
            "allowed: at least four, three of them different"
        )
    if not (np.isfinite(n_in).all() and np.isfinite(x).all()):
        raise ValueError("loads and throughputs must be finite")
    if not ((n_in > 0).all() and (x >= 0).all() and x.max() > 0):
        raise ValueError("allowed: loads above 0, throughputs of 0 or more and not all 0")
    return n_in, x


def solve_law(
    load: FloatArray, x: FloatArray, *, coherency: bool = True
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Find the coefficients of least squares.

    Parameters
    ----------
    load, x : ndarray, shape (n,)
        Requests in flight and per second, as :func:`fit_usl` takes them.
    coherency : bool
        Whether kappa may differ from 0; without it is Amdahl's law.

    Returns
    -------
    theta : ndarray, shape (3,)
        sigma, kappa, lambda.
    on_bound : ndarray of bool, shape (3,)
        Which of them lie on a bound.

    Notes
    -----
    Without bounds first; where that leaves 0..1, the best along each bound: quicker
    than a method that keeps to the bounds, and it ends exactly on them.
    """
    # Divided by these, all three unknowns and the residuals are of order one.
    scale, most = float(x.max()), float((x / load).max())
    unit = np.array([1.0, 1.0, most / scale])
    best, least = np.array([0.0, 0.0, 1.0]), math.inf
    for held in _HELD if coherency else _HELD_WITHOUT_COHERENCY:
        free = [i for i in range(PARAMETERS) if i not in held]
        for start in _STARTS[: len(free)]:
            theta = np.array(start)
            theta[list(held)] = list(held.values())
            cost = _descend(load, x / scale, unit, theta, free)
            if cost < least * (1 - _AS_GOOD) and _allowed(theta):
                best, least = theta, cost
        if math.isfinite(least) and not held:
            break
    on_bound = np.array([best[0] in {0.0, 1.0}, best[1] in {0.0, 1.0}, False])
    return best * np.array([1.0, 1.0, most]), on_bound


_STARTS = ((0.01, 1e-4, 1.0), (0.5, 1e-6, 1.0), (0.1, 0.05, 1.0))
"""A curve that is almost flat and one that turns early have their own valleys."""

_AS_GOOD = 1e-9

_HELD_WITHOUT_COHERENCY: tuple[dict[int, float], ...] = (
    {1: 0.0},
    {0: 0.0, 1: 0.0},
    {0: 1.0, 1: 0.0},
)
_HELD: tuple[dict[int, float], ...] = (
    {},
    *_HELD_WITHOUT_COHERENCY,
    {0: 0.0},
    {0: 1.0},
    {1: 1.0},
)
"""Coefficients that stay on a bound, in the order in which they are tried."""


def _allowed(theta: FloatArray) -> bool:
    return bool((theta >= 0).all() and (theta[:2] <= 1).all() and theta[2] > 0)


def _descend(
    load: FloatArray, x: FloatArray, unit: FloatArray, theta: FloatArray, free: list[int]
) -> float:
    """Move the free coefficients to the least squares; gives the cost.

    `unit` turns theta into coefficients for an `x` that is at most 1.
    """

    def at(values: FloatArray) -> FloatArray:
        theta[free] = values
        return theta * unit

    def residuals(values: FloatArray) -> FloatArray:
        return _law(load, at(values)) - x

    def jacobian(values: FloatArray) -> FloatArray:
        return np.asarray((_gradient(load, at(values)) * unit)[:, free], dtype=np.float64)

    with np.errstate(all="ignore"):  # the divisor may pass through 0 on the way
        found = least_squares(
            residuals,
            theta[free],
            jac=jacobian,
            method="lm",
            ftol=1e-14,
            xtol=1e-14,
            gtol=1e-14,
            max_nfev=500,
        )
    theta[free] = found.x
    cost = float(found.cost)
    return cost if math.isfinite(cost) else math.inf


def _inverse(load: FloatArray, theta: FloatArray) -> FloatArray:
    """Invert J'J, its columns brought to one length, for kappa is tiny beside lambda.

    Raises
    ------
    ValueError
        When the columns are (nearly) multiples of each other.
    """
    jacobian = _gradient(load, theta)
    lengths = np.sqrt((jacobian**2).sum(axis=0))
    if (lengths == 0).any() or np.linalg.cond(jacobian / lengths) > MAX_CONDITION:
        raise ValueError("the levels do not tell the coefficients apart")
    scaled = jacobian / lengths
    inverse = np.linalg.inv(scaled.T @ scaled)
    return np.asarray(inverse / np.outer(lengths, lengths), dtype=np.float64)


def _proportional(
    load: FloatArray, theta: FloatArray, inverse: FloatArray, rss: float
) -> FloatArray:
    """Covariance of least squares whose noise is proportional to the curve.

    The noise's size is that which makes the residuals' sum of squares what it is on
    average, RSS / sum((1 - leverage) X^2), leverage of each level on itself.
    """
    jacobian = _gradient(load, theta)
    weights = jacobian @ inverse
    squares = _law(load, theta) ** 2
    leverage = np.einsum("ni,ni->n", weights, jacobian)
    relative = rss / float((1 - leverage) @ squares)
    return np.asarray((weights * squares[:, None]).T @ weights * relative, dtype=np.float64)


def _coefficient(
    value: float, variance: float, proportional: float, df: int, *, at_bound: bool
) -> Coefficient:
    t, error = student_t(CONFIDENCE, df), math.sqrt(variance)
    larger = max(error, math.sqrt(proportional))
    return Coefficient(
        value=value,
        standard_error=error,
        low=value - t * error,
        high=value + t * error,
        error=larger,
        least=value - t * larger,
        at_bound=at_bound,
    )
