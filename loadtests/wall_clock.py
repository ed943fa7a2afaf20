"""Notices when the wall clock is stepped against the monotonic one."""

from __future__ import annotations

import time

from loadtests.folder import RunFolder

STEP_S = 0.1
"""Less than this between two looks is the clock being slewed, or the look being late."""

_READINGS = 5


class WallClock:
    """The distance between the two clocks, looked at now and then."""

    def __init__(self) -> None:
        self._apart_s = _apart_s()

    def look(self, folder: RunFolder, t_s: float) -> None:
        """Compare the clocks; a step becomes an event of the run."""
        apart_s = _apart_s()
        step_s, self._apart_s = apart_s - self._apart_s, apart_s
        if abs(step_s) > STEP_S:
            folder.event(t_s, "clock_stepped", step_s=round(step_s, 6))


def _apart_s() -> float:
    """Read the distance where it was read fastest: a process may be stopped between two clocks."""
    readings = []
    for _ in range(_READINGS):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]
