"""What one value may be: text, an address, a number, a word.

A rule takes a value as JSON gave it and returns it as it will be stored, or raises `Refused`.
Lengths are in characters, the same on every database. A message says what is allowed and what kind
of thing was found, never the thing itself: bad input may be long, and is not for the log.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from target_app.ids import ID_MAX
from target_app.problems import FieldError

Schema = dict[str, Any]

# The syntax that browsers apply to <input type=email> (HTML standard, "valid e-mail address").
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
# For JSON Schema, whose patterns are ECMAScript's: what `Text` strips, and what it refuses. (Half a
# pair of surrogates is refused as well; not every engine can be told so.)
_SPACE = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_CONTROL_BUT_LINES = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_DECIMAL_LONGEST = 30
_KINDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}


class Rule(Protocol):
    """What one value may be."""

    def __call__(self, value: object, /) -> object:
        """Give a value as it will be stored; raises `Refused`."""

    def json_schema(self) -> Schema:
        """
        Say the same as JSON Schema, as far as that can.

        A value that the schema admits is accepted. Of those that it does not admit some are
        accepted all the same: text with space around it.
        """


class Refused(Exception):  # noqa: N818 - it is an answer to the caller, not our error
    """
    A value breaks a rule.

    Parameters
    ----------
    message : str
        What is allowed and what was found, when it is about the whole value.
    errors : sequence of FieldError
        Else one per place; paths are relative to the value.
    """

    def __init__(self, message: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors) or (FieldError("", message),)


@dataclass(frozen=True, slots=True)
class Text:
    """Text of 1 to `longest` characters, without space around it and without control characters."""

    longest: int
    lines: bool = False
    """Whether line breaks and tabs are allowed."""
    pattern: re.Pattern[str] | None = None
    form: str = ""
    """What `pattern` asks for, in words."""

    def __call__(self, value: object) -> str:
        """
        Check a text.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        str
            As it will be stored.

        Raises
        ------
        Refused
            When it is none, too long, empty, or not to be stored.
        """
        if not isinstance(value, str):
            raise Refused(f"must be text; found {kind_of(value)}")
        text = value.replace("\r\n", "\n").strip()
        if not 1 <= len(text) <= self.longest:
            raise Refused(f"must have 1 to {self.longest} characters; found {len(text)}")
        if not all(map(self._allows, text)):
            raise Refused("must not contain control characters or lone surrogates")
        if self.pattern and not self.pattern.fullmatch(text):
            raise Refused(f"must be {self.form}")
        return text

    def _allows(self, character: str) -> bool:
        """Tell whether a character may be stored: neither database takes a NUL or half a pair."""
        if character.isprintable():  # the usual case, and quick
            return True
        if character in "\n\t":
            return self.lines
        return unicodedata.category(character) not in {"Cc", "Cs"}

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema: see `Rule`."""
        control = _CONTROL_BUT_LINES if self.lines else _CONTROL
        edge, inside = f"[^{_CONTROL}{_SPACE}]", f"[^{control}]"
        pattern = f"^{edge}({inside}*{edge})?$"
        schema = {"type": "string", "minLength": 1, "maxLength": self.longest, "pattern": pattern}
        if self.pattern is None:
            return schema
        own = {"pattern": f"^(?:{self.pattern.pattern})$", "description": self.form}
        return schema | {"allOf": [own]}


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail address, put into lower case so that it can be unique."""

    longest: int

    def __call__(self, value: object) -> str:
        """
        Check an address.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        str
            As it will be stored.
        """
        return Text(self.longest, pattern=_EMAIL, form="an e-mail address")(value).lower()

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema: see `Rule`."""
        pattern = f"^{_EMAIL.pattern}$"
        return {"type": "string", "format": "email", "maxLength": self.longest, "pattern": pattern}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def __call__(self, value: object) -> int:
        """
        Check a number.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        int
            As it will be stored.

        Raises
        ------
        Refused
            When it is none, or out of range.
        """
        # A JSON true is an int to Python, and not to anybody else.
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused(f"must be a whole number; found {kind_of(value)}")
        if not self.least <= value <= self.most:
            raise Refused(f"must be from {self.least} to {self.most}")
        return value

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema: see `Rule`."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


RECORD = Whole(1, ID_MAX)
"""The id of a row, which may exist or not."""


@dataclass(frozen=True, slots=True)
class Digits:
    """A whole number in ASCII digits, as a query writes it."""

    least: int
    most: int

    def __call__(self, value: object) -> int:
        """
        Check a number.

        Parameters
        ----------
        value : object
            A text.

        Returns
        -------
        int

        Raises
        ------
        Refused
            When it is none, or out of range.
        """
        text = str(value)
        if re.fullmatch(r"[0-9]{1,19}", text) and self.least <= int(text) <= self.most:
            return int(text)
        raise Refused(f"must be a whole number from {self.least} to {self.most}")

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema: see `Rule`."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number, as a query writes it in decimal or scientific notation."""

    least: float
    most: float

    def __call__(self, value: object) -> float:
        """
        Check a number.

        Parameters
        ----------
        value : object
            A text.

        Returns
        -------
        float

        Raises
        ------
        Refused
            When it is none, or out of range.
        """
        text = str(value)
        if len(text) <= _DECIMAL_LONGEST and _DECIMAL.fullmatch(text):
            number = float(text)
            if self.least <= number <= self.most:
                return number
        raise Refused(f"must be a number from {self.least:g} to {self.most:g}")

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema."""
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: Collection[str]

    def __call__(self, value: object) -> str:
        """
        Check a word.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        str
            As it will be stored.

        Raises
        ------
        Refused
            When it is none of them.
        """
        if not isinstance(value, str) or value not in self.words:
            raise Refused(f"must be one of {', '.join(self.words)}")
        return value

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema: see `Rule`."""
        return {"type": "string", "enum": list(self.words)}


def kind_of(value: object) -> str:
    """
    Name the kind of a JSON value, for a message.

    Parameters
    ----------
    value : object
        As JSON gave it.

    Returns
    -------
    str
    """
    if value is None:
        return "null"
    return _KINDS.get(type(value), "an object")
