"""Stands in for the recorder before the run: requests are sent, and not recorded."""

from __future__ import annotations

import itertools
from typing import Any

import gevent

from loadtests.generator.clock import now_ns

_numbers = itertools.count(1)
"""Of all sessions of this process: ids of requests are never the same."""


class Unsampled:
    """A request that becomes no row.

    Parameters
    ----------
    number : str
        In place of the number of its row.
    timeout : gevent.Timeout
        Runs already.
    """

    def __init__(self, number: str, timeout: gevent.Timeout) -> None:
        self.number = number
        self.timeout = timeout
        self.sent_ns = now_ns()
        self.connected_ns = self.first_byte_ns = self.done_ns = -1
        self.attempt = 0


class Unrecorded:
    """Takes requests as the recorder does; each has a timer, for nobody looks after it.

    Parameters
    ----------
    timeout_s : float
        After which a request is ended, in seconds.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def sent(self, *_: Any) -> Unsampled:
        """Take a request that is sent now."""
        error = TimeoutError(f"no answer within {self._timeout_s:g} s")
        number = f"before-{next(_numbers)}"
        return Unsampled(number, gevent.Timeout.start_new(self._timeout_s, error))

    def finished(self, request: Unsampled, *_: Any) -> None:
        """Take the end of a request."""
        request.timeout.close()

    killed = finished
