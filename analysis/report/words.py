"""Numbers as every report prints them: one way, once for all.

Three significant digits, thousands with a comma, a unit after each number, ratios in
per cent; a lower bound as ``>= 1,234 ms`` and rounded down; what could not be estimated
as ``not estimable (why)``. Nothing is rounded to 0 % or 100 % that is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.typography import clean
from scenarios.units import format_duration

DIGITS = 3
NOT_ESTIMABLE = "not estimable"

EstimateDict = Mapping[str, Any]
"""An Estimate as verdict.json writes it; None where the document has none."""

_HUGE = 1e15  # from here on digits are harder to count, and a float has no more of them
_TINY = 1e-4  # below, zeros are harder to count than an exponent is to read
_SHOWN_AS_PERCENT = frozenset({"ratio"})
_WORDS_OF_UNITS = {
    "requests": " requests",
    "users": " users",
    "arrivals/s": " arrivals/s",
    "1/s": "/s",
    "": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An estimate in words.

    Attributes
    ----------
    value : str
        ``"87.3 ms"``, ``">= 1,234 ms"``, ``"not estimable"``.
    interval : str
        ``"84.1 to 90.2 ms"``, ``"at most 90.2 ms"``, or empty.
    why : str
        Why the value or an end is missing, or empty.
    """

    value: str
    interval: str = ""
    why: str = ""

    def __str__(self) -> str:
        if self.value == NOT_ESTIMABLE:
            return f"{self.value} ({self.why})" if self.why else self.value
        return f"{self.value} ({self.interval})" if self.interval else self.value


def number(value: float, *, digits: int = DIGITS, down: bool = False) -> str:
    """Write a number with so many significant digits; whole digits are never dropped.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        Significant digits.
    down : bool
        Towards minus infinity instead of to the nearest, for lower bounds.

    Returns
    -------
    str
        For example ``"87.3"``, ``"1,234"``, ``"0.00123"``.
    """
    if value == 0:
        return "0"
    if not _TINY <= abs(value) < _HUGE:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    if down:
        value = _floor(value, places)
    text = f"{value:,.{places}f}"
    # 9.996 has become 10.00: one digit too many.
    if places and sum(char.isdigit() for char in text.lstrip("-0.,")) > digits:
        text = f"{value:,.{places - 1}f}"
    return text


def _floor(value: float, places: int) -> float:
    scaled = value * 10**places
    nearest = float(round(scaled))
    # 0.29 * 100 is 28.999...: a value that the digits hold exactly stays itself.
    exact = math.isclose(scaled, nearest, rel_tol=1e-12)
    return float(nearest if exact else math.floor(scaled)) / 10.0**places


def percent(ratio: float, *, digits: int = DIGITS, down: bool = False) -> str:
    """Write a ratio in per cent; near one with as many digits as what is missing to it has.

    Parameters
    ----------
    ratio : float
        0..1, or beyond for a growth.
    digits : int
        Significant digits.
    down : bool
        Towards minus infinity, for lower bounds.

    Returns
    -------
    str
        For example ``"0.123 %"`` or ``"99.95 %"``.
    """
    missing = 1 - ratio
    if 0 < missing < 0.01:  # noqa: PLR2004 - from 99 % on the missing part is what is read
        places = max(1, 1 - math.floor(math.log10(missing * 100)))
        text = f"{_floor(ratio * 100, places):.{places}f}"
        return f"{text.rstrip('0').removesuffix('.')} %"
    return f"{number(ratio * 100, digits=digits, down=down)} %"


def quantity(value: float, unit: str, *, digits: int = DIGITS, down: bool = False) -> str:
    """Write a number with its unit, as an Estimate names it.

    Parameters
    ----------
    value : float
        The number.
    unit : str
        ``"ms"``, ``"ratio"``, ``"1/s"``, ``"requests"``, ``"users"``, ``"s"``, ``""``.
    digits : int
        Significant digits.
    down : bool
        Round towards minus infinity.

    Returns
    -------
    str
        For example ``"87.3 ms"``.
    """
    if unit in _SHOWN_AS_PERCENT:
        return percent(value, digits=digits, down=down)
    return number(value, digits=digits, down=down) + _WORDS_OF_UNITS.get(unit, f" {unit}")


def count(value: object) -> str:
    """Write a whole number with thousands.

    Parameters
    ----------
    value : object
        The number, or whatever stands in its place where there is none.

    Returns
    -------
    str
        For example ``"1,234"``; ``"-"`` for what is no whole number.
    """
    return f"{value:,}" if isinstance(value, int) else "-"


def say(estimate: EstimateDict | None, *, limit: float | None = None) -> Said:
    """Write an estimate.

    Parameters
    ----------
    estimate : mapping or None
        As verdict.json holds it.
    limit : float, optional
        What the value is held against, in the estimate's unit: it is written with
        as many digits as it takes to be told from it.

    Returns
    -------
    Said
        Value, interval, and why something is missing.
    """
    if not estimate or estimate.get("value") is None:
        return Said(value=NOT_ESTIMABLE, why=clean((estimate or {}).get("why") or ""))
    value, low, high = (estimate.get(name) for name in ("value", "low", "high"))
    unit, why = str(estimate.get("unit", "")), clean(estimate.get("why") or "")
    if is_lower_bound(estimate):
        return Said(value=f">= {quantity(value, unit, down=True)}", why=why)  # type: ignore[arg-type]
    digits = DIGITS if limit is None else _digits_apart(float(value), limit, unit)  # type: ignore[arg-type]
    said = quantity(float(value), unit, digits=digits)  # type: ignore[arg-type]
    return Said(value=said, interval=_interval(low, high, unit, digits), why=why)


def is_lower_bound(estimate: EstimateDict) -> bool:
    """Whether the true value is at least the value, with no end above.

    Parameters
    ----------
    estimate : mapping
        As verdict.json holds it.

    Returns
    -------
    bool
        True where there is a value that is its own lower end, and no upper one.
    """
    value = estimate.get("value")
    return value is not None and estimate.get("high") is None and estimate.get("low") == value


def _digits_apart(value: float, limit: float, unit: str) -> int:
    if value == limit:
        return DIGITS
    for digits in range(DIGITS, 9):
        if quantity(value, unit, digits=digits) != quantity(limit, unit, digits=digits):
            return digits
    return 9


def _interval(low: float | None, high: float | None, unit: str, digits: int) -> str:
    if low is not None and high is not None:
        first, last = (quantity(end, unit, digits=digits) for end in (low, high))
        shared = " %" if unit in _SHOWN_AS_PERCENT else _WORDS_OF_UNITS.get(unit, f" {unit}")
        return f"{first.removesuffix(shared)} to {last}"
    if high is not None:
        return f"at most {quantity(high, unit, digits=digits)}"
    if low is not None:
        return f"at least {quantity(low, unit, digits=digits)}"
    return ""


def duration(seconds: float | None) -> str:
    """Write a duration as scenarios do.

    Parameters
    ----------
    seconds : float or None
        How long; None when there is none.

    Returns
    -------
    str
        For example ``"90 s"``, or ``"-"``.
    """
    return "-" if seconds is None else format_duration(seconds)


def moment(seconds: float) -> str:
    """Write a moment of run time.

    Parameters
    ----------
    seconds : float
        Since the beginning of the run.

    Returns
    -------
    str
        Minutes and seconds, as in ``"1:02.5"``.
    """
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


_CODES = {"littles_law": "Little's law"}


def code_words(reason: Mapping[str, Any]) -> str:
    """Write the code of a reason of invalidity for people.

    Parameters
    ----------
    reason : mapping
        As verdict.json holds it.

    Returns
    -------
    str
        For example ``"generator saturated"``.
    """
    code = str(reason.get("code"))
    return _CODES.get(code, clean(code).replace("_", " "))


_DIGITS = re.compile(r"\d[\d,.]*")


def missing_intervals(document: object) -> list[str]:
    """Collect why ends of intervals are missing in a document, each reason once.

    Parameters
    ----------
    document : object
        The verdict, or a part of it.

    Returns
    -------
    list of str
        In the order in which they are met; bounds and missing values are not among
        them. Reasons that differ in their numbers alone are told once, as the first.
    """
    reasons: dict[str, str] = {}
    for estimate in _estimates(document):
        is_open = estimate["low"] is None or estimate["high"] is None
        told = is_open and estimate["value"] is not None and not is_lower_bound(estimate)
        if told and estimate["why"]:
            why = clean(estimate["why"])
            reasons.setdefault(_DIGITS.sub("#", why), why)
    return list(reasons.values())


def _estimates(document: object) -> Iterator[EstimateDict]:
    if isinstance(document, Mapping):
        if document.keys() & {"over_hold", "warmup_s"}:
            return  # drift and steadiness give their reason beside their numbers
        if {"value", "low", "high", "why"} <= document.keys():
            yield document
            return
        for part in document.values():
            yield from _estimates(part)
    elif isinstance(document, list | tuple):
        for part in document:
            yield from _estimates(part)
