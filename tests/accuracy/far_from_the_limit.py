"""How often a run exactly at its limit is decided as being far from it (decision 3).

M/M/1 responses, simulated; the limit is the true percentile, so that every such
decision is wrong. Bars: at most 1.3 % each way with the factor that decides; a smaller one is
beside it. Run by ``make accuracy``; ``--quick`` takes few runs.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from analysis import budgets
from analysis.decision import Verdict
from tests.support.accuracy import Bars, is_quick, say
from tests.support.queues import mm1_responses

LEVELS, LOADS, SIZES = (0.5, 0.95, 0.99), (0.5, 0.8, 0.9), (100, 300, 1_000, 5_000)
FACTORS = (budgets.FAR, 3.0)
MOST = 0.013

Case = tuple[float, float, int]
Found = dict[float, Counter[Verdict]]


def decided(rng: np.random.Generator, case: Case, runs: int) -> Found:
    """Decide runs of a case at their limit by each factor."""
    level, rho, n = case
    limit, unseen = -np.log(1 - level) / (1 - rho), np.zeros(n, dtype=bool)
    found: Found = {factor: Counter() for factor in FACTORS}
    for _ in range(runs):
        responses = mm1_responses(rng, rho, n)
        for factor, verdicts in found.items():
            budgets.FAR = factor
            verdicts[budgets._far_from_the_limit(responses, unseen, level, limit)[0]] += 1
    budgets.FAR = FACTORS[0]
    return found


def table(factor: float, rows: dict[Case, Found], runs: int, bars: Bars | None) -> None:
    """Print what a factor decides, and hold it against the bars."""
    say(f"a factor of {factor:g}\nlevel   rho      n   wrongly passed   wrongly failed")
    worst = dict.fromkeys((Verdict.PASSED, Verdict.FAILED), 0.0)
    for (level, rho, n), found in rows.items():
        share = {verdict: found[factor][verdict] / runs for verdict in worst}
        worst = {verdict: max(worst[verdict], share[verdict]) for verdict in worst}
        say(
            f"{level:5.2f}  {rho:4.1f}  {n:5,}   {share[Verdict.PASSED]:14.2%}   "
            f"{share[Verdict.FAILED]:14.2%}"
        )
        if bars is not None:
            for verdict in worst:
                what = f"wrongly {verdict}, level {level}, rho {rho}, n {n:,}"
                bars.hold(what, share[verdict], runs, most=MOST)
    say(f"worst: {worst[Verdict.PASSED]:.2%} and {worst[Verdict.FAILED]:.2%}")


def main() -> int:
    """Print the tables; 1 when a bar is missed."""
    quick = is_quick()
    bars, runs = Bars(quick), 100 if quick else 2_000
    rng = np.random.default_rng(5)
    cases = [(level, rho, n) for level in LEVELS for rho in LOADS for n in SIZES]
    rows = {case: decided(rng, case, runs) for case in cases}
    for factor in FACTORS:
        table(factor, rows, runs, bars if factor == FACTORS[0] else None)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
