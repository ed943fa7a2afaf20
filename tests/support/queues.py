"""Queues whose truth is known: simulated, and by theory."""

from __future__ import annotations

import heapq
import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq


def mm1_responses(
    rng: np.random.Generator, rho: float, n: int, *, warm: int = 5_000
) -> npt.NDArray[np.float64]:
    """Responses of an M/M/1 queue by Lindley's recursion, mean service 1.

    The response time is exponential with mean 1 / (1 - rho): its quantile at level
    p is -ln(1 - p) / (1 - rho).
    """
    return mm1_requests(rng, rho, n, warm=warm)[1]


def mm1_requests(
    rng: np.random.Generator, rho: float, n: int, *, warm: int = 5_000
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Arrivals from 0 on and responses of an M/M/1 queue by Lindley, mean service 1."""
    gaps, service = rng.exponential(1 / rho, n + warm), rng.exponential(1, n + warm)
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    waiting = walk - np.minimum.accumulate(walk)
    return np.cumsum(gaps[warm:]), (waiting + service)[warm:]


def mmc_responses(
    came_s: npt.NDArray[np.float64], service_s: npt.NDArray[np.float64], servers: int
) -> npt.NDArray[np.float64]:
    """Responses of `servers` servers with one queue, first come first served (Kiefer, Wolfowitz).

    Arrivals in order, and how long each is served; the system is empty before the first.
    """
    free = [-math.inf] * servers
    ends = np.empty(len(came_s))
    for index, (came, service) in enumerate(zip(came_s.tolist(), service_s.tolist(), strict=True)):
        ends[index] = max(came, free[0]) + service
        heapq.heapreplace(free, ends[index])
    found: npt.NDArray[np.float64] = ends - came_s
    return found


def erlang_c(load: float, servers: int) -> float:
    """Share of arrivals that wait, at `load` Erlangs: by the recursion of Erlang's B."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked / (1 - (load / servers) * (1 - blocked))


def mmc_tail(limit: float, rate: float, mu: float, servers: int) -> float:
    """Share of responses of M/M/c, first come first served, that take longer than `limit`."""
    load = rate / mu
    waits, d = erlang_c(load, servers), servers - 1 - load
    if abs(d) < 1e-9:
        return math.exp(-mu * limit) * (1 + waits * mu * limit)
    return math.exp(-mu * limit) * (1 + waits / d) - waits * math.exp(-mu * limit * (1 + d)) / d


def mmc_capacity(limit: float, share: float, mu: float, servers: int) -> float:
    """Rate at which just the share `share` of responses of M/M/c takes longer than `limit`."""

    def beyond(rate: float) -> float:
        return mmc_tail(limit, rate, mu, servers) - share

    return float(brentq(beyond, 1e-6, servers * mu * (1 - 1e-9)))


def closed_queue_ends(
    rng: np.random.Generator,
    users: int,
    *,
    until_s: float,
    service_s: float = 0.01,
    think_s: float = 1.0,
    steady: bool = False,
) -> npt.NDArray[np.float64]:
    """Moments at which a closed queue of one server finishes requests, in order.

    Users think exponentially long; the service is exponential, too, or `steady`: always
    as long. Everybody thinks at 0.
    """
    ready = [(float(at), user) for user, at in enumerate(rng.exponential(think_s, users))]
    heapq.heapify(ready)
    free, ends = 0.0, []
    while ready[0][0] < until_s:
        at, user = heapq.heappop(ready)
        free = max(at, free) + (service_s if steady else rng.exponential(service_s))
        ends.append(free)
        heapq.heappush(ready, (free + rng.exponential(think_s), user))
    return np.asarray(ends)


def closed_mmc(users: int, think_s: float, service_s: float, servers: int) -> tuple[float, float]:
    """Throughput and mean requests in the system of M/M/c//N with think time, exactly.

    p_n is proportional to the product of (N - n + 1) / Z times S / min(n, c): users who
    think, each at a rate of 1 / Z, against servers at work.
    """
    log_p = np.zeros(users + 1)
    n = np.arange(1, users + 1)
    log_p[1:] = np.cumsum(np.log((users - n + 1) * service_s / (think_s * np.minimum(n, servers))))
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    states = np.arange(users + 1)
    return float(np.minimum(states, servers) @ p / service_s), float(states @ p)
