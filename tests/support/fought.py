"""Runs of a duel that nobody made: verdicts with a p95, in folders with a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loadtests.sides import Side


def estimate(value: float | None, *, bound: bool = False) -> dict[str, Any]:
    """An estimate as verdict.json writes it."""
    low = value if bound else None if value is None else 0.9 * value
    high = None if bound or value is None else 1.1 * value
    why = "3 of 100 did not end" if bound else None if value is not None else "there are no values"
    return {"value": value, "low": low, "high": high, "n": 100, "why": why}


def share(bad: float) -> dict[str, Any]:
    """A share of bad requests as verdict.json writes it."""
    ends = {"low": max(bad - 0.01, 0.0), "high": min(bad + 0.01, 1.0)}
    return {
        "value": bad,
        **ends,
        "level": 0.95,
        "n": 700,
        "n_eff": 700.0,
        "unit": "ratio",
        "method": "Wilson",
        "covers": "this run",
        "why": None,
    }


def verdict(
    p95_ms: float | None, *, bound: bool = False, bad: float = 0.0, **changes: Any
) -> dict[str, Any]:
    """A verdict as far as a duel reads it; `bad` is the share of bad requests."""
    latency = {
        name: estimate(None if p95_ms is None else factor * p95_ms, bound=bound)
        for name, factor in {"p50": 0.4, "p95": 1.0, "p99": 1.5, "avg": 0.5}.items()
    }
    measured = {"latency": latency, "throughput": estimate(60.0), "error_ratio": share(bad)}
    stage = {"level": 60.0, **measured, "endpoints": [{"name": "GET /a", **measured}]}
    return {
        "verdict": "passed",
        "why": "every budget holds",
        "exit_code": 0,
        "ended": {"complete": True, "why": "finished"},
        "required": 60.0,
        "stages": [stage],
        "budgets": [],
        **changes,
    }


class Machine:
    """Makes runs whose p95 is told beforehand, side by side and run by run."""

    def __init__(self, folder: Path, says: Callable[[str, int], dict[str, Any]]) -> None:
        self.folder = folder
        self.made: list[tuple[str, int]] = []
        self._says = says

    def run(self, side: Side, load_seed: int) -> tuple[Path, dict[str, Any]]:
        """Make a run."""
        times = sum(role == side.role for role, _ in self.made)
        self.made.append((str(side.role), load_seed))
        path = self.folder / f"run{len(self.made)}"
        path.mkdir(parents=True)
        (path / "manifest.json").write_text('{"format": 2, "group": null, "role": null}')
        return path, self._says(str(side.role), times)


def manifests(folder: Path) -> list[Mapping[str, Any]]:
    """The manifests of the runs, in order."""
    paths = sorted(folder.glob("run*/manifest.json"), key=lambda path: int(path.parent.name[3:]))
    return [json.loads(path.read_text()) for path in paths]
