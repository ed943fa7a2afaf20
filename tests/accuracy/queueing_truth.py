"""Percentiles of queues through the whole pipeline against the quantiles of theory.

Each run is written as two generator processes write it, read back, cut into phases and
judged; what is compared is the 95 % interval in verdict.json of the hold. The truth
comes from formulas alone (tests/support/queueing_reference.json). Run by
``make accuracy``; ``--quick`` takes seconds.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import numpy as np

from analysis.recording.reader import read_run
from analysis.verdict import judge
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.queue_runs import Queue, reference, write_queue_run

LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
BARS = {"p50": (0.90, 0.98), "p95": (0.90, 0.98), "p99": (0.85, 1.0)}
"""Shares of runs whose interval holds the truth: least and most."""

REQUESTS = 5_000
QUEUES = reference()

Ends = dict[str, tuple[float, float, float]]


def one(job: tuple[Queue, int]) -> Ends:
    """Value and ends of each percentile in a run; an end that is not given is infinite."""
    queue, seed = job
    rng = np.random.default_rng([24, QUEUES.index(queue), seed])
    with tempfile.TemporaryDirectory() as folder:
        run = write_queue_run(Path(folder) / "run", queue, rng, REQUESTS)
        (stage,) = judge(read_run(run))["stages"]
    found = {name: stage["latency"][name] for name in LEVELS}
    return {
        name: (
            e["value"],
            -math.inf if e["low"] is None else e["low"],
            math.inf if e["high"] is None else e["high"],
        )
        for name, e in found.items()
    }


def table(queue: Queue, rows: list[Ends], bars: Bars) -> dict[str, int]:
    """Print a queue's rows, hold them against the bars, and count the runs that hold the truth."""
    runs, held = len(rows), {}
    for name, level in LEVELS.items():
        truth = queue.quantiles_s[level] * 1e3
        value, low, high = np.array([row[name] for row in rows]).T
        below, above = float((truth < low).mean()), float((truth > high).mean())
        both = np.isfinite(low) & np.isfinite(high)
        width = np.median((high - low)[both]) / truth if both.any() else math.nan
        error = np.median(value) / truth - 1
        covered = 1 - below - above
        held[name] = round(covered * runs)
        say(
            f"{queue.name:10} {runs:5}  {name} {truth:7.2f} ms {covered:7.1%} {below:8.1%} "
            f"{above:8.1%} {both.mean():8.1%} {error:+8.1%} {width:7.1%}"
        )
        least, most = BARS[name]
        if queue.is_atom(level):
            most = 1.0  # nothing takes less: the low end cannot lie above it
        bars.hold(f"{queue.name}, {name}", covered, runs, least=least, most=most)
    return held


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    quick = is_quick()
    bars, runs = Bars(quick), 12 if quick else 1_000
    say("                                       truth below   above     both   median  median")
    say("queue       runs      truth      holds  the end  the end     ends    error   width")
    for queue in QUEUES:
        table(queue, over(one, ((queue, seed) for seed in range(runs))), bars)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
