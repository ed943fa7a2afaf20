"""Runs at one load, taken together."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.capacity_evidence import judged_at_a_level, pool
from analysis.decision import Verdict
from analysis.intervals import least_share, wilson_bound
from analysis.verdict import judge
from scenarios.assertions import parse_assertion
from scenarios.model import Budget
from tests.analysis.sample_run import build_sample

P95 = "p(95) < 100ms"
ALLOWED = 1 - 0.95


def estimate(value: float, n_eff: float, *, most: float | None = None) -> dict[str, Any]:
    return {
        "value": value,
        "low": least_share(value, round(2 * n_eff), n_eff),
        "high": wilson_bound(value if most is None else most, n_eff, confidence=0.95, upper=True),
        "n": round(2 * n_eff),
        "n_eff": n_eff,
    }


def run(
    share: float,
    n_eff: float,
    *,
    said: str = "inconclusive",
    verdict: str | None = None,
    most: float | None = None,
) -> dict[str, Any]:
    """verdict.json of a run, as far as it is read."""
    budget = {
        "subject": "all",
        "assertion": P95,
        "metric": "p",
        "severity": "fail",
        "share_beyond": estimate(share, n_eff, most=most),
        "measured": {},
        "verdict": said,
    }
    return document(verdict or said, budget)


def document(verdict: str, *budgets: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "why": "as the run says",
        "ended": {"why": "finished", "complete": True},
        "goodput": {"broken": []},
        "budgets": list(budgets),
    }


def other(assertion: str, metric: str, said: str, measured: dict[str, Any]) -> dict[str, Any]:
    budget = {
        "subject": "all",
        "assertion": assertion,
        "metric": metric,
        "severity": "fail",
        "share_beyond": None,
        "measured": measured,
        "verdict": said,
    }
    return document(said, budget)


@settings(max_examples=50)
@given(
    runs=st.lists(st.tuples(st.floats(0, 1), st.floats(1, 5000)), min_size=1, max_size=4),
    looks=st.integers(1, 5),
)
def test_shares_add_up_by_what_they_are_worth_and_each_look_gets_its_part_of_the_error(
    runs: list[tuple[float, float]], looks: int
) -> None:
    pooled = pool([run(share, n_eff) for share, n_eff in runs], looks=looks)
    share = pooled.budgets[0].share
    assert share is not None
    n_eff = sum(weight for _, weight in runs)
    value = float(np.average([s for s, _ in runs], weights=[w for _, w in runs]))
    confidence = 1 - 0.05 / looks

    assert share.n_eff == pytest.approx(n_eff)
    assert share.value == pytest.approx(value)
    assert share.low == pytest.approx(
        least_share(value, share.n, n_eff, confidence=confidence), abs=1e-9
    )
    assert share.high == pytest.approx(
        wilson_bound(value, n_eff, confidence=confidence, upper=True), abs=1e-9
    )
    assert share.low is not None
    assert share.high is not None
    passed, failed = share.high < ALLOWED, share.low > ALLOWED
    verdict = Verdict.PASSED if passed else Verdict.FAILED if failed else Verdict.INCONCLUSIVE
    assert pooled.verdict is verdict


@given(least=st.floats(0, 0.5), more=st.floats(0, 0.5), n_eff=st.floats(2, 5000))
@settings(max_examples=50)
def test_what_ended_unseen_still_counts_both_ways(least: float, more: float, n_eff: float) -> None:
    pooled = pool([run(least, n_eff, most=least + more)], looks=1)
    share = pooled.budgets[0].share
    assert share is not None

    assert share.high == pytest.approx(
        wilson_bound(least + more, n_eff, confidence=0.95, upper=True), abs=1e-6
    )
    assert share.low == pytest.approx(least_share(least, share.n, n_eff), abs=1e-9)


def test_three_undecided_runs_can_pass_together() -> None:
    one = run(0.03, 200)

    assert pool([one], looks=4).verdict is Verdict.INCONCLUSIVE
    assert pool([one] * 4, looks=4).verdict is Verdict.PASSED


@pytest.mark.costly
def test_a_load_at_its_limit_is_wrongly_decided_in_at_most_five_percent_whatever_the_looks() -> (
    None
):
    # Independent requests: what the looks do, and nothing else. 1,000 campaigns; a standard
    # error is 0.69 %, so 5 % + 4 x that is not exceeded by chance in 10,000 test runs.
    rng, looks, wrongly = np.random.default_rng(8), 4, {Verdict.PASSED: 0, Verdict.FAILED: 0}
    campaigns, sizes = 1_000, (400, 800, 1600, 1600)
    for _ in range(campaigns):
        seen: list[dict[str, Any]] = []
        for n in sizes:
            seen.append(run(rng.binomial(n, ALLOWED) / n, n))
            verdict = pool(seen, looks=looks).verdict
            if verdict is not Verdict.INCONCLUSIVE:
                wrongly[verdict] += 1
                break

    assert all(count / campaigns <= 0.05 + 4 * 0.0069 for count in wrongly.values())
    assert sum(wrongly.values()) > 0.01 * campaigns  # the looks are spent, not wasted


def test_a_run_that_was_far_from_its_limit_by_itself_decides() -> None:
    far = run(0.02, 3, said="passed")  # worth next to nothing at the limit, and yet decided

    assert pool([far], looks=4).verdict is Verdict.PASSED
    assert pool([far, run(0.03, 3)], looks=4).verdict is Verdict.PASSED
    assert pool([far, run(0.06, 3, said="failed")], looks=4).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("said", ["failed", "inconclusive"])
def test_a_run_far_below_its_limit_does_not_outvote_a_longer_one_that_was_not(said: str) -> None:
    far = run(0.0, 35, said="passed")
    longer = run(0.10, 140, said=said)
    assert pool([far, longer], looks=4).budgets[0].share is not None

    assert pool([far], looks=4).verdict is Verdict.PASSED
    assert pool([far, longer], looks=4).verdict is Verdict.INCONCLUSIVE


def test_what_a_look_alone_decides_at_five_percent_the_looks_together_need_not() -> None:
    one = run(0.03, 350, said="passed")
    share = one["budgets"][0]["share_beyond"]
    assert share["high"] < ALLOWED < wilson_bound(0.03, 350, confidence=0.9875, upper=True)

    assert pool([one], looks=4).verdict is Verdict.INCONCLUSIVE


def test_one_bad_request_of_few_fails_no_load() -> None:
    one = other("error_ratio < 1%", "error_ratio", "inconclusive", estimate(1 / 16, 16 / 1.5))
    assert pool([one], looks=1).verdict is Verdict.INCONCLUSIVE
    assert pool([one] * 3, looks=1).verdict is Verdict.FAILED


def test_a_target_that_ended_by_itself_has_failed_whatever_the_budgets_say() -> None:
    assert pool([run(0.0, 5000, verdict="failed")], looks=4).verdict is Verdict.FAILED


def test_a_target_that_ended_has_failed_also_where_what_is_left_aside_failed_before_it() -> None:
    leaked = other("drift(memory) < 5%", "drift", "failed", {})["budgets"]
    lost = run(0.0, 5000, verdict="failed")
    lost["budgets"] += leaked
    assert pool([lost], looks=4).verdict is Verdict.PASSED

    lost["ended"] = {"why": "target_lost", "complete": False}
    assert pool([lost], looks=4).verdict is Verdict.FAILED
    lost["ended"] = {"why": "finished", "complete": True}
    lost["goodput"] = {"broken": ["1 of 900 acknowledged writes is not stored"]}
    assert pool([lost], looks=4).verdict is Verdict.FAILED


def test_a_load_whose_run_was_cut_short_is_not_passed() -> None:
    cut = other("error_ratio < 1%", "error_ratio", "inconclusive", estimate(0.0, 2000))
    assert pool([cut], looks=4).verdict is Verdict.PASSED

    assert pool([cut], looks=4).why is None
    cut["ended"] = {"why": "stopped", "complete": False}
    assert pool([cut], looks=4).verdict is Verdict.INCONCLUSIVE
    assert pool([cut], looks=4).why == "as the run says"
    whole = other("error_ratio < 1%", "error_ratio", "passed", estimate(0.0, 2000))
    assert pool([whole, cut], looks=4).verdict is Verdict.INCONCLUSIVE
    bad = other("error_ratio < 1%", "error_ratio", "failed", estimate(0.5, 2000))
    assert pool([bad, cut], looks=4).verdict is Verdict.FAILED


def test_a_run_in_which_nothing_was_answered_is_not_outvoted() -> None:
    # Every request of a rare endpoint is a server error: there is no latency, so no share.
    dead = run(0.0, 10, said="failed")
    dead["budgets"][0]["share_beyond"] = None
    assert pool([run(0.0, 500, said="passed"), dead], looks=4).verdict is Verdict.FAILED

    # A few of them timed out beside the errors: there is a share, and it weighs nothing.
    few = run(1.0, 1.01, said="failed")
    few["budgets"][0]["share_beyond"]["low"] = 0.03
    assert pool([run(0.0, 500, said="passed"), few], looks=4).verdict is Verdict.FAILED


def test_a_run_that_failed_far_from_its_limit_is_not_outvoted() -> None:
    # What depends on each other for long is worth few requests, although half are far too slow.
    far = run(0.4, 3, said="failed")
    assert far["budgets"][0]["share_beyond"]["low"] > ALLOWED
    far["budgets"][0]["share_beyond"]["low"] = 0.04
    assert pool([run(0.0, 500, said="passed"), far], looks=4).verdict is Verdict.INCONCLUSIVE


def test_an_error_ratio_is_pooled_as_a_share_and_a_limit_at_zero_is_not() -> None:
    few = other("error_ratio < 1%", "error_ratio", "inconclusive", estimate(0.0, 200))
    assert pool([few], looks=4).verdict is Verdict.INCONCLUSIVE
    assert pool([few] * 4, looks=4).verdict is Verdict.PASSED

    none = other("error_ratio <= 0%", "error_ratio", "passed", estimate(0.0, 200))
    assert pool([none], looks=4).budgets[0].share is None
    assert pool([none], looks=4).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (["passed"], "passed"),
        (["passed", "inconclusive"], "inconclusive"),
        (["passed", "inconclusive", "passed"], "passed"),
        (["passed", "failed", "passed"], "inconclusive"),
        (["failed", "failed"], "failed"),
    ],
)
def test_what_is_not_decided_by_a_share_is_decided_by_runs_that_agree(
    said: list[str], verdict: str
) -> None:
    runs = [other("avg < 5ms", "avg", word, {}) for word in said]

    assert pool(runs, looks=4).verdict == verdict


def test_the_nearest_budget_is_the_one_with_the_least_room() -> None:
    both = run(0.03, 300)
    both["budgets"] += other("error_ratio < 1%", "error_ratio", "passed", estimate(0.0, 600))[
        "budgets"
    ]
    nearest = pool([both], looks=4).nearest

    assert nearest is not None
    assert nearest.assertion == P95
    assert nearest.lean == pytest.approx(math.log(0.03 / ALLOWED))
    assert pool([other("max < 1s", "max", "passed", {})], looks=4).nearest is None


def test_warnings_and_what_takes_a_long_run_are_left_aside() -> None:
    late = run(0.03, 3000, verdict="failed")
    for assertion, metric, severity in (
        ("warn: p(99) < 1ms", "p", "warn"),
        ("drift(p95) < 5%", "drift", "fail"),
        ("capacity >= 100", "capacity", "fail"),
        ("throughput > 90/s", "throughput", "fail"),
    ):
        (budget,) = other(assertion, metric, "failed", {"value": 12.5})["budgets"]
        budget |= {"severity": severity}
        late["budgets"].append(budget)

    assert pool([late], looks=4).verdict is Verdict.PASSED
    assert not judged_at_a_level(Budget(subject="all", assertion=parse_assertion("capacity >= 9")))
    assert not judged_at_a_level(Budget(subject="all", assertion=parse_assertion("throughput > 9")))
    assert judged_at_a_level(Budget(subject="all", assertion=parse_assertion(P95)))


def test_a_floor_that_not_one_answer_reached_fails_its_load_although_it_is_left_aside() -> None:
    """All requests of one operation are refused: no other budget speaks of it."""
    dead = run(0.0, 3000, said="passed", verdict="failed")
    dead["budgets"] += other("throughput > 90/s", "throughput", "failed", {"value": 0.0})["budgets"]

    assert pool([dead], looks=4).verdict is Verdict.FAILED
    assert pool([dead], looks=4).why == "as the run says"


@pytest.mark.costly
def test_the_verdict_of_a_recording_is_read_as_these_short_ones_are(tmp_path: Path) -> None:
    document = judge(build_sample(tmp_path))
    pooled = pool([document, document], looks=4)

    gating = [b for b in document["budgets"] if b["severity"] == "fail" and b["stage"] is not None]
    assert [budget.assertion for budget in pooled.budgets] == [b["assertion"] for b in gating]
    for told, one in zip(pooled.budgets, gating, strict=True):
        own = one["share_beyond"] or one["measured"]
        assert told.share is None or told.share.n == 2 * own["n"]
    assert any(budget.share is not None for budget in pooled.budgets)
    assert pooled.why is None
