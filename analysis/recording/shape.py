"""What a JSON document holds where a reader asks for it: everything else is damage.

A shape is drawn as the document is: a dict of the keys that are asked for, a list with the
shape of each item, a :class:`Kind` at the ends. What nobody asks for may be anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What may stand at the end of a path.

    Attributes
    ----------
    words : str
        For messages.
    takes : callable
        Whether a value is one; never asked of null.
    needed : bool
        Whether it must be there; else it may be missing, or null.
    """

    words: str
    takes: Callable[[Any], bool]
    needed: bool = False


Shape: TypeAlias = "Kind | Mapping[str, Shape] | list[Shape]"


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and abs(value) < math.inf  # NaN is not


def _is_whole(value: Any) -> bool:
    return type(value) is int


TEXT = Kind(words="a text", takes=lambda value: isinstance(value, str))
NUMBER = Kind(words="a number", takes=_is_number)
WHOLE = Kind(words="a whole number", takes=_is_whole)
A_TEXT = Kind(words=TEXT.words, takes=TEXT.takes, needed=True)
A_NUMBER = Kind(words=NUMBER.words, takes=NUMBER.takes, needed=True)
A_WHOLE = Kind(words=WHOLE.words, takes=WHOLE.takes, needed=True)
A_SWITCH = Kind(words="true or false", takes=lambda value: isinstance(value, bool), needed=True)


def misfits(value: Any, shape: Shape, at: str = "") -> Iterator[str]:
    """Find everything in a document that is not what a reader asks for.

    Parameters
    ----------
    value : object
        The document, or what stands at a path of it.
    shape : Kind, mapping or list
        What should stand there. An object may be missing or null, a list missing.
    at : str
        The path, for messages.

    Yields
    ------
    str
        Where, what was found, what is allowed.
    """
    if isinstance(shape, Kind):
        if shape.needed if value is None else not shape.takes(value):
            yield _said(at, value, shape.words)
    elif isinstance(shape, list):
        yield from _in_list(value, shape[0], at)
    elif isinstance(value, dict):
        for key, inner in shape.items():
            if key in value or (isinstance(inner, Kind) and inner.needed):
                yield from misfits(value.get(key), inner, f"{at}.{key}" if at else key)
    elif value is not None:
        yield _said(at, value, "an object")


def _in_list(value: Any, shape: Shape, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _said(at, value, "a list")
        return
    for index, item in enumerate(value):
        if item is None:
            yield _said(f"{at}[{index}]", item, "an item")
        else:
            yield from misfits(item, shape, f"{at}[{index}]")


def _said(at: str, value: Any, allowed: str) -> str:
    found = json.dumps(value)
    if len(found) > _SHOWN:
        found = f"{found[: _SHOWN - 1]}…"
    return f"{at}: found {found}; allowed: {allowed}"
