"""Drives the engine through the stages: asks for as many users as the schedule says.

Not one of the engine's load shapes: those tick once a second, and block while
they ramp, so that a later stage can be skipped.
"""

from __future__ import annotations

from collections.abc import Callable

from loadtests.generator.clock import Alarm, now_ns
from scenarios.schedule import Moment, Schedule

_STEP_NS = 100_000_000
_AT_ONCE = 1_000_000.0


class Driver:
    """Follows a schedule from its origin to its end.

    Parameters
    ----------
    schedule : Schedule
        What is asked, in run time.
    set_users : callable
        Called with the number of users whenever it changes, and the spawn rate.
    alarm : Alarm
        What it sleeps on.
    pool : int or None
        Virtual users of the open model, from the beginning to the end: levels are arrivals
        there.
    """

    def __init__(
        self,
        schedule: Schedule,
        set_users: Callable[[int, float], None],
        alarm: Alarm,
        pool: int | None = None,
    ) -> None:
        self._schedule = schedule
        self._set_users = set_users
        self._alarm = alarm
        self._pool = pool
        self.asked = 0

    def run(self, origin_ns: int) -> None:
        """Follow the schedule; returns when its last hold ends."""
        due = origin_ns
        while True:
            end_ns = self._at_ns(origin_ns, self._schedule.end_s)
            self._alarm.sleep_until(min(due, end_ns))
            if due < end_ns:
                due = self._without_missed_steps(due, end_ns)
                users = self.moment(origin_ns, due).users
                self._ask(users if self._pool is None else self._pool)
                due = self._next(origin_ns, due)
            elif self._at_ns(origin_ns, self._schedule.end_s) == end_ns:
                return  # and not extended meanwhile

    def _without_missed_steps(self, due: int, end_ns: int) -> int:
        """Go on with the present where the loop was late.

        Each step lets everybody else run once; where that takes longer than a step, as
        with thousands of users who never think, the load would not end.
        """
        late_ns = max(min(now_ns(), end_ns - 1) - due, 0)
        return due + late_ns // _STEP_NS * _STEP_NS

    def _next(self, origin_ns: int, due: int) -> int:
        """Find the next moment to look: at each step, and when a stage begins."""
        step = due + _STEP_NS
        edges = [self._at_ns(origin_ns, span.start_s) for span in self._schedule.spans]
        return min((edge for edge in edges if due < edge < step), default=step)

    def _at_ns(self, origin_ns: int, t_s: float) -> int:
        return origin_ns + round(t_s * 1e9)

    def extend(self, stage: int, by_s: float) -> Schedule:
        """Hold a stage on for longer; gives the new schedule."""
        self._schedule = self._schedule.extended(stage, by_s)
        return self._schedule

    def moment(self, origin_ns: int, t_ns: int | None = None) -> Moment:
        """Tell what is asked now, or at a moment of the monotonic clock."""
        elapsed = (now_ns() if t_ns is None else t_ns) - origin_ns
        return self._schedule.at((elapsed + 1) / 1e9)  # an edge is rounded to a nanosecond

    def _ask(self, users: int) -> None:
        if users != self.asked:
            self.asked = users
            self._set_users(users, _AT_ONCE)
