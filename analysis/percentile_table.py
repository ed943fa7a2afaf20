"""Percentiles of every endpoint in every hold, straight from the file of samples.

The verdict's percentiles come with intervals and take a frame of everything. Who only wants
the table of a large run has it here for the price of reading five columns: row group by
row group, and nothing is sorted::

    row group ──> latency in whole microseconds ──┐
              ──> endpoint and stage, 16 bits ────┴──> counted into place ──> partition
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.recording.format import CENSORED, GOOD, NOT_SENT, PARQUET
from analysis.recording.manifest import read_manifest
from analysis.recording.reader import clock_offsets
from analysis.windows import Window

LEVELS = (0.5, 0.9, 0.95, 0.99)

_WORDS = ("method", "endpoint", "outcome")
_COLUMNS = ("process", "intended_us", "done_us", "seen_us", *_WORDS)
_COUNTED = frozenset(outcome.label for outcome in GOOD | CENSORED)
_CENSORED = frozenset(outcome.label for outcome in CENSORED)
_NEVER = np.iinfo(np.int64).max

Micros = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of one endpoint in one hold, or of all requests there.

    Attributes
    ----------
    values : ndarray of float, shape (k,)
        Milliseconds.
    is_bound : ndarray of bool, shape (k,)
        Whether requests that never ended leave it open above: then it is a lower bound.
    n : int
        Requests they are of.
    """

    values: npt.NDArray[np.float64]
    is_bound: npt.NDArray[np.bool_]
    n: int


Table = dict[tuple[str, int], Percentiles]
Totals = dict[int, Percentiles]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one row group holds of an endpoint in a hold."""

    latencies: Micros
    youngest: int
    """Age of the youngest request that was never seen to end."""


_Parts = dict[tuple[str, int], list[_Part]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What every row group is read by."""

    path: Path
    offsets: dict[int, float]
    edges: npt.NDArray[np.float64]
    stages: tuple[int, ...]


def percentile_table(
    folder: Path, windows: Sequence[Window], levels: Sequence[float] = LEVELS
) -> Table:
    """Compute percentiles of latency by endpoint and hold.

    Parameters
    ----------
    folder : Path
        A run folder whose samples were consolidated.
    windows : sequence of Window
        Its holds, in order; they do not overlap.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    dict of (str, int) to Percentiles
        By ``"METHOD endpoint"`` and stage, of the requests that were intended in the hold
        and answered well or never seen to end (those at their age); what was carried into
        a hold is not among them.

    References
    ----------
    Hyndman and Fan (1996), "Sample quantiles in statistical packages", type 7.
    """
    parts = _parts(folder, windows)
    return dict(zip(parts, _each(parts.values(), levels), strict=True))


def table_with_totals(
    folder: Path, windows: Sequence[Window], levels: Sequence[float] = LEVELS
) -> tuple[Table, Totals]:
    """Compute percentiles of latency by endpoint and hold, and those of all requests of each hold.

    Parameters
    ----------
    folder : Path
        A run folder whose samples were consolidated.
    windows : sequence of Window
        Its holds, in order; they do not overlap.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    table : dict of (str, int) to Percentiles
        As :func:`percentile_table` gives it.
    totals : dict of int to Percentiles
        By stage: of its samples, for percentiles have no mean.
    """
    parts = _parts(folder, windows)
    wholes: dict[int, list[_Part]] = defaultdict(list)
    for (_, stage), its in parts.items():
        wholes[stage].extend(its)
    # The largest first: they would be waited for at the end.
    found = _each([*wholes.values(), *parts.values()], levels)
    totals = dict(zip(wholes, found[: len(wholes)], strict=True))
    return dict(zip(parts, found[len(wholes) :], strict=True)), totals


def _parts(folder: Path, windows: Sequence[Window]) -> _Parts:
    """Read the latencies of every endpoint in every hold."""
    run = [window for window in windows if window.was_run]
    edges = np.array([(window.start_s, window.end_s) for window in run]).ravel() * 1e6
    reading = _Reading(
        path=folder / PARQUET,
        offsets=clock_offsets(read_manifest(folder)),
        edges=edges,
        stages=tuple(window.stage for window in run),
    )
    groups = pq.read_metadata(reading.path).num_row_groups
    parts: _Parts = defaultdict(list)
    with _threads() as pool:
        for found in pool.map(lambda number: _latencies(reading, number), range(groups)):
            for key, part in found:
                parts[key].append(part)
    return parts


def _each(every: Collection[list[_Part]], levels: Sequence[float]) -> list[Percentiles]:
    with _threads() as pool:
        return list(pool.map(lambda parts: _percentiles(parts, levels), every))


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)))


def _latencies(reading: _Reading, number: int) -> list[tuple[tuple[str, int], _Part]]:
    """Read one row group, and put its latencies together by endpoint and stage."""
    with pq.ParquetFile(reading.path, read_dictionary=list(_WORDS)) as file:
        table = file.read_row_group(number, columns=list(_COLUMNS), use_threads=False)
    intended = table.column("intended_us").to_numpy()
    done = table.column("done_us").combine_chunks()
    end = table.column("seen_us").to_numpy()
    if done.null_count < len(done):
        end = np.where(done.is_valid().to_numpy(zero_copy_only=False), done.fill_null(0), end)
    shift = _shift(table.column("process").to_numpy(), reading.offsets)
    # the pieces between the edges are gap, hold, gap, hold, ...: every second one is a hold
    piece = np.searchsorted(reading.edges, intended + shift, side="right")
    names, name = _named(table.column("method"), table.column("endpoint"))
    inside = piece % 2 == 1
    counted = _flags(table.column("outcome"), _COUNTED) & inside
    key = (name.astype(np.int64) * len(reading.stages) + piece // 2)[counted]
    latencies = (end - intended)[counted]
    kind = np.uint16 if key.max(initial=0) <= np.iinfo(np.uint16).max else np.int64
    order = np.argsort(key.astype(kind), kind="stable")  # 16 bits are counted, not compared
    ends = np.cumsum(np.bincount(key, minlength=1))
    latencies = latencies[order]
    never_ended = _flags(table.column("outcome"), _CENSORED)[counted][order]
    found = []
    for each, (last, size) in enumerate(zip(ends, np.diff(ends, prepend=0), strict=True)):
        if size == 0:
            continue
        its = slice(last - size, last)
        youngest = latencies[its][never_ended[its]].min(initial=_NEVER)
        of, at = divmod(each, len(reading.stages))
        part = _Part(latencies[its], int(youngest))
        found.append(((names[of], reading.stages[at]), part))
    return found


def _shift(
    process: npt.NDArray[np.int16], offsets: dict[int, float]
) -> npt.NDArray[np.float64] | float:
    present = np.unique(process).tolist()
    if len(present) == 1:
        return offsets.get(present[0], 0.0)
    table = np.zeros(max(present, default=0) + 1)
    table[present] = [offsets.get(each, 0.0) for each in present]
    return np.asarray(table[process])


def _named(
    method: pa.ChunkedArray, endpoint: pa.ChunkedArray
) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Name the endpoints of a row group, and give the number of each row's."""
    methods, m = _codes(method)
    endpoints, e = _codes(endpoint)
    names = [
        NOT_SENT if what is None else f"{how} {what}"
        for how in (*methods, None)
        for what in (*endpoints, None)
    ]
    return names, m * (len(endpoints) + 1) + e


def _codes(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Give the words of a column, and the number of each row's; null has the one after."""
    words = column.combine_chunks()
    if isinstance(words, pa.ChunkedArray):  # what has no row has no chunk
        words = words.chunk(0) if words.num_chunks else pa.array([], words.type)
    known = words.dictionary.to_pylist()
    return known, words.indices.fill_null(len(known)).to_numpy().astype(np.int32)


def _flags(outcome: pa.ChunkedArray, among: frozenset[str]) -> npt.NDArray[np.bool_]:
    words, codes = _codes(outcome)
    return np.asarray(np.array([*(word in among for word in words), False])[codes])


def _percentiles(parts: list[_Part], levels: Sequence[float]) -> Percentiles:
    """Quantiles of whole microseconds, in milliseconds; numpy's ``linear``."""
    most = max(int(part.latencies.max()) for part in parts)
    kind = np.uint32 if most <= np.iinfo(np.uint32).max else np.int64  # half as much to move
    values = np.concatenate([part.latencies for part in parts], dtype=kind, casting="unsafe")
    position = (len(values) - 1) * np.asarray(levels, dtype=np.float64)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, len(values) - 1)
    values.partition(np.unique(np.concatenate([below, above])))
    low, high = values[below].astype(np.float64), values[above].astype(np.float64)
    # An end that was never seen may be as late as one likes: it moves what is not below it.
    youngest = min(part.youngest for part in parts)
    part_of_high = position - below
    return Percentiles(
        values=np.asarray((low + (high - low) * part_of_high) / 1e3),
        is_bound=np.asarray(youngest <= np.where(part_of_high > 0, high, low)),
        n=len(values),
    )
