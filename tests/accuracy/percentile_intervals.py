"""How often the 95 % intervals of percentiles hold the truth, and how wide they are.

M/M/1 responses, simulated; the true quantile is -ln(1 - p) / (1 - rho). An end that is
not given counts as unbounded. Independent responses and a load of .9 are beside the
cases that have bars. Run by ``make accuracy``; ``--quick`` takes seconds.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

from analysis.quantiles import quantiles
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.queues import mm1_responses

LEVELS = (0.5, 0.95, 0.99)
BOTH_ENDS = {(0.5, 5_000, 0.5), (0.5, 5_000, 0.95), (0.8, 50_000, 0.5), (0.8, 50_000, 0.95)}
BOTH_ENDS |= {(0.5, 50_000, level) for level in LEVELS}
"""Where both ends must be given in at least 95 % of runs."""

Case = tuple[float, int]
Row = list[tuple[float, float, float]]
BARRED: tuple[Case, ...] = ((0.5, 5_000), (0.8, 5_000), (0.5, 50_000), (0.8, 50_000))
BESIDE: tuple[Case, ...] = ((0.0, 500), (0.0, 5_000), (0.5, 1_000), (0.8, 1_000), (0.9, 50_000))


def responses(case: Case, seed: int) -> npt.NDArray[np.float64]:
    """Responses in service times; independent ones at a load of 0."""
    rho, n = case
    rng = np.random.default_rng([22, round(100 * rho), n, seed])
    return mm1_responses(rng, rho, n) if rho else rng.exponential(1.0, n)


def one(job: tuple[Case, int]) -> Row:
    """Value and ends of each level; an end that is not given lies infinitely far."""
    found = quantiles(responses(*job), LEVELS)
    return [
        (
            e.value if e.value is not None else math.nan,
            -math.inf if e.low is None else e.low,
            math.inf if e.high is None else e.high,
        )
        for e in (found[level] for level in LEVELS)
    ]


def table(case: Case, found: list[Row], bars: Bars | None) -> None:
    """Print a case's rows, and hold them against the bars."""
    (rho, n), runs = case, len(found)
    rows = np.array(found)
    for index, level in enumerate(LEVELS):
        truth = -math.log(1 - level) / (1 - rho)
        value, low, high = rows[:, index].T
        below, above = float((truth < low).mean()), float((truth > high).mean())
        both = np.isfinite(low) & np.isfinite(high)
        width = np.median((high - low)[both] / value[both]) if both.any() else math.nan
        inside = ((low <= truth) & (truth <= high))[both].mean() if both.any() else math.nan
        covered = 1 - below - above
        say(
            f"{rho:3.1f} {n:7,} {runs:6,}  p{100 * level:<2.0f} {covered:7.1%} {below:9.1%} "
            f"{above:9.1%} {both.mean():10.1%} {inside:12.1%} {width:10.1%}"
        )
        if bars is None:
            continue
        what = f"rho {rho}, n {n:,}, p{100 * level:.0f}"
        tail = level == LEVELS[-1]
        least, most = (0.85, 1.0) if tail else (0.90, 0.98)
        bars.hold(f"coverage, {what}", covered, runs, least=least, most=most)
        if (rho, n, level) in BOTH_ENDS:
            bars.hold(f"both ends, {what}", float(both.mean()), runs, least=0.95)


def _many(case: Case, runs: int) -> list[Row]:
    return over(one, ((case, seed) for seed in range(runs)))


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    quick = is_quick()
    bars = Bars(quick)
    say(
        "                               truth below truth above            holds, where      median"
    )
    say("rho       n   runs       holds   the end   the end  both ends   both given   rel. width")
    for case in BARRED:
        full = 2_000 if case[1] < 50_000 else 500
        table(case, _many(case, 100 if quick else full), bars)
    say("beside these, without bars:")
    for case in BESIDE:
        table(case, _many(case, 50 if quick else 500), None)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
