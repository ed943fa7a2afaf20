"""A run that looks like a real one: a CRM of one server, grown from 10 to 400 users."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

import numpy as np

from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from scenarios.loading import parse_scenario
from scenarios.schedule import Schedule, plan
from tests.analysis.synthetic import ONE_CLICK, RunBuilder

USERS = (10, 25, 50, 75, 100, 200, 400)
REQUIRED = 200
SERVICE_S = 0.0025
THINK_S = 0.25
NAMES = {
    "GET /api/v1/customers": (0.30, 1.6),
    "GET /api/v1/customers/{id}": (0.30, 0.6),
    "GET /api/v1/customers/{id}/orders": (0.20, 0.9),
    "POST /api/v1/orders": (0.10, 1.2),
    "GET /api/v1/orders/{id}": (0.10, 0.4),
}
"""Share of the requests, and service time in units of the mean."""

BUDGETS = {
    "all": ["p(95) < 300ms", "error_ratio < 1%", "availability >= 99.9%", "capacity >= 200"],
    "GET /api/v1/customers": ["p(95) < 500ms", "warn: p(99) < 400ms"],
    "POST /api/v1/orders": ["p(99) < 520ms"],
}


def sample_scenario(hold_s: float = 6.0, **load: Any) -> dict[str, Any]:
    """The document of the sample's scenario."""
    stages = [{"users": users, "hold": f"{hold_s}s", "ramp": "1s"} for users in USERS]
    return {
        "name": "growth",
        "title": "User growth from tens to hundreds",
        "question": "Does the CRM carry 200 users within its latency budgets?",
        "target": {"app": "crm", "workers": 1, "threads": 4, "customers": 20_000},
        "load": {
            "mix": {"sales_rep": 1},
            "think_scale": THINK_S / 10,
            "warmup": "2s",
            "settle": "1s",
            "timeout": "2s",
            "required": REQUIRED,
            "stages": stages,
            **load,
        },
        "personas": ONE_CLICK,
        "budgets": BUDGETS,
    }


def build_sample(folder: Path, *, hold_s: float = 6.0, seed: int = 1) -> Recording:
    """Write the sample run and read it again."""
    document = sample_scenario(hold_s)
    schedule = plan(parse_scenario(document, name="growth", folder=None))
    build = RunBuilder(folder, document)
    _simulate(build, schedule, np.random.default_rng(seed))
    build.timeline(
        [
            {
                "t_s": second,
                "asked": schedule.at(second + 0.5).users,
                "running": schedule.at(second).users,
                "cpu": 0.31,
                "loop_lag_us": [200, 400],
            }
            for second in range(int(schedule.end_s))
        ]
    )
    return read_run(build.finish(ended_s=schedule.end_s))


def resources(length_s: int = 30) -> list[dict[str, Any]]:
    """What the supervisor saw of the processes, and the CRM told of itself."""
    lines: list[dict[str, Any]] = []
    for second in range(length_s):
        t_s = second + 0.02
        lines += [
            {"t_s": float(second), "role": "crm", "pid": 8, "in_flight": 1 + second % 5,
             "pool_size": 4, "pool_used": second % 4, "pool_waits": 0},
            {"t_s": t_s, "role": "generator", "pid": 7, "cpu": 0.3, "rss": 90 << 20},
            {"t_s": t_s, "role": "target", "pid": 8, "cpu": 0.8, "rss": (100 + second) << 20},
            {"t_s": t_s, "role": "database", "pid": 9, "cpu": 0.2, "rss": 40 << 20},
        ]  # fmt: skip
    return lines


def _simulate(build: RunBuilder, schedule: Schedule, rng: np.random.Generator) -> None:
    """One server, first come first served; a request of it stands still for a second once."""
    names = list(NAMES)
    shares = np.array([share for share, _ in NAMES.values()])
    scale = np.array([factor for _, factor in NAMES.values()])
    scale /= float(shares @ scale)
    ready = [(float(t_s), user) for user, t_s in enumerate(rng.uniform(0, 2 * THINK_S, max(USERS)))]
    heapq.heapify(ready)
    free_s = 0.0
    while ready and ready[0][0] < schedule.end_s:
        at_s, user = heapq.heappop(ready)
        if user >= schedule.at(at_s).users:  # not one of those asked for at the moment
            heapq.heappush(ready, (at_s + rng.uniform(0, 2 * THINK_S), user))
            continue
        kind = int(rng.choice(len(names), p=shares))
        begin_s = max(at_s, free_s)
        free_s = begin_s + rng.exponential(SERVICE_S * scale[kind])
        outcome, status = _outcome(rng, kind, late=free_s - at_s > 0.8)
        latency_s = min(free_s - at_s, 2.0)
        if outcome is Outcome.TIMEOUT:
            build.add(
                at_s,
                None,
                seen_s=at_s + 2.0,
                name=names[kind],
                outcome=outcome,
                user=user,
                persona="sales_rep",
                click="open_customer",
            )
        else:
            build.add(
                at_s,
                latency_s,
                name=names[kind],
                outcome=outcome,
                status=status,
                user=user,
                persona="sales_rep",
                click="open_customer",
            )
        heapq.heappush(ready, (at_s + latency_s + rng.exponential(THINK_S), user))


def _outcome(rng: np.random.Generator, kind: int, *, late: bool) -> tuple[Outcome, int]:
    draw = rng.random()
    if late and draw < 0.05:
        return Outcome.TIMEOUT, -1
    if kind == 3 and draw < 0.01:
        return Outcome.HTTP_ERROR, 503
    if draw < 0.0005:
        return Outcome.CHECK_FAILED, 200
    return Outcome.OK, 200
