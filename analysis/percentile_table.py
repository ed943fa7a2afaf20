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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.recording.format import CENSORED, GOOD, NOT_SENT, PARQUET
from analysis.recording.reader import clock_offsets, read_manifest
from analysis.windows import Window

LEVELS = (0.5, 0.9, 0.95, 0.99)

_WORDS = ("method", "endpoint", "outcome")
_COLUMNS = ("process", "intended_us", "done_us", "seen_us", *_WORDS)
_COUNTED = frozenset(outcome.label for outcome in GOOD | CENSORED)

Micros = npt.NDArray[np.int64]
Table = dict[tuple[str, int], npt.NDArray[np.float64]]


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
    dict of (str, int) to ndarray, shape (k,)
        Milliseconds by ``"METHOD endpoint"`` and stage, of the requests that were
        intended in the hold and answered well or never seen to end (those at their age);
        what was carried into a hold is not among them.

    References
    ----------
    Hyndman and Fan (1996), "Sample quantiles in statistical packages", type 7.
    """
    run = [window for window in windows if window.was_run]
    edges = np.array([(window.start_s, window.end_s) for window in run]).ravel() * 1e6
    reading = _Reading(
        path=folder / PARQUET,
        offsets=clock_offsets(read_manifest(folder)),
        edges=edges,
        stages=tuple(window.stage for window in run),
    )
    groups = pq.read_metadata(reading.path).num_row_groups
    parts: dict[tuple[str, int], list[Micros]] = defaultdict(list)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for found in pool.map(lambda number: _latencies(reading, number), range(groups)):
            for key, latencies in found:
                parts[key].append(latencies)
        computed = pool.map(lambda key: _quantiles(parts[key], levels), parts)
        return dict(zip(parts, computed, strict=True))


def _latencies(reading: _Reading, number: int) -> list[tuple[tuple[str, int], Micros]]:
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
    counted = _flags(table.column("outcome")) & (piece % 2 == 1)
    key = (name.astype(np.int64) * len(reading.stages) + piece // 2)[counted]
    latencies = (end - intended)[counted]
    kind = np.uint16 if key.max(initial=0) <= np.iinfo(np.uint16).max else np.int64
    order = np.argsort(key.astype(kind), kind="stable")  # 16 bits are counted, not compared
    ends = np.cumsum(np.bincount(key, minlength=1))
    latencies = latencies[order]
    return [
        (
            (names[each // len(reading.stages)], reading.stages[each % len(reading.stages)]),
            latencies[last - size : last],
        )
        for each, (last, size) in enumerate(zip(ends, np.diff(ends, prepend=0), strict=True))
        if size
    ]


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


def _flags(outcome: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    words, codes = _codes(outcome)
    return np.asarray(np.array([*(word in _COUNTED for word in words), False])[codes])


def _quantiles(parts: list[Micros], levels: Sequence[float]) -> npt.NDArray[np.float64]:
    """Quantiles of whole microseconds, in milliseconds; numpy's ``linear``."""
    values = np.concatenate(parts)
    if values.max() <= np.iinfo(np.uint32).max:
        values = values.astype(np.uint32)  # half as much to move
    position = (len(values) - 1) * np.asarray(levels, dtype=np.float64)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, len(values) - 1)
    values.partition(np.unique(np.concatenate([below, above])))
    low, high = values[below].astype(np.float64), values[above].astype(np.float64)
    return np.asarray((low + (high - low) * (position - below)) / 1e3)
