"""Numbers in reports: a value, and how many it is of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": ["number", "null"]}
MONEY: Schema = {"type": "integer"}
WORD: Schema = {"type": "string"}


def members(**schemas: Schema) -> Schema:
    """
    Describe an object whose members are all there.

    Parameters
    ----------
    **schemas : dict
        Of the members, by name.

    Returns
    -------
    dict
    """
    return {"type": "object", "required": list(schemas), "properties": schemas}


FIGURE = members(value=NUMBER, n=COUNT)


def ratio(part: int, whole: int, *, digits: int = 4) -> float | None:
    """
    Divide.

    Parameters
    ----------
    part, whole : int
        Counts or sums.
    digits : int
        Behind the point, to which the quotient is rounded, halves to even.

    Returns
    -------
    float or None
        None, when it is of nothing.
    """
    return round(part / whole, digits) if whole else None


def figure(part: int, whole: int, *, digits: int = 4) -> dict[str, float | int | None]:
    """
    Divide, and say by what.

    Parameters
    ----------
    part, whole : int
        Counts or sums.
    digits : int
        As of `ratio`.

    Returns
    -------
    dict
        ``value`` and ``n``.
    """
    return {"value": ratio(part, whole, digits=digits), "n": whole}
