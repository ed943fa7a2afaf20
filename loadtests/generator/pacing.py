"""Pacing of anybody's users: ``constant_pacing`` and ``constant_throughput`` keep their grid.

The engine's own pacing forgets: a start that came late moves every later one, so that
what a stall cost is never measured (coordinated omission). Here a user's starts have
their places on a grid, as in wrk2 (docs/decisions/0015)::

    place      0     1     2     3     4     5     6     7
    grid       |-----|-----|-----|-----|-----|-----|-----|
    requests   ==    ===============   ==    ==
    started    0     1             2 3 4     5     6     7
                                   └─┴── overdue: back to back, each intended at its place

What a task does beside waiting for answers is its own: where that alone takes longer
than the interval, no target could keep the pace, and the grid gives way to the task. A
start that is overdue for longer than a request may take is given up, and missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import locust
import locust.user.wait_time
from locust import User

from analysis.recording.format import Outcome
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import Sent, VirtualUser
from loadtests.generator.recorder import Recorder

WaitTime = Callable[[Any], float]

SHORTEST_NS = 1_000_000
"""No user can start tasks faster than a thousand a second: there is no grid to keep."""

_GRID = "_trueload_grid"


class Place(float):
    """Seconds to wait, as the engine's function gives them, and the place on the grid."""

    grid: Grid
    due_ns: int

    def __new__(cls, grid: Grid, due_ns: int) -> Place:
        """Make the wait that ends at a place; it may have passed.

        Parameters
        ----------
        grid : Grid
            Whose place it is.
        due_ns : int
            On the monotonic clock.

        Returns
        -------
        Place
            At least 0 seconds.
        """
        place = super().__new__(cls, max(due_ns - now_ns(), 0) / 1e9)
        place.grid, place.due_ns = grid, due_ns
        return place


class Grid:
    """The places at which one user starts its tasks.

    Parameters
    ----------
    place_ns : int
        Where its task before had its place.
    started_ns : int
        When that task was started; both on the monotonic clock.
    waited_ns : int
        How long its user had waited for answers then, in all.
    patience_ns : int
        A start that is overdue for longer is given up.

    Attributes
    ----------
    waiting : bool
        Whether the user waits for the place that was found last.
    """

    def __init__(self, *, place_ns: int, started_ns: int, waited_ns: int, patience_ns: int) -> None:
        self._place_ns = place_ns
        self._started_ns = started_ns
        self._waited_ns = waited_ns
        self._patience_ns = patience_ns
        self._interval_ns = 0
        self.waiting = False

    def find(self, interval_ns: int, *, now: int, waited_ns: int) -> tuple[int, list[int]]:
        """Find the place of the next start, at the end of a task.

        Parameters
        ----------
        interval_ns : int
            Between two places.
        now : int
            On the monotonic clock.
        waited_ns : int
            How long the user has waited for answers, in all.

        Returns
        -------
        tuple of (int, list of int)
            The place, which may have passed; and the places that are given up.
        """
        self._interval_ns = interval_ns
        self._place_ns += self._step_ns(now, waited_ns)
        given_up = self._give_up(now - self._patience_ns)
        self._started_ns = max(now, self._place_ns)
        self._waited_ns = waited_ns
        return self._place_ns, given_up

    def finish(self, *, now: int, waited_ns: int) -> list[int]:
        """Give up whatever was due before the user leaves, or the load ends.

        Parameters
        ----------
        now, waited_ns : int
            As in `find`; the wait that still goes on is part of the latter.

        Returns
        -------
        list of int
            Places that were due and will not be started.
        """
        if not self.waiting:
            self._place_ns += self._step_ns(now, waited_ns)
        return self._give_up(now)

    def _step_ns(self, now: int, waited_ns: int) -> int:
        """Nanoseconds to the next place: the grid gives way to what a task does of its own."""
        took_ns = now - self._started_ns
        own_ns = took_ns - (waited_ns - self._waited_ns)
        return self._interval_ns if own_ns < self._interval_ns else took_ns

    def _give_up(self, before_ns: int) -> list[int]:
        if self._interval_ns == 0:
            return []
        places = list(range(self._place_ns, before_ns, self._interval_ns))
        self._place_ns += len(places) * self._interval_ns
        return places


class Pacing:
    """Keeps the grids of all users.

    Parameters
    ----------
    recorder : Recorder
        Where starts that are given up are noted.
    user_of : callable
        Gives the virtual user of one of the engine's.
    patience_s : float
        A start that is overdue for longer is given up, in seconds.
    """

    def __init__(
        self, recorder: Recorder, user_of: Callable[[Any], VirtualUser], patience_s: float
    ) -> None:
        self._recorder = recorder
        self._user_of = user_of
        self._patience_ns = round(patience_s * 1e9)
        self._grids: dict[VirtualUser, list[Grid]] = {}
        self._began: dict[VirtualUser, tuple[int, int]] = {}

    def install(self) -> None:
        """Take the place of the engine's own pacing; before a locustfile is loaded."""

        def constant_pacing(wait_time: float) -> WaitTime:
            interval_ns = round(wait_time * 1e9)

            def paced(instance: Any) -> float:
                return self._wait(instance, interval_ns)

            return paced

        # constant_throughput looks the name up in its own module
        locust.constant_pacing = locust.user.wait_time.constant_pacing = constant_pacing

    def begin(self, user: VirtualUser) -> None:
        """Note that a user begins its tasks now: there its grid begins."""
        self._began[user] = (now_ns(), user.waited_ns)

    def _wait(self, instance: Any, interval_ns: int) -> float:
        """Seconds until the next place, for a user or for one of its sets of tasks."""
        user = self._user_of(instance if isinstance(instance, User) else instance.user)
        if interval_ns < SHORTEST_NS:
            return max(interval_ns, 0) / 1e9
        now = now_ns()
        grid: Grid | None = getattr(instance, _GRID, None)
        if grid is None:
            grid = self._new_grid(instance, user, interval_ns, now)
        place_ns, given_up = grid.find(interval_ns, now=now, waited_ns=user.waited_ns)
        self._miss(user, given_up)
        return Place(grid, place_ns)

    def _new_grid(self, instance: Any, user: VirtualUser, interval_ns: int, now: int) -> Grid:
        began = self._began.get(user) if isinstance(instance, User) else None
        if began is None:  # nobody knows what part of the task was waiting: so on time, so far
            began_ns = round(instance._cp_last_run * 1e9)
            began = (max(began_ns, now - interval_ns), user.waited_ns)
        grid = Grid(
            place_ns=began[0],
            started_ns=began[0],
            waited_ns=began[1],
            patience_ns=self._patience_ns,
        )
        setattr(instance, _GRID, grid)
        self._grids.setdefault(user, []).append(grid)
        return grid

    def leave(self, user: VirtualUser, in_flight: Iterable[Sent]) -> None:
        """Miss what a user that leaves now had due.

        Parameters
        ----------
        user : VirtualUser
            Who leaves.
        in_flight : iterable of Sent
            All requests that are open.
        """
        grids, now = self._grids.pop(user, []), now_ns()
        if grids:
            waiting_ns = sum(now - sent.sent_ns for sent in in_flight if sent.user is user)
            for grid in grids:
                waited_ns = user.waited_ns + waiting_ns
                self._miss(user, grid.finish(now=now, waited_ns=waited_ns))

    def forget(self, user: VirtualUser) -> None:
        """Forget a user that has ended; one that ends by itself has nothing due."""
        self._grids.pop(user, None)
        self._began.pop(user, None)

    def close(self, in_flight: Iterable[Sent]) -> None:
        """Miss what was due when the load ends: nobody will start it any more.

        Parameters
        ----------
        in_flight : iterable of Sent
            All requests that are open.
        """
        by_user: dict[VirtualUser, list[Sent]] = {}
        for sent in in_flight:
            by_user.setdefault(sent.user, []).append(sent)
        for user in list(self._grids):
            self.leave(user, by_user.get(user, ()))

    def _miss(self, user: VirtualUser, places: list[int]) -> None:
        for place_ns in places:
            outcome = self._recorder.cut_off(place_ns, Outcome.MISSED)
            self._recorder.missed(user, user.persona, None, place_ns, outcome=outcome)
