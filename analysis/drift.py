"""How a measure moved over a hold, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from analysis.decision import Verdict
from analysis.drift_series import level_of
from analysis.estimate import Estimate
from scenarios.units import in_long_unit

PRACTICAL_LIMIT: Final = 0.05
"""Over the hold as it was run: what a line must have moved by to matter."""

LEAST_STEP: Final = {"files": 1.0, "connections": 1.0}
"""What is counted matters from one on, over the hold."""

HOUR_S: Final = 3600.0
LONG_S: Final = 1800.0
"""From such a length on, words give a rate per hour, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a measure moved over the hold of the required load.

    Attributes
    ----------
    metric : str
        As budgets name series: ``"p(95)"``, ``"throughput"``, ``"memory"``, ...
    subject : str
        Endpoint or ``"all"``.
    span_s : tuple of (float, float)
        The hold, in seconds of run time.
    kept_s : tuple of (float, float)
        The part of it that growth is over: from the first to the last bin that was kept.
        Faults and recoveries at an edge of the hold leave less than all of it.
    width_s : float
        Length of a bin in seconds.
    level : Estimate
        Median of the bins, in the unit of the series.
    begin : float or None
        Level at which the line begins; None where that is at nothing, or there is no line.
    over_hold : Estimate
        Growth over that part, relative to the level that the line began at: a ratio.
    slope_per_h : Estimate
        The same in an hour.
    exhausted_s : Estimate or None
        Seconds from the end of the hold until the resource is used up; None where nothing
        grows, or nobody knows how much there is.
    range_ratio : float or None
        By how much the highest bin exceeds the lowest: nothing moved further.
    verdict : Verdict
        Passed where no drift was seen that matters, failed, or inconclusive.
    why : str
        In words.
    """

    metric: str
    subject: str
    span_s: tuple[float, float]
    kept_s: tuple[float, float]
    width_s: float
    level: Estimate
    begin: float | None
    over_hold: Estimate
    slope_per_h: Estimate
    exhausted_s: Estimate | None
    range_ratio: float | None
    verdict: Verdict
    why: str

    @property
    def hold_s(self) -> float:
        """Length of the hold in seconds."""
        return self.span_s[1] - self.span_s[0]

    @property
    def length_s(self) -> float:
        """Length of the part of the hold that growth is over, in seconds."""
        return self.kept_s[1] - self.kept_s[0]

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "metric": self.metric,
            "subject": self.subject,
            "hold": list(self.span_s),
            "span": list(self.kept_s),
            "width_s": self.width_s,
            "level": self.level.as_dict(),
            "over_hold": self.over_hold.as_dict(),
            "slope_per_h": self.slope_per_h.as_dict(),
            "exhausted_s": None if self.exhausted_s is None else self.exhausted_s.as_dict(),
            "verdict": str(self.verdict),
            "why": self.why,
        }


def speaks_of(drift: Drift, metric: str, subject: str) -> bool:
    """Whether a drift is that of a series, however its percentile is written.

    Parameters
    ----------
    drift : Drift
        What was looked at.
    metric : str
        Name of a series.
    subject : str
        ``"all"``, an endpoint or a transaction.

    Returns
    -------
    bool
        True for one and the same.
    """
    same = drift.metric == metric or (
        level_of(metric) is not None and level_of(drift.metric) == level_of(metric)
    )
    return same and drift.subject == subject


def over(drift: Drift) -> str:
    """Name what a drift is over.

    Parameters
    ----------
    drift : Drift
        Of a series.

    Returns
    -------
    str
        As in ``"over the hold of 10 min"``.
    """
    return f"over {seen(drift)}"


def seen(drift: Drift) -> str:
    """Name the hold that a drift is of, or the part of it that was looked at.

    Parameters
    ----------
    drift : Drift
        Of a series.

    Returns
    -------
    str
        As in ``"the hold of 10 min"``, ``"5 min of the hold of 10 min"``.
    """
    hold = f"the hold of {length_words(drift.hold_s)}"
    return hold if drift.kept_s == drift.span_s else f"{length_words(drift.length_s)} of {hold}"


def limit_of(drift: Drift) -> float:
    """Give the growth that matters: a twentieth, and of what is counted at least one.

    Parameters
    ----------
    drift : Drift
        Of a series.

    Returns
    -------
    float
        Relative, over what was looked at.
    """
    least, middle = LEAST_STEP.get(drift.metric, 0.0), drift.level.value or 0.0
    begin = middle if drift.begin is None else drift.begin
    return max(PRACTICAL_LIMIT, least / begin if begin > 0 else 0.0)


def moved(drift: Drift) -> str:
    """Say by how much a measure grew or fell.

    Parameters
    ----------
    drift : Drift
        Of a series.

    Returns
    -------
    str
        A part of a sentence, with the interval; with the time to exhaustion where it rises.
    """
    during, grown = over(drift), drift.over_hold
    word = "fell" if grown.value is not None and grown.value < 0 else "grew"
    if grown.value is None:
        return f"{word} from about nothing {during}"
    said = f"{word} by {percent(abs(grown.value))} {during} {_between(grown)}"
    if drift.length_s >= LONG_S and drift.slope_per_h.value is not None:
        said += f", {percent(abs(drift.slope_per_h.value))} an hour"
    left = drift.exhausted_s
    if left is not None and left.value is not None:
        said += f"; used up in {length_words(left.value)} if it goes on like this"
    return said


def _between(grown: Estimate) -> str:
    ends = [end for end in (grown.low, grown.high) if end is not None]
    if len(ends) == 1:
        return f"(at least {percent(abs(ends[0]))})"
    low, high = sorted(abs(end) for end in ends)
    return f"({percent(low).removesuffix(' %')} to {percent(high)})"


def within(drift: Drift) -> str:
    """Say how little the bins of a series differ.

    Parameters
    ----------
    drift : Drift
        Of a series.

    Returns
    -------
    str
        A part of a sentence.
    """
    return f"the highest bin lies less than {at_most(drift.range_ratio or 0.0)} above the lowest"


def percent(ratio: float) -> str:
    """Write a growth in per cent.

    Parameters
    ----------
    ratio : float
        Relative.

    Returns
    -------
    str
        As in ``"12.5 %"``.
    """
    return f"{100 * ratio:.3g} %"


def at_most(ratio: float) -> str:
    """Write what a growth stays below: never rounded to less.

    Parameters
    ----------
    ratio : float
        Relative.

    Returns
    -------
    str
        In per cent, rounded up.
    """
    per_mille = -(-ratio * 1000 // 1)
    return f"{max(per_mille, 1) / 10:g} %"


def signed(ratio: float | None) -> str:
    """Write a growth in per cent with its sign.

    Parameters
    ----------
    ratio : float or None
        Relative; None where it has no end.

    Returns
    -------
    str
        As in ``"+12.5 %"``.
    """
    return "any growth" if ratio is None else f"{100 * ratio:+.3g} %"


def length_words(seconds: float) -> str:
    """Write how long something takes in the unit that suits it.

    Parameters
    ----------
    seconds : float
        How long.

    Returns
    -------
    str
        As in ``"1.5 h"``.
    """
    number, unit = in_long_unit(seconds)
    return f"{number:.3g} {unit}"
