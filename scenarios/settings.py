"""Settings of the command line, laid over a document: dotted keys and what stands at them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from scenarios.errors import Mistake

Key = tuple[str, ...]
"""The parts of a dotted key."""


def apply_setting(raw: dict[str, Any], setting: str) -> list[Mistake]:
    """Apply one ``key=value``.

    Parameters
    ----------
    raw : dict
        The document; changed in place.
    setting : str
        A dotted key and a TOML value.

    Returns
    -------
    list of Mistake
        Empty when it could be applied.
    """
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        found, allowed = repr(setting), "key=value with a dotted key and a TOML value"
        return [Mistake(where="--set", key=key or "(none)", found=found, allowed=allowed)]
    try:
        document = tomllib.loads(f"{key.strip()} = {value.strip()}")
    except tomllib.TOMLDecodeError:
        allowed = f'a dotted key and a TOML value; a text needs quotes: {key.strip()}="{value}"'
        return [Mistake(where="--set", key=key.strip(), found=value or "nothing", allowed=allowed)]
    keys = dotted(key.strip())
    for name in keys:
        document = document[name]
    put(raw, keys, document)
    return []


def dotted(key: str) -> Key:
    """Split a dotted key as TOML does, quotes included.

    Parameters
    ----------
    key : str
        For example ``'budgets."GET /a.b"'``.

    Returns
    -------
    tuple of str
        Its parts: ``("budgets", "GET /a.b")``.

    Raises
    ------
    ValueError
        When it is none.
    """
    keys, table = [], tomllib.loads(f"{key} = 0")
    while isinstance(table, dict):
        if len(table) != 1:
            raise ValueError(f"{key!r} is no dotted key")
        name, table = next(iter(table.items()))
        keys.append(name)
    return tuple(keys)


def key_of(setting: str) -> Key:
    """Find what a setting sets.

    Parameters
    ----------
    setting : str
        As :func:`apply_setting` takes it.

    Returns
    -------
    tuple of str
        The parts of its key; empty where it has none that can be read.
    """
    try:
        return dotted(setting.partition("=")[0].strip())
    except ValueError:
        return ()


def lies_in(key: Key, whole: Key) -> bool:
    """Tell whether a key is another one, or lies in the table that stands there."""
    return bool(whole) and key[: len(whole)] == whole


def remove(raw: dict[str, Any], keys: Sequence[str]) -> None:
    """Remove what stands at a dotted key, if anything does."""
    table: Any = raw
    for key in keys[:-1]:
        table = table.get(key)
        if not isinstance(table, dict):
            return
    table.pop(keys[-1], None)


def put(raw: dict[str, Any], keys: Sequence[str], value: object) -> None:
    """Put a value at a dotted key; what stood there is replaced whole."""
    table = raw
    for key in keys[:-1]:
        if not isinstance(table.get(key), dict):
            table[key] = {}
        table = table[key]
    table[keys[-1]] = value
