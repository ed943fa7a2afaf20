from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.budgets import _far_from_the_limit, decide, requests_to_decide, unanswered
from analysis.decision import Decision, Verdict, together
from analysis.intervals import wilson_bound
from analysis.recording.format import BAD, CENSORED, Outcome
from analysis.windows import Hold, Window, hold_of
from scenarios.assertions import parse_assertion
from tests.support.queues import mm1_responses

HOLD_S = 100.0


def hold_with(
    latency_ms: npt.ArrayLike, outcome: Outcome | list[Outcome] = Outcome.OK, *, cut_s: float = 0.0
) -> Hold:
    latency = np.asarray(latency_ms, dtype=float)
    outcomes = outcome if isinstance(outcome, list) else [outcome] * len(latency)
    intended = np.linspace(0, HOLD_S - 1, len(latency))
    frame = pd.DataFrame(
        {
            "intended_s": intended,
            "end_s": intended + latency / 1e3,
            "latency_ms": latency,
            "outcome": pd.Series([o.label for o in outcomes], dtype="category"),
            "good": [o is Outcome.OK for o in outcomes],
            "bad": [o in BAD for o in outcomes],
            "censored": [o in CENSORED for o in outcomes],
            "name": "GET /",
            "endpoint": "/",
        }
    )
    end_s = HOLD_S - cut_s
    return hold_of(frame, Window(stage=0, level=1, start_s=0.0, end_s=end_s, planned_end_s=HOLD_S))


def decided(text: str, hold: Hold) -> Decision:
    return decide(parse_assertion(text), hold, patience_s=2.0)


def verdict(text: str, latency_ms: npt.ArrayLike, outcome: Any = Outcome.OK) -> str:
    return decided(text, hold_with(latency_ms, outcome)).verdict


@pytest.mark.parametrize(
    ("text", "passed", "failed"),
    [
        ("p(95) < {}ms", 60, 20),
        ("p(95) <= {}ms", 60, 20),
        ("med < {}ms", 25, 15),
        ("avg < {}ms", 25, 15),
        ("max < {}ms", 41, 39),
        ("max <= {}ms", 41, 39),
    ],
)
def test_a_clear_case_is_decided(text: str, passed: float, failed: float) -> None:
    latency = np.random.default_rng(1).uniform(0, 40, 2000)
    latency[7] = 40.0
    assert verdict(text.format(passed), latency) == "passed"
    assert verdict(text.format(failed), latency) == "failed"


def test_the_limit_itself_is_allowed_by_at_most_and_not_by_less_than() -> None:
    assert verdict("max <= 10ms", [10.0] * 100) == "passed"
    assert verdict("max < 10ms", [10.0] * 100) == "failed"
    assert verdict("p(95) <= 10ms", [10.0] * 100) == "passed"
    assert verdict("p(95) < 10ms", [10.0] * 100) == "failed"


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("p(95) < 1s", 78),
        ("p(99) < 1s", 402),
        ("med < 1s", 5),
        ("error_ratio < 1%", 402),
        ("apdex(1s) >= 0.95", 78),
        ("error_ratio <= 0", None),
        ("avg < 1s", None),
        ("throughput > 1/s", None),
        ("availability >= 99%", None),
    ],
)
def test_how_many_requests_a_pass_takes_at_least(text: str, n: int | None) -> None:
    assert requests_to_decide(parse_assertion(text)) == n


@pytest.mark.parametrize("text", ["p(95) < 1s", "p(99) < 1s", "error_ratio < 1%"])
def test_so_many_good_requests_pass_and_one_less_does_not(text: str) -> None:
    n = requests_to_decide(parse_assertion(text))
    assert n is not None
    assert verdict(text, np.full(n, 10.0)) == "passed"
    found = decided(text, hold_with(np.full(n - 1, 10.0)))
    assert found.verdict == "inconclusive"
    assert "few" in str(found.why)


@given(level=st.floats(min_value=0.01, max_value=0.9999))
@settings(max_examples=50, deadline=None)
def test_requests_to_decide_is_the_smallest_number(level: float) -> None:
    n = requests_to_decide(parse_assertion(f"p({100 * level!r}) < 1s"))
    assert n is not None
    allowed = 1 - float(repr(100 * level)) / 100
    assert wilson_bound(0.0, n / 1.5, upper=True) < allowed
    if n > 1:
        assert wilson_bound(0.0, (n - 1) / 1.5, upper=True) >= allowed


def test_a_censored_request_older_than_the_limit_is_beyond_it() -> None:
    outcomes = [Outcome.OK] * 180 + [Outcome.TIMEOUT] * 60
    found = decided("p(95) < 300ms", hold_with([10.0] * 180 + [2000.0] * 60, outcomes))
    assert found.verdict == "failed"
    assert found.measured.is_lower_bound
    assert found.share_beyond is not None
    assert found.share_beyond.value == 0.25


def test_a_censored_request_younger_than_the_limit_counts_both_ways() -> None:
    outcomes = [Outcome.OK] * 1000
    latency = np.full(1000, 10.0)
    for index in np.random.default_rng(1).choice(1000, 60, replace=False):
        outcomes[index], latency[index] = Outcome.UNFINISHED, 2000.0
    found = decided("p(95) < 3s", hold_with(latency, outcomes))
    assert found.verdict == "inconclusive"
    share = found.share_beyond
    assert share is not None
    assert share.value == 0
    assert share.low == 0
    assert share.high is not None
    assert 0.06 < share.high < 0.1
    assert decided("p(90) < 3s", hold_with(latency, outcomes)).verdict == "passed"


def test_fast_errors_do_not_improve_a_latency() -> None:
    slow = np.random.default_rng(1).uniform(200, 400, 500)
    errors = [Outcome.OK] * 500 + [Outcome.HTTP_ERROR] * 9500
    alone = decided("p(95) < 300ms", hold_with(slow))
    mixed = decided("p(95) < 300ms", hold_with(np.append(slow, np.ones(9500)), errors))
    assert alone.verdict == mixed.verdict == "failed"
    assert alone.measured == mixed.measured
    assert alone.share_beyond == mixed.share_beyond


def test_cancelled_requests_are_nothing_at_all() -> None:
    latency = np.random.default_rng(1).uniform(0, 40, 600)
    outcomes = [Outcome.OK] * 600 + [Outcome.CANCELLED] * 100
    for text in ("p(95) < 60ms", "error_ratio < 1%", "avg < 30ms", "apdex(100ms) > 0.9"):
        alone = decided(text, hold_with(latency))
        mixed = decided(text, hold_with(np.append(latency, np.full(100, 9e3)), outcomes))
        assert mixed.verdict == "passed"
        assert mixed.measured.value == alone.measured.value


def test_a_mean_of_requests_that_did_not_end_is_never_passed() -> None:
    outcomes = [Outcome.OK] * 999 + [Outcome.UNFINISHED]
    found = decided("avg < 300ms", hold_with([10.0] * 1000, outcomes))
    assert found.verdict == "inconclusive"
    assert found.measured.is_lower_bound


def test_a_maximum_of_requests_that_did_not_end_is_never_passed() -> None:
    outcomes = [Outcome.OK] * 999 + [Outcome.UNFINISHED]
    assert verdict("max < 3s", [10.0] * 1000, outcomes) == "inconclusive"
    assert verdict("max < 3ms", [10.0] * 1000, outcomes) == "failed"


@pytest.mark.parametrize(
    ("text", "bad", "expected"),
    [
        ("error_ratio < 1%", 0, "passed"),
        ("error_ratio < 1%", 20, "inconclusive"),
        ("error_ratio < 1%", 60, "failed"),
        ("error_ratio <= 0", 0, "passed"),
        ("error_ratio <= 0", 1, "failed"),
        ("apdex(100ms) >= 0.95", 0, "passed"),
        ("apdex(100ms) >= 0.95", 400, "failed"),
        ("apdex(100ms) >= 0.95", 100, "inconclusive"),
        ("apdex(100ms) >= 1", 0, "passed"),
        ("apdex(100ms) >= 1", 1, "failed"),
        ("throughput >= 15/s", 0, "passed"),
        ("throughput >= 25/s", 0, "failed"),
    ],
)
def test_shares_and_rates_are_decided_by_their_bounds(text: str, bad: int, expected: str) -> None:
    outcomes = [Outcome.OK] * 2000
    for index in np.random.default_rng(3).choice(2000, bad, replace=False):
        outcomes[index] = Outcome.HTTP_ERROR
    assert verdict(text, [10.0] * 2000, outcomes) == expected


@pytest.mark.parametrize(
    ("text", "n", "bad", "expected"),
    [
        ("error_ratio < 1%", 16, 1, "inconclusive"),
        ("error_ratio < 1%", 16, 3, "failed"),
        ("error_ratio < 0.1%", 165, 1, "inconclusive"),
        ("p(95) < 1s", 3, 1, "inconclusive"),
        ("p(95) < 1s", 16, 5, "failed"),
        ("apdex(1s) >= 0.99", 16, 1, "inconclusive"),
        ("apdex(1s) >= 0.99", 16, 3, "failed"),
    ],
)
def test_one_bad_request_of_few_may_be_chance_and_several_are_not(
    text: str, n: int, bad: int, expected: str
) -> None:
    spread = np.linspace(0, n - 1, bad + 2).round().astype(int)[1:-1]
    latency, outcomes = np.full(n, 10.0), [Outcome.OK] * n
    for index in spread:
        if text.startswith("p("):
            latency[index] = 9000.0  # far beyond, too
        else:
            outcomes[index] = Outcome.HTTP_ERROR
    assert verdict(text, latency, outcomes) == expected


@pytest.mark.parametrize("bad", [Outcome.HTTP_ERROR, Outcome.TIMEOUT, Outcome.UNFINISHED])
@pytest.mark.parametrize(
    "text",
    [
        "p(95) < 300ms",
        "avg < 300ms",
        "max < 300ms",
        "error_ratio < 1%",
        "apdex(1s) > 0.5",
        "throughput > 1/s",
    ],
)
def test_requests_of_which_none_was_answered_well_fail_everything(text: str, bad: Outcome) -> None:
    found = decided(text, hold_with([100.0] * 3, bad))
    assert found.verdict == "failed"
    assert found.unanswered
    assert found.silent == (bad is not Outcome.HTTP_ERROR)
    assert "none was answered well" in str(found.why)


def test_requests_that_were_open_for_a_moment_when_the_records_end_fail_nothing() -> None:
    young = hold_with([1100.0] * 3, Outcome.OPEN)
    assert unanswered(young, patience_s=2.0) is None
    assert decided("error_ratio < 1%", young).verdict == "inconclusive"
    assert decided("p(95) < 3s", young).verdict == "inconclusive"
    assert unanswered(hold_with([2100.0] * 3, Outcome.OPEN), patience_s=2.0) is not None


@pytest.mark.parametrize(("age_ms", "expected"), [(200.0, "inconclusive"), (1500.0, "failed")])
def test_who_may_yet_be_satisfied_when_the_records_end_breaks_no_apdex_of_one(
    age_ms: float, expected: str
) -> None:
    outcomes = [Outcome.OK] * 99 + [Outcome.OPEN]
    assert verdict("apdex(1s) >= 1", [10.0] * 99 + [age_ms], outcomes) == expected


@pytest.mark.parametrize("text", ["p(95) < 1s", "error_ratio < 1%", "throughput > 1/s"])
def test_no_request_is_inconclusive(text: str) -> None:
    found = decided(text, hold_with([]))
    assert found.verdict == "inconclusive"
    assert found.measured.value is None


@pytest.mark.parametrize("text", ["p(95) < {}ms", "avg < {}ms", "max < {}ms"])
def test_a_hold_that_was_cut_short_can_fail_and_never_pass(text: str) -> None:
    latency = np.random.default_rng(1).uniform(0, 40, 2000)
    cut = hold_with(latency, cut_s=10.0)
    assert decided(text.format(60), cut).verdict == "inconclusive"
    assert "ended after 90 s of the 100 s" in str(decided(text.format(60), cut).why)
    assert decided(text.format(10), cut).verdict == "failed"


def test_dependent_requests_are_worth_fewer() -> None:
    rng = np.random.default_rng(1)
    independent = np.where(rng.random(2000) < 0.03, 500.0, 10.0)
    together_ = np.repeat(np.where(rng.random(100) < 0.03, 500.0, 10.0), 20)
    assert verdict("p(95) < 300ms", independent) == "passed"
    assert verdict("p(95) < 300ms", together_) == "inconclusive"
    longer = np.repeat(np.random.default_rng(1).uniform(5, 15, 40), 50)
    found = decided("p(95) < 40ms", hold_with(longer))
    assert found.verdict == "inconclusive"
    assert "depend on each other so long" in str(found.why)


def test_requests_that_are_enough_and_close_to_the_limit_say_so() -> None:
    latency = np.where(np.random.default_rng(1).random(2000) < 0.05, 500.0, 10.0)
    found = decided("p(95) < 300ms", hold_with(latency))
    assert found.verdict == "inconclusive"
    assert "this close to the limit" in str(found.why)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p(95) < 300ms", "1 request is too few: a pass takes at least"),
        ("error_ratio < 50%", "1 request is too few this close to the limit"),
    ],
)
def test_a_single_request_is_spoken_of_as_one(text: str, words: str) -> None:
    assert words in str(decided(text, hold_with([10.0])).why)


def test_verdicts_are_combined_by_precedence() -> None:
    order = [Verdict.INVALID, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED]
    for index, first in enumerate(order):
        assert together(reversed(order[index:])) is first
    assert together([]) is Verdict.UNJUDGED


def responses_ms(rng: np.random.Generator, n: int, rho: float) -> npt.NDArray[np.float64]:
    """Responses of an M/M/1 queue in equilibrium: mean service 10 ms."""
    warm = 1000
    service = rng.exponential(10.0, n + warm)
    gaps = rng.exponential(10.0 / rho, n + warm)
    # Lindley: the wait is the walk less its lowest point so far.
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    wait = walk - np.minimum.accumulate(walk)
    found: npt.NDArray[np.float64] = (wait + service)[warm:]
    return found


@pytest.mark.simulation
def test_the_decision_rule_keeps_its_promise_on_a_queue_of_known_truth() -> None:
    """At the limit a pass is wrong: at most 5 % are promised, 8 % in this hard case.

    (test_intervals asks 300 runs of the bound alone; this is the whole decision.)
    """
    runs, rho = 40, 0.5
    truth = -math.log(0.05) * 10.0 / (1 - rho)  # p95 of the response: exponential, mu - lambda
    at_limit = parse_assertion(f"p(95) < {truth:.6f}ms")
    generous = parse_assertion(f"p(95) < {1.5 * truth:.6f}ms")
    wrong, right = 0, 0
    for seed in range(runs):
        hold = hold_with(responses_ms(np.random.default_rng(seed), 5000, rho))
        wrong += decide(at_limit, hold, patience_s=2.0).verdict is Verdict.PASSED
        right += decide(generous, hold, patience_s=2.0).verdict is Verdict.PASSED
    # A program that wrongly passes 8 % exceeds this in less than one of 10,000 tests.
    assert wrong <= binom.ppf(1 - 1e-4, runs, 0.08)
    assert right >= 38


def test_a_slow_drift_far_below_the_limit_leaves_nothing_undecided() -> None:
    """A machine that is shared: the median moves slowly between 2 and 4.5 ms."""
    rng = np.random.default_rng(11)
    latency_ms = np.repeat(rng.uniform(2.0, 4.5, 5), 900) * rng.lognormal(0, 0.3, 4500)
    hold = hold_with(latency_ms)

    far = decide(parse_assertion("p(95) < 300ms"), hold, patience_s=2.0)
    over = decide(parse_assertion("p(95) < 200us"), hold, patience_s=2.0)
    near = decide(parse_assertion("p(95) < 6ms"), hold, patience_s=2.0)

    assert far.share_beyond is not None
    assert far.share_beyond.high is not None
    assert far.share_beyond.high > 0.05  # by the longest memory alone it is open
    assert far.verdict is Verdict.PASSED
    assert "far below the limit" in (far.why or "")
    assert over.verdict is Verdict.FAILED
    assert near.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("rho", "n"), [(0.8, 300), (0.9, 1000)])
def test_being_far_from_the_limit_is_next_to_never_seen_at_the_limit_itself(
    rho: float, n: int
) -> None:
    """M/M/1, 400 runs with the limit at the true p95.

    In 2,000 simulated runs of each case it was seen in none. Were its share .005,
    nine or more of 400 would come with less than 1e-4.
    """
    rng, truth_ms = np.random.default_rng(17), -np.log(0.05) / (1 - rho) * 1e3
    decided = []
    for _ in range(400):
        latency_ms = mm1_responses(rng, rho, n) * 1e3
        seen = np.zeros(len(latency_ms), dtype=bool)
        decided.append(_far_from_the_limit(latency_ms, seen, 0.95, truth_ms)[0])

    assert decided.count(Verdict.PASSED) <= 8
    assert decided.count(Verdict.FAILED) <= 8


@pytest.mark.simulation
def test_one_open_request_does_not_make_the_mean_that_was_seen_a_bound() -> None:
    rng = np.random.default_rng(41)
    outcomes = [Outcome.OK] * 999 + [Outcome.OPEN]
    failed = 0
    for _ in range(60):
        latency = np.append(rng.exponential(50.0, 999), 5.0)
        failed += decided("avg < 50ms", hold_with(latency, outcomes)).verdict is Verdict.FAILED

    assert failed <= binom.isf(1e-4, 60, 0.06), "the limit is the truth"


def test_a_mean_that_hangs_by_far_fails_however_long_its_memory() -> None:
    latency = [10.0] * 950 + [10_000.0] * 50
    outcomes = [Outcome.OK] * 950 + [Outcome.OPEN] * 50

    assert decided("avg < 100ms", hold_with(latency, outcomes)).verdict is Verdict.FAILED
    assert decided("avg < 400ms", hold_with(latency, outcomes)).verdict is Verdict.INCONCLUSIVE
