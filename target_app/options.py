"""The published optimisations and defects, each a switch. The defaults are what is right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from target_app.models import Base

SERVICE_LEAST_MS, SERVICE_MOST_MS = 0.1, 500.0
"""Between what a mean service time of ``/synthetic`` may be."""


class OptionError(ValueError):
    """An option does not exist, or may not have that value; the message says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this instance behaves, beside what it serves."""

    cache: str = "off"
    """``off``; ``naive``: the published decorator, keyed by a view's arguments alone, so that it
    answers other methods, queries and users with what the first one got, and writes are lost;
    ``ttl``: keyed by all that an answer depends on, reads only, a few seconds old at most."""

    list_mode: str = "paged"
    """``paged``, or ``unbounded``: lists answer every row there is, whatever the limit."""

    paging: str = "keyset"
    """``keyset``: a page begins after the last key; ``offset``: it counts all rows before it."""

    n_plus_one: bool = False
    """Whether lists look up what belongs to a row row by row, instead of all at once."""

    drop_index: tuple[str, ...] = ()
    """Indexes that are dropped before serving."""

    sqlite_tx: str = "immediate"
    """``immediate``: writing requests take the write lock at their start; ``deferred``: at their
    first write, which fails when somebody wrote since they first read; ``legacy``: as Python's
    driver does by default, so that what is read before the first write is read outside of it."""

    pool_size: int | None = None
    """Connections to the database in each worker; as many as threads when None."""

    password_cost: int = 15
    """Binary logarithm of scrypt's N for the seeded accounts; 15 takes about 100 ms a login."""

    synthetic: bool = False
    """Whether ``/synthetic`` answers: a queue of known truth (`target_app.synthetic`)."""

    synthetic_mean_ms: float = 25.0
    """Mean service time of ``/synthetic`` for a request that names none."""

    synthetic_seed: int | None = None
    """Of its service times, the same in each worker; others each time when None."""

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Options:
        """
        Read options as the command line gives them.

        Parameters
        ----------
        settings : iterable of str
            Each ``name=value``.

        Returns
        -------
        Options

        Raises
        ------
        OptionError
            With all mistakes at once.
        """
        values: dict[str, Any] = {}
        mistakes = []
        for setting in settings:
            name, _, value = setting.partition("=")
            try:
                values[name] = _read(name, value)
            except OptionError as mistake:
                mistakes.append(str(mistake))
        if mistakes:
            raise OptionError("; ".join(mistakes))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """
        Give all options by name.

        Returns
        -------
        dict of str to object
            As ``/version`` shows them.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_text(self) -> str:
        """
        Give all options in one line, as `from_text` reads it.

        Returns
        -------
        str
            JSON.
        """
        return json.dumps(self.to_json())

    @classmethod
    def from_text(cls, text: str) -> Options:
        """
        Read what `to_text` wrote.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        Options
        """
        values = json.loads(text)
        values["drop_index"] = tuple(values["drop_index"])
        return cls(**values)


def index_names() -> frozenset[str]:
    """
    Name every index that can be dropped: those that speed up, not those that keep a rule.

    Returns
    -------
    frozenset of str
    """
    return frozenset(
        str(index.name)
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if not index.unique
    )


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise OptionError(f"must be {' or '.join(words)}")
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise OptionError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = float(value) if value.isascii() else math.nan
        except ValueError:
            number = math.nan
        if not least <= number <= most:  # neither is nan
            raise OptionError(f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _switch(value: str) -> bool:
    if value not in {"true", "false"}:
        raise OptionError("must be true or false")
    return value == "true"


def _indexes(value: str) -> tuple[str, ...]:
    names = tuple(name for name in value.split(",") if name)
    known = index_names()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OptionError(f"{', '.join(unknown)}: unknown; allowed are {', '.join(sorted(known))}")
    return names


_READERS: Mapping[str, Callable[[str], object]] = {
    "cache": _one_of("off", "naive", "ttl"),
    "list_mode": _one_of("paged", "unbounded"),
    "paging": _one_of("keyset", "offset"),
    "n_plus_one": _switch,
    "drop_index": _indexes,
    "sqlite_tx": _one_of("legacy", "deferred", "immediate"),
    "pool_size": _whole(1, 128),
    "password_cost": _whole(7, 20),
    "synthetic": _switch,
    "synthetic_mean_ms": _number(SERVICE_LEAST_MS, SERVICE_MOST_MS),
    "synthetic_seed": _whole(0, 2**32 - 1),
}
NAMES = tuple(_READERS)
"""Of all options."""


def _read(name: str, value: str) -> object:
    """
    Read one option.

    Raises
    ------
    OptionError
        When there is no such option, or it may not have that value.
    """
    if name not in _READERS:
        raise OptionError(f"{name or '(empty)'}: unknown; allowed are {', '.join(_READERS)}")
    try:
        return _READERS[name](value)
    except OptionError as mistake:
        raise OptionError(f"{name}={value}: {mistake}") from None
