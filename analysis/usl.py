"""The Universal Scalability Law: throughput against the number in flight, fitted.

::

    X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

    N       requests in flight on average (not users: with think time a system that
            merely saturates looks as if it had a peak)
    X       throughput, requests per second
    lambda  throughput of one request in flight
    sigma   contention: the share that waits for its turn
    kappa   coherency: what it costs that all agree; only kappa > 0 gives a peak
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from analysis.intervals import student_t

FloatArray = npt.NDArray[np.float64]

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
    at_bound : bool
        Whether the fit would have gone further than it was allowed; the interval
        is then only an indication.
    """

    value: float
    standard_error: float
    low: float
    high: float
    at_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UslFit:
    """The law, fitted.

    Attributes
    ----------
    sigma, kappa, lambda_ : Coefficient
        Contention and coherency (0..1), and requests per second (above 0).
    cov : tuple of tuple of float, shape (3, 3)
        Covariance of sigma, kappa, lambda.
    r2, rmse, residual_se : float
        Shown, and decide nothing: a law that bends fits almost any curve that
        does. The errors are in requests per second, over n and over `residual_df`.
    residual_df : int
        Levels less three.
    peak_load, peak_throughput : float or None
        Where the fitted curve is highest; None when it has no peak.
    asymptote : float or None
        lambda / sigma, which no load exceeds without kappa; None without sigma.
    """

    sigma: Coefficient
    kappa: Coefficient
    lambda_: Coefficient
    cov: tuple[tuple[float, float, float], ...]
    r2: float
    rmse: float
    residual_se: float
    residual_df: int
    peak_load: float | None
    peak_throughput: float | None
    asymptote: float | None

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
        theta = np.array([self.sigma.value, self.kappa.value, self.lambda_.value])
        return _law(np.asarray(load, dtype=np.float64), theta)


def _law(load: FloatArray, theta: FloatArray) -> FloatArray:
    sigma, kappa, lambda_ = theta
    return np.asarray(lambda_ * load / _divisor(load, sigma, kappa), dtype=np.float64)


def _divisor(load: FloatArray, sigma: float, kappa: float) -> FloatArray:
    # Positive for every load above 0 while sigma and kappa are in 0..1: below one
    # request in flight, too, where it is at least load ** 2.
    return np.asarray(1 + sigma * (load - 1) + kappa * load * (load - 1), dtype=np.float64)


def _gradient(load: FloatArray, theta: FloatArray) -> FloatArray:
    """Differentiate X by sigma, kappa and lambda, a column each."""
    sigma, kappa, lambda_ = theta
    d = _divisor(load, sigma, kappa)
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
    theta, bounds = _solve(n_in, x)
    residuals = x - _law(n_in, theta)
    rss, df = float(residuals @ residuals), len(x) - PARAMETERS
    cov = _covariance(n_in, theta) * rss / df
    total = float(((x - x.mean()) ** 2).sum())
    coefficients = [
        _coefficient(float(value), math.sqrt(cov[i, i]), df, at_bound=bool(bounds[i]))
        for i, value in enumerate(theta)
    ]
    sigma, kappa, lambda_ = (float(value) for value in theta)
    peak = math.sqrt((1 - sigma) / kappa) if kappa > 0 and sigma < 1 else None
    return UslFit(
        sigma=coefficients[0],
        kappa=coefficients[1],
        lambda_=coefficients[2],
        cov=tuple((float(a), float(b), float(c)) for a, b, c in cov),
        r2=1 - rss / total if total > 0 else 0.0,
        rmse=math.sqrt(rss / len(x)),
        residual_se=math.sqrt(rss / df),
        residual_df=df,
        peak_load=peak,
        peak_throughput=None if peak is None else float(_law(np.array([peak]), theta)[0]),
        asymptote=lambda_ / sigma if sigma > 0 else None,
    )


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


def _solve(load: FloatArray, x: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Best coefficients, and which of them lie on a bound.

    Throughput is divided by its maximum and lambda by its start, so that all three
    unknowns and the residuals are of order one.
    """
    scale, start = float(x.max()), float((x / load).max())
    unit = np.array([1.0, 1.0, start])

    def residuals(theta: FloatArray) -> FloatArray:
        return (_law(load, theta * unit) - x) / scale

    def jacobian(theta: FloatArray) -> FloatArray:
        return np.asarray(_gradient(load, theta * unit) * unit / scale, dtype=np.float64)

    # A curve that is almost flat and one that turns early have their own valleys.
    found = [
        least_squares(
            residuals,
            [sigma, kappa, 1.0],
            jac=jacobian,
            bounds=([0.0, 0.0, 0.0], [1.0, 1.0, np.inf]),
            method="trf",
            x_scale="jac",
            ftol=1e-15,
            xtol=1e-15,
            gtol=1e-15,
            max_nfev=1000,
        )
        for sigma, kappa in ((0.01, 1e-4), (0.5, 1e-6), (0.1, 0.05))
    ]
    best = min(found, key=lambda result: float(result.cost))
    theta = np.asarray(best.x, dtype=np.float64)
    # The method stays inside and only comes close: a bound is taken where that is no worse.
    for i, bound in ((0, 0.0), (0, 1.0), (1, 0.0), (1, 1.0)):
        trial = theta.copy()
        trial[i] = bound
        cost = float((residuals(trial) ** 2).sum())
        if cost <= float((residuals(theta) ** 2).sum()) * (1 + 1e-9):
            theta = trial
    on_bound = np.array([theta[0] in {0.0, 1.0}, theta[1] in {0.0, 1.0}, False])
    return theta * unit, on_bound


def _covariance(load: FloatArray, theta: FloatArray) -> FloatArray:
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


def _coefficient(value: float, error: float, df: int, *, at_bound: bool) -> Coefficient:
    half = student_t(CONFIDENCE, df) * error
    return Coefficient(
        value=value,
        standard_error=error,
        low=value - half,
        high=value + half,
        at_bound=at_bound,
    )
