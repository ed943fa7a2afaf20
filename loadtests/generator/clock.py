"""Time in the generator: one monotonic clock, and an alarm that is not a millisecond late.

gevent's own timers have the granularity of epoll, one millisecond; a timerfd
watched by the loop has not.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import struct
import time
from collections.abc import Callable

import gevent
from gevent import get_hub
from gevent.hub import Waiter

_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = 0o2004000
_TFD_TIMER_ABSTIME = 1
_SPEC = struct.Struct("qqqq")
_NEVER = _SPEC.pack(0, 0, 0, 0)

now_ns = time.monotonic_ns


class LagMonitor:
    """Measures how late the event loop serves a timer, fifty times a second.

    Ticks that a stop of the loop swallowed are counted too, each with its own lateness:
    else one of a second would be a single value among fifty, and in no percentile.
    """

    PERIOD_NS = 20_000_000

    def __init__(self) -> None:
        self._alarm = Alarm()
        self._late_us: list[int] = []

    def run(self) -> None:
        """Measure for ever; a greenlet of its own."""
        due = now_ns() + self.PERIOD_NS
        while True:
            self._alarm.sleep_until(due)
            now = now_ns()
            while due <= now:
                self._late_us.append((now - due) // 1000)
                due += self.PERIOD_NS

    def take(self) -> list[int]:
        """Take the lateness seen since the last call, in microseconds."""
        late, self._late_us = self._late_us, []
        return late


class Timer:
    """One moment to be called back at, by the event loop, on a timerfd.

    Parameters
    ----------
    rung : callable
        Called in the event loop when the moment has come, and again each time round until
        another one is set: who has much to do there does a part of it and returns.
    """

    def __init__(self, rung: Callable[[], object]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._watcher = get_hub().loop.io(self._fd, 1)
        self._watcher.start(rung)

    def set(self, t_ns: int) -> None:
        """Set the moment, which also takes back that it has rung."""
        spec = _SPEC.pack(0, 0, *divmod(max(t_ns, 1), 1_000_000_000))
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, spec, None)

    def unset(self) -> None:
        """Do not call back until a moment is set."""
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, _NEVER, None)

    def close(self) -> None:
        """Give the timer back; it cannot be set any more."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)


class Alarm:
    """Wakes many greenlets, each at its moment, from one timerfd.

    What virtual users sleep on: with hundreds of them a timer each would cost a
    watcher each, and gevent's own timers are late by up to a millisecond.
    """

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Waiter]] = []
        self._count = 0
        self._timer = Timer(self._ring)

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until a moment; lets others run when it has passed."""
        if now_ns() >= t_ns:
            gevent.sleep(0)
            return
        waiter = Waiter()
        self._count += 1
        heapq.heappush(self._due, (t_ns, self._count, waiter))
        if self._due[0][2] is waiter:
            self._timer.set(t_ns)
        waiter.get()

    def _ring(self) -> None:
        run_callback = get_hub().loop.run_callback
        while self._due and self._due[0][0] <= now_ns():
            run_callback(heapq.heappop(self._due)[2].switch, None)
        if self._due:
            self._timer.set(self._due[0][0])
        else:
            self._timer.unset()
