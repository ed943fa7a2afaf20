"""How often ``avg < L`` is wrongly decided with the limit exactly at the true mean.

M/M/1 responses, simulated; 5 % each way is what is meant. Bars, at loads of .5 and .8: wrongly
passed in at most 8 % of runs, wrongly failed in at most 6 %; .9 is beside them. Run by
``make accuracy``; ``--quick`` takes few runs.
"""

from __future__ import annotations

import sys

import numpy as np

from analysis.quantiles import mean
from tests.support.accuracy import Bars, is_quick, say
from tests.support.queues import mm1_responses

BARRED = frozenset({0.5, 0.8})
WRONGLY_PASSED, WRONGLY_FAILED = 0.08, 0.06


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    quick = is_quick()
    bars, runs = Bars(quick), 60 if quick else 1_000
    rng = np.random.default_rng(7)
    say("rho      n   wrongly passed   wrongly failed   no interval")
    for rho in (0.5, 0.8, 0.9):
        for n in (1_000, 5_000, 20_000):
            truth, passed, failed, none = 1 / (1 - rho), 0, 0, 0
            for _ in range(runs):
                found = mean(mm1_responses(rng, rho, n), confidence=0.90)
                passed += found.high is not None and found.high < truth
                failed += found.low is not None and found.low > truth
                none += found.low is None
            say(
                f"{rho:3.1f} {n:6,}   {passed / runs:14.1%}   {failed / runs:14.1%}   "
                f"{none / runs:11.1%}"
            )
            if rho in BARRED:
                what = f"rho {rho}, n {n:,}"
                bars.hold(f"wrongly passed, {what}", passed / runs, runs, most=WRONGLY_PASSED)
                bars.hold(f"wrongly failed, {what}", failed / runs, runs, most=WRONGLY_FAILED)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
