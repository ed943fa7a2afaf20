"""Batches of packed rows: counted in the loop, written by the hub's thread pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import gevent
import numpy as np
import numpy.typing as npt
from gevent import get_hub

from analysis.recording.format import Outcome
from analysis.recording.writer import StreamWriter
from loadtests.generator.routes import Routes
from loadtests.generator.rows import DTYPE, ROW, Rows, to_columns
from loadtests.generator.statistics import BulkStatistics
from loadtests.generator.tally import Second, Tally

_ROWS_AT_ONCE = 5_000
"""So many are counted without letting others run: it takes about half a millisecond."""


class Batches:
    """What was packed and is not on disk yet.

    Parameters
    ----------
    writer : StreamWriter
        Of this process.
    process : int
        Number of this generator process.
    routes : Routes
        What rows call their routes by number.
    tally : Tally
        Adds rows up to seconds.
    failed : callable
        Called with the exception when a batch cannot be written; does not return.

    Attributes
    ----------
    buffer : bytearray
        Rows are appended to it; it is always the same object.
    own : int
        Rows that were counted and that the engine heard of from us alone.
    statistics : BulkStatistics or None
        Fed with those.
    """

    def __init__(
        self,
        writer: StreamWriter,
        process: int,
        routes: Routes,
        tally: Tally,
        failed: Callable[[BaseException], NoReturn],
    ) -> None:
        self._writer = writer
        self._process = process
        self._routes = routes
        self._tally = tally
        self._failed = failed
        self._looked_at = 0
        self._writing: gevent.event.AsyncResult | None = None
        self.buffer = bytearray()
        self.own = 0
        self.statistics: BulkStatistics | None = None

    def take_second(self) -> Second:
        """Take what ended since the last call."""
        self._look()
        return self._tally.take()

    def _look(self) -> None:
        """Count what was packed, in pieces that do not make the loop late."""
        piece = _ROWS_AT_ONCE * ROW.size
        while self._looked_at < len(self.buffer):
            start, self._looked_at = self._looked_at, min(self._looked_at + piece, len(self.buffer))
            # a copy: the buffer could not grow while a view of it is held
            self._count(np.frombuffer(self.buffer[start : self._looked_at], dtype=DTYPE))
            if self._looked_at < len(self.buffer):
                gevent.sleep(0)

    def _count(self, rows: Rows) -> None:
        ended = _only(rows, rows["outcome"] != Outcome.OPEN)
        self._tally.add(ended, self._routes.names)
        # nor does the engine's own client tell it of what was ended by the harness
        own = _only(ended, (ended["own"] == 1) & (ended["outcome"] != Outcome.CANCELLED))
        if len(own):
            self.own += len(own)
            if self.statistics is not None:
                self.statistics.add(own, self._routes)

    def flush(self, origin_ns: int) -> None:
        """Hand what is packed to the thread pool.

        Parameters
        ----------
        origin_ns : int
            The start of the run on the monotonic clock.
        """
        self._wait_for_writer()
        self._look()  # returns when everything is counted, and lets nobody run after that
        packed = bytes(self.buffer)
        write = get_hub().threadpool.spawn
        # It waits where all threads are busy: rows may be added, and this greenlet killed.
        self._writing = write(self._write, packed, origin_ns, self._routes.table)
        del self.buffer[: len(packed)]
        self._looked_at -= len(packed)

    def _write(
        self, packed: bytes, origin_ns: int, routes: npt.NDArray[np.int16]
    ) -> Exception | None:
        """Write rows, in a thread, which would log what it raises: so it is returned."""
        rows: Rows = np.frombuffer(packed, dtype=DTYPE)
        try:
            self._writer.write_columns(
                to_columns(rows, process=self._process, origin_ns=origin_ns, routes=routes)
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, rows are lost
            return error
        return None

    def _wait_for_writer(self) -> None:
        if self._writing is None:
            return
        error = self._writing.get()
        self._writing = None  # but not where this greenlet is killed: the thread still writes
        if error is not None:
            self._failed(error)

    def close(self, origin_ns: int) -> int:
        """Write the rest.

        Parameters
        ----------
        origin_ns : int
            The start of the run on the monotonic clock.

        Returns
        -------
        int
            Rows in the stream.
        """
        self.flush(origin_ns)
        self._wait_for_writer()
        self._writer.close()
        self._routes.close()
        return self._writer.rows


def _only(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Take some rows; packed rows are slow to copy, and mostly it is all of them."""
    return rows if chosen.all() else rows[chosen]
