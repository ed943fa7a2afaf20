"""The format of a recorded run: files, columns, outcomes.

Format history
--------------
1. First version: one Arrow IPC stream per generator process, names as integers
   with ``samples/names.jsonl`` beside them; ``samples.parquet`` with the names
   written out.
2. `click`: which step of a persona's journey a request belongs to (null before, and
   for users of a locustfile). `attempt` is set: 1 where a kept connection was stale and
   was opened again before a byte was sent. `method` and `endpoint` may be null: a missed
   arrival has none when nobody knows what it would have asked for.

A reader keeps columns that it does not know and refuses a newer format.
This module must stay free of pandas: it is imported where load is generated.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FORMAT = 2

MANIFEST = "manifest.json"
SAMPLES_FOLDER = "samples"
NAMES = "samples/names.jsonl"
PARQUET = "samples.parquet"
TIMELINE = "timeline.jsonl"
RESOURCES = "resources.jsonl"
EVENTS = "events.jsonl"
VERDICT = "verdict.json"

MAX_ENDPOINTS = 1000
OTHER = "(other)"
"""Endpoints beyond the first thousand are counted under this name."""

REPLAYED = "replayed"
"""Tag of an answer that the target has given before, to a request with the same
``Idempotency-Key``."""

NOT_SENT = "(not sent)"
"""What missed arrivals are called when nobody knows what they would have asked for."""


class Outcome(IntEnum):
    """How a request ended, as far as anybody knows."""

    OK = 0
    CHECK_FAILED = 1
    HTTP_ERROR = 2
    RATE_LIMITED = 3
    CONNECTION_ERROR = 4
    TIMEOUT = 5
    UNFINISHED = 6
    MISSED = 7
    CANCELLED = 8
    OPEN = 9

    @property
    def label(self) -> str:
        """The word that files and reports use."""
        return self.name.lower()


GOOD = frozenset({Outcome.OK})
NEITHER = frozenset({Outcome.CANCELLED})
BAD = frozenset(Outcome) - GOOD - NEITHER
"""Bad is all but ok and cancelled."""

CENSORED = frozenset({Outcome.TIMEOUT, Outcome.UNFINISHED, Outcome.MISSED, Outcome.OPEN})
"""Outcomes whose latency is only known to be at least their age."""

UNFINISHED = frozenset({Outcome.UNFINISHED, Outcome.OPEN})
"""Requests that nobody saw the end of."""

_NULL = -1

# name, struct code, numpy type, Arrow type, null allowed, dictionary of names
_COLUMNS: tuple[tuple[str, str, str, pa.DataType, bool, bool], ...] = (
    ("process", "h", "<i2", pa.int16(), False, False),
    ("request", "q", "<i8", pa.int64(), False, False),
    ("transaction", "q", "<i8", pa.int64(), True, False),
    ("step", "h", "<i2", pa.int16(), True, False),
    ("click", "h", "<i2", pa.int16(), True, True),
    ("attempt", "h", "<i2", pa.int16(), False, False),
    ("intended_us", "q", "<i8", pa.int64(), False, False),
    ("sent_us", "q", "<i8", pa.int64(), True, False),
    ("connected_us", "q", "<i8", pa.int64(), True, False),
    ("first_byte_us", "q", "<i8", pa.int64(), True, False),
    ("done_us", "q", "<i8", pa.int64(), True, False),
    ("seen_us", "q", "<i8", pa.int64(), False, False),
    ("method", "h", "<i2", pa.int16(), True, True),
    ("endpoint", "h", "<i2", pa.int16(), True, True),
    ("persona", "h", "<i2", pa.int16(), True, True),
    ("user", "i", "<i4", pa.int32(), True, False),
    ("outcome", "b", "i1", pa.int8(), False, True),
    ("status", "h", "<i2", pa.int16(), True, False),
    ("error", "h", "<i2", pa.int16(), True, True),
    ("bytes_out", "q", "<i8", pa.int64(), True, False),
    ("bytes_in", "q", "<i8", pa.int64(), True, False),
    ("server_us", "i", "<i4", pa.int32(), True, False),
    ("database_us", "i", "<i4", pa.int32(), True, False),
    ("queries", "i", "<i4", pa.int32(), True, False),
    ("tags", "h", "<i2", pa.int16(), True, True),
)

COLUMNS = tuple(column[0] for column in _COLUMNS)
NULLABLE = frozenset(column[0] for column in _COLUMNS if column[4])
NAMED = tuple(column[0] for column in _COLUMNS if column[5] and column[0] != "outcome")
"""Columns that hold the number of a name (outcome holds one that is fixed)."""

ROW = struct.Struct("<" + "".join(column[1] for column in _COLUMNS))
"""One sample, packed; -1 stands for null."""

DTYPE = np.dtype({"names": list(COLUMNS), "formats": [column[2] for column in _COLUMNS]})

STREAM_SCHEMA = pa.schema(
    [pa.field(name, kind, nullable=null) for name, _, _, kind, null, _ in _COLUMNS],
    metadata={"trueload.format": str(FORMAT)},
)

PARQUET_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string() if named else kind, nullable=null)
        for name, _, _, kind, null, named in _COLUMNS
    ],
    metadata={"trueload.format": str(FORMAT)},
)


def encode(packed: bytes | bytearray) -> bytes:
    """Turn packed rows into one Arrow record batch message.

    Parameters
    ----------
    packed : bytes
        Whole rows of :data:`ROW`.

    Returns
    -------
    bytes
        The batch as it stands in the stream.
    """
    rows = np.frombuffer(packed, dtype=DTYPE)
    return encode_columns({name: rows[name] for name in COLUMNS})


def encode_columns(columns: Mapping[str, npt.NDArray[np.integer[Any]]]) -> bytes:
    """Turn columns into one Arrow record batch message.

    Built with ``from_buffers``: ``pa.array`` would import pandas on its first
    call and stop the event loop meanwhile.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Every one of :data:`COLUMNS`, all of one length; -1 stands for null.

    Returns
    -------
    bytes
        The batch as it stands in the stream.
    """
    arrays = []
    for field in STREAM_SCHEMA:
        column = np.ascontiguousarray(columns[field.name], dtype=DTYPE[field.name])
        valid = None
        if field.nullable:
            valid = pa.py_buffer(np.packbits(column != _NULL, bitorder="little"))
        arrays.append(pa.Array.from_buffers(field.type, len(column), [valid, pa.py_buffer(column)]))
    batch = pa.record_batch(arrays, schema=STREAM_SCHEMA)
    return bytes(batch.serialize())


def stream_name(process: int) -> str:
    """Path of a generator process's stream inside the run folder."""
    return f"{SAMPLES_FOLDER}/g{process}.arrows"
