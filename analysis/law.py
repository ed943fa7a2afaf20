"""The Universal Scalability Law as a formula: throughput at a load, and the ways back.

::

    X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

    N       requests in flight on average (not users: with think time a system that
            merely saturates looks as if it had a peak)
    X       throughput, requests per second
    lambda  throughput of one request in flight
    sigma   contention: the share that waits for its turn
    kappa   coherency: what it costs that all agree; only kappa > 0 gives a peak

With kappa = 0 it is Amdahl's law, with sigma = 0 as well it is a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def divisor(load: FloatArray, sigma: float, kappa: float) -> FloatArray:
    """Compute what throughput falls behind a line by: the law is lambda N over this.

    Parameters
    ----------
    load : ndarray, shape (m,)
        Requests in flight.
    sigma, kappa : float
        Contention and coherency.

    Returns
    -------
    ndarray of float, shape (m,)
        1 + sigma (N - 1) + kappa N (N - 1). Positive for every load above 0 while sigma
        and kappa are in 0..1: below one request in flight, too, where it is at least N^2.
    """
    return np.asarray(1 + sigma * (load - 1) + kappa * load * (load - 1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Where the time of a unit of work goes at a load, as parts of its time alone.

    Attributes
    ----------
    ideal, contention, coherency : ndarray, shape (m,)
        1/N, sigma (N - 1) / N and kappa (N - 1): together they are the time that a
        unit of work takes, of which 1 is that of one request in flight.

    References
    ----------
    Gunther, "Guerrilla Capacity Planning" (2007). R's package usl prints half of the
    coherency, so that its parts do not add up to the whole.
    """

    ideal: FloatArray
    contention: FloatArray
    coherency: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The law with its coefficients.

    Attributes
    ----------
    sigma, kappa : float
        Contention and coherency, 0..1.
    lambda_ : float
        Requests per second of one request in flight, above 0.
    """

    sigma: float
    kappa: float
    lambda_: float

    def __post_init__(self) -> None:
        if not (0 <= self.sigma <= 1 and 0 <= self.kappa <= 1 and 0 < self.lambda_ < math.inf):
            raise ValueError(
                f"found sigma {self.sigma}, kappa {self.kappa}, lambda {self.lambda_}; "
                "allowed: 0 to 1, 0 to 1, above 0"
            )

    def throughput(self, load: npt.ArrayLike) -> FloatArray:
        """Evaluate the law.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight, 0 or more.

        Returns
        -------
        ndarray of float, shape (m,)
            Requests per second.
        """
        n = np.asarray(load, dtype=np.float64)
        return np.asarray(self.lambda_ * n / divisor(n, self.sigma, self.kappa), dtype=np.float64)

    def efficiency(self, load: npt.ArrayLike) -> FloatArray:
        """Say which share of a linear growth is reached.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight, above 0.

        Returns
        -------
        ndarray of float, shape (m,)
            X(N) / (N lambda); 1 at one in flight.
        """
        n = np.asarray(load, dtype=np.float64)
        return np.asarray(1 / divisor(n, self.sigma, self.kappa), dtype=np.float64)

    def overhead(self, load: npt.ArrayLike) -> Overhead:
        """Split the time of a unit of work.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight, at least 1.

        Returns
        -------
        Overhead
            Ideal, contention and coherency.
        """
        n = np.asarray(load, dtype=np.float64)
        return Overhead(
            ideal=np.asarray(1 / n, dtype=np.float64),
            contention=np.asarray(self.sigma * (n - 1) / n, dtype=np.float64),
            coherency=np.asarray(self.kappa * (n - 1), dtype=np.float64),
        )

    def mean_response_s(self, load: npt.ArrayLike) -> FloatArray:
        """Compute the mean response time by Little's law, N / X(N).

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight.

        Returns
        -------
        ndarray of float, shape (m,)
            Seconds.
        """
        n = np.asarray(load, dtype=np.float64)
        return np.asarray(divisor(n, self.sigma, self.kappa) / self.lambda_, dtype=np.float64)

    @property
    def peak_load(self) -> float | None:
        """Requests in flight at which throughput is highest; None without a peak."""
        if self.kappa == 0 or self.sigma == 1:
            return None
        return math.sqrt((1 - self.sigma) / self.kappa)

    @property
    def peak_throughput(self) -> float | None:
        """Highest throughput, requests per second; None without a peak."""
        peak = self.peak_load
        return None if peak is None else float(self.throughput(peak))

    @property
    def asymptote(self) -> float | None:
        """Throughput that contention alone allows, lambda / sigma; None without contention."""
        return self.lambda_ / self.sigma if self.sigma > 0 else None

    def load_at_throughput(self, throughput: float) -> float:
        """Find the lowest load that gives a throughput.

        Parameters
        ----------
        throughput : float
            Requests per second, above 0.

        Returns
        -------
        float
            Requests in flight.

        Raises
        ------
        ValueError
            When the law does not reach that throughput.

        References
        ----------
        The smaller root of kappa X N^2 + (X (sigma - kappa) - lambda) N + (1 - sigma) X = 0.
        """
        a = self.kappa * throughput
        b = throughput * (self.sigma - self.kappa) - self.lambda_
        c = (1 - self.sigma) * throughput
        under = b * b - 4 * a * c
        # At the peak itself the root is double, and rounding may take it below 0.
        if -1e-12 * b * b < under < 0:
            under = 0.0
        if throughput <= 0 or b >= 0 or under < 0 or c == 0:
            most = self.peak_throughput or self.asymptote
            limit = "" if most is None else f" and at most {most:.6g}"
            raise ValueError(f"found throughput {throughput:g}; allowed: above 0{limit}")
        return 2 * c / (-b + math.sqrt(under))

    def load_at_mean_response(self, response_s: float) -> float:
        """Find the load at which requests take so long on average.

        Parameters
        ----------
        response_s : float
            Seconds, more than a lone request takes when there is next to no load.

        Returns
        -------
        float
            Requests in flight.

        Raises
        ------
        ValueError
            When the law never has that response time, or always has.

        References
        ----------
        The larger root of kappa N^2 + (sigma - kappa) N + 1 - sigma - lambda R = 0. What
        usl4j and its ports compute leaves kappa out.
        """
        excess = self.lambda_ * response_s - (1 - self.sigma)
        if self.sigma == 0 and self.kappa == 0:
            raise ValueError("response time does not depend on load by this law")
        b = self.sigma - self.kappa
        under = b * b + 4 * self.kappa * excess
        # With less contention than coherency response time falls at first, below N = 1/2.
        if under < 0 or (b >= 0 and excess <= 0):
            least = (1 - self.sigma) / self.lambda_
            raise ValueError(f"found {response_s:g} s; allowed: more than {least:.6g} s")
        root = math.sqrt(under)
        # The form without cancellation, for either sign of b.
        return 2 * excess / (b + root) if b >= 0 else (root - b) / (2 * self.kappa)

    def throughput_at_mean_response(self, response_s: float) -> float:
        """Find the throughput at which requests take so long on average.

        Parameters
        ----------
        response_s : float
            Seconds, as :meth:`load_at_mean_response` takes them.

        Returns
        -------
        float
            Requests per second: that load over that time (Little's law).
        """
        return self.load_at_mean_response(response_s) / response_s
