"""How often ``avg < L`` is wrongly decided with the limit exactly at the true mean.

M/M/1 responses, simulated; 5 % each way is what is meant. Run by ``make accuracy``.
"""

from __future__ import annotations

import sys

import numpy as np

from analysis.quantiles import mean
from tests.support.queues import mm1_responses

RUNS = 1_000


def main() -> None:
    rng = np.random.default_rng(7)
    sys.stdout.write("rho      n   wrongly passed   wrongly failed   no interval\n")
    for rho in (0.5, 0.8, 0.9):
        for n in (1_000, 5_000, 20_000):
            truth, passed, failed, none = 1 / (1 - rho), 0, 0, 0
            for _ in range(RUNS):
                found = mean(mm1_responses(rng, rho, n), confidence=0.90)
                passed += found.high is not None and found.high < truth
                failed += found.low is not None and found.low > truth
                none += found.low is None
            sys.stdout.write(
                f"{rho:3.1f} {n:6,}   {passed / RUNS:14.1%}   {failed / RUNS:14.1%}   "
                f"{none / RUNS:11.1%}\n"
            )


if __name__ == "__main__":
    main()
