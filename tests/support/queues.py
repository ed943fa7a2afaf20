"""Queues whose truth is known, simulated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def mm1_responses(
    rng: np.random.Generator, rho: float, n: int, *, warm: int = 5_000
) -> npt.NDArray[np.float64]:
    """Responses of an M/M/1 queue by Lindley's recursion, mean service 1.

    The response time is exponential with mean 1 / (1 - rho): its quantile at level
    p is -ln(1 - p) / (1 - rho).
    """
    gaps, service = rng.exponential(1 / rho, n + warm), rng.exponential(1, n + warm)
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    waiting = walk - np.minimum.accumulate(walk)
    found: npt.NDArray[np.float64] = (waiting + service)[warm:]
    return found
