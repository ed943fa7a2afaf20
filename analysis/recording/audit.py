"""What the target was asked after the load: which writes it has stored, and how often.

``goodput.json`` says whether it was asked, when, and which invariants of its data are
broken; ``goodput.parquet`` holds one row a write: process, request, and how often that is
stored (null: there was no time left to ask).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.recording.streams import StreamEnd, read_names, read_stream, stream_paths

FORMAT = 1
AUDIT = "goodput.json"
FOUND = "goodput.parquet"

WRITES = ("DELETE", "PATCH", "POST", "PUT")
"""Methods whose requests are meant to change something."""

NOBODY_ASKED = "the run was recorded without an audit, or ended before it"

FOUND_SCHEMA = pa.schema(
    [
        pa.field("process", pa.int16(), nullable=False),
        pa.field("request", pa.int64(), nullable=False),
        pa.field("found", pa.int32(), nullable=True),
    ]
)
_KEYS = ("process", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariants:
    """What was asked about the target's data as a whole.

    Attributes
    ----------
    checked : int
        How many invariants were looked at.
    broken : tuple of dict
        ``name``, ``violations`` (rows) and ``examples`` (some of their ids) of each that is.
    why : str or None
        Why they were not looked at.
    """

    checked: int = 0
    broken: tuple[dict[str, Any], ...] = ()
    why: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON holds it."""
        return {"checked": self.checked, "broken": list(self.broken), "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What came of asking the target.

    Attributes
    ----------
    why : str or None
        Why not all writes were asked for; None when they were.
    fresh : bool
        Whether the target was started for this run, on data in which everything fits.
    asked_at : str or None
        When, as ISO 8601.
    duration_s : float
        How long it took.
    invariants : Invariants
        Of the data as a whole.
    found : pyarrow.Table
        ``process``, ``request``, ``found`` of each write.
    """

    why: str | None
    fresh: bool = False
    asked_at: str | None = None
    duration_s: float = 0.0
    invariants: Invariants = Invariants(why=NOBODY_ASKED)
    found: pa.Table = field(default_factory=FOUND_SCHEMA.empty_table)

    def as_dict(self) -> dict[str, Any]:
        """Write it as ``goodput.json`` has it: all but the single writes."""
        return {
            "format": FORMAT,
            "assessed": self.why is None,
            "why": self.why,
            "fresh": self.fresh,
            "asked_at": self.asked_at,
            "duration_s": self.duration_s,
            "invariants": self.invariants.as_dict(),
        }


def sent_writes(folder: Path) -> Iterator[pa.Table]:
    """Read which requests of a run were sent and are meant to change something.

    Parameters
    ----------
    folder : Path
        The run folder; its streams may be cut.

    Yields
    ------
    pyarrow.Table
        ``process`` and ``request`` of some of them.
    """
    names = read_names(folder)
    methods = pa.array(WRITES)
    for path in stream_paths(folder):
        for part in read_stream(path, names):
            if isinstance(part, StreamEnd):
                continue
            writes = pc.is_in(part.column("method"), value_set=methods)
            chosen = part.filter(pc.and_(writes, pc.is_valid(part.column("sent_us"))))
            if chosen.num_rows:
                yield chosen.select(_KEYS)


def write_found(folder: Path, found: Iterable[pa.Table] = ()) -> None:
    """Write how often single writes are stored: beside the old file, then renamed.

    Parameters
    ----------
    folder : Path
        The run folder.
    found : iterable of pyarrow.Table
        In the columns of :data:`FOUND_SCHEMA`, a part at a time.
    """
    beside = folder / f"{FOUND}.part"
    with pq.ParquetWriter(beside, FOUND_SCHEMA, compression="zstd") as writer:
        for table in found:
            writer.write_table(table.cast(FOUND_SCHEMA))
    beside.rename(folder / FOUND)


def write_audit(folder: Path, audit: Audit) -> None:
    """Write what came of an audit as a whole, after its single writes.

    Parameters
    ----------
    folder : Path
        The run folder.
    audit : Audit
        Its `found` has been written before.
    """
    beside = folder / f"{AUDIT}.part"
    text = json.dumps(audit.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.rename(folder / AUDIT)


def read_audit(folder: Path) -> Audit:
    """Read what came of the audit of a run.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    Audit
        One that was never made, where there is none.

    Raises
    ------
    ValueError
        When it is damaged, or of a newer format.
    """
    path = folder / AUDIT
    if not path.is_file():
        return Audit(why=NOBODY_ASKED)
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] > FORMAT:
        raise ValueError(f"{AUDIT}: found format {document['format']}; allowed: up to {FORMAT}")
    invariants = document["invariants"]
    return Audit(
        why=document["why"],
        fresh=document["fresh"],
        asked_at=document["asked_at"],
        duration_s=document["duration_s"],
        invariants=Invariants(
            checked=invariants["checked"],
            broken=tuple(invariants["broken"]),
            why=invariants["why"],
        ),
        found=pq.read_table(folder / FOUND),
    )
