"""How far one side lies from the other, with its error from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scipy.special import stdtr, stdtrit

ALPHA: Final = 0.05
"""How often a change of exactly the tolerance may be called more: one-sided."""

CONFIDENCE: Final = 1 - 2 * ALPHA
"""Two-sided: each end of an interval is a one-sided 95 % bound, the one that decides."""

POWER: Final = 0.80
"""How often a change of the minimum detectable size is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far the candidate lies from the base, with its error from run to run.

    Attributes
    ----------
    mean : float
        Mean difference: of logarithms, or of shares.
    se : float
        Its standard error; above 0.
    df : float
        Degrees of freedom of Student's t.
    n : int
        Pairs, or runs of both sides.
    method : str
        How it was found.
    """

    mean: float
    se: float
    df: float
    n: int
    method: str

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Bound the difference from both sides.

        Parameters
        ----------
        confidence : float
            Two-sided; 0.90 makes each end a one-sided 95 % bound.

        Returns
        -------
        tuple of (float, float)
            Mean -+ t(df) se.

        Raises
        ------
        ValueError
            When `confidence` is not between 0 and 1.
        """
        half = _t(_two_sided(confidence), self.df) * self.se
        return self.mean - half, self.mean + half

    def chance_beyond(self, limit: float) -> float:
        """Find the p-value of a difference above a limit.

        Parameters
        ----------
        limit : float
            In the unit of the difference.

        Returns
        -------
        float
            How often runs would lie so far above it or farther, were the true
            difference the limit: one-sided, 0..1.
        """
        return float(stdtr(self.df, (limit - self.mean) / self.se))

    def detectable(self, *, alpha: float = ALPHA, power: float = POWER) -> float:
        """Say how far beyond a limit the truth must lie to be found.

        Parameters
        ----------
        alpha : float
            One-sided error allowed.
        power : float
            How often it is to be found.

        Returns
        -------
        float
            Distance, in the unit of the difference.
        """
        return (_t(1 - alpha, self.df) + _t(power, self.df)) * self.se


def _t(probability: float, df: float) -> float:
    return float(stdtrit(df, probability))


def _two_sided(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence}; allowed: between 0 and 1")
    return (1 + confidence) / 2
