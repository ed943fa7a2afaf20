"""Virtual users of the open model: each task waits for an arrival, and nobody thinks.

For the engine's users, ours and anybody's. One arrival is one execution of a task: of the
step that was drawn for it (personas), or of whatever task comes next (a locustfile).
``wait_time`` is ignored. Tasks that are TaskSets wait inside, for each task of theirs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gevent
from locust.exception import InterruptTaskSet, StopUser
from locust.user.task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    TaskSet,
)

from loadtests.generator.arrivals import Arrivals, Due
from loadtests.generator.in_flight import VirtualUser
from loadtests.generator.recorder import Recorder

_PAUSE_S = 0.05
"""Between two turns of a user that took no arrival, so that one that only fails cannot spin."""

_TOOK = "_trueload_took"


class OpenUsers:
    """Makes the engine's users wait for arrivals.

    Parameters
    ----------
    arrivals : Arrivals
        Hands them out.
    recorder : Recorder
        Where their clicks begin.
    user_of : callable
        Finds the recorder's user of one of the engine's.
    at_work : callable
        Called with the recorder's user when it begins a task: its own sleeps in it are not
        the target's time.
    personas : bool
        Whether arrivals say whose click they are, and which.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        recorder: Recorder,
        *,
        user_of: Callable[[Any], VirtualUser],
        at_work: Callable[[VirtualUser], None],
        personas: bool,
    ) -> None:
        self._arrivals = arrivals
        self._recorder = recorder
        self._user_of = user_of
        self._at_work = at_work
        self._personas = personas
        self._unused: dict[VirtualUser, Due] = {}

    def install(self) -> None:
        """Wrap the engine's task sets."""
        original = TaskSet.execute_next_task

        @functools.wraps(original)
        def execute_next_task(tasks: Any) -> None:
            if _is_task_set(tasks._task_queue[0]):
                original(tasks)
            else:
                self._click(tasks, functools.partial(original, tasks))

        TaskSet.execute_next_task = execute_next_task  # type: ignore[method-assign]
        TaskSet.wait = _wait  # type: ignore[method-assign]

    def _click(self, tasks: Any, task: Callable[[], None]) -> None:
        user, known = tasks.user, self._user_of(tasks.user)
        due = self._unused.pop(known, None)
        if due is None:
            due = self._take(user)
        step = due.drawn.step
        self._recorder.begin_transaction(known, due.due_ns, step)
        known.paced = True  # its place is the schedule's: a late one stays late
        self._at_work(known)
        keep = False
        try:
            if step is None:
                task()
            else:
                tasks._task_queue.popleft()
                user.perform(step)
        except InterruptTaskSet:
            # a task that only leaves its TaskSet: the next one does what was asked for
            keep = known.step == 0 and not self._arrivals.closed
            raise
        finally:
            setattr(user, _TOOK, True)
            if keep:
                self._unused[known] = due
            elif known.step == 0 and (self._personas or self._arrivals.closed):
                self._arrivals.give_up(due)
            if not self._personas:  # the click is over: who has not judged an answer will not
                self._recorder.begin_transaction(known, None)

    def _take(self, user: Any) -> Due:
        user._state = LOCUST_STATE_WAITING  # whom the engine may end at any moment
        due = self._arrivals.take(user.persona_name if self._personas else None)
        user._state = LOCUST_STATE_RUNNING
        return due

    def close(self) -> None:
        """End the load: what has come due and was not begun is missed."""
        self._arrivals.close()
        for due in self._unused.values():
            self._arrivals.give_up(due)
        self._unused.clear()


def _is_task_set(task: Any) -> bool:
    return hasattr(task, "tasks") and isinstance(task, type) and issubclass(task, TaskSet)


def _wait(tasks: Any) -> None:
    user = tasks.user
    if user._state == LOCUST_STATE_STOPPING:
        raise StopUser
    if not user.__dict__.get(_TOOK, True):
        gevent.sleep(_PAUSE_S)
    setattr(user, _TOOK, False)
