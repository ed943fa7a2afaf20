"""``/synthetic``: a queue whose truth is known, to hold measurements against.

Some servers work off one queue, first come first served, and each service takes a time that is
drawn from a distribution with a known mean: M/M/c with Poisson arrivals and ``dist=exp``, M/D/c
with ``det``. What queueing theory says of it can be compared with what a load test measures.

The servers are a schedule and not a semaphore: who comes is told at once when the service will
begin and end, and sleeps until then. A semaphore would lose what a thread takes to wake up each
time a server goes over to the next, a tenth of a millisecond of the server's time; near saturation
a small loss of capacity is a large change of the response time. So what is measured above the truth
is what comes before and after the queue (HTTP, the application, waking up once), the same at every
load. Python's semaphores are not fair either; this is.

It answers when it is switched on (the option ``synthetic``), and 404 otherwise. It is served
without a token: what it costs to find an account is none of its truth.
"""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app

from target_app import answers
from target_app.api import Api
from target_app.config import Config
from target_app.options import SERVICE_LEAST_MS, SERVICE_MOST_MS
from target_app.rules import Choice, Decimal, Digits
from target_app.validation import Parameter

api = Api("calibration", prefix="", public=True)

SERVERS_MOST = 64
ERLANG_STAGES = 4
HYPER_SCV = 4.0
"""Squared coefficient of variation of ``hyper``: its variance is so many times that of ``exp``."""

_LOGNORMAL_SIGMA = 1.0
# Two branches of balanced means: each carries half of the work. Whitt, "Approximating a point
# process by a renewal process", Operations Research 30 (1982), 3.2.
_HYPER_FAST = (1 + math.sqrt((HYPER_SCV - 1) / (HYPER_SCV + 1))) / 2


def _hyper(draw: random.Random) -> float:
    share = _HYPER_FAST if draw.random() < _HYPER_FAST else 1 - _HYPER_FAST
    return draw.expovariate(2 * share)


UNIT_MEAN: Mapping[str, Callable[[random.Random], float]] = {
    "exp": lambda draw: draw.expovariate(1.0),
    "det": lambda _: 1.0,
    "erlang": lambda draw: draw.gammavariate(ERLANG_STAGES, 1 / ERLANG_STAGES),
    "hyper": _hyper,
    "lognormal": lambda draw: draw.lognormvariate(-(_LOGNORMAL_SIGMA**2) / 2, _LOGNORMAL_SIGMA),
}
"""Service times of mean 1, by the name of their distribution."""


@dataclass(frozen=True, slots=True)
class Served:
    """When one request is served, in seconds on the clock that it was told."""

    seq: int
    came_s: float
    begins_s: float
    ends_s: float


class Queue:
    """
    Some servers and one queue, first come first served.

    Parameters
    ----------
    servers : int
        How many.
    seed : int or None
        Of the service times; None draws others each time.
    """

    def __init__(self, servers: int, seed: int | None = None) -> None:
        self._free_s = [-math.inf] * servers
        self._draw = random.Random(seed)  # noqa: S311 - no secret: its truth is the point
        self._lock = Lock()
        self._came = 0

    def come(self, clock: Callable[[], float], dist: str, mean_s: float) -> Served:
        """
        Take the next place.

        Parameters
        ----------
        clock : callable
            Gives seconds; it is asked under the lock, so that nobody is told a time before that of
            who came first.
        dist : str
            One of `UNIT_MEAN`.
        mean_s : float
            Of the service time, in seconds.

        Returns
        -------
        Served
        """
        with self._lock:
            seq, self._came = self._came, self._came + 1
            service_s = mean_s * UNIT_MEAN[dist](self._draw)
            came_s = clock()
            begins_s = max(came_s, self._free_s[0])
            heapq.heapreplace(self._free_s, begins_s + service_s)
        return Served(seq, came_s, begins_s, begins_s + service_s)


class Queues:
    """
    The queues of one worker process, one for each number of servers.

    Parameters
    ----------
    seed : int or None
        Of their service times.
    """

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._queues: dict[int, Queue] = {}
        self._lock = Lock()

    def of(self, servers: int) -> Queue:
        """
        Give the queue of some servers.

        Parameters
        ----------
        servers : int
            How many; at most 64, so there are at most as many queues.

        Returns
        -------
        Queue
        """
        with self._lock:
            return self._queues.setdefault(servers, Queue(servers, self._seed))


def install(app: Flask, config: Config) -> None:
    """
    Give an application its queues.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Its options.
    """
    app.extensions["crm_synthetic"] = Queues(config.options.synthetic_seed)


_QUERY = {
    "dist": Parameter(
        Choice(tuple(UNIT_MEAN)),
        "exp",
        about=(
            f"Distribution of the service time: exponential, constant, Erlang-{ERLANG_STAGES}, "
            f"hyperexponential (squared coefficient of variation {HYPER_SCV:g}) or lognormal "
            f"(sigma {_LOGNORMAL_SIGMA:g})."
        ),
    ),
    "mean": Parameter(
        Decimal(SERVICE_LEAST_MS, SERVICE_MOST_MS),
        about="Mean service time in milliseconds; that of the option synthetic_mean_ms by default.",
    ),
    "servers": Parameter(
        Digits(1, SERVERS_MOST), 1, about="How many servers work off the queue, in each worker."
    ),
}
_NOT_NEGATIVE = {"type": "number", "minimum": 0}
_ANSWER = {
    "type": "object",
    "required": ["wait_ms", "service_ms", "seq"],
    "properties": {
        "wait_ms": {**_NOT_NEGATIVE, "description": "In the queue, before the service began."},
        "service_ms": {**_NOT_NEGATIVE, "description": "Of the service itself."},
        "seq": {"type": "integer", "minimum": 0, "description": "Place in the order of arrival."},
    },
}


@api.get("/synthetic", query=_QUERY, answers={200: _ANSWER})
def wait_in_queue(query: Mapping[str, Any]) -> Response:
    """
    Wait in a queue of known truth, be served, and be told how long both took.

    Parameters
    ----------
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        Milliseconds, as the queue has them: what is measured beyond them is not the queue's.
    """
    config: Config = current_app.extensions["crm"]
    queues: Queues = current_app.extensions["crm_synthetic"]
    mean_ms = query["mean"] or config.options.synthetic_mean_ms
    served = queues.of(query["servers"]).come(time.monotonic, query["dist"], mean_ms / 1e3)
    _sleep_until(served.ends_s)
    return answers.ok(
        {
            "wait_ms": round((served.begins_s - served.came_s) * 1e3, 4),
            "service_ms": round((served.ends_s - served.begins_s) * 1e3, 4),
            "seq": served.seq,
        }
    )


def _sleep_until(moment_s: float) -> None:
    """Sleep on the monotonic clock; on Linux that is exact to some 60 us, the kernel's slack."""
    left_s = moment_s - time.monotonic()
    if left_s > 0:
        time.sleep(left_s)
