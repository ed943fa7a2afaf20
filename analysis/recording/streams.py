"""Reads the streams of a run, whole or cut, and consolidates them to Parquet."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.recording.format import (
    NAMED,
    NAMES,
    PARQUET,
    PARQUET_SCHEMA,
    SAMPLES_FOLDER,
    Outcome,
)

_GROUP_ROWS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """How far a stream could be read.

    Attributes
    ----------
    process : int
        Number of the generator process.
    rows : int
        Rows read, rows that were replaced later included.
    torn : bool
        Whether the stream ends inside a batch.
    """

    process: int
    rows: int
    torn: bool


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; a last line that was cut is left out.

    Parameters
    ----------
    path : Path
        The file; a file that is not there has no lines.

    Returns
    -------
    list of dict
        In the file's order.

    Raises
    ------
    ValueError
        When a line before the last is no JSON object, with file and line.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")
    whole, rest = lines[:-1], lines[-1]
    parsed = [
        _object(line, f"{path.name}, line {number}")
        for number, line in enumerate(whole, start=1)
        if line
    ]
    if rest:
        with contextlib.suppress(ValueError):  # the writer was killed inside its last line
            parsed.append(_object(rest, path.name))
    return parsed


def _object(line: bytes, where: str) -> dict[str, Any]:
    """Parse one line.

    Raises
    ------
    ValueError
        When it is no JSON object.
    """
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if not isinstance(found, dict):
        message = f"{where}: found {found!r}; allowed: a JSON object"
        raise ValueError(message)  # noqa: TRY004 - a damaged file, not a wrong call
    return found


def _batches(path: Path) -> Iterator[pa.RecordBatch | None]:
    """Whole batches of a stream; None at the end of one that is torn."""
    with pa.OSFile(str(path), "rb") as file:
        try:
            reader = pa.ipc.open_stream(file)
        except (pa.ArrowInvalid, OSError):
            yield None  # shorter than its schema: no samples yet
            return
        while True:
            try:
                yield reader.read_next_batch()
            except StopIteration:
                return
            except (pa.ArrowInvalid, OSError):
                yield None
                return


def _process_of(path: Path) -> int:
    return int(path.stem.removeprefix("g"))


def stream_paths(folder: Path) -> list[Path]:
    """Streams of a run, by process number."""
    return sorted((folder / SAMPLES_FOLDER).glob("g*.arrows"), key=_process_of)


def read_names(folder: Path) -> dict[tuple[int, str], dict[int, str]]:
    """Read which number stands for which name.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict
        For each process and column, names by number.
    """
    names: dict[tuple[int, str], dict[int, str]] = {}
    for line in read_lines(folder / NAMES):
        by_number = names.setdefault((line["process"], line["column"]), {})
        by_number[line["number"]] = line["name"]
    return names


def _named(batch: pa.RecordBatch, names: dict[str, dict[int, str]]) -> pa.Table:
    columns = []
    for field in batch.schema:
        column = batch.column(field.name)
        if field.name in NAMED:
            column = _names_of(column, names.get(field.name, {}))
        elif field.name == "outcome":
            labels = pa.array([outcome.label for outcome in Outcome])
            column = labels.take(column)
        columns.append(column)
    return completed(pa.table(columns, names=batch.schema.names))


def completed(table: pa.Table) -> pa.Table:
    """Add the columns that an older format does not have, without values.

    Parameters
    ----------
    table : pyarrow.Table
        Samples with names written out.

    Returns
    -------
    pyarrow.Table
        With every column of this format.
    """
    for field in PARQUET_SCHEMA:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def _names_of(numbers: pa.Array, names: dict[int, str]) -> pa.Array:
    known = pa.array(list(names), type=pa.int16())
    values = pa.array(list(names.values()), type=pa.string())
    return values.take(pc.index_in(numbers, value_set=known))


def _last_rows(path: Path) -> npt.NDArray[np.bool_]:
    """Flag, for each row of a stream, whether no later row of its request replaces it."""
    requests, outcomes = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int8)]
    for batch in _batches(path):
        if batch is not None:
            requests.append(batch.column("request").to_numpy())
            outcomes.append(batch.column("outcome").to_numpy())
    request, outcome = np.concatenate(requests), np.concatenate(outcomes)
    last = np.ones(len(request), dtype=np.bool_)
    again = np.flatnonzero(np.isin(request, request[outcome == Outcome.OPEN]))
    order = again[np.argsort(request[again], kind="stable")]
    last[order[:-1][np.diff(request[order]) == 0]] = False
    return last


def read_stream(
    path: Path, names: dict[tuple[int, str], dict[int, str]]
) -> Iterator[pa.Table | StreamEnd]:
    """Read one stream with names written out and only the last row of each request.

    Parameters
    ----------
    path : Path
        The stream.
    names : dict
        As :func:`read_names` gives them.

    Yields
    ------
    pyarrow.Table or StreamEnd
        Tables, then how far the stream could be read.
    """
    process = _process_of(path)
    own = {column: by for (number, column), by in names.items() if number == process}
    last = _last_rows(path)
    rows, torn = 0, False
    for batch in _batches(path):
        if batch is None:
            torn = True
            break
        if rows == len(last):
            break  # written since: the run goes on, and is read as it was a moment ago
        kept = last[rows : rows + batch.num_rows]
        rows += batch.num_rows
        if kept.any():
            yield _named(batch if kept.all() else batch.filter(pa.array(kept)), own)
    yield StreamEnd(process=process, rows=rows, torn=torn)


def read_samples(folder: Path) -> tuple[pa.Table, list[StreamEnd]]:
    """Read all streams of a run.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    tuple of (pyarrow.Table, list of StreamEnd)
        One row a request, and how far each stream could be read.
    """
    names = read_names(folder)
    tables, ends = [], []
    for path in stream_paths(folder):
        for part in read_stream(path, names):
            if isinstance(part, StreamEnd):
                ends.append(part)
            else:
                tables.append(part)
    return (pa.concat_tables(tables) if tables else PARQUET_SCHEMA.empty_table()), ends


def consolidate(folder: Path) -> list[StreamEnd]:
    """Write ``samples.parquet`` from the streams: beside it first, then renamed.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    list of StreamEnd
        How far each stream could be read.
    """
    names = read_names(folder)
    target = folder / PARQUET
    beside = target.with_suffix(".parquet.part")
    paths = stream_paths(folder)
    schema = _parquet_schema(paths)
    ends: list[StreamEnd] = []
    with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        for path in paths:
            for part in read_stream(path, names):
                if isinstance(part, StreamEnd):
                    ends.append(part)
                    continue
                waiting.append(part.select(schema.names).cast(schema))
                if sum(table.num_rows for table in waiting) >= _GROUP_ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    beside.rename(target)
    return ends


def _parquet_schema(paths: list[Path]) -> pa.Schema:
    """Take the schema of the samples, and columns of a later version that every stream has."""
    schema = PARQUET_SCHEMA
    streams = [batch.schema for path in paths for batch in _first_batch(path)]
    for field in streams[0] if streams else ():
        everywhere = all(field.name in stream.names for stream in streams)
        if field.name not in schema.names and everywhere:
            schema = schema.append(field)
    return schema


def _first_batch(path: Path) -> list[pa.RecordBatch]:
    return [batch for batch in islice(_batches(path), 1) if batch is not None]
