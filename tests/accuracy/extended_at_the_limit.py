"""How often a run exactly at its limit is decided when it is held on while undecided (decision 20).

M/M/1 responses, simulated; the limit is the true percentile, so that every decision
is wrong. ``extend`` is given as a multiple of the hold, in as many chunks as the
supervisor gives it in; a look sees what came before the last tenth of the hold. Bars: what
docs/limitations.md says, each way. Run by ``make accuracy``; ``--quick`` takes few runs.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import budgets
from analysis.decision import Verdict
from loadtests.extension import CHUNKS
from scenarios.assertions import parse_assertion
from tests.support.accuracy import Bars, is_quick, say
from tests.support.queues import mm1_responses

MOST = {0.0: 0.08, 1.0: 0.11, 3.0: 0.16}
"""Share of runs that may be wrongly decided each way, by how much longer the hold may become."""

SEEN = 0.9
"""A look comes before the end of the hold, and sees what was followed for long enough."""


def verdict_of(latency: npt.NDArray[np.float64], limit: float) -> Verdict:
    """Decide p(95) over responses in seconds."""
    unseen = np.zeros(len(latency), dtype=bool)
    counted = pd.DataFrame({"latency_ms": latency * 1e3, "good": ~unseen, "censored": unseen})
    assertion = parse_assertion(f"p(95) < {limit * 1e3:.12f}ms")
    return budgets._percentile(assertion, None, counted, unseen).verdict  # type: ignore[arg-type]


def run(
    latency: npt.NDArray[np.float64], n: int, extend: float, limit: float
) -> tuple[Verdict, int]:
    """Hold on as the supervisor does; the final verdict, and how many requests it took."""
    held = n
    chunk = round(extend * n / CHUNKS)
    for _ in range(CHUNKS if chunk else 0):
        if verdict_of(latency[: held - round((1 - SEEN) * n)], limit) is not Verdict.INCONCLUSIVE:
            break
        held += chunk
    return verdict_of(latency[:held], limit), held


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    quick = is_quick()
    bars, runs = Bars(quick), 40 if quick else 1_000
    rng = np.random.default_rng(17)
    say("rho      n  extend   wrongly passed   wrongly failed   requests (mean)")
    for rho in (0.5, 0.8):
        limit = -np.log(0.05) / (1 - rho)
        for n in (1_000, 5_000):
            for extend, most in MOST.items():
                found = []
                for _ in range(runs):
                    latency = mm1_responses(rng, rho, round(n * (1 + extend)))
                    found.append(run(latency, n, extend, limit))
                passed, failed = (
                    sum(verdict is wanted for verdict, _ in found) / runs
                    for wanted in (Verdict.PASSED, Verdict.FAILED)
                )
                mean = np.mean([held for _, held in found])
                say(
                    f"{rho:3.1f} {n:6,}  {extend:5.0f}x   {passed:14.1%}   {failed:14.1%}   "
                    f"{mean:15,.0f}"
                )
                what = f"rho {rho}, n {n:,}, extend {extend:g}"
                bars.hold(f"wrongly passed, {what}", passed, runs, most=most)
                bars.hold(f"wrongly failed, {what}", failed, runs, most=most)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
