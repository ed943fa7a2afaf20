"""Records every request that is sent, also those that never end.

::

      sent ──────> in flight ──────> answered ──────> judged ──> one row
                      │                  │
                      │ every flush      │ user gone before its check: cancelled
                      │ older than 1 s:  │ check itself raised:        check_failed
                      │ row "open"
                      └─ killed, or open after the drain: unfinished
                         (interrupt: cancelled)

A row is packed where the request ends (``make bench``); a batch is encoded and written
by the hub's thread pool, so the event loop does not wait for the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import get_hub, getcurrent

from analysis.recording.format import BAD, ROW, Outcome
from analysis.recording.writer import Names, StreamWriter
from loadtests.generator import server_timing
from loadtests.generator.clock import now_ns
from loadtests.generator.outcomes import classify, clean_error

FLUSH_S = 0.5
OPEN_AFTER_NS = 1_000_000_000
_MAX_STEP = 2**15 - 1
_OPEN_AT_ONCE = 200


class VirtualUser:
    """What the recorder knows of one virtual user."""

    __slots__ = ("click", "intended_ns", "number", "persona", "step", "transaction", "unjudged")

    def __init__(self, number: int, persona: str | None) -> None:
        self.number = number
        self.persona = persona
        self.click: str | None = None
        self.transaction = -1
        self.step = 0
        self.intended_ns: int | None = None
        self.unjudged: list[Sent] = []


class Sent:
    """A request that was sent; it becomes a row when it ends."""

    __slots__ = (
        "attempt",
        "connected_ns",
        "done_ns",
        "first_byte_ns",
        "greenlet",
        "intended_ns",
        "method",
        "name",
        "number",
        "packed",
        "sent_ns",
        "step",
        "transaction",
        "user",
    )

    def __init__(self, number: int, method: str, name: str, user: VirtualUser) -> None:
        self.number = number
        self.method = method
        self.name = name
        self.user = user
        self.transaction = user.transaction
        self.step = user.step
        self.greenlet = getcurrent()
        self.sent_ns = now_ns()
        self.intended_ns = self.sent_ns if user.intended_ns is None else user.intended_ns
        self.connected_ns = self.first_byte_ns = self.done_ns = -1
        self.attempt = 0
        self.packed = False


class Second:
    """What one second of the timeline counts."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self.bad = 0
        self.send_lag_us: list[int] = []


class Recorder:
    """The samples of this process.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int
        Number of this generator process.
    drain_s : float
        How long an open request is followed, in seconds.
    failed : callable
        Called with the exception when samples cannot be written: the run ends.
    """

    def __init__(
        self, folder: Path, process: int, drain_s: float, failed: Callable[[BaseException], None]
    ) -> None:
        self._process = process
        self._writer = StreamWriter(folder, process)
        self._names = Names(folder, process)
        self._drain_ns = round(drain_s * 1e9)
        self._failed = failed
        self._buffer = bytearray()
        self._writing: gevent.event.AsyncResult | None = None
        self._transactions = 0
        self._users = 0
        self.origin_ns = now_ns()
        self.requests = 0
        self.unreported = 0
        self.late = 0
        self.in_flight: dict[int, Sent] = {}
        self.connecting: dict[int, Sent] = {}
        self.by_greenlet: dict[Any, Sent] = {}
        self.second = Second()
        self.cut_short = False

    # users and transactions

    def new_user(self, persona: str | None) -> VirtualUser:
        """Give a virtual user its number."""
        self._users += 1
        return VirtualUser(self._users - 1, persona)

    def begin_transaction(
        self, user: VirtualUser, intended_ns: int | None, click: str | None = None
    ) -> None:
        """Begin a click: its first request is intended then (None: when it is sent)."""
        for sent in user.unjudged:
            self._never_judged(sent)
        user.unjudged.clear()
        self._transactions += 1
        user.transaction = self._transactions
        user.step = 0
        user.click = click
        user.intended_ns = intended_ns

    # the life of a request

    def sent(self, user: VirtualUser, method: str, name: str) -> Sent:
        """Note that a request is sent now."""
        if user.transaction < 0:
            self.begin_transaction(user, user.intended_ns)
        self.requests += 1
        sent = Sent(self.requests, method, name, user)
        user.step = min(user.step + 1, _MAX_STEP)
        user.intended_ns = None
        self.in_flight[sent.number] = sent
        self.by_greenlet[sent.greenlet] = sent
        return sent

    def finished(
        self,
        sent: Sent,
        outcome: Outcome,
        status: int | None = None,
        error: str | None = None,
        bytes_out: int = -1,
        bytes_in: int = -1,
        timing: tuple[int, int, int] = (-1, -1, -1),
    ) -> None:
        """Note a request's end, answered and judged, as our own client knows it.

        The next request of the same click is intended now.

        Parameters
        ----------
        sent : Sent
            Whose `connected_ns`, `first_byte_ns`, `done_ns` and `attempt` the client has
            set where they happened; `done_ns` is now where it has not.
        outcome : Outcome
            What became of it.
        status : int or None
            Of the answer; None when there was none.
        error : str or None
            What was wrong, without URLs and secrets (`outcomes.clean_error`).
        bytes_out, bytes_in : int
            Of the bodies; -1 where it is not known.
        timing : tuple of (int, int, int)
            As `server_timing.parse` reads it.
        """
        self._forget(sent)
        if sent.packed:
            return
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        sent.user.intended_ns = sent.done_ns
        self._pack(sent, outcome, status, error, bytes_in, timing, bytes_out)

    def answered(self, sent: Sent) -> None:
        """Note that the client has the whole answer, judged or not."""
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        self.in_flight.pop(sent.number, None)
        self.by_greenlet.pop(sent.greenlet, None)
        if not sent.packed:
            sent.user.unjudged.append(sent)

    def judged(
        self,
        sent: Sent,
        *,
        method: str,
        name: str,
        exception: BaseException | None,
        response: Any,
        length: int | None,
    ) -> None:
        """Note the client's own verdict on an answer; one that comes too late is counted."""
        if sent.packed:
            self.late += 1
            return
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        if sent in sent.user.unjudged:
            sent.user.unjudged.remove(sent)
        sent.method, sent.name = method, name
        outcome, status = classify(exception, response)
        error = None if outcome is Outcome.OK else clean_error(exception)
        headers = getattr(response, "headers", None)
        timing = server_timing.parse(headers.get("Server-Timing") if headers else None)
        self._pack(sent, outcome, status, error, length, timing, _bytes_out(response))

    def killed(self, sent: Sent) -> None:
        """Note that a request was ended by the harness while it was open.

        One that was cut short before the drain had passed says nothing of the
        target; one that was older has had its time.
        """
        self._forget(sent)
        if not sent.packed:
            young = now_ns() - sent.sent_ns < self._drain_ns
            self._pack(sent, Outcome.CANCELLED if self.cut_short and young else Outcome.UNFINISHED)

    def broke(self, sent: Sent, exception: BaseException) -> None:
        """Note that the client raised without reporting the request."""
        self._forget(sent)
        if not sent.packed:
            self.unreported += 1
            sent.done_ns = now_ns()
            outcome, _ = classify(exception, None)
            self._pack(sent, outcome, error=clean_error(exception))

    def _never_judged(self, sent: Sent) -> None:
        """Pack an answer whose check raised: the engine counts it nowhere."""
        if not sent.packed:
            self.unreported += 1
            self._pack(
                sent,
                Outcome.CHECK_FAILED,
                error="never judged: its check raised, or catch_response without a with block",
            )

    def _forget(self, sent: Sent) -> None:
        self.in_flight.pop(sent.number, None)
        self.connecting.pop(sent.number, None)
        self.by_greenlet.pop(sent.greenlet, None)

    def leave_open(self, users: list[VirtualUser]) -> None:
        """At the very end, pack what is still open and what nobody was left to check."""
        for sent in list(self.in_flight.values()):
            self.killed(sent)
        for user in users:
            for sent in user.unjudged:
                if not sent.packed:
                    self._pack(sent, Outcome.CANCELLED)
            user.unjudged.clear()

    # rows

    def _pack(
        self,
        sent: Sent,
        outcome: Outcome,
        status: int | None = None,
        error: str | None = None,
        length: int | None = None,
        timing: tuple[int, int, int] = (-1, -1, -1),
        bytes_out: int = -1,
    ) -> None:
        number, origin = self._names.number, self.origin_ns
        done = -1 if sent.done_ns < 0 else (sent.done_ns - origin) // 1000
        seen = done if done >= 0 else (now_ns() - origin) // 1000
        intended = (sent.intended_ns - origin) // 1000
        self._buffer += ROW.pack(
            self._process,
            sent.number,
            sent.transaction,
            sent.step,
            0,
            intended,
            (sent.sent_ns - origin) // 1000,
            -1 if sent.connected_ns < 0 else (sent.connected_ns - origin) // 1000,
            -1 if sent.first_byte_ns < 0 else (sent.first_byte_ns - origin) // 1000,
            done,
            seen,
            number("method", sent.method),
            number("endpoint", sent.name),
            number("persona", sent.user.persona),
            sent.user.number,
            outcome,
            -1 if status is None else status,
            number("error", error),
            bytes_out,
            -1 if length is None else length,
            *timing,
            -1,
        )
        sent.packed = outcome is not Outcome.OPEN
        if sent.packed:
            self._count(sent, outcome, seen - intended)

    def _count(self, sent: Sent, outcome: Outcome, latency_us: int) -> None:
        if outcome is Outcome.OK:
            self.second.latencies_ms.append(latency_us / 1000)
        elif outcome in BAD:
            self.second.bad += 1
        self.second.send_lag_us.append((sent.sent_ns - sent.intended_ns) // 1000)

    @property
    def too_many_endpoints(self) -> bool:
        """Whether endpoints beyond the first thousand were counted together."""
        return self._names.overflowed

    # batches

    def flush_for_ever(self) -> None:
        """Write a batch every half second; a greenlet of its own."""
        while True:
            gevent.sleep(FLUSH_S)
            self.flush()

    def flush(self) -> None:
        """Hand what is packed to the thread pool, open requests included."""
        now = now_ns()
        for count, sent in enumerate(list(self.in_flight.values()), start=1):
            if now - sent.sent_ns < OPEN_AFTER_NS:
                break  # in order of sending
            if not sent.packed and sent.number in self.in_flight:
                self._pack(sent, Outcome.OPEN)
            if count % _OPEN_AT_ONCE == 0:
                gevent.sleep(0)  # thousands that hang must not make the loop late
        self._wait_for_writer()
        packed, self._buffer = self._buffer, bytearray()
        self._writing = get_hub().threadpool.spawn(self._writer.write, packed)

    def _wait_for_writer(self) -> None:
        if self._writing is None:
            return
        try:
            self._writing.get()
        except OSError as error:
            self._failed(error)
        finally:
            self._writing = None

    def close(self) -> int:
        """Write the rest.

        Returns
        -------
        int
            Rows in the stream.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        while self._writing is not None:
            self._wait_for_writer()
        self._writer.write(self._buffer)
        self._buffer = bytearray()
        self._writer.close()
        self._names.close()
        return self._writer.rows


def _bytes_out(response: Any) -> int:
    request = getattr(response, "request", None)
    body = getattr(request, "payload", None) or getattr(request, "body", None)
    if isinstance(body, str):
        return len(body.encode())
    return len(body) if isinstance(body, bytes | bytearray) else 0
