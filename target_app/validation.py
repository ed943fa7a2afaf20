"""What a body may hold: a schema is a mapping of field names to rules, checked all at once.

A rule takes a value as JSON gave it and returns it as it will be stored, or raises `Refused`.
Lengths are in characters, the same on every database. A message says what is allowed and what kind
of thing was found, never the thing itself: bad input may be long, and is not for the log.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_app.ids import ID_MAX
from target_app.problems import FieldError, Invalid

Rule = Callable[[object], object]

# The syntax that browsers apply to <input type=email> (HTML standard, "valid e-mail address").
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_KINDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
_UNKNOWN_SHOWN = 10


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
class Field:
    """One member of an object: its rule, and what stands for it when it is left out."""

    rule: Rule
    required: bool = True
    default: object = None


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
            raise Refused(f"must be text; found {_kind(value)}")
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
            raise Refused(f"must be a whole number; found {_kind(value)}")
        if not self.least <= value <= self.most:
            raise Refused(f"must be from {self.least} to {self.most}")
        return value


RECORD = Whole(1, ID_MAX)
"""The id of a row, which may exist or not."""


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of 1 to `longest` objects of one schema."""

    schema: Mapping[str, Field]
    longest: int

    def __call__(self, value: object) -> list[dict[str, Any]]:
        """
        Check a list, item by item.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        list of dict
            As it will be stored.

        Raises
        ------
        Refused
            With the errors of all items.
        """
        if not isinstance(value, list):
            raise Refused(f"must be a list; found {_kind(value)}")
        if not 1 <= len(value) <= self.longest:
            raise Refused(f"must have 1 to {self.longest} items; found {len(value)}")
        errors: list[FieldError] = []
        items = [_take(errors, f"/{i}", self._one, item) for i, item in enumerate(value)]
        if errors:
            raise Refused(errors=errors)
        return items

    def _one(self, value: object) -> dict[str, Any]:
        return _check_object(self.schema, value)


def check(schema: Mapping[str, Field], value: object) -> dict[str, Any]:
    """
    Hold a body against its schema.

    Parameters
    ----------
    schema : mapping of str to Field
        What it may hold.
    value : object
        What it holds.

    Returns
    -------
    dict of str to object
        Every field of the schema, normalised, defaults filled in.

    Raises
    ------
    Invalid
        With all errors of the body.
    """
    try:
        return _check_object(schema, value)
    except Refused as refused:
        raise Invalid(refused.errors) from None


def _check_object(schema: Mapping[str, Field], value: object) -> dict[str, Any]:
    """
    Check one object, member by member.

    Raises
    ------
    Refused
        With the errors of all members.
    """
    if not isinstance(value, dict):
        raise Refused(f"must be an object; found {_kind(value)}")
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, field in schema.items():
        given = value.get(name)
        if given is not None:
            checked[name] = _take(errors, f"/{name}", field.rule, given)
        elif field.required:
            errors.append(FieldError(f"/{name}", "is required"))
        else:
            checked[name] = field.default
    errors += _unknown(schema, value)
    if errors:
        raise Refused(errors=errors)
    return checked


def _unknown(schema: Mapping[str, Field], value: Mapping[str, object]) -> Sequence[FieldError]:
    """Complain of members that no schema names: a misspelt optional field would be lost."""
    names = [name for name in value if name not in schema][:_UNKNOWN_SHOWN]
    allowed = ", ".join(schema)
    return [
        FieldError(f"/{_pointer(name)}", f"is unknown; allowed are {allowed}") for name in names
    ]


def _take(errors: list[FieldError], path: str, rule: Rule, value: object) -> Any:
    """Apply a rule, and note below which path it refused."""
    try:
        return rule(value)
    except Refused as refused:
        errors += [FieldError(path + error.path, error.message) for error in refused.errors]
        return None


def _pointer(name: str) -> str:
    """Make a foreign member's name fit to be shown: short, escaped by RFC 6901, encodable."""
    shown = name[:40].encode("utf-8", "backslashreplace").decode()
    return shown.replace("~", "~0").replace("/", "~1")


def _kind(value: object) -> str:
    """Name the kind of a JSON value."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "an object")
