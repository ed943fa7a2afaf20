"""How the time of an operation grows with the volume of data.

The law is T(V) = c V^b: b is the slope of ln T over ln V. What b means in words, over the
volumes that were measured, and only where its interval lies within one class::

    constant      b below 0.05: at most an eighth more for ten times the data
    logarithmic   b up to 0.25: what a search in a tree gives over two decades
    sublinear     b up to 0.9
    linear        around 1: ten times the data, ten times the time
    worse         b above 1.1
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t

Floats = npt.NDArray[np.float64]

CLASSES = (
    ("constant", 0.05),
    ("logarithmic", 0.25),
    ("sublinear", 0.9),
    ("linear", 1.1),
    ("worse than linear", math.inf),
)
"""Name of each class and the exponent at which it ends."""

METHOD = "log-log slope; least squares weighted by the intervals, Student t on the lack of fit"
SPREAD_METHOD = "log-log slope; least squares, Student t"
NORMAL_95 = 1.959963984540054

CONFIDENCE = 0.95

LEAST_SPREAD = 2.0
"""Factor by which the volumes must differ."""

FEWEST = 3
"""Runs that an interval takes: any two lie on a line, and do not show by how much runs differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How one operation's time grows.

    Attributes
    ----------
    exponent : Estimate
        b of T = c V^b.
    words : str
        Its class, or between which classes it lies.
    low_among_all : float or None
        Lower end that is right for all operations of a family together (Bonferroni).
    """

    exponent: Estimate
    words: str
    low_among_all: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does.

        Returns
        -------
        dict
            The estimate and the words.
        """
        return {
            "exponent": self.exponent.as_dict(),
            "words": self.words,
            "low_among_all": self.low_among_all,
        }


def growth(volumes: Sequence[float], times: Sequence[Estimate], *, family: int = 1) -> Growth:
    """Fit the exponent of an operation's time over the volume of data.

    Parameters
    ----------
    volumes : sequence of float, length n
        Rows, customers, ...: above 0.
    times : sequence of Estimate, length n
        At each volume; those without a value, or of 0, are left out.
    family : int
        Operations of which the one that grows most is looked for.

    Returns
    -------
    Growth
        Where each time has an interval, its width on the log scale is its weight; the half
        width is what the intervals give, or Student t on the lack of fit where that is
        wider: runs differ by more than one run can know. Without intervals, Student t on
        the residuals. Of two times there is no interval: nothing shows by how much runs
        differ. Not estimable where the volumes differ by less than a factor of two, or a
        time is only known to be at least so long.

    Raises
    ------
    ValueError
        When the two differ in length, or a volume is not above 0.

    References
    ----------
    The scale factor sqrt(chi2 / df): Birge (1932), "The calculation of errors by the method
    of least squares". As it is estimated from df residuals, it takes Student t.
    """
    if len(volumes) != len(times):
        raise ValueError(f"found {len(volumes)} volumes and {len(times)} times; allowed: as many")
    if not all(0 < volume < math.inf for volume in volumes):
        raise ValueError(f"found volumes {list(volumes)}; allowed: above 0")
    used = [(v, t.value, t) for v, t in zip(volumes, times, strict=True) if t.value]
    distinct = {volume for volume, _, _ in used}
    if not distinct or max(distinct) < LEAST_SPREAD * min(distinct):
        why = f"{len(distinct)} volume(s) with a time; it takes two, a factor of two apart"
        return _not_known(why, len(used))
    bounds = sum(time.is_lower_bound for _, _, time in used)
    if bounds:
        why = f"{bounds} of {len(used)} times: it is only known that they are at least so long"
        return _not_known(why, len(used))
    x = np.log([volume for volume, _, _ in used])
    y = np.log([value for _, value, _ in used])
    if len(used) < FEWEST:
        exponent = _of_two(x, y)
        return Growth(exponent=exponent, words=in_words(exponent))
    errors = [_log_error(time) for _, _, time in used]
    known = all(error is not None for error in errors)
    exponent, among_all = (
        _weighted(x, y, np.array(errors, dtype=float), confidence)
        if known
        else _by_residuals(x, y, confidence)
        for confidence in (CONFIDENCE, 1 - (1 - CONFIDENCE) / family)
    )
    return Growth(exponent=exponent, words=in_words(exponent), low_among_all=among_all.low)


def _not_known(why: str, n: int) -> Growth:
    return Growth(exponent=not_estimable(why, n=n, method=METHOD), words="not known")


def _log_error(time: Estimate) -> float | None:
    """Take the standard error of ln T from the ends of its interval."""
    if time.low is None or time.high is None or time.low <= 0 or time.high <= time.low:
        return None
    return math.log(time.high / time.low) / (2 * NORMAL_95)


def _of_two(x: Floats, y: Floats) -> Estimate:
    slope = float((y[1] - y[0]) / (x[1] - x[0]))
    why = "two runs do not show by how much runs differ: a third one is needed"
    return Estimate(value=slope, n=len(x), method=METHOD, why=why)


def _weighted(x: Floats, y: Floats, errors: Floats, confidence: float) -> Estimate:
    weights = errors**-2
    centre = float(np.average(x, weights=weights))
    spread = float((weights * (x - centre) ** 2).sum())
    slope = float((weights * (x - centre) * y).sum()) / spread
    level = float(np.average(y, weights=weights))
    residuals = y - level - slope * (x - centre)
    df = len(x) - 2
    chi2 = float((weights * residuals**2).sum())
    lack_of_fit = student_t(confidence, df) * math.sqrt(chi2 / df)
    half = max(float(ndtri((1 + confidence) / 2)), lack_of_fit) / math.sqrt(spread)
    return _exponent(slope, half, len(x), METHOD, confidence)


def _by_residuals(x: Floats, y: Floats, confidence: float) -> Estimate:
    slope = float(np.polyfit(x, y, 1)[0])
    df = len(x) - 2
    residuals = y - y.mean() - slope * (x - x.mean())
    spread = float(((x - x.mean()) ** 2).sum())
    error = math.sqrt(float((residuals**2).sum()) / df / spread)
    half = student_t(confidence, df) * error
    return _exponent(slope, half, len(x), SPREAD_METHOD, confidence)


def _exponent(slope: float, half: float, n: int, method: str, confidence: float) -> Estimate:
    return Estimate(
        value=slope, low=slope - half, high=slope + half, level=confidence, n=n, method=method
    )


def in_words(exponent: Estimate) -> str:
    """Say what an exponent means.

    Parameters
    ----------
    exponent : Estimate
        b of T = c V^b.

    Returns
    -------
    str
        One of :data:`CLASSES` where the whole interval lies in it, else between which.
    """
    if exponent.value is None:
        return "not known"
    if exponent.low is None or exponent.high is None:
        return f"perhaps {_class(exponent.value)}"
    first, last = _class(exponent.low), _class(exponent.high)
    return first if first == last else f"between {first} and {last}"


def _class(exponent: float) -> str:
    return next(name for name, end in CLASSES if exponent <= end)
