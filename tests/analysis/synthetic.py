"""Run folders with known truth, written by the real writer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.recording.format import COLUMNS, EVENTS, FORMAT, MANIFEST, ROW, TIMELINE, Outcome
from analysis.recording.writer import LineFile, Names, StreamWriter
from scenarios.loading import parse_scenario
from scenarios.schedule import plan

UNKNOWN = {Outcome.UNFINISHED, Outcome.OPEN, Outcome.MISSED, Outcome.CANCELLED}
"""What the engine's own count of requests does not hold."""


ONE_CLICK = {
    "sales_rep": {
        "journey": {
            "start": {"open_customer": 1},
            "open_customer": {"open_customer": 119, "end": 1},
        }
    }
}
"""What synthetic users do: one kind of click, with one think time."""


class RunBuilder:
    """Builds a run folder sample by sample; times are seconds of run time."""

    def __init__(self, folder: Path, scenario: dict[str, Any], *, process: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.scenario = scenario
        self.process = process
        self.stream = StreamWriter(folder, process)
        self.names = Names(folder, process)
        self.packed = bytearray()
        self.request = 0
        self.outcomes: dict[int, Outcome] = {}

    def add(
        self,
        intended_s: float,
        latency_s: float | None,
        *,
        sent_s: float | None = None,
        seen_s: float | None = None,
        name: str = "GET /",
        outcome: Outcome = Outcome.OK,
        persona: str | None = None,
        user: int = 0,
        status: int = 200,
        request: int | None = None,
        transaction: int | None = None,
        step: int = 0,
        click: str | None = None,
    ) -> int:
        """Add a sample; a latency of None is an end that nobody saw."""
        method, endpoint = name.split(" ", 1)
        if request is None:
            self.request += 1
        key = self.request if request is None else request
        self.outcomes[key] = outcome
        intended = round(intended_s * 1e6)
        done = -1 if latency_s is None else intended + round(latency_s * 1e6)
        seen = done if seen_s is None else round(seen_s * 1e6)
        values = dict.fromkeys(COLUMNS, -1) | {
            "process": self.process,
            "request": key,
            "transaction": key if transaction is None else transaction,
            "step": step,
            "click": self.names.number("click", click),
            "attempt": 0,
            "intended_us": intended,
            "sent_us": intended if sent_s is None else round(sent_s * 1e6),
            "done_us": done,
            "seen_us": max(seen, intended),
            "method": self.names.number("method", method),
            "endpoint": self.names.number("endpoint", endpoint),
            "persona": self.names.number("persona", persona),
            "user": user,
            "outcome": int(outcome),
            "status": status if latency_s is not None else -1,
        }
        self.packed += ROW.pack(*(values[column] for column in COLUMNS))
        return key

    def flush(self) -> None:
        self.stream.write(self.packed)
        self.packed = bytearray()

    def timeline(self, lines: Sequence[dict[str, Any]]) -> None:
        file = LineFile(self.folder / TIMELINE)
        for line in lines:
            file.write({"process": self.process, **line})
        file.close()

    def event(self, **line: Any) -> None:
        file = LineFile(self.folder / EVENTS)
        file.write(line)
        file.close()

    def finish(self, *, ended_s: float | None, why: str = "finished", closed: bool = True) -> Path:
        """Write what remains; ended_s None leaves the run as one that was killed."""
        self.flush()
        self.stream.close()
        self.names.close()
        if closed:
            self.event(
                t_s=ended_s,
                kind="stream_closed",
                process=self.process,
                rows=self.stream.rows,
                requests=len(self.outcomes),
                engine_requests=sum(o not in UNKNOWN for o in self.outcomes.values()),
            )
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "run": self.folder.name,
            "scenario": self.scenario,
            "target": {"url": "http://127.0.0.1:1"},
            "generators": [
                {"process": self.process, "clock": {"offset_us": 0, "uncertainty_us": 0}}
            ],
        }
        if ended_s is not None:
            manifest["end"] = {"load_ended_s": ended_s, "why": why}
        (self.folder / MANIFEST).write_text(json.dumps(manifest))
        return self.folder


def scenario_of(
    stages: Sequence[tuple[int, float]],
    *,
    budgets: Mapping[str, Sequence[Any]] | None = None,
    **load: Any,
) -> dict[str, Any]:
    """A scenario document: stages as (users, hold in seconds), no settle unless asked."""
    return {
        "name": "synthetic",
        "title": "Synthetic",
        "target": {"url": "http://127.0.0.1:1"},
        "load": {
            "mix": {"sales_rep": 1},
            "settle": "0s",
            "stages": [{"users": users, "hold": f"{hold}s"} for users, hold in stages],
            **load,
        },
        "personas": ONE_CLICK,
        "budgets": {subject: list(those) for subject, those in (budgets or {}).items()},
    }


def watch(
    build: RunBuilder,
    *,
    until_s: float,
    cpu: float = 0.2,
    lag_us: int = 150,
    missing: int = 0,
    process: int | None = None,
) -> None:
    """Write a timeline line each second, as a generator that delivers its load does."""
    schedule = plan(parse_scenario(build.scenario, name="synthetic", folder=None))
    lines = []
    for second in range(1, int(until_s) + 1):
        users = schedule.at(second - 0.001).users
        line = {
            "t_s": float(second),
            "asked": users,
            "running": users - missing,
            "cpu": cpu,
            "loop_lag_us": [lag_us] * 50,
        }
        lines.append(line if process is None else {**line, "process": process})
    build.timeline(lines)


def closed_queue(
    build: RunBuilder,
    *,
    users: int,
    start_s: float,
    end_s: float,
    think_s: float,
    service_s: float,
    rng: np.random.Generator,
    servers: int = 1,
    persona: str = "sales_rep",
    click: str | None = "open_customer",
    name: str = "GET /",
) -> None:
    """Simulate a closed M/M/c//N queue (first come, first served) into a run."""
    free = np.full(servers, start_s)
    ready = start_s + rng.uniform(0, 2 * think_s, users)
    while True:
        user = int(np.argmin(ready))
        arrival = ready[user]
        if arrival >= end_s:
            return
        server = int(np.argmin(free))
        begin = max(arrival, free[server])
        done = begin + rng.exponential(service_s)
        free[server] = done
        build.add(arrival, done - arrival, name=name, persona=persona, click=click, user=user)
        ready[user] = done + rng.exponential(think_s)
