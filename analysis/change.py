"""A change of one number: before, after, and what may be said of it.

Everything is asked on the axis *worse*: a latency that rises and a throughput that falls
both lie above zero there. Latencies and throughput change by a factor; shares of bad
requests by percentage points, for most are zero and zero has no multiples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analysis.estimate import Estimate
from analysis.run_values import Indicator
from analysis.shift import Shift


class Change(StrEnum):
    """What may be said of a change for the worse, against the tolerance."""

    REGRESSED = "regressed"
    NOT_REGRESSED = "not regressed"
    INCONCLUSIVE = "inconclusive"


class Word(StrEnum):
    """What a row says of itself, whatever the tolerance is."""

    REGRESSED = "regressed"
    WORSE = "worse"
    BETTER = "better"
    NO_CHANGE = "no significant change"
    UNDECIDED = "undecided"
    NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number before and after.

    Attributes
    ----------
    subject : str
        ``"all"`` or an endpoint.
    indicator : Indicator
        What was measured.
    before, after : Estimate
        Over the runs of each side; of the run itself where there is one.
    change : Estimate
        after / before: 1 is no change, whichever way is better.
    points : Estimate or None
        after - before, for shares: 0.01 is one percentage point.
    limit : float
        Tolerance on the axis worse: a logarithm, or a share.
    worse : Shift or None
        How far it is worse; None where runs do not tell.
    decision : Change
        Of this row by itself.
    word : Word
        Better, worse, or not told apart.
    chance : float or None
        p-value of a change beyond the tolerance, where the row may raise the alarm;
        adjusted by Holm over all such rows.
    detectable : float or None
        The change (1.12: 12 % worse; 0.01: a point) that would have raised the alarm
        in four of five comparisons like this one.
    why : str or None
        What is missing, in words.
    """

    subject: str
    indicator: Indicator
    before: Estimate
    after: Estimate
    change: Estimate
    limit: float
    points: Estimate | None = None
    worse: Shift | None = None
    decision: Change = Change.INCONCLUSIVE
    word: Word = Word.UNDECIDED
    chance: float | None = None
    detectable: float | None = None
    why: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What the row is about: subject and name of the indicator."""
        return self.subject, self.indicator.name

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "subject": self.subject,
            "indicator": self.indicator.name,
            "better": "lower" if self.indicator.lower_is_better else "higher",
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "change": self.change.as_dict(),
            "points": None if self.points is None else self.points.as_dict(),
            "decision": str(self.decision),
            "word": str(self.word),
            "p_holm": self.chance,
            "detectable": self.detectable,
            "why": self.why,
        }


Values = Sequence[Estimate | None]
"""One a run; None where the subject was sent no request."""
