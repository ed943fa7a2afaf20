"""Texts as they are set: safe to print in a line, cut to a width, spaced."""

from __future__ import annotations

import re
import unicodedata

_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNIT = re.compile(r"(?<=\d)(?:/s| requests)(?= |$)")
_SPACE_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|%|users|arrivals/s|requests|min|us)\b|%)")


def clean(text: object) -> str:
    """Make a text from outside safe to print in a line.

    Control characters and those that turn the direction of writing round are shown
    as escapes: a name can then neither move the cursor nor hide what it is.

    Parameters
    ----------
    text : object
        Anything; None becomes empty.

    Returns
    -------
    str
        One line of visible characters.
    """
    if text is None:
        return ""
    return "".join(_visible(char) for char in str(text))


def _visible(char: str) -> str:
    if char in _BIDI or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}:
        code = ord(char)
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
    return char


def shorten(text: str, width: int) -> str:
    """Cut a text in its middle, where endpoints differ least.

    Parameters
    ----------
    text : str
        Any text.
    width : int
        Characters there are.

    Returns
    -------
    str
        At most so long, with an ellipsis where something is missing.
    """
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def bare(text: str) -> str:
    """Leave out the unit, where the head of a column already names it.

    Parameters
    ----------
    text : str
        Numbers with ``/s`` or ``requests`` behind them.

    Returns
    -------
    str
        Without these.
    """
    return _UNIT.sub("", text)


def thin(text: str) -> str:
    """Put a narrow space that does not break between numbers and their units.

    Parameters
    ----------
    text : str
        With ordinary spaces.

    Returns
    -------
    str
        With U+202F in their place before units.
    """
    return _SPACE_BEFORE_UNIT.sub("\u202f", text)
