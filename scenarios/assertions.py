"""The grammar of a budget: what must hold, in k6's words with units.

An assertion states what must hold (k6's sign convention; Taurus and Azure
state the failure)::

    assertion  = [ "warn:" ] metric op limit ;
    metric     = "p(" percent ")" | "med" | "avg" | "max"
               | "error_ratio" | "throughput" | "availability"
               | "apdex(" duration ")" | "recovery_time"
               | "drift(" series ")" | "capacity" ;
    op         = "<" | "<=" | ">" | ">=" ;
    limit      = number [ unit ] ;
    percent    = number ;                      (* between 0 and 100, ends excluded *)
    series     = "p(" percent ")" | "med" | "avg" | "throughput"
               | "memory" | "files" | "connections" ;
    duration   = number ( "us" | "ms" | "s" | "m" | "h" ) ;

=================== ========== ============================ ==========================
metric              operators  unit of the limit            without a unit
=================== ========== ============================ ==========================
p(N) med avg max    < <=       us ms s m h                  ms, as k6 writes it
recovery_time       < <=       us ms s m h                  ms
error_ratio         < <=       %                            a ratio from 0 to 1
availability        > >=       %                            a ratio from 0 to 1
apdex(T)            > >=                                    a score from 0 to 1
throughput          > >=       /s /min /h                   per second
capacity            > >=       users, /s                    the unit of the load
drift(series)       < <=       %                            a ratio; per hour, for the worse
=================== ========== ============================ ==========================
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from scenarios.units import (
    DURATION_UNITS,
    parse_duration,
    parse_rate,
    parse_ratio,
    split_quantity,
)


class Metric(StrEnum):
    """What an assertion speaks of."""

    PERCENTILE = "p"
    MEDIAN = "med"
    MEAN = "avg"
    MAXIMUM = "max"
    ERROR_RATIO = "error_ratio"
    THROUGHPUT = "throughput"
    AVAILABILITY = "availability"
    APDEX = "apdex"
    RECOVERY_TIME = "recovery_time"
    DRIFT = "drift"
    CAPACITY = "capacity"


LATENCY_METRICS = frozenset({Metric.PERCENTILE, Metric.MEDIAN, Metric.MEAN, Metric.MAXIMUM})
"""The metrics whose limit is a latency: the request timeout must exceed it."""

_MAY_BE_ZERO = frozenset({Metric.ERROR_RATIO, Metric.DRIFT})
"""Where zero can be broken; elsewhere it could not, or would always be."""

RESOURCE_SERIES = ("memory", "files", "connections")
"""Series that are the target's and no endpoint's."""

DRIFT_SERIES = ("p(N)", "med", "avg", "throughput", *RESOURCE_SERIES)

_METRICS = (
    "p(N), med, avg, max, error_ratio, throughput, availability, apdex(T), "
    "recovery_time, drift(series), capacity"
)


class Severity(StrEnum):
    """What a broken assertion does: fail the run, or only warn."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One parsed assertion.

    Attributes
    ----------
    metric : Metric
        What it speaks of.
    operator : str
        One of ``<``, ``<=``, ``>``, ``>=``.
    limit : float
        Seconds, ratio, score, per second, or users: the metric's own unit.
    level : float or None
        The percentile's level, 0..1 (``p(95)`` is 0.95; ``med`` is 0.5).
    threshold_s : float or None
        Apdex's T in seconds.
    series : str or None
        What a drift is the drift of.
    severity : Severity
        Whether breaking it fails the run.
    text : str
        As written, without ``warn:``, blanks normalised.
    """

    metric: Metric
    operator: str
    limit: float
    level: float | None = None
    threshold_s: float | None = None
    series: str | None = None
    severity: Severity = Severity.FAIL
    text: str

    @property
    def is_latency(self) -> bool:
        """Whether the limit is a latency."""
        return self.metric in LATENCY_METRICS

    @property
    def upper(self) -> bool:
        """Whether the limit bounds from above."""
        return self.operator in {"<", "<="}

    def holds(self, value: float) -> bool:
        """Tell whether a value, taken as exact, satisfies the assertion.

        Parameters
        ----------
        value : float
            In the unit of `limit`.

        Returns
        -------
        bool
            True when it does.
        """
        return {
            "<": value < self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            ">=": value >= self.limit,
        }[self.operator]


_ASSERTION = re.compile(r"\s*(?P<metric>.+?)\s*(?P<op><=|>=|==|!=|<|>)\s*(?P<limit>.+?)\s*")
_CALL = re.compile(r"(?P<name>[a-z_]+)\s*\(\s*(?P<argument>.*?)\s*\)")


def _latency(text: str) -> float:
    number, unit = split_quantity(text)
    if not unit:
        return number / 1000
    if unit not in DURATION_UNITS:
        raise ValueError(f"{text!r} is no time: use us, ms, s, m or h (a bare number is ms)")
    return parse_duration(text)


def _load(text: str) -> float:
    number, unit = split_quantity(text)
    if unit not in {"", "users", "user", "/s"}:
        raise ValueError(f"{text!r} is no load: a number of users, or a rate with /s")
    return number


def _growth(text: str) -> float:
    number, unit = split_quantity(text.removesuffix("/h"))
    if unit not in {"", "%"}:
        raise ValueError(f"{text!r} is no growth per hour: a percentage, or a ratio")
    return number / 100 if unit else number


_READERS: dict[Metric, tuple[tuple[str, str], Callable[[str], float]]] = {
    Metric.PERCENTILE: (("<", "<="), _latency),
    Metric.MEDIAN: (("<", "<="), _latency),
    Metric.MEAN: (("<", "<="), _latency),
    Metric.MAXIMUM: (("<", "<="), _latency),
    Metric.RECOVERY_TIME: (("<", "<="), _latency),
    Metric.ERROR_RATIO: (("<", "<="), parse_ratio),
    Metric.AVAILABILITY: ((">", ">="), parse_ratio),
    Metric.APDEX: ((">", ">="), parse_ratio),
    Metric.THROUGHPUT: ((">", ">="), parse_rate),
    Metric.CAPACITY: ((">", ">="), _load),
    Metric.DRIFT: (("<", "<="), _growth),
}


def _percent(argument: str) -> float:
    try:
        percent = float(argument)
    except ValueError:
        raise ValueError(f"p({argument}): a percentile is a number, as in p(95)") from None
    if not 0 < percent < 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"p({argument}): a percentile lies between 0 and 100, ends excluded")
    return percent / 100


def _series(argument: str) -> str:
    if argument.startswith("p(") and argument.endswith(")"):
        _percent(argument[2:-1])
    elif argument not in DRIFT_SERIES:
        raise ValueError(f"drift({argument}): one of {', '.join(DRIFT_SERIES)}")
    return argument


def _subject(text: str) -> tuple[Metric, dict[str, float | str | None]]:
    call = _CALL.fullmatch(text)
    name, argument = (call["name"], call["argument"]) if call else (text, "")
    takes = {"p": "level", "apdex": "threshold_s", "drift": "series"}
    if (call is not None) != (name in takes) or name not in set(Metric):
        raise ValueError(f"{text!r} is no metric: one of {_METRICS}")
    metric = Metric(name)
    if metric is Metric.PERCENTILE:
        return metric, {"level": _percent(argument)}
    if metric is Metric.APDEX:
        threshold_s = parse_duration(argument)
        if not 0 < threshold_s < math.inf:
            raise ValueError(f"apdex({argument}): T must be above zero")
        return metric, {"threshold_s": threshold_s}
    if metric is Metric.DRIFT:
        return metric, {"series": _series(argument)}
    return metric, {"level": 0.5 if metric is Metric.MEDIAN else None}


def parse_assertion(text: str) -> Assertion:
    """Parse one assertion; the grammar stands at the top of this module.

    Parameters
    ----------
    text : str
        For example ``"p(95) < 300ms"`` or ``"warn: error_ratio < 1%"``.

    Returns
    -------
    Assertion
        The parsed assertion.

    Raises
    ------
    ValueError
        With what was found and what is allowed.
    """
    severity, body = Severity.FAIL, text.strip()
    if body.startswith("warn:"):
        severity, body = Severity.WARN, body.removeprefix("warn:").strip()
    match = _ASSERTION.fullmatch(body)
    if match is None:
        raise ValueError(f"{text!r} does not parse: metric, operator, limit, as in p(95) < 300ms")
    metric, arguments = _subject(match["metric"])
    operators, reader = _READERS[metric]
    if match["op"] not in operators:
        raise ValueError(
            f"{text!r}: an assertion states what must hold, "
            f"so {metric} takes {' or '.join(operators)}, not {match['op']}"
        )
    limit = reader(match["limit"])
    if not 0 <= limit < math.inf or (limit == 0 and metric not in _MAY_BE_ZERO):
        raise ValueError(f"{text!r}: the limit must be above zero")
    return Assertion(
        metric=metric,
        operator=match["op"],
        limit=limit,
        severity=severity,
        text=f"{match['metric']} {match['op']} {match['limit']}",
        **arguments,  # type: ignore[arg-type]
    )
