"""Quantities with units, as scenario files and budgets write them.

Inside, a duration is seconds, a ratio is 0..1 and a rate is per second; only
texts carry other units.
"""

from __future__ import annotations

import re

DURATION_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
RATE_UNITS = {"/s": 1.0, "/min": 1 / 60, "/h": 1 / 3600}

_QUANTITY = re.compile(r"\s*([+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S*)\s*")


def split_quantity(text: str) -> tuple[float, str]:
    """Split a text such as ``"1.5 ms"`` into number and unit.

    Parameters
    ----------
    text : str
        A decimal number and, optionally, a unit.

    Returns
    -------
    tuple of (float, str)
        The number and the unit, which is empty when none is written.

    Raises
    ------
    ValueError
        When the text does not begin with a number.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit")
    return float(match[1].replace("_", "")), match[2]


def parse_duration(text: str) -> float:
    """Read a duration such as ``"10s"``, ``"250ms"`` or ``"2m"``.

    Parameters
    ----------
    text : str
        A number with one of the units us, ms, s, m, h.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        When the number or the unit is missing or unknown.
    """
    number, unit = split_quantity(text)
    if unit not in DURATION_UNITS:
        raise ValueError(f"{text!r} has no unit of time: one of us, ms, s, m, h")
    return number * DURATION_UNITS[unit]


def parse_ratio(text: str) -> float:
    """Read a ratio such as ``"1%"`` or ``"0.01"``.

    Parameters
    ----------
    text : str
        A percentage, or a bare number from 0 to 1.

    Returns
    -------
    float
        The ratio, 0..1.

    Raises
    ------
    ValueError
        When it is neither, or outside 0..1.
    """
    number, unit = split_quantity(text)
    if unit not in {"", "%"}:
        raise ValueError(f"{text!r} is no ratio: a percentage, or a number from 0 to 1")
    ratio = number / 100 if unit else number
    if not 0 <= ratio <= 1:
        raise ValueError(f"{text!r} is not between 0 and 1 (0 % and 100 %)")
    return ratio


def parse_rate(text: str) -> float:
    """Read a rate such as ``"50/s"``, ``"600/min"`` or ``"50"``.

    Parameters
    ----------
    text : str
        A number, per second when no unit is written.

    Returns
    -------
    float
        Per second.

    Raises
    ------
    ValueError
        When the unit is unknown.
    """
    number, unit = split_quantity(text)
    if unit and unit not in RATE_UNITS:
        raise ValueError(f"{text!r} is no rate: a number with /s, /min or /h")
    return number * RATE_UNITS.get(unit, 1.0)


def format_duration(seconds: float) -> str:
    """Write a duration in the unit that reads best.

    Parameters
    ----------
    seconds : float
        The duration.

    Returns
    -------
    str
        For example ``"250 ms"`` or ``"1.5 s"``.
    """
    if seconds == 0:
        return "0 s"
    for limit, unit, scale in ((1e-3, "us", 1e6), (1.0, "ms", 1e3), (120.0, "s", 1.0)):
        if abs(seconds) < limit:
            return f"{seconds * scale:.4g} {unit}"
    minutes = seconds / 60
    return f"{minutes:.4g} min"


def in_long_unit(seconds: float) -> tuple[float, str]:
    """Put a length of time into the largest unit of which it is at least two.

    Parameters
    ----------
    seconds : float
        The length.

    Returns
    -------
    tuple of (float, str)
        The number and its unit: ``"days"``, ``"h"``, ``"min"`` or ``"s"``.
    """
    for unit, length in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return seconds / length, unit
    return seconds, "s"


def how_long(seconds: float) -> str:
    """Write how long something takes that need not be told exactly.

    Parameters
    ----------
    seconds : float
        The length.

    Returns
    -------
    str
        Whole seconds, or tenths of a longer unit: ``"90 s"``, ``"6.7 min"``, ``"2.2 h"``.
    """
    number, unit = in_long_unit(seconds)
    return f"{number:.0f} s" if unit == "s" else f"{number:.1f} {unit}"
