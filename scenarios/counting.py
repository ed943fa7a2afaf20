"""Counts in words: one request is, two requests are."""

from __future__ import annotations

_IRREGULAR = {"are": "is", "were": "was", "have": "has", "do": "does"}


def count_of(number: int, noun: str, verb: str = "") -> str:
    """Write a count with its noun and, where it is the subject, with its verb.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Of one: ``"request"``.
    verb : str
        Of several: ``"are"``.

    Returns
    -------
    str
        For example ``"1 request is"`` or ``"1,200 requests are"``.
    """
    many = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{many}" + (f" {agreeing(number, verb)}" if verb else "")


def agreeing(number: int, verb: str) -> str:
    """Put a verb into the form that a number asks for.

    Parameters
    ----------
    number : int
        How many do it.
    verb : str
        Of several: ``"are"``, ``"leave"``.

    Returns
    -------
    str
        ``"is"`` and ``"leaves"`` for one.
    """
    return _IRREGULAR.get(verb, f"{verb}s") if number == 1 else verb


def with_unit(level: float, unit: str) -> str:
    """Write a level of load with its unit.

    Parameters
    ----------
    level : float
        Users or arrivals per second.
    unit : str
        What it counts, in the plural, think times and all.

    Returns
    -------
    str
        For example ``"1,000 users"`` or ``"1 user"``.
    """
    text = f"{level:,.10g}"
    return f"{text} {of_level(text, unit)}"


def of_level(text: str, unit: str) -> str:
    """Write what a level counts: one user, or several.

    Parameters
    ----------
    text : str
        The level, as it is written.
    unit : str
        In the plural, think times and all.

    Returns
    -------
    str
        The unit, in the singular after ``"1"``.
    """
    return unit.replace("users", "user", 1) if text == "1" else unit
