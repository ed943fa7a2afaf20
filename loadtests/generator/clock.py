"""Time in the generator: one monotonic clock, and a timer that is not a millisecond late.

gevent's own timer has the granularity of epoll, one millisecond; a timerfd in
the loop is late by about 0.1 ms (median) instead.
"""

from __future__ import annotations

import ctypes
import os
import struct
import time

from gevent import get_hub

_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = 0o2004000
_TFD_TIMER_ABSTIME = 1
_SPEC = struct.Struct("qqqq")

now_ns = time.monotonic_ns


class Timer:
    """Wakes a greenlet at a moment of the monotonic clock; one greenlet at a time."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._watcher = get_hub().loop.io(self._fd, 1)

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until a moment; returns at once when it has passed."""
        if now_ns() >= t_ns:
            return
        spec = _SPEC.pack(0, 0, *divmod(t_ns, 1_000_000_000))
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, spec, None)
        get_hub().wait(self._watcher)
        os.read(self._fd, 8)


class LagMonitor:
    """Measures how late the event loop serves a timer, fifty times a second."""

    PERIOD_NS = 20_000_000

    def __init__(self) -> None:
        self._timer = Timer()
        self._late_us: list[int] = []

    def run(self) -> None:
        """Measure for ever; a greenlet of its own."""
        due = now_ns() + self.PERIOD_NS
        while True:
            self._timer.sleep_until(due)
            late = now_ns() - due
            self._late_us.append(late // 1000)
            due += self.PERIOD_NS * (1 + late // self.PERIOD_NS)

    def take(self) -> list[int]:
        """Take the lateness seen since the last call, in microseconds."""
        late, self._late_us = self._late_us, []
        return late
