"""
Columns: some rows' values of one field, kept as arrays for as long as that is cheaper.

Each kind gives its values in three forms: as Python objects (to insert), as text (to COPY into
PostgreSQL), and as bytes (to hash).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.object_]

NULL = np.iinfo(np.int64).min
"""Stands for "no value" among numbers: no key, amount, count or moment of ours comes near it."""

COPY_NULL = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_US_PER_DAY = 86_400 * 10**6
_TEMPLATE = np.frombuffer(b"0000-00-00T00:00:00.000000Z", np.uint8)
_WIDTH = len(_TEMPLATE)
# Of a moment within its day: where each digit stands, and what one of it is worth.
_DIGITS = (
    (11, 36_000_000_000, 10), (12, 3_600_000_000, 10), (14, 600_000_000, 6), (15, 60_000_000, 10),
    (17, 10_000_000, 6), (18, 1_000_000, 10), (20, 100_000, 10), (21, 10_000, 10),
    (22, 1000, 10), (23, 100, 10), (24, 10, 10), (25, 1, 10),
)  # fmt: skip


class Column(Protocol):
    """What every kind can do."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def part(self, part: slice) -> Column:
        """Give some of them."""
        ...

    def values(self) -> Sequence[Any]:
        """Give them as Python objects."""
        ...

    def copied(self) -> Sequence[str]:
        """Give them as COPY reads them."""
        ...

    def hashed(self) -> tuple[bytes, bytes]:
        """
        Give them as bytes to hash.

        Of numbers, eight bytes each and nothing; of text, the length of each in characters (four
        bytes; -1 for none), and all of it on end in UTF-8.
        """
        ...


Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers, or truth values."""

    array: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.array)

    def part(self, part: slice) -> Numbers:
        """Give some of them."""
        return Numbers(self.array[part])

    def values(self) -> Sequence[Any]:
        """Give them as Python objects."""
        return _without(self.array.tolist(), self._gaps(), None)

    def copied(self) -> Sequence[str]:
        """Give them as COPY reads them."""
        numbers = self.array.astype(np.int64, copy=False).tolist()
        return _without(list(map(str, numbers)), self._gaps(), COPY_NULL)

    def hashed(self) -> tuple[bytes, bytes]:
        """Give them as bytes to hash."""
        return self.array.astype("<i8").tobytes(), b""

    def _gaps(self) -> Ints:
        """Find where there is none."""
        return np.flatnonzero(self.array == NULL)


@dataclass(frozen=True, slots=True)
class Moments:
    """Microseconds since 1970, kept as text in the tables."""

    array: Ints

    def __len__(self) -> int:
        return len(self.array)

    def part(self, part: slice) -> Moments:
        """Give some of them."""
        return Moments(self.array[part])

    def values(self) -> Sequence[str | None]:
        """Give them as Python objects."""
        return self._texts(None)

    def copied(self) -> Sequence[str]:
        """Give them as COPY reads them."""
        return self._texts(COPY_NULL)  # type: ignore[return-value] # there are no gaps left

    def hashed(self) -> tuple[bytes, bytes]:
        """Give them as bytes to hash."""
        there = self.array != NULL
        lengths = np.where(there, _WIDTH, -1).astype("<i4")
        return lengths.tobytes(), _written(self.array[there]).tobytes()

    def _texts(self, gap: str | None) -> Sequence[str | None]:
        """Write them."""
        text = _written(self.array).tobytes().decode("ascii")
        texts: list[Any] = [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
        return _without(texts, np.flatnonzero(self.array == NULL), gap)


@dataclass(frozen=True, slots=True)
class Choices:
    """Words of a list, by their places in it; -1 for none."""

    places: npt.NDArray[Any]
    words: Words

    def __len__(self) -> int:
        return len(self.places)

    def part(self, part: slice) -> Choices:
        """Give some of them."""
        return Choices(self.places[part], self.words)

    def values(self) -> Sequence[str | None]:
        """Give them as Python objects."""
        return self._taken(self.words.tolist(), None)

    def copied(self) -> Sequence[str]:
        """Give them as COPY reads them."""
        return self._taken([_escape(word) for word in self.words], COPY_NULL)

    def hashed(self) -> tuple[bytes, bytes]:
        """Give them as bytes to hash."""
        lengths = np.array([*map(len, self.words), -1], "<i4")
        return lengths[self.places].tobytes(), "".join(
            self._taken(self.words.tolist(), "")
        ).encode()

    def _taken(self, words: Sequence[str], gap: Any) -> list[Any]:
        """Take words from a list; place -1 is its last."""
        taken: list[Any] = np.array([*words, gap], object)[self.places].tolist()
        return taken


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that are all different."""

    texts: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, part: slice) -> Texts:
        """Give some of them."""
        return Texts(self.texts[part])

    def values(self) -> Sequence[str | None]:
        """Give them as Python objects."""
        return self.texts

    def copied(self) -> Sequence[str]:
        """Give them as COPY reads them."""
        return [COPY_NULL if text is None else _escape(text) for text in self.texts]

    def hashed(self) -> tuple[bytes, bytes]:
        """Give them as bytes to hash."""
        texts = cast(Sequence[str], self.texts)
        try:
            return np.fromiter(map(len, texts), "<i4").tobytes(), "".join(texts).encode()
        except TypeError:  # there are gaps
            lengths = [-1 if text is None else len(text) for text in self.texts]
            there = "".join([text for text in self.texts if text is not None])
            return np.array(lengths, "<i4").tobytes(), there.encode()


def _escape(text: str) -> str:
    """Write a text as COPY reads it."""
    return text.translate(_ESCAPED) if any(map(text.__contains__, "\\\t\n\r")) else text


def _without(values: list[Any], gaps: Ints, gap: Any) -> list[Any]:
    """Put what stands for "none" where there is none."""
    for place in gaps.tolist():
        values[place] = gap
    return values


def _written(moments: Ints) -> npt.NDArray[np.uint8]:
    """Write moments digit by digit: numpy's own function takes twenty times as long."""
    text = np.empty((len(moments), _WIDTH), np.uint8)
    if not len(moments):
        return text
    latest = moments.max()
    moments = np.where(moments == NULL, max(latest, 0), moments)  # something near the others
    day, within = np.divmod(moments, _US_PER_DAY)
    first = day.min()
    days = np.arange(first, day.max() + 1).astype("datetime64[D]")
    dates = np.datetime_as_string(days).astype("S10")
    text[:] = _TEMPLATE
    text[:, :10] = dates.view(np.uint8).reshape(-1, 10)[day - first]
    for place, worth, base in _DIGITS:
        text[:, place] += (within // worth % base).astype(np.uint8)
    return text
