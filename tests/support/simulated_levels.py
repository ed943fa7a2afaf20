"""A search for the capacity of M/M/4 on paper: runs are simulated, and judged as real ones are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analysis.autocorrelation import effective_size, largest_autocorrelation_time
from analysis.intervals import least_share, wilson_bound
from tests.support.queues import mmc_capacity, mmc_responses

SERVERS, MEAN_S, LIMIT_S, ALLOWED = 4, 0.025, 0.1, 0.05
TRUTH = mmc_capacity(LIMIT_S, ALLOWED, 1 / MEAN_S, SERVERS)
"""Arrivals per second at which one response in twenty takes longer than 100 ms: 117.66."""

WARMUP_S = 3.0
AROUND_S = 11.0
"""What a real run takes beside its hold: start, warm-up, drain, judgement."""


class Simulated:
    """Runs levels on paper, and writes of them what a verdict would say.

    Parameters
    ----------
    seed : object
        Of arrivals and services.
    folder : Path, optional
        Where a run gets a folder with a manifest.
    overhead_s : float
        Added to each response: what HTTP and the harness take.
    """

    def __init__(self, seed: Any, folder: Path | None = None, *, overhead_s: float = 0.0) -> None:
        self._folder = folder
        self._rng = np.random.default_rng(seed)
        self._overhead_s = overhead_s
        self.settings: list[Mapping[str, Any]] = []
        self.now_s = 0.0

    def __call__(self, settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        """Run a level, as :class:`loadtests.capacity.Campaign` has it run."""
        self.settings.append(settings)
        (stage,) = settings["load.stages"]
        hold_s = float(stage["hold"].removesuffix("s"))
        self.now_s += hold_s + AROUND_S
        folder = Path(f"run{len(self.settings)}")
        if self._folder is not None:
            folder = self._folder / folder
            folder.mkdir()
            folder.joinpath("manifest.json").write_text("{}")
        return folder, self.verdict(float(stage["rate"]), hold_s) | {"run": folder.name}

    def verdict(self, rate: float, hold_s: float) -> dict[str, Any]:
        """verdict.json of a run at a rate, as far as a search reads it."""
        lasts_s = WARMUP_S + hold_s
        came = np.sort(self._rng.uniform(0, lasts_s, self._rng.poisson(rate * lasts_s)))
        served = self._rng.exponential(MEAN_S, len(came))
        latency = (mmc_responses(came, served, SERVERS) + self._overhead_s)[came > WARMUP_S]
        share = float((latency >= LIMIT_S).mean())
        n_eff = effective_size(len(latency), largest_autocorrelation_time(latency, LIMIT_S))
        low = least_share(share, len(latency), n_eff)
        high = wilson_bound(share, n_eff, upper=True)
        verdict = "passed" if high < ALLOWED else "failed" if low > ALLOWED else "inconclusive"
        budget = {
            "subject": "all",
            "assertion": "p(95) < 100ms",
            "metric": "p",
            "severity": "fail",
            "share_beyond": {
                "value": share,
                "low": low,
                "high": high,
                "n": len(latency),
                "n_eff": n_eff,
            },
            "verdict": verdict,
        }
        return {
            "verdict": verdict,
            "why": "",
            "exit_code": 0,
            "ended": {"why": "finished", "complete": True},
            "goodput": {"broken": []},
            "budgets": [budget],
            "stages": [{"hold": [WARMUP_S, lasts_s]}],
        }
