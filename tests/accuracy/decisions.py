"""How often budgets are decided wrongly at the truth, and rightly away from it.

M/M/1 responses with a mean service of 10 ms, simulated, as arrivals in a hold. Errors are
independent of each other, or come together: what takes longer than the true p95 (5 %) or
p99 (1 %) is bad. Every budget is judged by the rule that judges runs. The second table
holds the 95 % intervals of what is not a percentile against the truth, the third says how
many bad requests it takes to decide an error ratio. Run by ``make accuracy``; ``--quick``
takes seconds.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.apdex import apdex
from analysis.budgets import _METRICS
from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.failure_memory import failure_time
from analysis.failures import error_ratio
from analysis.quantiles import mean
from analysis.summary import throughput_of
from analysis.windows import Hold, Window, hold_of
from scenarios.assertions import parse_assertion
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.queues import mm1_requests

FloatArray = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SERVICE_S = 0.01
FACTOR = 1.5
FEW, SOME = 0.01, 0.05
"""Shares of bad requests: the second is to an error budget what p95 is to one on latency."""

WRONGLY_PASSED, WRONGLY_FAILED, RIGHTLY, HELD = 0.08, 0.06, 0.95, 0.90
CASES = ((0.5, 5_000), (0.8, 5_000), (0.5, 50_000), (0.8, 50_000))
CLEAR = frozenset({(0.5, 5_000), (0.8, 50_000)})
"""Where what is 1.5 times away from the truth must be decided."""

MUST_DECIDE = frozenset({"p95", "throughput", "errors 5 %"})
MUST_HOLD = frozenset({"throughput", "errors 1 %", "errors 5 %", "errors 5 %, together"})
BAD_ONES = (25, 50, 100, 150, 300)
ENOUGH = 150
"""So many bad requests must be enough to decide an error ratio that is 1.5 times away."""


@dataclass(frozen=True)
class Budget:
    """An assertion, the truth about it, and what it is asked of."""

    name: str
    text: str
    truth: float
    errors: str = "none"
    factors: tuple[float, ...] = (1.0, FACTOR, 1 / FACTOR)
    barred: bool = True

    @property
    def upper(self) -> bool:
        """Whether the assertion bounds from above."""
        return "<" in self.text


def _errors(name: str, truth: float, *, barred: bool = True) -> Budget:
    return Budget(name, "error_ratio < {:.9f}", truth, errors=name, barred=barred)


def budgets(rho: float) -> list[Budget]:
    """Budgets on a queue at a load, with their truths."""
    scale = SERVICE_S / (1 - rho)
    good = 1 - math.exp(-0.1 / scale), 1 - math.exp(-0.4 / scale)
    return [
        Budget("p95", "p(95) < {:.9f}s", -math.log(0.05) * scale),
        Budget("p99", "p(99) < {:.9f}s", -math.log(0.01) * scale, factors=(1.0,)),
        Budget("throughput", "throughput >= {:.9f}", rho / SERVICE_S),
        _errors("errors 1 %", FEW),
        _errors("errors 5 %", SOME),
        _errors("errors 5 %, together", SOME),
        # No bar: a run that saw a cluster or two of its errors cannot know how long they last
        # (docs/limitations.md).
        _errors("errors 1 %, together", FEW, barred=False),
        Budget("mean", "avg < {:.9f}s", scale, factors=(1.0,), barred=False),
        Budget("apdex", "apdex(0.1s) >= {:.9f}", sum(good) / 2, factors=(1.0,), barred=False),
    ]


def holds_with(rho: float, n: int, seed: int) -> dict[str, Hold]:
    """One hold in which about `n` requests arrive, once with errors of each kind."""
    rng = np.random.default_rng([23, round(100 * rho), n, seed])
    came, took = mm1_requests(rng, rho, round(1.1 * n + 10 * math.sqrt(n)))
    came, took = came * SERVICE_S, took * SERVICE_S
    chance, scale = rng.random(len(came)), SERVICE_S / (1 - rho)
    bad = {
        "none": np.zeros(len(came), dtype=bool),
        "errors 1 %": chance < FEW,
        "errors 5 %": chance < SOME,
        "errors 5 %, together": took > -math.log(SOME) * scale,
        "errors 1 %, together": took > -math.log(FEW) * scale,
    }
    length_s = n * SERVICE_S / rho
    return {name: _hold(came, took, flags, length_s) for name, flags in bad.items()}


def _hold(came: FloatArray, took: FloatArray, bad: Flags, length_s: float) -> Hold:
    frame = pd.DataFrame(
        {
            "intended_s": came,
            "end_s": came + took,
            "latency_ms": took * 1e3,
            "outcome": pd.Series(np.where(bad, "http_error", "ok"), dtype="category"),
            "good": ~bad,
            "bad": bad,
            "censored": False,
        }
    )
    window = Window(stage=0, level=1, start_s=0.0, end_s=length_s, planned_end_s=length_s)
    return hold_of(frame, window)


def _limit(budget: Budget, factor: float) -> str:
    return budget.text.format(budget.truth * factor)


def _decided(text: str, hold: Hold) -> Verdict:
    """Decide as :func:`analysis.budgets.decide` does, which first looks for silence."""
    assertion = parse_assertion(text)
    nobody_young = np.zeros(len(hold.samples), dtype=bool)
    return _METRICS[assertion.metric](assertion, hold, hold.samples, nobody_young).verdict


Row = tuple[dict[tuple[str, float], Verdict], dict[str, tuple[float, float]]]


def one(job: tuple[float, int, int]) -> Row:
    """Decide every budget in a run, and measure the 95 % intervals."""
    rho, n, seed = job
    holds, asked = holds_with(rho, n, seed), budgets(rho)
    found = {
        (b.name, factor): _decided(_limit(b, factor), holds[b.errors])
        for b in asked
        for factor in b.factors
    }
    plain = holds["none"].samples
    latency, unseen = plain["latency_ms"].to_numpy(), np.zeros(len(plain), dtype=bool)
    estimates: dict[str, Estimate] = {
        "throughput": throughput_of(holds["none"]),
        **{b.name: _errors_of(holds[b.errors].samples) for b in asked if b.errors != "none"},
        "mean": mean(latency / 1e3, unit="s"),
        "apdex": apdex(latency, ~unseen, unseen, 0.1),
    }
    return found, {
        name: (
            -math.inf if e.low is None else e.low,
            math.inf if e.high is None else e.high,
        )
        for name, e in estimates.items()
    }


def _errors_of(samples: pd.DataFrame) -> Estimate:
    """Measure an error ratio as a stage's table shows it."""
    bad = samples["bad"].to_numpy()
    return error_ratio(bad, tau=failure_time(bad, samples["latency_ms"].to_numpy()))


def of_bad_ones(job: tuple[int, int]) -> tuple[bool, bool]:
    """Decide an error ratio of 1 %, a hold of `expected` bad ones, 1.5 times away each way."""
    expected, seed = job
    rng = np.random.default_rng([23, expected, seed])
    n = round(expected / FEW)
    came, took = np.linspace(0, n * SERVICE_S, n, endpoint=False), rng.exponential(SERVICE_S, n)
    hold = _hold(came, took, rng.random(n) < FEW, n * SERVICE_S)
    return (
        _decided(f"error_ratio < {FEW * FACTOR:.9f}", hold) is Verdict.PASSED,
        _decided(f"error_ratio < {FEW / FACTOR:.9f}", hold) is Verdict.FAILED,
    )


def decided(case: tuple[float, int], rows: list[Row], bars: Bars) -> None:
    """Print a case's decisions, and hold them against the bars."""
    rho, n = case
    runs = len(rows)

    def share(budget: Budget, factor: float, verdict: Verdict) -> float:
        return sum(found[budget.name, factor] is verdict for found, _ in rows) / runs

    for b in budgets(rho):
        passed, failed = share(b, 1.0, Verdict.PASSED), share(b, 1.0, Verdict.FAILED)
        line = f"{rho:3.1f} {n:7,} {runs:6,}  {b.name:20} {passed:8.1%} {failed:8.1%}"
        what = f"{b.name}, rho {rho}, n {n:,}"
        if b.barred:
            bars.hold(f"wrongly passed, {what}", passed, runs, most=WRONGLY_PASSED)
            bars.hold(f"wrongly failed, {what}", failed, runs, most=WRONGLY_FAILED)
        if len(b.factors) > 1:
            loose, tight = (FACTOR, 1 / FACTOR) if b.upper else (1 / FACTOR, FACTOR)
            right = share(b, loose, Verdict.PASSED), share(b, tight, Verdict.FAILED)
            line += f" {right[0]:8.1%} {right[1]:8.1%}"
            if case in CLEAR and b.name in MUST_DECIDE:
                bars.hold(f"rightly passed, {what}", right[0], runs, least=RIGHTLY)
                bars.hold(f"rightly failed, {what}", right[1], runs, least=RIGHTLY)
        say(line)


def held(case: tuple[float, int], rows: list[Row], bars: Bars) -> None:
    """Print how often the 95 % intervals hold the truth; a missing end is unbounded.

    No upper bar: what allows for a memory that it does not find holds more often than meant.
    """
    truths = {b.name: b.truth for b in budgets(case[0])}
    for name in rows[0][1]:
        ends = np.array([estimates[name] for _, estimates in rows])
        below, above = (truths[name] < ends[:, 0]).mean(), (truths[name] > ends[:, 1]).mean()
        if name in MUST_HOLD:
            what = f"coverage, {name}, rho {case[0]}, n {case[1]:,}"
            bars.hold(what, 1 - below - above, len(rows), least=HELD)
        both = np.isfinite(ends).all(axis=1)
        width = (
            np.median((ends[:, 1] - ends[:, 0])[both] / truths[name]) if both.any() else math.nan
        )
        say(
            f"{case[0]:3.1f} {case[1]:7,} {len(rows):6,}  {name:20} {1 - below - above:8.1%} "
            f"{below:8.1%} {above:8.1%} {both.mean():8.1%} {width:8.1%}"
        )


def sized(expected: int, rows: list[tuple[bool, bool]], bars: Bars) -> None:
    """Print how often an error ratio is decided where so many bad requests are expected."""
    passed, failed = (sum(right) / len(rows) for right in zip(*rows, strict=True))
    say(f"{expected:9} {round(expected / FEW):9,} {len(rows):6,} {passed:8.1%} {failed:8.1%}")
    if expected >= ENOUGH:
        bars.hold(f"rightly passed, {expected} bad", passed, len(rows), least=RIGHTLY)
        bars.hold(f"rightly failed, {expected} bad", failed, len(rows), least=RIGHTLY)


def main() -> int:
    """Print the tables; 1 when a bar is missed."""
    quick = is_quick()
    bars = Bars(quick)
    found = {}
    say("                                             limit at the truth    1.5 times away")
    say("rho       n   runs  budget                 passed   failed   passed   failed")
    for case in CASES:
        runs = (60 if quick else 2_000) if case[1] == CASES[0][1] else (20 if quick else 500)
        found[case] = over(one, ((*case, seed) for seed in range(runs)))
        decided(case, found[case], bars)
    say("\n95 % intervals                                  truth below   above     both  median")
    say("rho       n   runs  of                      holds  the end  the end     ends   width")
    for case, rows in found.items():
        held(case, rows, bars)
    say("\nerrors 1 %                 1.5 times away")
    say("bad ones         n   runs   passed   failed")
    for expected in BAD_ONES:
        seeds = range(100 if quick else 2_000)
        sized(expected, over(of_bad_ones, ((expected, seed) for seed in seeds)), bars)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
