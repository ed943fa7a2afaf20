"""Queues that are disturbed at a known moment, simulated: when they are as before is known."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis.pulse import Requests

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Nothing is served from one moment to another; who came waits."""

    start_s: float
    end_s: float


def arrivals(rng: np.random.Generator, rate: float, length_s: float) -> Floats:
    """Poisson arrivals in seconds, shape (n,)."""
    count = rng.poisson(rate * length_s)
    found: Floats = np.sort(rng.uniform(0, length_s, count))
    return found


def departures(at_s: Floats, service_s: Floats) -> Floats:
    """When each leaves a single server, first come first served (Lindley), shape (n,)."""
    done = np.cumsum(service_s)
    idle = np.maximum.accumulate(at_s - (done - service_s))
    found: Floats = done + idle
    return found


def frozen_departures(at_s: Floats, service_s: Floats, freezes: list[Freeze]) -> Floats:
    """The same with a server that stands still meanwhile: computed in the time that it works."""
    worked = at_s.copy()
    for each in sorted(freezes, key=lambda f: -f.start_s):
        standing = np.clip(at_s, each.start_s, each.end_s) - each.start_s
        worked -= np.where(at_s > each.start_s, standing, 0.0)
    done = departures(worked, service_s)
    for each in sorted(freezes, key=lambda f: f.start_s):
        done = np.where(done > each.start_s, done + each.end_s - each.start_s, done)
    return done


def drained_s(at_s: Floats, service_s: Floats, freezes: list[Freeze]) -> float:
    """The moment from which a queue is exactly as it would be had it never stood still."""
    after = max(each.end_s for each in freezes)
    frozen = frozen_departures(at_s, service_s, freezes)
    same = np.isclose(frozen, departures(at_s, service_s), atol=1e-9) & (at_s > after)
    return float(at_s[np.argmax(same)]) if same.any() else float("inf")


def in_range_s(at_s: Floats, service_s: Floats, freezes: list[Freeze]) -> float:
    """The first arrival after it that is served as all but one in a thousand are without it."""
    after = max(each.end_s for each in freezes)
    highest = np.quantile(departures(at_s, service_s) - at_s, 0.999)
    response = frozen_departures(at_s, service_s, freezes) - at_s
    served = (response <= highest) & (at_s > after)
    return float(at_s[np.argmax(served)]) if served.any() else float("inf")


def refused(requests: Requests, start_s: float, end_s: float) -> Requests:
    """The same with everybody refused at once meanwhile."""
    hit = (requests.intended_s >= start_s) & (requests.intended_s < end_s)
    end = np.where(hit, requests.intended_s + 0.001, requests.end_s)
    return replace(
        requests,
        end_s=end,
        latency_ms=(end - requests.intended_s) * 1e3,
        good=requests.good & ~hit,
        bad=requests.bad | hit,
    )


def answered(at_s: Floats, end_s: Floats) -> Requests:
    """Requests that were all answered well."""
    n = len(at_s)
    return Requests(
        intended_s=at_s,
        end_s=end_s,
        latency_ms=(end_s - at_s) * 1e3,
        good=np.ones(n, dtype=np.bool_),
        bad=np.zeros(n, dtype=np.bool_),
        censored=np.zeros(n, dtype=np.bool_),
    )


def closed_requests(
    rng: np.random.Generator,
    *,
    users: int,
    think_s: float,
    service_s: float,
    length_s: float,
    freeze: Freeze | None = None,
) -> Requests:
    """Users who think, ask one server and wait for it: exponential times, first come first."""
    ready = [(float(t), user) for user, t in enumerate(rng.uniform(0, 2 * think_s, users))]
    heapq.heapify(ready)
    intended, ended, free_s = [], [], 0.0
    while True:
        at_s, user = heapq.heappop(ready)
        if at_s >= length_s:
            break
        begin_s = max(at_s, free_s)
        free_s = begin_s + rng.exponential(service_s)
        if freeze is not None and begin_s < freeze.end_s and free_s > freeze.start_s:
            begin_s = max(begin_s, freeze.start_s)
            free_s += freeze.end_s - begin_s
        intended.append(at_s)
        ended.append(free_s)
        heapq.heappush(ready, (free_s + rng.exponential(think_s), user))
    return answered(np.array(intended), np.array(ended))
