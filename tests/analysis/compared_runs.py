"""Run folders to compare: short, of known truth, a minute apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analysis.recording.format import MANIFEST, Outcome
from analysis.run_values import RunValues
from tests.analysis.synthetic import RunBuilder, scenario_of, watch

NAMES = ("GET /customers", "GET /orders", "POST /orders")
FIRST = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

ENVIRONMENT: dict[str, Any] = {
    "cpu": "Sample CPU",
    "cores": 2,
    "memory_bytes": 8 << 30,
    "kernel": "6.1.0",
    "python": "3.11.9",
    "packages": {"locust": "2.47.0", "trueload": "0.1.0"},
}
TARGET: dict[str, Any] = {
    "app": "crm",
    "workers": 1,
    "threads": 4,
    "database": "sqlite",
    "dataset_hash": "0123456789abcdef",
    "commit": "1111111",
    "options": {"cache": "off"},
    "extensions": [],
}


def recorded(
    folder: Path,
    place: int,
    *,
    latency_ms: float = 40.0,
    bad: float = 0.0,
    hold_s: float = 10.0,
    missing: int = 0,
    load: dict[str, Any] | None = None,
    ended_s: float | None = None,
    **manifest: Any,
) -> Path:
    """Write the run that began at a place in the order of time; latencies are lognormal."""
    build = RunBuilder(folder / f"run{place}", scenario_of([(10, hold_s)], **(load or {})))
    rng = np.random.default_rng(place)
    end_s = hold_s if ended_s is None else ended_s
    # Ten users who think about as long as it takes that each sends four requests a second.
    for user in range(10):
        for at_s in np.arange(rng.uniform(0, 0.25), end_s - 0.1, 0.25):
            name = NAMES[int(rng.integers(len(NAMES)))]
            failed = rng.random() < bad
            build.add(
                float(at_s),
                float(latency_ms / 1e3 * np.exp(rng.normal(0, 0.2))),
                name=name,
                user=user,
                outcome=Outcome.HTTP_ERROR if failed else Outcome.OK,
                status=503 if failed else 200,
            )
    watch(build, until_s=end_s, missing=missing)
    why = "finished" if ended_s is None else "interrupted"
    path = build.finish(ended_s=end_s, why=why)
    described = json.loads((path / MANIFEST).read_text())
    began = FIRST + timedelta(minutes=place)
    described |= {
        "started": began.isoformat(),
        "environment": ENVIRONMENT,
        "target": TARGET,
        "tags": {"commit": "aaaaaaa", "branch": "main"},
    }
    described["end"]["at"] = (began + timedelta(seconds=end_s + 5)).isoformat()
    for key, value in manifest.items():
        described[key] = {**described[key], **value} if isinstance(value, dict) else value
    (path / MANIFEST).write_text(json.dumps(described))
    return path


def estimate(value: float | None, unit: str, n: int = 2_000) -> dict[str, Any]:
    """An estimate of a run, with an interval of five per cent to each side."""
    known = value is not None
    return {
        "value": value,
        "low": value * 0.95 if value is not None else None,
        "high": value * 1.05 if value is not None else None,
        "level": 0.95 if known else None,
        "n": n,
        "n_eff": float(n),
        "unit": unit,
        "method": "",
        "covers": "this run",
        "why": None if known else "there are no values",
    }


def part(p95: float | None, *, throughput: float = 200.0, errors: float = 0.0) -> dict[str, Any]:
    """What a stage says of one subject: every latency moves with p95."""
    scale = {"p50": 0.4, "p95": 1.0, "p99": 1.6, "avg": 0.5}
    return {
        "latency": {
            name: estimate(None if p95 is None else p95 * factor, "ms")
            for name, factor in scale.items()
        },
        "throughput": estimate(throughput, "1/s"),
        "error_ratio": estimate(errors, "ratio"),
    }


def values(p95s: Sequence[float], **endpoints: Sequence[float | None]) -> list[RunValues]:
    """Runs whose p95 of all requests, and of endpoints by name, are these."""
    return [
        RunValues(
            run=f"run{place}",
            stage={
                **part(p95),
                "endpoints": [{"name": name, **part(e[place])} for name, e in endpoints.items()],
            },
        )
        for place, p95 in enumerate(p95s)
    ]
