"""A machine that drifts: what runs made one after the other have in common, and what not."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

MEMORY: Final = 0.95
"""Autocorrelation of the drift from one run to the next."""

DRIFT_SD, FAST_SD = 0.06, 0.015
"""Of the logarithm of the machine's speed: what moves slowly, and what is new in each run."""

SPIKES, SPIKE = 0.03, 0.30
"""Share of the runs that a neighbour disturbs, and by how much it slows them."""

SIGMA: Final = 0.4
"""Of the logarithm of a request's latency: with it the published power of paired runs on
such a machine comes out."""

Floats = npt.NDArray[np.float64]


def slowness(rng: np.random.Generator, campaigns: int, runs: int) -> Floats:
    """Logarithm of how slow the machine is in each run of each campaign."""
    drift = np.empty((campaigns, runs))
    drift[:, 0] = rng.normal(0, DRIFT_SD, campaigns)
    news = DRIFT_SD * math.sqrt(1 - MEMORY**2)
    for run in range(1, runs):
        drift[:, run] = MEMORY * drift[:, run - 1] + rng.normal(0, news, campaigns)
    fast = rng.normal(0, FAST_SD, (campaigns, runs))
    spikes = np.where(rng.random((campaigns, runs)) < SPIKES, math.log1p(SPIKE), 0.0)
    found: Floats = drift + fast + spikes
    return found


def p95_of(rng: np.random.Generator, slow: Floats, requests: int) -> Floats:
    """p95 of so many requests of lognormal latency in each run."""
    latencies = rng.normal(0.0, SIGMA, (*slow.shape, requests))
    found: Floats = np.exp(np.quantile(latencies, 0.95, axis=-1) + slow)
    return found
