"""Records every request that is sent, also those that never end.

::

      sent ──────> in flight ──────> finished ──────────────────> one row
                      │   │                              (our own client)
                      │   └────────> answered ──> judged ──> one row
                      │                  │               (anybody's client)
                      │ every flush      │ user gone before its check: cancelled
                      │ older than 1 s:  │ check itself raised:        check_failed
                      │ row "open"
                      └─ killed, or open after the drain: unfinished
                         (interrupt: cancelled)

A row is packed once, where the request ends (``make bench``); whatever can be computed
for a whole batch is: the second's percentiles, the engine's statistics, the columns. A
batch is encoded and written by the hub's thread pool, so the event loop does not wait
for the disk. Nothing is kept of a request that has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path
from typing import Any

import gevent

from analysis.recording.format import REPLAYED, Outcome
from loadtests.generator import server_timing
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import Sent, VirtualUser
from loadtests.generator.ledger import Ledger
from loadtests.generator.outcomes import bytes_out_of, classify, clean_error
from loadtests.generator.rows import NOTHING_SAID, ROW, pack
from scenarios.model import Budget

__all__ = ["Recorder", "Sent", "VirtualUser"]

ENGINES_OWN = 2
"""Listeners to a request's event that are always there: the recorder's and the statistics'."""

FLUSH_S = 0.5
OPEN_AFTER_NS = 1_000_000_000
_MAX_STEP = 2**15 - 1
_OPEN_AT_ONCE = 200

_PACK = ROW.pack


class Recorder(Ledger):
    """The requests of this process, from their sending to their rows.

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
    budgets : sequence of Budget
        What each second counts for whoever watches.

    Attributes
    ----------
    clicks : int
        Transactions whose first request was sent.
    unreported, judged_late : int
        Requests that the engine was never told of, and those that it was told of when
        their row was written already.
    in_flight : dict of int to Sent
        By number, in order of sending.
    connecting : dict of int to Sent
        Those of them whose connection is being made: their client puts them in and out.
    cut_short : bool
        Whether the run ends before its time.
    listeners : Sized
        Who listens to the engine's event of a request: where it is nobody beside the
        engine, our own client does not fire it.
    """

    def __init__(
        self,
        folder: Path,
        process: int,
        drain_s: float,
        failed: Callable[[BaseException], None],
        budgets: Sequence[Budget] = (),
    ) -> None:
        super().__init__(folder, process, failed, budgets)
        self._by_method = self._routes.by_method
        self._drain_ns = round(drain_s * 1e9)
        self.clicks = 0
        self.unreported = 0
        self.judged_late = 0
        self.in_flight: dict[int, Sent] = {}
        self.connecting: dict[int, Sent] = {}
        self.cut_short = False
        self.listeners: Sized = ()

    # the life of a request

    def begin_transaction(
        self, user: VirtualUser, intended_ns: int | None, click: str | None = None
    ) -> None:
        """Begin a click: its first request is intended then (None: when it is sent)."""
        if user.unjudged:
            for sent in user.unjudged:
                self._never_judged(sent)
            user.unjudged.clear()
        self._transactions = user.transaction = self._transactions + 1
        user.step = 0
        user.click = click
        user.click_number = self._click(click)
        user.intended_ns = intended_ns
        user.paced = False

    def sent(self, user: VirtualUser, method: str, name: str) -> Sent:
        """Note that a request is sent now."""
        if user.transaction < 0:
            self.begin_transaction(user, user.intended_ns)
        self.requests = number = self.requests + 1
        sent = self.in_flight[number] = Sent(number, method, name, user)
        user.intended_ns = None
        step = sent.step
        if step == 0:
            self.clicks += 1
        if step < _MAX_STEP:
            user.step = step + 1
        return sent

    def finished(
        self,
        sent: Sent,
        outcome: int,
        status: int | None = None,
        error: str | None = None,
        bytes_out: int = -1,
        bytes_in: int = -1,
        timing: tuple[int, int, int] = NOTHING_SAID,
        is_replayed: bool = False,
    ) -> None:
        """Note a request's end, answered and judged, as our own client knows it.

        The next request of the same click is intended now. One whose row is written
        already, because it was killed, is left as it is.

        Parameters
        ----------
        sent : Sent
            Whose `connected_ns`, `first_byte_ns`, `done_ns` and `attempt` the client has
            set where they happened; `done_ns` is now where it has not.
        outcome : int
            What became of it, an `Outcome`.
        status : int or None
            Of the answer; None when there was none.
        error : str or None
            What was wrong.
        bytes_out, bytes_in : int
            Of the bodies; -1 where it is not known.
        timing : tuple of (int, int, int)
            As `server_timing.parse` reads it.
        is_replayed : bool
            Whether the target says that it has given this answer before.
        """
        number = sent.number
        if self.in_flight.pop(number, None) is None:
            return
        if self.connecting:
            self.connecting.pop(number, None)
        done_ns = sent.done_ns
        if done_ns < 0:
            done_ns = sent.done_ns = now_ns()
        sent.packed = True
        user = sent.user
        try:
            route = self._by_method[sent.method][sent.name]
        except KeyError:
            route = self._routes.route(sent.method, sent.name)
        self._buffer += _PACK(
            number,
            sent.transaction,
            sent.intended_ns,
            sent.free_ns,
            sent.sent_ns,
            sent.connected_ns,
            sent.first_byte_ns,
            done_ns,
            -1,
            bytes_out,
            bytes_in,
            timing[0],
            timing[1],
            timing[2],
            user.number,
            route,
            sent.step,
            sent.click,
            user.persona_number,
            -1 if status is None else status,
            -1 if error is None else self._routes.error(error),
            self._routes.number("tags", REPLAYED) if is_replayed else -1,
            sent.attempt,
            outcome,
            len(self.listeners) <= ENGINES_OWN,
        )
        user.waited_ns += done_ns - sent.sent_ns
        user.free_ns = user.intended_ns = done_ns

    def answered(self, sent: Sent) -> None:
        """Note that the client has the whole answer, judged or not."""
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        self._forget(sent)
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
            self.judged_late += 1
            return
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        self._forget(sent)
        if sent in sent.user.unjudged:
            sent.user.unjudged.remove(sent)
        sent.method, sent.name = method, name
        outcome, status = classify(exception, response)
        error = None if outcome is Outcome.OK else clean_error(exception)
        headers: Any = getattr(response, "headers", None)
        timing = server_timing.parse(headers.get("Server-Timing") if headers else None)
        again = bool(headers) and headers.get("Idempotency-Replayed") == "true"
        tag = self._routes.number("tags", REPLAYED) if again else -1
        sizes = (bytes_out_of(response), -1 if length is None else length)
        self._pack(sent, outcome, status, error, (*sizes, *timing, tag))

    def killed(self, sent: Sent) -> None:
        """Note that a request was ended by the harness while it was open.

        One that was cut short before the drain had passed says nothing of the
        target; one that was older has had its time.
        """
        self._forget(sent)
        if not sent.packed:
            self._pack(sent, self.cut_off(sent.sent_ns, Outcome.UNFINISHED))

    def cut_off(self, since_ns: int, otherwise: Outcome) -> Outcome:
        """Tell what becomes of a request, or of an arrival, that the harness ends now.

        Parameters
        ----------
        since_ns : int
            When it was sent, or due, on the monotonic clock.
        otherwise : Outcome
            What it is unless the run was cut short before the drain had passed.

        Returns
        -------
        Outcome
            That one, or cancelled.
        """
        young = now_ns() - since_ns < self._drain_ns
        return Outcome.CANCELLED if self.cut_short and young else otherwise

    def cancelled(self, sent: Sent) -> None:
        """Note that a request was ended by the harness, which says nothing of the target."""
        self._forget(sent)
        if not sent.packed:
            self._pack(sent, Outcome.CANCELLED)

    def broke(self, sent: Sent, exception: BaseException) -> None:
        """Note that the client raised without reporting the request."""
        if sent.done_ns < 0:
            sent.done_ns = now_ns()
        self._forget(sent)
        if not sent.packed:
            self.unreported += 1
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
        """Note that a request is in flight no more."""
        self.connecting.pop(sent.number, None)
        if self.in_flight.pop(sent.number, None) is not None:
            user = sent.user
            user.free_ns = sent.done_ns if sent.done_ns >= 0 else now_ns()
            user.waited_ns += user.free_ns - sent.sent_ns

    def leave_open(self, users: Iterable[VirtualUser]) -> None:
        """At the very end, pack what is still open and what nobody was left to check."""
        for sent in list(self.in_flight.values()):
            self.killed(sent)
        for user in users:
            for sent in user.unjudged:
                if not sent.packed:
                    self._pack(sent, Outcome.CANCELLED)
            user.unjudged.clear()

    def _pack(
        self,
        sent: Sent,
        outcome: Outcome,
        status: int | None = None,
        error: str | None = None,
        about: tuple[int, int, int, int, int, int] = (-1, -1, *NOTHING_SAID, -1),
    ) -> None:
        route = self._routes.route(sent.method, sent.name)
        number = -1 if error is None else self._routes.error(error)
        self._buffer += pack(sent, outcome, status, number, route, about)
        sent.packed = outcome is not Outcome.OPEN

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
        self._batches.flush(self.origin_ns)
