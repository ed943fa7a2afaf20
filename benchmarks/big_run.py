"""Makes a large run through the writer of recordings: what a long day of load leaves behind.

Users of two personas, dealt out to two generator processes, think, click, wait and think
again through four stages; their clicks are drawn from the journeys. Latencies are
lognormal about each endpoint's own, and drift together from second to second; some
requests fail, some are never answered. The same for the same number of samples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.signal import lfilter

from analysis.recording.audit import WRITES, Audit, Invariants, write_audit, write_found
from analysis.recording.format import (
    COLUMNS,
    DTYPE,
    EVENTS,
    FORMAT,
    MANIFEST,
    RESOURCES,
    TIMELINE,
    Outcome,
)
from analysis.recording.writer import LineFile, Names, StreamWriter
from scenarios.loading import parse_scenario
from scenarios.mix import stationary
from scenarios.model import Scenario

PROCESSES = 2
LEVELS = (1000, 2000, 3000, 4000)
MIX = {"sales_rep": 3, "support_agent": 1}
BATCH = 5_000
TIMEOUT_S = 2.0
REQUESTS_PER_USER_S = 0.823
"""At think times scaled to a tenth: sets how long the holds are, not what is recorded."""

Columns = dict[str, npt.NDArray[Any]]


def hold_s(samples: int) -> int:
    """Length of each hold for so many samples, in seconds."""
    return max(12, round(samples / (sum(LEVELS) * REQUESTS_PER_USER_S)))


def document(samples: int) -> dict[str, Any]:
    """Write the scenario of the run."""
    return {
        "name": "big",
        "title": "A big run",
        "question": "Is it judged in time?",
        "target": {"url": "http://127.0.0.1:1"},
        "load": {
            "mix": MIX,
            "think_scale": 0.1,
            "settle": "0s",
            "timeout": f"{TIMEOUT_S:g}s",
            "stages": [{"users": users, "hold": f"{hold_s(samples)}s"} for users in LEVELS],
        },
        "budgets": {
            "all": [
                "p(95) < 300ms",
                "p(99) < 900ms",
                "avg < 120ms",
                "error_ratio < 2%",
                "availability >= 99%",
                "apdex(100ms) >= 0.7",
                "throughput > 100",
            ],
            "GET /api/v1/customers": ["p(95) < 250ms"],
            "POST /api/v1/orders": ["p(95) < 400ms", "error_ratio < 2%"],
        },
    }


def make(folder: Path, samples: int) -> None:
    """Write a run folder whose streams are not consolidated yet.

    Parameters
    ----------
    folder : Path
        A new folder.
    samples : int
        About how many requests.
    """
    folder.mkdir(parents=True)
    scenario = parse_scenario(document(samples), name="big", folder=None)
    length_s = hold_s(samples)
    writes, events = [], LineFile(folder / EVENTS)
    for process in range(PROCESSES):
        stream, names = StreamWriter(folder, process), Names(folder, process)
        rng = np.random.default_rng((process, samples))
        counted = _Counted()
        for stage, users in enumerate(LEVELS):
            part = _stage(scenario, names, rng, process, users // PROCESSES, counted)
            rows = part(stage * length_s, (stage + 1) * length_s)
            for first in range(0, len(rows["request"]), BATCH):
                stream.write_columns({n: rows[n][first : first + BATCH] for n in COLUMNS})
            sent = np.isin(rows["method"], [names.number("method", name) for name in WRITES])
            writes.append((process, rows["request"][sent], rows["outcome"][sent] == Outcome.OK))
        stream.close()
        names.close()
        told = {"rows": stream.rows, "requests": stream.rows, "engine_requests": counted.finished}
        events.write({"t_s": 4 * length_s, "kind": "stream_closed", "process": process, **told})
    events.close()
    _watched(folder, length_s)
    _audit(folder, writes)
    manifest = {
        "format": FORMAT,
        "run": folder.name,
        "scenario": document(samples),
        "target": {"url": "http://127.0.0.1:1"},
        "generators": [
            {"process": process, "clock": {"offset_us": 0, "uncertainty_us": 20}}
            for process in range(PROCESSES)
        ],
        "end": {"load_ended_s": float(len(LEVELS) * length_s), "why": "finished"},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))


class _Counted:
    """How many requests there were, and how many of them ended."""

    def __init__(self) -> None:
        self.requests = 0
        self.transactions = 0
        self.finished = 0


def _stage(
    scenario: Scenario,
    names: Names,
    rng: np.random.Generator,
    process: int,
    users: int,
    counted: _Counted,
) -> Any:
    def rows(start_s: float, end_s: float) -> Columns:
        parts, first, share = [], 0, sum(MIX.values())
        slow = _drifting(rng, end_s - start_s) * (1 + users * PROCESSES / LEVELS[-1])
        for name, weight in MIX.items():
            count = round(users * weight / share)
            each = _clicks(scenario, name, names, rng, count, slow, end_s - start_s)
            each["user"] += process + PROCESSES * first
            each["transaction"] += counted.transactions
            counted.transactions += int(each["transaction"].max(initial=-1)) + 1
            parts.append(each)
            first += count
        joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        ended = np.where(joined["done_us"] < 0, joined["seen_us"], joined["done_us"])
        order = np.argsort(ended, kind="stable")
        found = {key: column[order] for key, column in joined.items()}
        for key in ("intended_us", "sent_us", "connected_us", "first_byte_us"):
            found[key] += round(start_s * 1e6)
        for key in ("done_us", "seen_us"):
            found[key] = np.where(found[key] < 0, -1, found[key] + round(start_s * 1e6))
        n = len(order)
        found["process"] = np.full(n, process)
        found["request"] = counted.requests + np.arange(n)
        counted.requests += n
        counted.finished += int((found["outcome"] != Outcome.UNFINISHED).sum())
        return {name: found[name].astype(DTYPE[name]) for name in COLUMNS}

    return rows


def _drifting(rng: np.random.Generator, length_s: float) -> npt.NDArray[np.float64]:
    """How much slower than usual all are in each second: an AR(1) of its logarithm."""
    noise = rng.normal(0, 0.15 * math.sqrt(1 - 0.9**2), math.ceil(length_s) + 1)
    return np.asarray(np.exp(lfilter([1.0], [1.0, -0.9], noise)))


def _clicks(
    scenario: Scenario,
    name: str,
    names: Names,
    rng: np.random.Generator,
    users: int,
    slow: npt.NDArray[np.float64],
    length_s: float,
) -> Columns:
    """Draw the requests of a persona's users in a hold, in microseconds since it began."""
    persona = scenario.personas[name]
    steps = list(persona.steps)
    share = np.array([stationary(persona)[step] for step in steps])
    think_s = np.array([persona.think_before_s(step) for step in steps])
    think_s *= scenario.load.think_scale
    most = int(1.3 * length_s / float(share @ think_s)) + 10
    click = rng.choice(len(steps), size=(users, most), p=share / share.sum())
    thought = rng.exponential(think_s[click])
    requests = [persona.steps[step].requests for step in steps]
    base_s = np.array([[_base_s(r) for r in (*each, "")][:2] for each in requests])
    noise = rng.lognormal(0, 0.6, size=(2, users, most))
    latency = base_s.T[:, click] * noise
    begun = np.cumsum(thought + latency.sum(axis=0), axis=1) - latency.sum(axis=0)
    second = np.clip(begun, 0, len(slow) - 1).astype(np.intp)
    latency *= slow[second]  # a little less than thought of in between: rates stay the same
    user, number = np.nonzero(begun < length_s)
    parts = []
    for step in (0, 1):
        has = np.array([len(each) > step for each in requests])
        chosen = has[click[user, number]]
        u, k = user[chosen], number[chosen]
        kind = click[u, k]
        before = latency[0, u, k] if step else 0.0
        parts.append(
            _rows(
                rng,
                np.rint((begun[u, k] + before) * 1e6),
                np.maximum(np.rint(latency[step, u, k] * 1e6), 50),
                np.flatnonzero(chosen),
                u * PROCESSES,
                step,
                {
                    "click": np.array([names.number("click", step) for step in steps])[kind],
                    **_asked(names, [each[min(step, len(each) - 1)] for each in requests], kind),
                    "persona": np.full(len(u), names.number("persona", name)),
                },
                names.number("error", "timed out"),
            )
        )
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _base_s(request: str) -> float:
    """Median service time of a request: its own, between 8 and 60 ms; 0 without one."""
    return 0.008 + (sum(request.encode()) % 53) / 1000 if request else 0.0


def _asked(names: Names, requests: list[str], kind: npt.NDArray[np.intp]) -> Columns:
    pairs = [request.split(" ", 1) for request in requests]
    return {
        "method": np.array([names.number("method", method) for method, _ in pairs])[kind],
        "endpoint": np.array([names.number("endpoint", path) for _, path in pairs])[kind],
    }


def _rows(
    rng: np.random.Generator,
    intended: npt.NDArray[np.float64],
    latency: npt.NDArray[np.float64],
    transaction: npt.NDArray[np.intp],
    user: npt.NDArray[np.intp],
    step: int,
    named: Columns,
    timed_out: int,
) -> Columns:
    n = len(intended)
    lag = rng.integers(20, 200, n)
    draw = rng.random(n)
    outcome = np.full(n, int(Outcome.OK))
    outcome[draw < 0.003] = Outcome.HTTP_ERROR
    outcome[draw < 0.001] = Outcome.TIMEOUT
    outcome[draw < 0.0001] = Outcome.UNFINISHED
    lost = draw < 0.001
    done = intended + lag + latency
    seen = np.where(lost, intended + lag + TIMEOUT_S * 1e6, done)
    wait = np.rint(latency * 0.8)
    null = np.full(n, -1)
    return {
        **named,
        "transaction": transaction,
        "step": np.full(n, step),
        "attempt": np.zeros(n),
        "intended_us": intended.astype(np.int64),
        "sent_us": (intended + lag).astype(np.int64),
        "connected_us": (intended + lag).astype(np.int64),
        "first_byte_us": (intended + lag + wait).astype(np.int64),
        "done_us": np.where(lost, -1, done).astype(np.int64),
        "seen_us": seen.astype(np.int64),
        "user": user,
        "outcome": outcome,
        "status": np.where(lost, -1, np.where(outcome == Outcome.HTTP_ERROR, 503, 200)),
        "error": np.where(outcome == Outcome.TIMEOUT, timed_out, -1),
        "bytes_out": rng.integers(200, 260, n),
        "bytes_in": np.where(lost, -1, rng.integers(400, 4000, n)),
        "server_us": np.where(lost, -1, wait * 0.9),
        "database_us": np.where(lost, -1, wait * 0.6),
        "queries": np.where(lost, -1, rng.integers(1, 6, n)),
        "tags": null,
    }


def _watched(folder: Path, length_s: int) -> None:
    """Lines of the timeline and of the resources, one a second and process."""
    timeline, resources = LineFile(folder / TIMELINE), LineFile(folder / RESOURCES)
    for second in range(len(LEVELS) * length_s):
        running = LEVELS[second // length_s] // PROCESSES
        for process in range(PROCESSES):
            told = {"asked": running, "running": running, "cpu": 0.31, "loop_lag_us": [150] * 50}
            timeline.write({"process": process, "t_s": second + 0.05, **told})
        seen: list[dict[str, object]] = [
            {"t_s": float(second), "role": "generator", "pid": 7, "cpu": 0.3, "rss": 90 << 20},
            {"t_s": float(second), "role": "target", "pid": 8, "cpu": 0.8, "rss": 200 << 20},
        ]
        for line in seen:
            resources.write(line)
    timeline.close()
    resources.close()


def _audit(folder: Path, writes: list[tuple[int, npt.NDArray[Any], npt.NDArray[Any]]]) -> None:
    def tables() -> Iterator[pa.Table]:
        for process, request, ok in writes:
            n = len(request)
            columns = {"process": np.full(n, process), "request": request, "found": ok.astype(int)}
            yield pa.table(columns)

    write_found(folder, tables())
    write_audit(folder, Audit(why=None, fresh=True, invariants=Invariants(checked=12)))
