"""Numbers as tables have them: with a decimal point, or with the decimal comma of many countries.

::

    64.9   9.959e2           a point stands before the decimals
    64,9   1.652,4   1 652   a comma does, where no comma parts the fields; points and spaces
                             part thousands
    1,003   1.652            decimals or thousands: the other numbers of the table tell

What they do not tell is not guessed: a factor of a thousand in one row is a peak that nobody had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

COMMA, SEMICOLON = ",", ";"

_SPACE = "[ \u00a0\u202f]"
_WITH_COMMA = re.compile(
    r"[+-]?(?:\d*,\d+(?:[eE][+-]?\d+)?"  # 64,9  1,65E+04
    rf"|\d{{1,3}}(?:\.\d{{3}})+,\d+|\d{{1,3}}(?:{_SPACE}\d{{3}})+,\d+)"  # 1.652,4  1 652,4
)
_SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:\.\d+)?")
_MILLIONS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){2,}")
_COMMAS_IN_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_SPACES = re.compile(_SPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How the numbers of a table are written.

    Attributes
    ----------
    comma_parts_fields : bool
        Whether a comma in a number can be no decimal comma.
    decimal_comma, decimal_point : bool
        Whether some number surely has one.
    doubtful : str or None
        A number that may be read in two ways where no other tells in which: its mark is taken
        for that of decimals.
    """

    comma_parts_fields: bool
    decimal_comma: bool = False
    decimal_point: bool = False
    doubtful: str | None = None


def notation_of(fields: Iterable[str], delimiter: str) -> Notation:
    """Tell from all numbers of a table how they are written.

    Parameters
    ----------
    fields : iterable of str
        What stands in its columns of numbers.
    delimiter : str
        What parts its fields.

    Returns
    -------
    Notation
        Between semicolons a comma that may be either is a decimal one, unless numbers have
        decimal points: Excel writes semicolons where the comma is for decimals.
    """
    if delimiter == COMMA:
        return Notation(comma_parts_fields=True)
    every = list(fields)
    sure = [field for field in every if not _EITHER.fullmatch(field)]
    point = any(
        ("." in field and _plain(field) is not None)
        or _COMMAS_IN_THOUSANDS.fullmatch(field)
        or ("." in field and _SPACED.fullmatch(field))
        for field in sure
    )
    comma = any(_WITH_COMMA.fullmatch(field) or _MILLIONS.fullmatch(field) for field in sure)
    either = [field for field in every if _EITHER.fullmatch(field)]
    perhaps = delimiter == SEMICOLON and any(COMMA in field for field in either)
    return Notation(
        comma_parts_fields=False,
        decimal_comma=comma or (perhaps and not point),
        decimal_point=point,
        doubtful=either[0] if either and not (comma or point) else None,
    )


def may_be_number(field: str, delimiter: str) -> bool:
    """Whether a field is a number, in whatever notation its table has.

    Parameters
    ----------
    field : str
        Without spaces around it.
    delimiter : str
        What parts the fields of its table.

    Returns
    -------
    bool
        True also for one that may be read in two ways.
    """
    if _plain(field) is not None:
        return True
    forms = (_WITH_COMMA, _SPACED, _MILLIONS, _COMMAS_IN_THOUSANDS)
    return delimiter != COMMA and any(form.fullmatch(field) for form in forms)


def read_number(field: str, notation: Notation) -> float | None:
    """Read a number.

    Parameters
    ----------
    field : str
        Without spaces around it.
    notation : Notation
        Of its table.

    Returns
    -------
    float or None
        None for what is no number, or may be read in two ways.
    """
    if notation.comma_parts_fields:
        return _plain(field)
    if _EITHER.fullmatch(field):
        commas, points = notation.decimal_comma, notation.decimal_point
        told = (commas and not points) if COMMA in field else not commas
        if not told:
            return None
    plain = _SPACES.sub("", field) if _SPACED.fullmatch(field) else field
    if _WITH_COMMA.fullmatch(field):
        plain = _pointed(field)
    elif _MILLIONS.fullmatch(field):
        plain = field.replace(".", "")
    return _plain(plain)


def about_marks(field: str, notation: Notation) -> str:
    """Advise on the commas and points of what could not be read.

    Parameters
    ----------
    field : str
        Which :func:`read_number` gave no number for.
    notation : Notation
        Of its table.

    Returns
    -------
    str
        Begins with a semicolon; empty where there is nothing to say.
    """
    if _EITHER.fullmatch(field):
        if notation.decimal_comma and notation.decimal_point:
            return "; thousands? other numbers have decimal points, and others commas: write one"
        whole = re.sub("[.,]", "", field)
        decimals = re.sub("[.,]", "," if notation.decimal_comma else ".", field)
        return f"; write {whole} or {decimals}, whichever is meant"
    if _WITH_COMMA.fullmatch(field):
        return f"; a decimal comma? write {_pointed(field)}"
    if _COMMAS_IN_THOUSANDS.fullmatch(field):
        return f"; write {field.replace(COMMA, '')}"
    return ""


def _pointed(field: str) -> str:
    return _SPACES.sub("", field).replace(".", "").replace(COMMA, ".")


def _plain(field: str) -> float | None:
    try:
        value = float(field)
    except ValueError:
        return None
    # Python reads 1_000, which no table means.
    return None if "_" in field else value
