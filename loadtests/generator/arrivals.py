"""Hands each arrival of the open model to a virtual user that is free for it.

::

    schedule ──due──> a user of its pool is idle? ──yes──> handed over at once
                             │ no
                             └─> pending, in order ──a user comes free──> sent late
                                        │
                                        └─ older than the timeout, or the load ends: missed

An idle user waits on a ``Waiter`` and is switched to where the timer rings in the event
loop: nothing between (a queue, a greenlet of the scheduler's own or one for each arrival
made the tail of the lateness longer). Every
arrival that comes due in the load is handed to a user, or given up; none is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import gevent
from gevent import get_hub
from gevent.event import Event
from gevent.hub import Waiter

from loadtests.generator.clock import Timer, now_ns
from scenarios.arrivals import Draw, Intensity
from scenarios.schedule import Schedule

_LET_OTHERS_RUN = 50
"""Arrivals handed out in a row before others run: a burst must not stop the loop."""

_SWEEP_S = 0.02


class Due:
    """An arrival with its moment on the monotonic clock."""

    __slots__ = ("drawn", "due_ns")

    def __init__(self, drawn: Draw, due_ns: int) -> None:
        self.drawn = drawn
        self.due_ns = due_ns


class _Idle:
    """A virtual user that waits for an arrival."""

    __slots__ = ("due", "waiter")

    def __init__(self) -> None:
        self.waiter = Waiter()
        self.due: Due | None = None


class _Pool:
    """The virtual users of one kind, and what waits for them."""

    __slots__ = ("idle", "pending")

    def __init__(self) -> None:
        self.idle: deque[_Idle] = deque()
        self.pending: deque[Due] = deque()


class Arrivals:
    """The scheduler of the open model in this process.

    Parameters
    ----------
    drawn : iterator of Draw
        What this process is to begin, in order and without end.
    schedule : Schedule
        Says when.
    patience_s : float
        An arrival that has waited longer for a virtual user is missed, in seconds.
    missed : callable
        Called with each arrival that is given up.
    late : callable
        Called with each arrival that found nobody idle, when it is handed over after all.

    Attributes
    ----------
    came : int
        Arrivals that have come due.
    closed : bool
        Whether the load has ended: then nobody is handed anything.
    """

    def __init__(
        self,
        drawn: Iterator[Draw],
        schedule: Schedule,
        *,
        patience_s: float,
        missed: Callable[[Due], None],
        late: Callable[[Due], None],
    ) -> None:
        self._drawn = drawn
        self._intensity = Intensity(schedule)
        self._patience_ns = round(patience_s * 1e9)
        self._missed = missed
        self._late = late
        self._origin_ns = 0
        self._next = next(drawn)
        self._due_ns: int | None = None
        self._timer: Timer | None = None
        self._pools: dict[str | None, _Pool] = {}
        self.came = 0
        self.closed = False

    # as time goes on

    def run(self, origin_ns: int) -> None:
        """Follow the schedule for ever; a greenlet of its own."""
        self._origin_ns = origin_ns
        self._timer = timer = Timer(self._ring)
        try:
            self._due_ns = self._next_ns()
            self._set_timer()
            Event().wait()
        finally:
            self._timer = None
            timer.close()

    def _ring(self) -> None:
        """Hand out what has come due, from the event loop itself."""
        in_a_row = 0
        while self._due_ns is not None and self._due_ns <= now_ns() and not self.closed:
            if in_a_row == _LET_OTHERS_RUN:
                return  # it rings again, after what else has happened
            in_a_row += 1
            self._hand(self._come(self._due_ns), at_once=True)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None:
            return
        if self._due_ns is None or self.closed:
            self._timer.unset()
        else:
            self._timer.set(self._due_ns)

    def _next_ns(self) -> int | None:
        """When the next one comes; None where it lies beyond the end of the schedule."""
        area = self._next.area
        if area >= self._intensity.total:
            return None
        return self._origin_ns + round(self._intensity.when(area) * 1e9)

    def _come(self, due_ns: int) -> Due:
        due, self._next = Due(self._next, due_ns), next(self._drawn)
        self._due_ns = self._next_ns()
        self.came += 1
        return due

    def reschedule(self, schedule: Schedule) -> None:
        """Go on with another schedule.

        Parameters
        ----------
        schedule : Schedule
            The same up to now.
        """
        self._intensity = Intensity(schedule)
        self._due_ns = self._next_ns()
        self._set_timer()

    def give_up_for_ever(self) -> None:
        """Give up what nobody had time for within the timeout; a greenlet of its own."""
        while True:
            gevent.sleep(_SWEEP_S)
            too_old = now_ns() - self._patience_ns
            for pool in self._pools.values():
                while pool.pending and pool.pending[0].due_ns < too_old:
                    self.give_up(pool.pending.popleft())

    def _pool(self, name: str | None) -> _Pool:
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = _Pool()
        return pool

    def _hand(self, due: Due, *, at_once: bool = False) -> None:
        pool = self._pool(due.drawn.persona)
        if not pool.idle:
            pool.pending.append(due)
            return
        idle = pool.idle.popleft()
        idle.due = due
        if at_once:  # only where the event loop itself runs
            idle.waiter.switch(None)
        else:
            get_hub().loop.run_callback(idle.waiter.switch, None)

    # what virtual users call

    def take(self, name: str | None) -> Due:
        """Wait for an arrival.

        Parameters
        ----------
        name : str or None
            The user's persona; None for those of a locustfile.

        Returns
        -------
        Due
            It may be overdue. After the end of the load nothing comes any more: the
            user waits until it is ended.
        """
        pool = self._pool(name)
        if pool.pending:
            due = pool.pending.popleft()
            self._late(due)
            return due
        while True:
            due = self._wait(pool)
            if not self.closed:
                return due
            self.give_up(due)  # it was handed over just as the load ended

    def _wait(self, pool: _Pool) -> Due:
        idle = _Idle()
        pool.idle.append(idle)
        try:
            idle.waiter.get()
        except BaseException:  # the user is ended while it waits, or has just been handed one
            if idle.due is None:
                pool.idle.remove(idle)
            else:
                self.give_back(idle.due)
            raise
        assert idle.due is not None  # noqa: S101 - narrows what _hand has set
        return idle.due

    def give_back(self, due: Due) -> None:
        """Take an arrival back that a user could not begin: it goes to another one.

        Parameters
        ----------
        due : Due
            Nothing was sent for it.
        """
        pool = self._pool(due.drawn.persona)
        if self.closed:
            self.give_up(due)
        elif pool.idle:
            self._hand(due)
        else:
            pool.pending.appendleft(due)

    # when nobody begins it

    def give_up(self, due: Due) -> None:
        """Note an arrival that will not be sent.

        Parameters
        ----------
        due : Due
            Nothing was sent for it.
        """
        self._missed(due)

    def close(self) -> None:
        """End the load: what has come due and was not begun is missed."""
        self.closed = True
        now = now_ns()
        for pool in self._pools.values():
            while pool.pending:
                self.give_up(pool.pending.popleft())
        # where this process was held up, up to the end
        while self._due_ns is not None and self._due_ns <= now:
            self.give_up(self._come(self._due_ns))
