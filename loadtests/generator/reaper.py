"""Ends requests that are older than they may be."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

import gevent

from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import Sent
from loadtests.generator.sending import Sending

_SWEEP_S = 0.02


class Reaper:
    """Throws ``TimeoutError`` into the greenlets of requests that take too long.

    One sweep over the oldest requests, fifty times a second, costs nothing per request,
    as a timer for each would.

    Parameters
    ----------
    sending : Sending
        Its timeouts, and its recorder's requests in flight.
    """

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._recorder = sending.recorder
        self._connecting_since: dict[int, int] = {}

    def run(self) -> None:
        """Sweep for ever; a greenlet of its own."""
        while True:
            gevent.sleep(_SWEEP_S)
            self.sweep(now_ns())

    def sweep(self, now: int) -> None:
        """Have what is too old ended, from the loop.

        Parameters
        ----------
        now : int
            On the monotonic clock.
        """
        timeout_s, connect_s = self._sending.timeout_s, self._sending.connect_timeout_s
        # in order of sending, so that the first young one ends the sweep
        in_flight = self._recorder.in_flight.values()
        too_old = now - round(timeout_s * 1e9)
        old = list(takewhile(lambda sent: sent.sent_ns <= too_old, in_flight))
        self._end(old, f"no answer within {timeout_s:g} s")
        # a request may connect more than once: each connection has its own time
        since = self._connecting_since
        self._connecting_since = {n: since.get(n, now) for n in self._recorder.connecting}
        too_old = now - round(connect_s * 1e9)
        stuck = [
            sent
            for number, sent in self._recorder.connecting.items()
            if self._connecting_since[number] <= too_old and sent not in old
        ]
        self._end(stuck, f"no connection within {connect_s:g} s")

    def _end(self, requests: Iterable[Sent], why: str) -> None:
        for sent in requests:
            gevent.get_hub().loop.run_callback(self._throw, sent, why)

    def _throw(self, sent: Sent, why: str) -> None:
        if sent.number in self._recorder.in_flight and not sent.greenlet.dead:
            sent.greenlet.throw(TimeoutError(why))
