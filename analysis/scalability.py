"""Scalability: the Universal Scalability Law, and what may be claimed from it.

::

    X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

    N       requests in flight on average (not users: with think time a system that
            merely saturates looks as if it had a peak)
    X       throughput, requests per second
    lambda  throughput of one request in flight
    sigma   contention: the share that waits for its turn
    kappa   coherency: what it costs that all agree; only kappa > 0 gives a peak

A curve that fits well proves nothing about where it was not measured. A peak or a
saturation is therefore claimed from the measured levels; the fit only places it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t

FloatArray = npt.NDArray[np.float64]

MIN_LEVELS = 6
"""Three parameters from fewer levels are a drawing, not a measurement (Gunther)."""

MIN_SPREAD = 2.0
"""Factor by which the number in flight must differ between the levels."""

FLAT_LOAD = 2.0
"""Factor by which the number in flight must have grown where a curve is called flat."""

FLAT_GROWTH = 0.25
"""Growth of throughput that the intervals must exclude where a curve is called flat:
intervals so wide that this much could hide in them show nothing."""

PARAMETERS = 3

MAX_CONDITION = 1e7
"""Beyond it J'J, whose condition is the square, has no digit left to invert."""

CONFIDENCE = 0.95
METHOD = "USL by bounded least squares; Student t"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one level of load gave.

    Attributes
    ----------
    users : float
        Users, or arrivals per second, asked for: its name.
    in_flight, throughput : Estimate
        Mean number of requests in flight, and requests per second.
    valid : bool
        An invalid level leaves the fit.
    """

    users: float
    in_flight: Estimate
    throughput: Estimate
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalability:
    """How throughput grew with load.

    Attributes
    ----------
    sigma, kappa, lambda_ : Estimate
        Coefficients of the law.
    peak : Estimate
        Requests in flight at which throughput is highest, where a higher level
        was seen to lie below by more than both intervals.
    saturation : Estimate
        Throughput that more load no longer raises, where there is no peak.
    levels : int
        Levels that were fitted, or would have been.
    refused : str or None
        Why nothing was fitted.
    fit : UslFit or None
        The fit with all that a figure needs.
    """

    sigma: Estimate
    kappa: Estimate
    lambda_: Estimate
    peak: Estimate
    saturation: Estimate
    levels: int
    refused: str | None
    fit: UslFit | None
    model: str = "usl"
    axis: str = "in_flight"

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does, but for the capacity.

        Returns
        -------
        dict
            Plain numbers, texts, dicts and None.
        """
        return {
            "model": self.model,
            "axis": self.axis,
            "sigma": self.sigma.as_dict(),
            "kappa": self.kappa.as_dict(),
            "lambda": self.lambda_.as_dict(),
            "peak": self.peak.as_dict(),
            "saturation": self.saturation.as_dict(),
            "levels": self.levels,
            "refused": self.refused,
        }


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


def scalability(levels: Sequence[Level]) -> Scalability:
    """Fit the law to the valid levels, and say what they show.

    Parameters
    ----------
    levels : sequence of Level
        In any order.

    Returns
    -------
    Scalability
        Without coefficients, and with the reason, when fewer than six levels are
        valid and have numbers, or their numbers in flight differ by less than a
        factor of two.
    """
    valid = [level for level in levels if level.valid]
    used = sorted(filter(_has_numbers, valid), key=lambda level: _number(level.in_flight))
    refused = _refusal(len(valid), used)
    fit = None
    if refused is None:
        try:
            fit = fit_usl(
                [_number(level.in_flight) for level in used],
                [_number(level.throughput) for level in used],
            )
        except ValueError as error:
            refused = f"the law cannot be fitted: {error}"
    if fit is None:
        why = refused or ""
        return Scalability(
            sigma=not_estimable(why, n=len(used)),
            kappa=not_estimable(why, n=len(used)),
            lambda_=not_estimable(why, unit="1/s", n=len(used)),
            peak=not_estimable(why, unit="requests", n=len(used)),
            saturation=not_estimable(why, unit="1/s", n=len(used)),
            levels=len(used),
            refused=refused,
            fit=None,
        )
    peak, saturation = _claims(used, fit)
    return Scalability(
        sigma=_estimate(fit.sigma, len(used), ""),
        kappa=_estimate(fit.kappa, len(used), ""),
        lambda_=_estimate(fit.lambda_, len(used), "1/s"),
        peak=peak,
        saturation=saturation,
        levels=len(used),
        refused=None,
        fit=fit,
    )


def _has_numbers(level: Level) -> bool:
    in_flight, x = level.in_flight.value, level.throughput.value
    return in_flight is not None and in_flight > 0 and x is not None


def _number(estimate: Estimate) -> float:
    if estimate.value is None:
        raise ValueError("an estimate without a value came through")
    return estimate.value


def _refusal(valid: int, used: list[Level]) -> str | None:
    if len(used) < MIN_LEVELS:
        without = f" ({valid - len(used)} more have no numbers)" if valid > len(used) else ""
        return f"{len(used)} valid levels{without}; the law needs at least {MIN_LEVELS}"
    low, high = _number(used[0].in_flight), _number(used[-1].in_flight)
    if high < MIN_SPREAD * low:
        return (
            f"requests in flight went from {low:.3g} to {high:.3g} only; "
            f"the law needs a factor of {MIN_SPREAD:g}"
        )
    return None


def _estimate(coefficient: Coefficient, n: int, unit: str) -> Estimate:
    why = "at the bound of what the law allows: its interval is an indication"
    return Estimate(
        value=coefficient.value,
        low=coefficient.low,
        high=coefficient.high,
        level=CONFIDENCE,
        n=n,
        unit=unit,
        method=METHOD,
        why=why if coefficient.at_bound else None,
    )


def _claims(used: list[Level], fit: UslFit) -> tuple[Estimate, Estimate]:
    """Peak and saturation: at most one of them is claimed, and seen levels decide."""
    n = len(used)

    def neither(peak: str, saturation: str) -> tuple[Estimate, Estimate]:
        return (
            not_estimable(peak, unit="requests", n=n),
            not_estimable(saturation, unit="1/s", n=n),
        )

    spans = [(level.throughput.low, level.throughput.high) for level in used]
    ends = [(low, high) for low, high in spans if low is not None and high is not None]
    if len(ends) < n:
        why = "a level's throughput has no interval: a rise or a fall cannot be told from chance"
        return neither(why, why)
    top = max(range(n), key=lambda i: _number(used[i].throughput))
    if any(high < ends[top][0] for _, high in ends[top + 1 :]):
        saturation = not_estimable("throughput falls beyond a peak", unit="1/s", n=n)
        return _peak(used, fit, top), saturation
    no_peak = "no higher level lies below the maximum by more than both intervals"
    flat = _plateau(used, ends)
    if flat is None:
        rising = (
            "throughput was not seen to stay level while requests in flight "
            f"grew by a factor of {FLAT_LOAD:g}"
        )
        return neither(no_peak, rising)
    saturation = Estimate(
        value=float(np.mean([_number(level.throughput) for level in used[flat:]])),
        low=min(low for low, _ in ends[flat:]),
        high=max(high for _, high in ends[flat:]),
        level=used[flat].throughput.level,
        n=n - flat,
        unit="1/s",
        method="mean of the levels that do not differ; all their intervals together",
    )
    return not_estimable(f"{no_peak}: it saturates", unit="requests", n=n), saturation


def _plateau(used: list[Level], ends: list[tuple[float, float]]) -> int | None:
    """First of the levels over which throughput stayed level up to the top, if any.

    Level means: from it to the highest load, requests in flight doubled at least;
    no level between lies outside of its interval and its own; and growth by a
    quarter can be excluded, so that wide intervals alone make nothing level.
    """
    highest = _number(used[-1].in_flight)
    for first, level in enumerate(used[:-1]):
        low, high = ends[first]
        doubled = highest >= FLAT_LOAD * _number(level.in_flight)
        above = ends[first + 1 :]
        overlapping = all(other[0] <= high and other[1] >= low for other in above)
        excluded = max(end for _, end in above) < (1 + FLAT_GROWTH) * low
        if doubled and overlapping and excluded:
            return first
    return None


def _peak(used: list[Level], fit: UslFit, top: int) -> Estimate:
    """Place a peak that was seen: by the fit within what was measured, else between levels.

    References
    ----------
    The delta method on ln N_peak = (ln(1 - sigma) - ln kappa) / 2, whose error is
    closer to symmetric than that of N_peak itself.
    """
    n = len(used)
    loads = [_number(level.in_flight) for level in used]
    place = fit.peak_load
    if place is None or fit.kappa.at_bound or not loads[0] <= place <= loads[-1]:
        return Estimate(
            value=loads[top],
            low=loads[max(top - 1, 0)],
            high=loads[top + 1],
            n=n,
            unit="requests",
            method="the highest level, between its neighbours",
        )
    gradient = np.array([-0.5 / (1 - fit.sigma.value), -0.5 / fit.kappa.value, 0.0])
    error = math.sqrt(max(0.0, float(gradient @ np.array(fit.cov) @ gradient)))
    factor = math.exp(min(student_t(CONFIDENCE, fit.residual_df) * error, 700.0))
    return Estimate(
        value=place,
        low=place / factor,
        high=place * factor,
        level=CONFIDENCE,
        n=n,
        unit="requests",
        method="sqrt((1 - sigma) / kappa); delta method on its logarithm",
    )
