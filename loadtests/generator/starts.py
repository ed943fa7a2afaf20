"""Notices users that do not come out of their ``on_start``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent
from locust import User

from loadtests.generator.clock import now_ns

STUCK_S = 5.0
_LOOK_S = 1.0


class Starts:
    """Warns of kinds of users that start no task: the engine counts them as running.

    Parameters
    ----------
    starting : mapping of User to int
        Users that are in ``on_start``, and since when, on the monotonic clock.
    warn : callable
        Called with a warning's kind and its text.
    """

    def __init__(self, starting: Mapping[User, int], warn: Callable[[str, str], None]) -> None:
        self._starting = starting
        self._warn = warn
        self._told: set[str] = set()

    def run(self) -> None:
        """Look once a second, for ever; a greenlet of its own."""
        while True:
            gevent.sleep(_LOOK_S)
            self.look(now_ns())

    def look(self, now: int) -> None:
        """Warn of each kind of user once.

        Parameters
        ----------
        now : int
            On the monotonic clock.
        """
        too_long = now - round(STUCK_S * 1e9)
        stuck = [type(user).__name__ for user, since in self._starting.items() if since < too_long]
        for kind in sorted(set(stuck) - self._told):
            self._told.add(kind)
            one = stuck.count(kind) == 1
            users, start = ("user", "starts") if one else ("users", "start")
            are, count = ("is", "it counts") if one else ("are", "they count")
            self._warn(
                "users_starting",
                f"{stuck.count(kind)} {users} of {kind} {are} in on_start for more than "
                f"{STUCK_S:g} s: {count} as running, and {start} no task",
            )
