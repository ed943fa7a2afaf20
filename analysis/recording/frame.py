"""The frame of samples that the measures take: columns read one by one, each as small as it is.

A run of ten million requests has 25 columns; all of them at once, in the types in which
they stand in the file, do not fit where a run is judged. So a column is read, put into
order and made small before the next one is read, and what no measure asks for is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.recording.format import (
    BAD,
    CENSORED,
    COLUMNS,
    GOOD,
    NOT_SENT,
    PARQUET_SCHEMA,
    Outcome,
)

LEFT_OUT = frozenset({"attempt", "connected_us", "first_byte_us", "bytes_out", "bytes_in"})
"""Columns that no measure asks for: they stay in the file."""

TIMES = frozenset({"intended_us", "sent_us", "done_us", "seen_us"})
"""Columns that become others, on the clock of the run."""

EXACT_IN_FLOAT32 = 1 << 24
"""Every whole number up to here is one of 32 bits, too."""

_PIECE = 500_000
"""Rows that are converted at once."""

Order = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where the columns of the samples come from, one at a time.

    Attributes
    ----------
    names : tuple of str
        Those that there are; what an older format does not have is not among them.
    rows : int
        How long each is.
    read : callable
        Gives the column of a name, texts as numbers of a dictionary.
    """

    names: tuple[str, ...]
    rows: int
    read: Callable[[str], pa.ChunkedArray]

    @classmethod
    def of_table(cls, table: pa.Table) -> Columns:
        """Take the columns of a table."""

        def read(name: str) -> pa.ChunkedArray:
            column = table.column(name)
            return column.dictionary_encode() if pa.types.is_string(column.type) else column

        return cls(names=tuple(table.column_names), rows=table.num_rows, read=read)

    @classmethod
    def of_parquet(cls, path: Path) -> Columns:
        """Take the columns of a file, which is read as they are asked for."""
        schema = pq.read_schema(path)
        words = [field.name for field in schema if pa.types.is_string(field.type)]
        file = pq.ParquetFile(path, read_dictionary=words)

        def read(name: str) -> pa.ChunkedArray:
            with _given_back():
                return file.read(columns=[name]).column(0)

        return cls(names=tuple(schema.names), rows=file.metadata.num_rows, read=read)

    def get(self, name: str) -> pa.ChunkedArray:
        """Give a column; one without values where an older format does not have it."""
        if name in self.names:
            return self.read(name)
        column = pa.chunked_array([pa.nulls(self.rows, PARQUET_SCHEMA.field(name).type)])
        return column.dictionary_encode() if pa.types.is_string(column.type) else column


@contextmanager
def _given_back() -> Iterator[None]:
    """Let Arrow take its memory from the system, and give it back when a column is done with.

    Its own pool keeps a tenth of what a large run takes, for columns that never come.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def to_frame(
    columns: Columns, offsets: dict[int, float], wanted: Collection[str] | None = None
) -> pd.DataFrame:
    """Make the frame that the measures take.

    Parameters
    ----------
    columns : Columns
        Of the samples, with names written out.
    offsets : dict of int to float
        For each process, microseconds to add to its times.
    wanted : collection of str, optional
        Only these columns.

    Returns
    -------
    DataFrame
        One row a request, in the order of intended starts (equal ones as they were
        written): the columns of the format, numbers in the smallest type that holds them
        exactly (NaN = did not happen) and texts as sorted categories, but for
        :data:`LEFT_OUT`; of the times only ``sent_us``, in microseconds of run time. And
        ``name`` ("METHOD endpoint"), ``intended_s``, ``end_s`` (last byte, else last seen),
        ``latency_ms`` (intended to last byte; to last seen when the end was not),
        ``service_ms`` (the same from the send), ``good``, ``bad``, ``censored``.
    """
    process = _small(columns.get("process"))
    times, order = _times(columns, _shift(process, offsets))
    found: dict[str, npt.NDArray[Any] | pd.Categorical] = {}
    for name in dict.fromkeys((*COLUMNS, *columns.names)):
        if name in LEFT_OUT | TIMES or not _is_needed(name, wanted):
            continue
        column = columns.get(name)
        is_text = pa.types.is_dictionary(column.type)
        found[name] = _words(column, order) if is_text else _in(order, _small(column))
    found |= times | _judged(found)
    chosen = {name: found[name] for name in found if wanted is None or name in wanted}
    return pd.DataFrame(chosen, copy=False)


_MADE_OF = {"name": ("method", "endpoint"), "good": ("outcome",), "bad": ("outcome",)}
_MADE_OF["censored"] = ("outcome",)


def _is_needed(name: str, wanted: Collection[str] | None) -> bool:
    if wanted is None or name in wanted:
        return True
    return any(name in _MADE_OF.get(each, ()) for each in wanted)


def _times(
    columns: Columns, shift: Numbers | float
) -> tuple[dict[str, npt.NDArray[Any] | pd.Categorical], Order | None]:
    """Read the times first: while they are made of each other, nothing else is there."""
    intended = _time(columns, "intended_us", shift)
    order = _order(intended)
    intended = _in(order, intended)
    end = _time(columns, "done_us", shift)
    np.copyto(end, _time(columns, "seen_us", shift), where=np.isnan(end))
    end = _in(order, end)
    sent = _in(order, _time(columns, "sent_us", shift))
    latency, service = end - intended, end - sent
    for times, per in ((intended, 1e6), (end, 1e6), (latency, 1e3), (service, 1e3)):
        np.divide(times, per, out=times)
    found = {"sent_us": sent, "intended_s": intended, "end_s": end}
    return {**found, "latency_ms": latency, "service_ms": service}, order


def _judged(
    found: dict[str, npt.NDArray[Any] | pd.Categorical],
) -> dict[str, npt.NDArray[Any] | pd.Categorical]:
    """Name the requests, and say which ended well, where what that takes was read."""
    made: dict[str, npt.NDArray[Any] | pd.Categorical] = {}
    method, endpoint, outcome = (found.get(name) for name in ("method", "endpoint", "outcome"))
    if isinstance(method, pd.Categorical) and isinstance(endpoint, pd.Categorical):
        made["name"] = _names(method, endpoint)
    if isinstance(outcome, pd.Categorical):
        for name, outcomes in (("good", GOOD), ("bad", BAD), ("censored", CENSORED)):
            made[name] = _any_of(outcome, outcomes)
    return made


def _shift(process: npt.NDArray[np.generic], offsets: dict[int, float]) -> Numbers | float:
    """Microseconds to add to each time; one number where they are all the same."""
    present = [int(number) for number in np.unique(process)]
    wanted = {offsets.get(number, 0.0) for number in present}
    if len(wanted) <= 1:
        return wanted.pop() if wanted else 0.0
    table = np.zeros(present[-1] + 1)
    table[present] = [offsets.get(number, 0.0) for number in present]
    return np.asarray(table[process.astype(np.intp)])


def _time(columns: Columns, name: str, shift: Numbers | float) -> Numbers:
    times = _filled(columns.get(name), np.float64)
    times += shift
    return times


def _filled(column: pa.ChunkedArray, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Put a column together piece by piece: never two of it at once; null becomes NaN."""
    numbers: npt.NDArray[Any] = np.empty(len(column), dtype=kind)
    at = 0
    for chunk in column.chunks:
        for first in range(0, len(chunk), _PIECE):
            piece = chunk.slice(first, _PIECE)
            numbers[at : at + len(piece)] = piece.to_numpy(zero_copy_only=False)
            at += len(piece)
    return numbers


def _order(intended_us: Numbers) -> Order | None:
    """Find the order of intended starts; None where it is that of the rows."""
    if (intended_us[1:] >= intended_us[:-1]).all():
        return None
    return np.argsort(intended_us, kind="stable")


def _in(order: Order | None, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values if order is None else values[order]


def _small(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Give numbers in the smallest type that holds them all exactly; null becomes NaN."""
    if not pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy())
    bounds = pc.min_max(column)
    low, high = bounds["min"].as_py() or 0, bounds["max"].as_py() or 0
    if column.null_count:
        exact = max(-low, high) <= EXACT_IN_FLOAT32
        return _filled(column, np.float32 if exact else np.float64)
    fits = np.iinfo(np.int32)
    wide = column.type.bit_width > fits.bits
    if wide and fits.min <= low and high <= fits.max:
        return _filled(column, np.int32)
    return _filled(column, column.type.to_pandas_dtype())


def _words(column: pa.ChunkedArray, order: Order | None) -> pd.Categorical:
    column = column.unify_dictionaries()
    words = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    categories = sorted(words)
    # the last one is for null, whose code is -1
    table = np.array([*(categories.index(word) for word in words), -1])
    table = table.astype(_kind_for(len(words)))
    parts = [table[chunk.indices.fill_null(-1).to_numpy()] for chunk in column.chunks]
    codes = np.concatenate([table[:0], *parts])
    index = pd.Index(categories, dtype="str")
    return pd.Categorical.from_codes(_in(order, codes), categories=index)


def _names(method: pd.Categorical, endpoint: pd.Categorical) -> pd.Categorical:
    """Join method and endpoint, for each of the few pairs that there are."""
    width = len(endpoint.categories) + 1
    pair = (method.codes.astype(np.int32) + 1) * width + (endpoint.codes + 1)
    present = np.flatnonzero(np.bincount(pair, minlength=1))[: None if len(pair) else 0]
    methods, endpoints = ["nan", *method.categories], [None, *endpoint.categories]
    words = [
        NOT_SENT if endpoints[each % width] is None
        else f"{methods[each // width]} {endpoints[each % width]}"
        for each in present.tolist()
    ]  # fmt: skip
    categories = sorted(set(words))
    table = np.zeros(int(present.max(initial=0)) + 1, dtype=_kind_for(len(categories)))
    table[present] = [categories.index(word) for word in words]
    return pd.Categorical.from_codes(table[pair], categories=pd.Index(categories, dtype="str"))


def _kind_for(categories: int) -> type[np.int8 | np.int16]:
    return np.int8 if categories <= np.iinfo(np.int8).max else np.int16


def _any_of(outcome: pd.Categorical, wanted: frozenset[Outcome]) -> npt.NDArray[np.bool_]:
    labels = {each.label for each in wanted}
    table = np.array([*(label in labels for label in outcome.categories), False])
    return np.asarray(table[outcome.codes], dtype=np.bool_)
