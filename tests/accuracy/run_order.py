"""Which orders of runs confound: how often Welch's t alarms at no change, order by order.

Orders are drawn at random and sorted by what ``trueload compare`` says of them; in each,
campaigns of a machine that drifts (tests/support/drifting_machine.py) compare a system to
itself. The tolerance is zero here, so 5 % of alarms is what is meant; with the tolerance
of 5 % alarms at no change are rarer by far. Run by ``make accuracy``.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from analysis.run_order import Order, When, design_of
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.drifting_machine import slowness

CAMPAIGNS = 2_000
LIMITS = (0.0, math.log(1.05))


def one(job: tuple[int, int]) -> tuple[Order, float, float]:
    """Draw an order, or take blocks; give what is said of it, and its shares of alarms."""
    runs, seed = job
    rng = np.random.default_rng([261, runs, seed])
    text = np.repeat(["A", "B"], runs)
    if seed:  # the first is that of blocks
        text = rng.permutation(text)
    when = [[When(start_s=float(place)) for place in np.flatnonzero(text == side)] for side in "AB"]
    logs = slowness(rng, CAMPAIGNS, 2 * runs)
    chances = [welch(logs[:, text == "A"], logs[:, text == "B"], limit) for limit in LIMITS]
    shares = [float((chance < 0.05).mean()) for chance in chances]
    return design_of(*when).order, shares[0], shares[1]


def welch(
    base: npt.NDArray[np.float64], candidate: npt.NDArray[np.float64], limit: float
) -> npt.NDArray[np.float64]:
    """p-values of Welch's one-sided t, a campaign a row."""
    parts = [side.var(axis=1, ddof=1) / side.shape[1] for side in (base, candidate)]
    spread = parts[0] + parts[1]
    degrees = spread**2 / sum(part**2 / (base.shape[1] - 1) for part in parts)
    t = (candidate.mean(axis=1) - base.mean(axis=1) - limit) / np.sqrt(spread)
    found: npt.NDArray[np.float64] = stdtr(degrees, -t)
    return found


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    quick = is_quick()
    bars = Bars(quick)
    say("            shares of alarms at no change, tolerance 0 (5 % is meant)  tolerance 5 %")
    say("runs a side  order    orders     mean    worst                          mean    worst")
    for runs in (3, 5, 8, 12):
        found = over(one, ((runs, seed) for seed in range(60 if quick else 400)))
        for order in (Order.PAIRS, Order.MIXED, Order.BLOCKS):
            bare = np.array([share for which, share, _ in found if which is order])
            forgiving = np.array([share for which, _, share in found if which is order])
            if not len(bare):
                continue
            say(
                f"{runs:11}  {order:7}  {len(bare):6}  {bare.mean():7.1%}  {bare.max():7.1%}  "
                f"{forgiving.mean():28.2%}  {forgiving.max():7.2%}"
            )
            if order is not Order.BLOCKS:
                what = f"alarms in the worst order, {order}, {runs} runs a side"
                bars.hold(what, float(bare.max()), CAMPAIGNS, most=0.08)
                bars.hold(f"{what}, tolerance 5 %", float(forgiving.max()), CAMPAIGNS, most=0.01)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
