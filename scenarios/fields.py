"""Reads the keys of one table and collects every mistake on the way.

A reader never raises: it notes the mistake and returns the default, so that one
pass over a file finds all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, overload

from scenarios.errors import Mistake
from scenarios.model import Secret
from scenarios.units import parse_duration

MAX_DURATION_S = 7 * 24 * 3600.0


class Fields:
    """One table of a document.

    Parameters
    ----------
    raw : mapping
        The table.
    where : str
        The file, for messages.
    path : str
        Dotted path of the table, for messages.
    mistakes : list of Mistake, optional
        Shared with the parent table.
    """

    def __init__(
        self,
        raw: Mapping[str, Any],
        *,
        where: str,
        path: str = "",
        mistakes: list[Mistake] | None = None,
    ) -> None:
        self._raw = dict(raw)
        self._where = where
        self._path = path
        self._taken: set[str] = set()
        self.mistakes: list[Mistake] = [] if mistakes is None else mistakes

    def __contains__(self, key: str) -> bool:
        return key in self._raw

    def keys(self) -> list[str]:
        """Keys of the table, in the file's order."""
        return list(self._raw)

    def take(self, key: str) -> Any:
        """Value of a key (None when absent), noting that it is known."""
        self._taken.add(key)
        return self._raw.get(key)

    def mistake(self, key: str, found: str, allowed: str) -> None:
        """Note a mistake at a key of this table."""
        full = f"{self._path}.{key}" if self._path else key
        self.mistakes.append(Mistake(where=self._where, key=full, found=found, allowed=allowed))

    def no_more(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._raw:
            if key not in self._taken:
                self.unknown(key, self._taken)

    def unknown(self, key: str, known: Iterable[str]) -> bool:
        """Note a key that does not exist; always False, to be used in a condition."""
        names = sorted(known)
        near = difflib.get_close_matches(key, names, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        self.mistake(key, "a key that does not exist", f"{', '.join(names)}{meant}")
        return False

    def table(self, key: str) -> Fields:
        """Sub-table; empty when absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.mistake(key, repr(value), "a table")
            value = None
        return self.child(key, value or {})

    def tables(self, key: str, *, allowed: str) -> list[Fields]:
        """List of tables; at least one."""
        value = self.take(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            found = "nothing" if value is None else repr(value)
            self.mistake(key, found, allowed)
            return []
        return [self.child(f"{key}[{index}]", table) for index, table in enumerate(value)]

    def child(self, key: str, raw: Mapping[str, Any]) -> Fields:
        """Read a table that lies at a key; its mistakes are this one's."""
        path = f"{self._path}.{key}" if self._path else key
        return Fields(raw, where=self._where, path=path, mistakes=self.mistakes)

    def text(self, key: str, *, default: str) -> str:
        """Text."""
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.mistake(key, repr(value), "a text")
            return default
        return value

    def choice(self, key: str, allowed: tuple[str, ...], *, default: str) -> str:
        """One of some texts."""
        value = self.text(key, default=default)
        if value not in allowed:
            self.mistake(key, repr(value), " or ".join(allowed))
            return default
        return value

    def texts(self, key: str) -> list[str]:
        """List of texts."""
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            self.mistake(key, repr(value), 'a list of texts, as in ["p(95) < 300ms"]')
            return []
        return value

    def whole(self, key: str, *, default: int | None, low: int, high: int) -> int:
        """Whole number between two bounds; required when there is no default."""
        value = self.take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            found = "nothing" if value is None else repr(value)
            self.mistake(key, found, f"a whole number from {low:,} to {high:,}")
            return low if default is None else default
        return value

    def switch(self, key: str) -> bool:
        """Read true or false; false by default."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.mistake(key, repr(value), "true or false")
        return value is True

    def number(self, key: str, *, default: float, low: float, high: float) -> float:
        """Read a number between two bounds."""
        value = self.take(key)
        if value is None:
            return default
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            self.mistake(key, repr(value), f"a number from {low:g} to {high:g}")
            return default
        return float(value)

    @overload
    def duration(self, key: str, *, default: float, low: float = 0.0) -> float: ...
    @overload
    def duration(
        self, key: str, *, default: None, low: float = 0.0, required: bool = False
    ) -> float | None: ...
    def duration(
        self, key: str, *, default: float | None, low: float = 0.0, required: bool = False
    ) -> float | None:
        """Duration with a unit, in seconds; zero needs none."""
        value = self.take(key)
        if value is None and not required:
            return default
        try:
            seconds = 0.0 if value == 0 else parse_duration(value)
        except (ValueError, TypeError):
            seconds = -1.0
        if not low <= seconds <= MAX_DURATION_S:
            found = "nothing" if value is None else repr(value)
            least = f", at least {low:g} s" if low else ""
            self.mistake(key, found, f'a time with a unit, as in "20s" or "2m"{least}, at most 7 d')
            return default
        return seconds

    def secret_or_text(self, key: str, *, default: str) -> str | Secret:
        """Text, or ``{ env = "NAME" }``."""
        value = self.take(key)
        if isinstance(value, dict):
            if set(value) == {"env"} and isinstance(value["env"], str) and value["env"]:
                return Secret(env=value["env"])
            self.mistake(key, repr(sorted(value)), 'a text, or { env = "NAME" }')
            return default
        return default if value is None else self.text(key, default=default)
