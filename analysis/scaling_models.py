"""Models of throughput over load, beside each other, and the choice between them.

::

    linear       X = lambda N                            nothing is shared
    amdahl       X = lambda N / (1 + sigma (N - 1))      some work waits for its turn
    asymptotes   X = min(N / R, Xmax)                    a closed queue at its bounds
    usl          X = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

With users instead of requests in flight, and a fixed think time Z, the R of the
asymptotes is Z + R0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.law import FloatArray, Law
from analysis.usl import solve_law

USL = "usl"

TOLD_APART = 2.0
"""Difference of AICc below which two models are as good (Burnham and Anderson 2002)."""

HELD_OUT = 2
"""Top levels that a model must foretell from those below."""

_EXACT = 1e-12  # residuals below this part of the highest throughput are rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Asymptotes:
    """The bounds of a closed queue, X <= min(N / R, Xmax).

    Attributes
    ----------
    response_s : float
        R0, or Z + R0 over users, in seconds; above 0.
    most : float
        Xmax, requests per second; above 0.
    """

    response_s: float
    most: float

    def throughput(self, load: npt.ArrayLike) -> FloatArray:
        """Evaluate the bounds.

        Parameters
        ----------
        load : array_like, shape (m,)
            Requests in flight, or users.

        Returns
        -------
        ndarray of float, shape (m,)
            Requests per second.
        """
        n = np.asarray(load, dtype=np.float64)
        return np.asarray(np.minimum(n / self.response_s, self.most), dtype=np.float64)

    @property
    def knee(self) -> float:
        """Load at which the bounds meet, N* = R Xmax."""
        return self.response_s * self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFit:
    """A model, fitted by least squares.

    Attributes
    ----------
    name : str
        ``"linear"``, ``"amdahl"``, ``"asymptotes"`` or ``"usl"``.
    curve : Law or Asymptotes
        With its coefficients.
    rmse : float
        Root of the mean squared residual, requests per second.
    aicc : float or None
        Akaike's criterion for few observations; None where there are too few.
    held_out : float or None
        Relative error (root mean square) at the two top levels of the model fitted
        to the others; None where those do not determine it.
    """

    name: str
    curve: Law | Asymptotes
    rmse: float
    aicc: float | None
    held_out: float | None

    @property
    def coefficients(self) -> dict[str, float]:
        """Coefficients by the names of the drawing at the top."""
        if isinstance(self.curve, Asymptotes):
            return {"response_s": self.curve.response_s, "xmax": self.curve.most}
        law = self.curve
        known = {"lambda": law.lambda_, "sigma": law.sigma, "kappa": law.kappa}
        return {name: known[name] for name in _LAWS[self.name]}

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "name": self.name,
            "coefficients": self.coefficients,
            "rmse": self.rmse,
            "aicc": self.aicc,
            "held_out": self.held_out,
        }


_LAWS = {
    "linear": ("lambda",),
    "amdahl": ("lambda", "sigma"),
    USL: ("lambda", "sigma", "kappa"),
}


def curve_of(model: Mapping[str, Any]) -> Law | Asymptotes:
    """Make the curve of a model again.

    Parameters
    ----------
    model : mapping
        As :meth:`ModelFit.as_dict` wrote it.

    Returns
    -------
    Law or Asymptotes
        With its coefficients.
    """
    found = model["coefficients"]
    if model["name"] == "asymptotes":
        return Asymptotes(response_s=found["response_s"], most=found["xmax"])
    return Law(
        sigma=found.get("sigma", 0.0), kappa=found.get("kappa", 0.0), lambda_=found["lambda"]
    )


def fit_linear(load: FloatArray, x: FloatArray) -> Law:
    """Fit the line through the origin.

    Parameters
    ----------
    load, x : ndarray, shape (n,)
        Requests in flight and per second; not all 0.

    Returns
    -------
    Law
        Without sigma and kappa.
    """
    return Law(sigma=0.0, kappa=0.0, lambda_=float(load @ x / (load @ load)))


def fit_amdahl(load: FloatArray, x: FloatArray) -> Law:
    """Fit Amdahl's law.

    Parameters
    ----------
    load, x : ndarray, shape (n,)
        Requests in flight and per second; not all 0.

    Returns
    -------
    Law
        Without kappa.

    References
    ----------
    Amdahl (1967), "Validity of the single processor approach".
    """
    sigma, _, lambda_ = solve_law(load, x, coherency=False)[0]
    return Law(sigma=float(sigma), kappa=0.0, lambda_=float(lambda_))


def fit_law(load: FloatArray, x: FloatArray) -> Law:
    """Fit the Universal Scalability Law, without its errors.

    Parameters
    ----------
    load, x : ndarray, shape (n,)
        Requests in flight and per second; not all 0.

    Returns
    -------
    Law
        All three coefficients.
    """
    sigma, kappa, lambda_ = solve_law(load, x)[0]
    return Law(sigma=float(sigma), kappa=float(kappa), lambda_=float(lambda_))


def fit_asymptotes(load: FloatArray, x: FloatArray) -> Asymptotes:
    """Fit the bounds of a closed queue.

    Parameters
    ----------
    load, x : ndarray, shape (n,)
        Requests in flight and per second; not all 0.

    Returns
    -------
    Asymptotes
        Of the least squares over all places of the knee.

    Raises
    ------
    ValueError
        When throughput is above 0 at no level that a bound can begin with.

    References
    ----------
    Denning and Buzen (1978), "The operational analysis of queueing network models".
    """
    order = np.argsort(load, kind="stable")
    n_in, seen = load[order], x[order]
    best, least = None, math.inf
    for rising in range(1, len(n_in) + 1):
        below, above = slice(0, rising), slice(rising, None)
        slope = float(n_in[below] @ seen[below] / (n_in[below] @ n_in[below]))
        # Without a level beyond the knee the bound was not met: it is not below the highest.
        most = float(seen[above].mean()) if rising < len(n_in) else slope * float(n_in[-1])
        if slope <= 0 or most <= 0:
            continue
        found = Asymptotes(response_s=1 / slope, most=most)
        cost = float(((seen - found.throughput(n_in)) ** 2).sum())
        if cost < least:
            best, least = found, cost
    if best is None:
        raise ValueError("throughput is 0 at every level, or above 0 at none that is low")
    return best


_MODELS: tuple[tuple[str, int, Callable[[FloatArray, FloatArray], Law | Asymptotes]], ...] = (
    ("linear", 1, fit_linear),
    ("amdahl", 2, fit_amdahl),
    ("asymptotes", 2, fit_asymptotes),
    (USL, 3, fit_law),
)


def fit_models(load: npt.ArrayLike, throughput: npt.ArrayLike) -> tuple[ModelFit, ...]:
    """Fit every model.

    Parameters
    ----------
    load, throughput : array_like, shape (n,)
        Requests in flight and per second, as :func:`analysis.usl.fit_usl` takes them.

    Returns
    -------
    tuple of ModelFit
        In the order of their number of coefficients.
    """
    n_in = np.asarray(load, dtype=np.float64)
    x = np.asarray(throughput, dtype=np.float64)
    below = np.isin(n_in, np.unique(n_in)[:-HELD_OUT])
    fitted = []
    for name, size, fit in _MODELS:
        curve = fit(n_in, x)
        rss = float(((x - curve.throughput(n_in)) ** 2).sum())
        enough = len(np.unique(n_in[below])) > size and x[below].max() > 0
        held_out = (
            _foretold(fit(n_in[below], x[below]), n_in[~below], x[~below]) if enough else None
        )
        fitted.append(
            ModelFit(
                name=name,
                curve=curve,
                rmse=math.sqrt(rss / len(x)),
                aicc=_aicc(rss, float(x.max()), len(x), size),
                held_out=held_out,
            )
        )
    return tuple(fitted)


def _foretold(curve: Law | Asymptotes, load: FloatArray, x: FloatArray) -> float | None:
    if (x == 0).any():
        return None
    return float(np.sqrt(np.mean((curve.throughput(load) / x - 1) ** 2)))


def _aicc(rss: float, most: float, n: int, size: int) -> float | None:
    """Akaike's criterion with the correction for few observations; the variance counts as one.

    References
    ----------
    Hurvich and Tsai (1989), "Regression and time series model selection in small samples":
    n ln(RSS / n) + 2 k + 2 k (k + 1) / (n - k - 1).
    """
    k = size + 1
    if n <= k + 1:
        return None
    mean = max(rss / n, (_EXACT * most) ** 2)
    return n * math.log(mean) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def choose(models: Sequence[ModelFit], *, falls: bool) -> ModelFit:
    """Choose the model that tells the most of what was seen with the fewest coefficients.

    Parameters
    ----------
    models : sequence of ModelFit
        Of the same levels.
    falls : bool
        Whether throughput was seen to fall beyond a peak: only the law can.

    Returns
    -------
    ModelFit
        With the least AICc; among those that it does not tell apart, the one that
        foretold the top levels best.
    """
    able = [model for model in models if model.name == USL or not falls]
    judged = [model for model in able if model.aicc is not None]
    if not judged:
        return able[-1]
    least = min(model.aicc for model in judged if model.aicc is not None)
    close = [m for m in judged if m.aicc is not None and m.aicc <= least + TOLD_APART]
    return min(close, key=lambda m: (math.inf if m.held_out is None else m.held_out, m.aicc))
