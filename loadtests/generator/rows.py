"""What the recorder packs for each request, and the columns that come of it.

A packed row holds what the loop has at hand, nanoseconds and numbers; everything
that can be computed for a whole batch at once is computed from it here.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.recording.format import BAD, Outcome
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import Sent

Rows = npt.NDArray[Any]
"""Packed rows as a structured array of :data:`DTYPE`."""

Columns = dict[str, npt.NDArray[np.integer[Any]]]

# the larger ones first, and none of them padded
_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("request", "q", "<i8"),
    ("transaction", "q", "<i8"),
    ("intended_ns", "q", "<i8"),
    ("free_ns", "q", "<i8"),  # when its user's request before had ended
    ("sent_ns", "q", "<i8"),
    ("connected_ns", "q", "<i8"),
    ("first_byte_ns", "q", "<i8"),
    ("done_ns", "q", "<i8"),
    ("seen_ns", "q", "<i8"),
    ("bytes_out", "q", "<i8"),
    ("bytes_in", "q", "<i8"),
    ("server_us", "i", "<i4"),
    ("database_us", "i", "<i4"),
    ("queries", "i", "<i4"),
    ("user", "i", "<i4"),
    ("route", "i", "<i4"),  # -1: it has neither method nor endpoint
    ("step", "h", "<i2"),
    ("click", "h", "<i2"),
    ("persona", "h", "<i2"),
    ("status", "h", "<i2"),
    ("error", "h", "<i2"),
    ("tag", "h", "<i2"),
    ("attempt", "b", "i1"),
    ("outcome", "b", "i1"),
    ("own", "b", "i1"),  # 1: the engine hears of it only from us
)

ROW = struct.Struct("<" + "".join(field[1] for field in _FIELDS))
"""A request as the loop packs it, fields in the order of the table; -1 stands for null."""

DTYPE = np.dtype(
    {"names": [field[0] for field in _FIELDS], "formats": [field[2] for field in _FIELDS]}
)

NOTHING_SAID = (-1, -1, -1)
"""The server's own times, where it says nothing of them."""

_MAX_STATUS = 2**15 - 1


def pack(
    sent: Sent,
    outcome: Outcome,
    status: int | None,
    error: int,
    route: int,
    about: tuple[int, int, int, int, int, int],
) -> bytes:
    """Pack a request that ended in any way, or is still open.

    Parameters
    ----------
    sent : Sent
        The request.
    outcome : Outcome
        What became of it so far.
    status : int or None
        Of the answer.
    error, route : int
        By their numbers; -1 for none.
    about : tuple of int
        Bytes of request and answer, what the server said of its times, a tag's number.

    Returns
    -------
    bytes
        A row that the engine hears of by itself, or never.
    """
    bytes_out, bytes_in, *timing, tag = about
    return ROW.pack(
        sent.number,
        sent.transaction,
        sent.intended_ns,
        sent.free_ns,
        sent.sent_ns,
        sent.connected_ns,
        sent.first_byte_ns,
        sent.done_ns,
        -1 if sent.done_ns >= 0 else now_ns(),
        bytes_out,
        bytes_in,
        *timing,
        sent.user.number,
        route,
        sent.step,
        sent.click,
        sent.user.persona_number,
        status if status is not None and 0 <= status <= _MAX_STATUS else -1,
        error,
        tag,
        sent.attempt,
        outcome,
        0,
    )


def pack_missed(
    number: int,
    *,
    transaction: int,
    intended_ns: int,
    user: int,
    route: int,
    click: int,
    persona: int,
    outcome: Outcome,
) -> bytes:
    """Pack an arrival that was never sent, and is given up now.

    Parameters
    ----------
    number, transaction : int
        Those that it would have had.
    intended_ns : int
        On the monotonic clock.
    user, route, click, persona : int
        By their numbers; -1 where nobody knows.
    outcome : Outcome
        Missed or cancelled.

    Returns
    -------
    bytes
        The row.
    """
    no_times = (-1, -1, -1, -1, -1)  # free, sent, connected, first byte, done
    no_bytes, no_answer = (-1, -1), (-1, -1)
    return ROW.pack(
        *(number, transaction, intended_ns, *no_times, now_ns(), *no_bytes, *NOTHING_SAID),
        *(user, route, 0, click, persona, *no_answer, -1, 0, outcome, 0),
    )


_IS_BAD = np.array([outcome in BAD for outcome in Outcome])
_AS_IT_IS: tuple[str, ...] = (
    *("request", "transaction", "step", "click", "persona", "user", "attempt", "outcome"),
    *("status", "error", "bytes_out", "bytes_in", "server_us", "database_us", "queries"),
)


def is_bad(rows: Rows) -> npt.NDArray[np.bool_]:
    """Flag the rows whose outcome is bad."""
    bad: npt.NDArray[np.bool_] = _IS_BAD[rows["outcome"]]
    return bad


def latency_ns(rows: Rows) -> npt.NDArray[np.int64]:
    """Nanoseconds from the intended start to the end, or to when it was last seen."""
    latency: npt.NDArray[np.int64] = _seen_ns(rows) - rows["intended_ns"]
    return latency


def send_lag_ns(rows: Rows) -> npt.NDArray[np.int64]:
    """Nanoseconds for which the generator was late with a send.

    Parameters
    ----------
    rows : ndarray, shape (n,)
        Packed rows.

    Returns
    -------
    ndarray
        One for each request that was sent, from the intended start, or from the end of
        the user's request before if that came later: until then it waited for the target.
    """
    due_ns = np.maximum(rows["intended_ns"], rows["free_ns"])
    was_sent = rows["sent_ns"] >= 0
    lag: npt.NDArray[np.int64] = np.maximum(rows["sent_ns"] - due_ns, 0)
    if not was_sent.all():
        lag = lag[was_sent]
    return lag


def to_columns(
    rows: Rows, *, process: int, origin_ns: int, routes: npt.NDArray[np.int16]
) -> Columns:
    """Turn packed rows into the columns of the format.

    Parameters
    ----------
    rows : ndarray, shape (n,)
        Packed rows.
    process : int
        Number of this generator process.
    origin_ns : int
        The start of the run on the monotonic clock.
    routes : ndarray, shape (r, 2)
        For each route the numbers of its method and its endpoint.

    Returns
    -------
    dict of str to ndarray
        As :func:`analysis.recording.format.encode_columns` takes them.
    """
    count = len(rows)
    known = np.vstack([routes, np.full((1, 2), -1, dtype=np.int16)])  # route -1 is the last one
    columns: Columns = {name: rows[name] for name in _AS_IT_IS}
    columns["process"] = np.full(count, process, dtype=np.int16)
    columns["method"], columns["endpoint"] = known[rows["route"]].T
    columns["tags"] = rows["tag"]
    columns["seen_us"] = (_seen_ns(rows) - origin_ns) // 1000
    columns["intended_us"] = (rows["intended_ns"] - origin_ns) // 1000
    for name in ("sent", "connected", "first_byte", "done"):
        at_ns = rows[f"{name}_ns"]
        columns[f"{name}_us"] = np.where(at_ns < 0, -1, (at_ns - origin_ns) // 1000)
    return columns


def _seen_ns(rows: Rows) -> npt.NDArray[np.int64]:
    seen: npt.NDArray[np.int64] = np.where(rows["done_ns"] < 0, rows["seen_ns"], rows["done_ns"])
    return seen
