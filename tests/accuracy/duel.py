"""Simulated duels on a machine that drifts and has spikes: how often each answer is given.

The design study: runs follow each other; each has the machine's drift (AR(.95), sd 6 %),
fast noise (1.5 %) and, one in 33, a spike of 30 %; its p95 is that of 400 requests. Eight
pairs at most, tolerance 5 %. Bars at A/A: regressed at most 1 %, not regressed at least
60 %, for the requests that reproduce the study's own figures. Run by ``make accuracy``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.sequential import PAIRS, Rules, refuted
from tests.support.accuracy import Bars, is_quick, over, say

FloatArray = npt.NDArray[np.float64]

REQUESTS = 400
DRIFT, MEMORY, FAST = 0.06, 0.95, 0.015
SPIKES, SPIKE = 0.03, math.log(1.3)
CHANGES = (0.0, 0.05, 0.10, 0.15, 0.25)
BARRED = frozenset({0.0, 0.05, 0.15, 0.25})
"""Of which the issue asks something; ten percent are shown."""
REPRODUCES = "lognormal .4"
CHUNK = 100


def _lognormal(sigma: float) -> Callable[[np.random.Generator, tuple[int, ...]], FloatArray]:
    return lambda rng, shape: np.exp(sigma * rng.standard_normal(shape))


REQUEST_TIMES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], FloatArray]] = {
    "lognormal .2": _lognormal(0.2),
    REPRODUCES: _lognormal(0.4),
    "lognormal .5": _lognormal(0.5),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
}


@dataclass(frozen=True)
class Campaigns:
    """Some campaigns of one kind."""

    times: str
    change: float
    count: int
    seed: int


def differences(rng: np.random.Generator, campaigns: Campaigns) -> FloatArray:
    """Simulate campaigns: ln(candidate / base) of each pair."""
    count, runs = campaigns.count, 2 * PAIRS
    level = np.empty((count, runs))
    level[:, 0] = DRIFT * rng.standard_normal(count)
    step = DRIFT * math.sqrt(1 - MEMORY**2)
    for run in range(1, runs):
        level[:, run] = MEMORY * level[:, run - 1] + step * rng.standard_normal(count)
    level += FAST * rng.standard_normal(level.shape)
    level += SPIKE * (rng.random(level.shape) < SPIKES)
    times = REQUEST_TIMES[campaigns.times](rng, (count, runs, REQUESTS))
    logs = level + np.log(np.quantile(times, 0.95, axis=2))
    first, second = logs[:, 0::2], logs[:, 1::2]
    base_first = rng.integers(0, 2, first.shape) == 1
    apart = np.where(base_first, second - first, first - second)
    return np.asarray(apart + math.log1p(campaigns.change))


def fight(campaigns: Campaigns) -> tuple[int, int, int]:
    """Decide campaigns: how many regressed, how many not, and the pairs they took."""
    rng = np.random.default_rng([27, campaigns.seed])
    rules = Rules()
    worse, better = refuted(differences(rng, campaigns) - rules.limit, rules)
    ended = worse + better  # at most one of the two is not 0
    return int((worse > 0).sum()), int((better > 0).sum()), int(np.where(ended, ended, PAIRS).sum())


def campaigns_of(kind: int, change: float, count: int) -> list[Campaigns]:
    """Divide campaigns of the requests that come as number `kind` into jobs."""
    times, seed = list(REQUEST_TIMES)[kind], 10_000 * kind + 1_000 * round(20 * change)
    return [Campaigns(times, change, CHUNK, seed + part) for part in range(count // CHUNK)]


def held(jobs: list[Campaigns], found: list[tuple[int, int, int]], bars: Bars) -> None:
    """Print what came of campaigns of one kind, and hold it against the bars."""
    times, change, count = jobs[0].times, jobs[0].change, sum(job.count for job in jobs)
    worse, better, pairs = (sum(each) for each in zip(*found, strict=True))
    say(
        f"{times:12} {change:+5.0%}   {worse / count:9.2%}   {better / count:13.2%}   "
        f"{1 - (worse + better) / count:12.1%}   {pairs / count:5.1f}"
    )
    what = f"{times}, true {change:+.0%}"
    if change == 0:
        bars.hold(f"{what}: regressed", worse / count, count, most=0.01)
        if times == REPRODUCES:
            bars.hold(f"{what}: not regressed", better / count, count, least=0.60)
    if change == 0.05:  # exact: beyond it only chance, 3.5 standard errors of it
        for name, wrong, most in (("regressed", worse, 0.05), ("not", better, 0.10)):
            spare = 3.5 * math.sqrt(most * (1 - most) / count)
            bars.hold(f"{what}: {name}", wrong / count, count, most=most + spare)
    if times == REPRODUCES and change in {0.15, 0.25}:
        least = 0.80 if change == 0.15 else 0.95
        bars.hold(f"{what}: found", worse / count, count, least=least)


def main() -> int:
    quick = is_quick()
    count = 400 if quick else 8_000
    bars = Bars(quick=quick)
    say(f"{count:,} campaigns a line; at most {PAIRS} pairs, tolerance 5 %, errors 5 and 10 %")
    say("requests      true   regressed   not regressed   inconclusive   pairs")
    for kind in range(len(REQUEST_TIMES)):
        for change in CHANGES:
            jobs = campaigns_of(kind, change, count)
            held(jobs, over(fight, jobs), bars)
    return bars.finish()


if __name__ == "__main__":
    raise SystemExit(main())
