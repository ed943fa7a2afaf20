"""How long is waited for an answer after the load: less when somebody presses Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable


class Patience:
    """Time that is left, and whether it was cut short.

    Parameters
    ----------
    patience_s : float
        Seconds.
    hurried_s : float
        At most so many more after the first Ctrl-C; none after the second.
    interrupts : callable
        How often it was pressed so far.
    """

    def __init__(
        self, patience_s: float, *, hurried_s: float, interrupts: Callable[[], int]
    ) -> None:
        self._deadline_s = time.monotonic() + patience_s
        self._hurried_s = hurried_s
        self._interrupts = interrupts
        self._hurried = False

    @property
    def is_over_at_once(self) -> bool:
        """Whether nobody waits any more."""
        return self._interrupts() > 1

    def prolong(self, by_s: float) -> None:
        """Wait so many seconds more, unless somebody is in a hurry."""
        if not self._hurried:
            self._deadline_s += by_s

    def left_s(self) -> float:
        """Seconds that are left; 0 when none are."""
        if self._interrupts() and not self._hurried:
            self._hurried = True
            self._deadline_s = min(self._deadline_s, time.monotonic() + self._hurried_s)
        if self.is_over_at_once:
            return 0.0
        return max(self._deadline_s - time.monotonic(), 0.0)
