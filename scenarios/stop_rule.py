"""When load ends before its time, as ``[stop]`` says it.

::

    rule   = metric ">" number [unit] "for" duration
    metric = "error_ratio" | "p(50)" | "p(95)"          of one second of the run
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenarios.units import parse_duration, parse_ratio

METRICS = ("error_ratio", "p(50)", "p(95)")
"""What the timeline knows of each second."""

_RULE = re.compile(r"\s*(\S+)\s*>\s*(\S+(?:\s?[a-zµ%]+)?)\s+for\s+(.+?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """A statement that must hold without a break for a while to end the load.

    Attributes
    ----------
    metric : str
        One of :data:`METRICS`.
    above : float
        The metric is above it: a ratio, or seconds.
    for_s : float
        Seconds.
    text : str
        As written.
    """

    metric: str
    above: float
    for_s: float
    text: str


def parse_stop_rule(text: str) -> StopRule:
    """Read a rule such as ``"error_ratio > 50% for 10s"``.

    Parameters
    ----------
    text : str
        As above.

    Returns
    -------
    StopRule
        With its numbers in ratios and seconds.

    Raises
    ------
    ValueError
        When it is none; the message says what is allowed.
    """
    allowed = f"METRIC > LIMIT for DURATION with one of {', '.join(METRICS)}"
    match = _RULE.fullmatch(text)
    if match is None or match[1] not in METRICS:
        raise ValueError(f'{allowed}, as in "error_ratio > 50% for 10s"')
    metric, limit, duration = match.groups()
    above = parse_ratio(limit) if metric == "error_ratio" else parse_duration(limit)
    for_s = parse_duration(duration)
    if above < 0 or for_s < 1:
        raise ValueError(f"{allowed}; a limit is not negative, a duration at least 1 s")
    return StopRule(metric=metric, above=above, for_s=for_s, text=text)
