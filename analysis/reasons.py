"""Why a stage, or a run, says nothing about the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HARNESS = frozenset({"generator_saturated", "generator_lost", "records_lost", "clock_stepped"})
"""Codes that no target can cause: they alone may excuse a target's silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that makes a stage invalid.

    Attributes
    ----------
    code : str
        As the design names it.
    stage : int or None
        Index of the stage; None concerns the whole run.
    message : str
        What was found, and what is allowed.
    measured, limit : float
        The two numbers that were compared.
    advice : str
        What to do next.
    """

    code: str
    stage: int | None
    message: str
    measured: float
    limit: float
    advice: str

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers and texts.
        """
        return {
            "code": self.code,
            "stage": self.stage,
            "message": self.message,
            "measured": self.measured,
            "limit": self.limit,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check of validity found: reasons, and notes on what it could not assess."""

    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
