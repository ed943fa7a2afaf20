"""An estimate: a number that says how sure it is, or why it is not there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its interval; no bare number reaches a report.

    Attributes
    ----------
    value : float or None
        None when it is not estimable; `why` then says so. 0 is a value.
    low, high : float or None
        Ends of the interval. ``high`` None with ``low == value`` is a lower bound.
    level : float or None
        Confidence of the interval, 0..1.
    n : int
        Observations.
    n_eff : float or None
        Independent observations that they are worth.
    unit : str
        ``"ms"``, ``"ratio"``, ``"1/s"``, ``"requests"``, ``"users"``, ``"s"``, ``""``.
    method : str
        How the value and the interval were found.
    covers : str
        ``"this run"`` or ``"runs"``.
    why : str or None
        Why the value or an end is missing.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    n: int = 0
    n_eff: float | None = None
    unit: str = ""
    method: str = ""
    covers: str = "this run"
    why: str | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} is {number}: an estimate is finite or None with a reason")
        missing = self.value is None or self.low is None or self.high is None
        if missing and not self.why:
            raise ValueError("an estimate without a value or an end says why")

    @property
    def is_lower_bound(self) -> bool:
        """Whether the true value is at least `value`, with no end above."""
        return self.value is not None and self.high is None and self.low == self.value

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "n": self.n,
            "n_eff": self.n_eff,
            "unit": self.unit,
            "method": self.method,
            "covers": self.covers,
            "why": self.why,
        }


def not_estimable(
    why: str, *, unit: str = "", n: int = 0, method: str = "", covers: str = "this run"
) -> Estimate:
    """Make the estimate that there is none.

    Parameters
    ----------
    why : str
        The reason.
    unit, method, covers : str
        As it would have been.
    n : int
        Observations there were.

    Returns
    -------
    Estimate
        Without value and ends.
    """
    return Estimate(value=None, n=n, unit=unit, method=method, covers=covers, why=why)
