"""How often ``trueload compare`` is wrong, and what it finds, on a machine that drifts.

Runs are simulated: the machine's speed drifts from run to run (AR(1) of .95, sd 6 %),
has 1.5 % of its own in each, and 3 % of the runs are slowed by 30 %; a run is the p95 of
400 requests of lognormal latency (200 for an endpoint). Verdicts are those of the
command's own core. Run by ``make accuracy``; ``--quick`` takes seconds.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.change import Change
from analysis.run_order import When, design_of
from analysis.run_values import ALL, ERRORS, INDICATORS
from analysis.verdict_on_change import Question, answer
from tests.analysis.compared_runs import values
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.drifting_machine import p95_of, slowness

TOLERANCE = 0.05
DECIDING = (INDICATORS["p95"], INDICATORS[ERRORS])
REQUESTS, OF_AN_ENDPOINT, ENDPOINTS = 400, 200, 12


@dataclass(frozen=True)
class Case:
    """A kind of campaign: how many runs a side, in which order, and what is true."""

    runs: int
    order: str
    change: float = 0.0
    endpoints: int = 0
    slower: int | None = None
    """Endpoints that changed, the first so many; None for all of them, and the whole."""


@dataclass(frozen=True)
class Found:
    """What came of a campaign."""

    verdict: Change
    holds: bool
    width: float
    decision: Change


def blocks(_rng: np.random.Generator, runs: int) -> str:
    """First one side, then the other."""
    return "A" * runs + "B" * runs


def abba(_rng: np.random.Generator, runs: int) -> str:
    """ABBA over and over."""
    return ("ABBA" * runs)[: 2 * runs]


def abab(_rng: np.random.Generator, runs: int) -> str:
    """By turns."""
    return "AB" * runs


def pairs(rng: np.random.Generator, runs: int) -> str:
    """Randomised in each pair."""
    return "".join("AB" if first else "BA" for first in rng.random(runs) < 0.5)


def shuffled(rng: np.random.Generator, runs: int) -> str:
    """Randomised over all of them."""
    return "".join(rng.permutation(list("AB" * runs)))


ORDERS: dict[str, Callable[[np.random.Generator, int], str]] = {
    "blocks": blocks,
    "ABBA": abba,
    "ABAB": abab,
    "pairs": pairs,
    "shuffled": shuffled,
}


def one(job: tuple[Case, int]) -> Found:
    """Simulate a campaign and compare its runs."""
    case, seed = job
    rng = np.random.default_rng([26, case.runs, case.endpoints, round(1000 * case.change), seed])
    text = ORDERS[case.order](rng, case.runs)
    machine = slowness(rng, 1, len(text))[0]
    changed = np.array([math.log1p(case.change) if side == "B" else 0.0 for side in text])
    whole = changed if case.slower is None else np.zeros(len(text))
    all_p95 = p95_of(rng, machine + whole, REQUESTS)
    parts = {
        f"endpoint {number:02}": p95_of(
            rng,
            machine + (changed if case.slower is None or number < case.slower else 0.0),
            OF_AN_ENDPOINT,
        )
        for number in range(case.endpoints)
    }
    at = {side: [place for place, found in enumerate(text) if found == side] for side in "AB"}
    base, candidate = (
        values(
            [50 * float(all_p95[place]) for place in places],
            **{
                name: [20 * float(found[place]) for place in places]
                for name, found in parts.items()
            },
        )
        for places in at.values()
    )
    when = [[When(start_s=float(place)) for place in places] for places in at.values()]
    came = answer(
        base, candidate, design_of(*when), Question(tolerance=TOLERANCE), indicators=DECIDING
    )
    row = came.row(ALL, "p95")
    truth = 1 + (case.change if case.slower is None else 0.0)
    low, high = row.change.low or 0.0, row.change.high or math.inf
    return Found(
        verdict=came.verdict,
        holds=low <= truth <= high,
        width=high / low - 1 if low else math.inf,
        decision=row.decision,
    )


HEAD = "order     runs  change  campaigns  regressed  not regressed  inconclusive  holds  width"


def line(case: Case, campaigns: int, *, name: str = "") -> dict[Change, float]:
    """Simulate a case and print its row; gives the share of each verdict."""
    found = over(one, ((case, seed) for seed in range(campaigns)))
    shares = {
        change: sum(each.verdict is change for each in found) / campaigns for change in Change
    }
    holds = sum(each.holds for each in found) / campaigns
    width = float(np.median([each.width for each in found]))
    say(
        f"{name or case.order:9} {case.runs:4}  {case.change:+6.1%}  {campaigns:9,}  "
        f"{shares[Change.REGRESSED]:9.2%}  {shares[Change.NOT_REGRESSED]:13.1%}  "
        f"{shares[Change.INCONCLUSIVE]:12.1%}  {holds:5.1%}  {width:5.1%}"
    )
    return shares


def orders(bars: Bars, campaigns: int) -> None:
    """Compare a system to itself, in every order."""
    say("nothing changed, all requests together; the ratio's 90 % interval")
    say(HEAD)
    for runs in (3, 5, 8, 12):
        for order in ORDERS:
            shares = line(Case(runs=runs, order=order), campaigns)
            what = f"alarms at no change, {order}, {runs} runs a side"
            most = 0.0 if order == "blocks" else 0.01
            bars.hold(what, shares[Change.REGRESSED], campaigns, most=most)


def powers(bars: Bars, campaigns: int) -> None:
    """Make the candidate slower, from the tolerance on."""
    say()
    say("pairs in randomised order, all requests together")
    say(HEAD)
    for runs in (5, 8, 12, 20):
        for change in (0.05, 0.10, 0.15, 0.25):
            shares = line(Case(runs=runs, order="pairs", change=change), campaigns)
            what = f"{change:+.0%}, {runs} pairs"
            if change == TOLERANCE:
                for wrong in (Change.REGRESSED, Change.NOT_REGRESSED):
                    bars.hold(f"{wrong} at {what}", shares[wrong], campaigns, most=0.06)
            else:
                bars.hold(
                    f"not regressed at {what}", shares[Change.NOT_REGRESSED], campaigns, most=0.02
                )


def endpoints(bars: Bars, campaigns: int) -> None:
    """Look at twelve endpoints beside the whole: Holm."""
    say()
    say(f"pairs in randomised order, {ENDPOINTS} endpoints; change of the first so many, or all")
    say(HEAD)
    for runs in (5, 8, 12):
        rows: Sequence[tuple[str, float, int | None]] = (
            ("none", 0.0, None), ("all", TOLERANCE, None), ("all", 0.10, None),
            ("all", 0.15, None), ("one", 0.30, 1), ("one", 0.50, 1),
        )  # fmt: skip
        for name, change, slower in rows:
            case = Case(runs=runs, order="pairs", change=change, endpoints=ENDPOINTS, slower=slower)
            share = line(case, campaigns, name=name)[Change.REGRESSED]
            if change == 0:
                bars.hold(f"alarms over endpoints, {runs} pairs", share, campaigns, most=0.01)
            if change == TOLERANCE:
                what = f"alarms over endpoints all at the tolerance, {runs} pairs"
                bars.hold(what, share, campaigns, most=0.06)


def main() -> int:
    """Print the tables; 1 when a bar is missed."""
    quick = is_quick()
    bars = Bars(quick)
    orders(bars, 100 if quick else 1_000)
    powers(bars, 100 if quick else 1_000)
    endpoints(bars, 20 if quick else 300)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
