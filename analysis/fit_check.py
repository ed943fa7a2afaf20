"""Whether a fitted curve bends as the data do: its residuals, looked at in order of load."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from analysis.law import FloatArray

SURELY = 0.05
"""A pattern of signs, or a lack of fit, that chance brings about less often is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitCheck:
    """Residuals of a curve.

    Attributes
    ----------
    signs : str
        ``"+"`` (measured above the curve) or ``"-"``, a level each in order of load.
    runs_p : float or None
        How often chance alone gives so few changes of sign; None where all are equal.
    lack_of_fit_p : float or None
        How often the spread of repetitions alone puts their means so far from the
        curve; None without repetitions.
    worst_load, worst : float
        Load of the largest residual relative to the curve, and that residual.
    """

    signs: str
    runs_p: float | None
    lack_of_fit_p: float | None
    worst_load: float
    worst: float

    @property
    def bends_otherwise(self) -> bool:
        """Whether the data bend otherwise than the curve, beyond chance."""
        return any(p is not None and p < SURELY for p in (self.runs_p, self.lack_of_fit_p))

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "signs": self.signs,
            "runs_p": self.runs_p,
            "lack_of_fit_p": self.lack_of_fit_p,
            "worst_load": self.worst_load,
            "worst": self.worst,
            "bends_otherwise": self.bends_otherwise,
        }


def runs_p(signs: npt.ArrayLike) -> float | None:
    """Compute how often chance arranges signs in so few runs.

    Parameters
    ----------
    signs : array_like of bool, shape (n,)
        In order.

    Returns
    -------
    float or None
        One-sided; None when there is only one sign.

    References
    ----------
    Wald and Wolfowitz (1940), "On a test whether two samples are from the same
    population"; exact, by counting the arrangements.
    """
    found = np.asarray(signs, dtype=bool)
    plus = int(found.sum())
    minus = len(found) - plus
    if not plus or not minus:
        return None
    seen = 1 + int((found[1:] != found[:-1]).sum())
    ways = sum(_arrangements(runs, plus, minus) for runs in range(2, seen + 1))
    return ways / math.comb(plus + minus, plus)


def _arrangements(runs: int, plus: int, minus: int) -> int:
    def split(items: int, parts: int) -> int:
        return math.comb(items - 1, parts - 1) if 0 < parts <= items else 0

    half = runs // 2
    if runs % 2 == 0:
        return 2 * split(plus, half) * split(minus, half)
    return split(plus, half + 1) * split(minus, half) + split(plus, half) * split(minus, half + 1)


def lack_of_fit_p(
    load: FloatArray, x: FloatArray, fitted: FloatArray, coefficients: int
) -> float | None:
    """Hold the distance of levels' means from a curve against the spread of repetitions.

    Parameters
    ----------
    load, x, fitted : ndarray, shape (n,)
        Load, measured, and the curve; equal loads are repetitions.
    coefficients : int
        Of the curve.

    Returns
    -------
    float or None
        How often chance alone gives as much; None without repetitions, or with as few
        levels as coefficients, or when repetitions are all equal.

    References
    ----------
    The F test for lack of fit, Draper and Smith, "Applied regression analysis". Noise may
    be equal at all levels or grow with throughput, and the test is made for either: the
    larger chance counts, for a curve of least squares is not the best one for both.
    """
    levels, which = np.unique(load, return_inverse=True)
    df_lack, df_pure = len(levels) - coefficients, len(x) - len(levels)
    if df_lack <= 0 or df_pure <= 0 or (fitted <= 0).any():
        return None
    found = [
        _lack_p(residuals, which, df_lack, df_pure) for residuals in (x - fitted, x / fitted - 1)
    ]
    return max((p for p in found if p is not None), default=None)


def _lack_p(
    residuals: FloatArray, which: npt.NDArray[np.intp], df_lack: int, df_pure: int
) -> float | None:
    counts = np.bincount(which)
    means = np.bincount(which, residuals) / counts
    pure = float(((residuals - means[which]) ** 2).sum()) / df_pure
    if pure == 0:
        return None
    lack = float((counts * means**2).sum()) / df_lack
    return float(fdtrc(df_lack, df_pure, lack / pure))


def check_fit(
    load: npt.ArrayLike, throughput: npt.ArrayLike, fitted: npt.ArrayLike, coefficients: int
) -> FitCheck:
    """Look at the residuals of a curve.

    Parameters
    ----------
    load, throughput, fitted : array_like, shape (n,)
        Load, measured, and the curve; equal loads are repetitions.
    coefficients : int
        Of the curve.

    Returns
    -------
    FitCheck
        Signs are those of the means of repetitions.
    """
    n_in = np.asarray(load, dtype=np.float64)
    x = np.asarray(throughput, dtype=np.float64)
    curve = np.asarray(fitted, dtype=np.float64)
    levels, which = np.unique(n_in, return_inverse=True)
    residuals = np.bincount(which, x - curve) / np.bincount(which)
    at = np.bincount(which, curve) / np.bincount(which)
    # What is rounding of a curve met exactly has no sign to speak of.
    told = np.abs(residuals) > 1e-9 * np.abs(curve).max()
    relative = np.divide(residuals, at, out=np.zeros_like(at), where=at > 0)
    worst = int(np.argmax(np.abs(relative)))
    return FitCheck(
        signs="".join("+" if r > 0 else "-" for r in residuals[told]),
        runs_p=runs_p(residuals[told] > 0),
        lack_of_fit_p=lack_of_fit_p(n_in, x, curve, coefficients),
        worst_load=float(levels[worst]),
        worst=float(relative[worst]),
    )
