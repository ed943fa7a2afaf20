"""How often a run exactly at its limit is decided as being far from it (decision 3).

M/M/1 responses, simulated; the limit is the true percentile, so that every such
decision is wrong. Run by ``make accuracy``.
"""

from __future__ import annotations

import sys

import numpy as np

from analysis import budgets
from analysis.decision import Verdict
from tests.support.queues import mm1_responses

RUNS = 2_000


def table(factor: float) -> None:
    rng = np.random.default_rng(5)
    budgets.FAR = factor
    sys.stdout.write(
        f"a factor of {factor:g}\nlevel   rho      n   wrongly passed   wrongly failed\n"
    )
    worst = {Verdict.PASSED: 0.0, Verdict.FAILED: 0.0}
    for level in (0.5, 0.95, 0.99):
        for rho in (0.5, 0.8, 0.9):
            for n in (100, 300, 1_000, 5_000):
                limit = -np.log(1 - level) / (1 - rho)
                unseen = np.zeros(n, dtype=bool)
                found = [
                    budgets._far_from_the_limit(mm1_responses(rng, rho, n), unseen, level, limit)[0]
                    for _ in range(RUNS)
                ]
                share = {verdict: found.count(verdict) / RUNS for verdict in worst}
                worst = {verdict: max(worst[verdict], share[verdict]) for verdict in worst}
                sys.stdout.write(
                    f"{level:5.2f}  {rho:4.1f}  {n:5,}   {share[Verdict.PASSED]:14.2%}   "
                    f"{share[Verdict.FAILED]:14.2%}\n"
                )
    sys.stdout.write(f"worst: {worst[Verdict.PASSED]:.2%} and {worst[Verdict.FAILED]:.2%}\n")


def main() -> None:
    for factor in (budgets.FAR, 3.0):
        table(factor)


if __name__ == "__main__":
    main()
