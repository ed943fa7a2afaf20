"""How often a search for a capacity holds the truth, how wide it is and what it takes, simulated.

M/M/4 with services of 25 ms and p(95) < 100 ms: theory gives 117.66 arrivals/s. Each search begins
elsewhere, so that no level lies luckily. Then how often a level exactly at the limit is decided,
all its looks together. Run by ``make accuracy``; ``--quick`` takes few seeds.

Bars (issue, "Capacity at the budgets"): at a width of 25 % at least 9 of 10 intervals hold the
truth and are as narrow as asked.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np

from analysis.capacity_evidence import pool
from analysis.capacity_levels import Ending, SearchPlan
from analysis.capacity_search import Search
from analysis.decision import Verdict
from loadtests.capacity import level_settings
from scenarios.loading import load_scenario
from tests.support.accuracy import Bars, is_quick, say
from tests.support.simulated_levels import TRUTH, Simulated

PROCESSES = 2
CHOICES = (
    # width, first hold in seconds, repetitions; the first is that of the scenario
    (0.25, 25.0, 3),
    (0.25, 15.0, 3),
    (0.25, 40.0, 3),
    (0.25, 25.0, 4),
    (0.10, 60.0, 4),
)
OVERHEADS_MS = (0.0, 1.0, 3.0)


@dataclass(frozen=True)
class Searched:
    """What came of one search."""

    ending: Ending
    holds: bool
    width: float | None
    took_s: float
    runs: int

    @property
    def good(self) -> bool:
        """Whether it is what the issue asks for."""
        return self.ending is Ending.FOUND and self.holds


def search(job: tuple[int, float, float, int, float]) -> Searched:
    """Search once."""
    seed, width, hold_s, repetitions, overhead_s = job
    low = np.random.default_rng([seed, 1]).uniform(20, 55)
    scenario = load_scenario("capacity")
    plan = SearchPlan(low=low, high=64 * low, width=width, repetitions=repetitions, most_runs=60)
    simulated, searching = Simulated([seed, 2], overhead_s=overhead_s), Search(plan)
    seen: dict[float, list[dict[str, object]]] = {}
    while (step := searching.step()) is not None:
        settings = level_settings(scenario, step.level, hold_s=hold_s * step.holds, number=1)
        its = seen.setdefault(step.level, [])
        its.append(simulated(settings)[1])
        pooled = pool(its, looks=plan.looks)
        nearest = pooled.nearest
        assert nearest is not None
        assert nearest.share is not None
        searching.note(pooled.verdict, lean=nearest.lean, weight=nearest.share.n_eff or 0.0)
    found = searching.found()
    last, first = found.last_pass, found.first_fail
    holds = last is not None and first is not None and last <= TRUTH <= first
    return Searched(found.ending, holds, found.width, simulated.now_s, searching.runs)


def decided_at(job: tuple[int, float, float, int]) -> Verdict:
    """Look at one level until it is decided or its looks, the confirming one too, are used up."""
    seed, rate, hold_s, repetitions = job
    simulated, seen = Simulated([seed, 3]), []
    verdict = Verdict.INCONCLUSIVE
    for look in range(repetitions + 1):
        seen.append(simulated.verdict(rate, hold_s * 2 ** min(look, repetitions - 1)))
        verdict = pool(seen, looks=repetitions + 1).verdict
        if verdict is not Verdict.INCONCLUSIVE:
            break
    return verdict


def searches_held(found: list[Searched], bars: Bars) -> None:
    """Hold searches as the scenario makes them: found, as narrow as asked, around the truth."""
    good = sum(each.good for each in found) / len(found)
    bars.hold("found, and holds the truth, at a width of 25 %", good, len(found), least=0.90)


def limit_held(said: list[Verdict], bars: Bars) -> None:
    """Hold a level at the limit: 5 % a side are spent, 8 % allow for four standard errors."""
    for wrong in (Verdict.PASSED, Verdict.FAILED):
        share = said.count(wrong) / len(said)
        bars.hold(f"a level at its limit {wrong}", share, len(said), most=0.08)


def main() -> int:
    """Print the tables; 1 when a bar is missed."""
    quick = is_quick()
    bars = Bars(quick)
    seeds = range(20 if quick else 200)
    say(f"truth: {TRUTH:.2f} arrivals/s; {len(seeds)} searches a row")
    say(
        "width  first hold  looks  overhead   found   hold the truth   both   width    runs   "
        "seconds: median    90 %     most   endings"
    )
    with multiprocessing.get_context("forkserver").Pool(PROCESSES) as workers:
        rows = [(*choice, 0.0) for choice in CHOICES]
        rows += [(*CHOICES[0], overhead) for overhead in OVERHEADS_MS[1:]]
        for number, (width, hold_s, repetitions, overhead_ms) in enumerate(rows):
            jobs = [(seed, width, hold_s, repetitions, overhead_ms / 1e3) for seed in seeds]
            all_of = workers.map(search, jobs, chunksize=2)
            both = float(np.mean([each.good for each in all_of]))
            if number == 0:
                searches_held(all_of, bars)
            widths = [each.width for each in all_of if each.width is not None]
            took = np.quantile([each.took_s for each in all_of], [0.5, 0.9, 1.0])
            endings = Counter(str(each.ending) for each in all_of)
            say(
                f"{width:5.0%}  {hold_s:8.0f} s  {repetitions + 1:5}  {overhead_ms:5.0f} ms  "
                f"{np.mean([each.ending is Ending.FOUND for each in all_of]):6.1%}  "
                f"{np.mean([each.holds for each in all_of]):14.1%}  {both:6.1%}  "
                f"{np.median(widths):6.1%}  {np.mean([each.runs for each in all_of]):5.1f}  "
                f"{took[0]:15,.0f}  {took[1]:7,.0f}  {took[2]:7,.0f}   "
                f"{', '.join(f'{name} {count}' for name, count in endings.items())}"
            )
        say("")
        say("a level by its distance from the limit, all looks together: passed, failed, undecided")
        _, hold_s, repetitions = CHOICES[0]
        levels = range(100 if quick else 1000)
        for factor in (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15):
            rate = factor * TRUTH
            some = levels if factor == 1 else range(len(levels) // 5)
            jobs_at = [(seed, rate, hold_s, repetitions) for seed in some]
            said = workers.map(decided_at, jobs_at, chunksize=4)
            share = {each: said.count(each) / len(said) for each in set(said)}
            passed, failed = share.get(Verdict.PASSED, 0.0), share.get(Verdict.FAILED, 0.0)
            if factor == 1:
                limit_held(said, bars)
            say(
                f"{factor:5.2f}  {passed:7.1%}  {failed:7.1%}  {1 - passed - failed:7.1%}"
                f"   ({len(said)} levels)"
            )
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
