"""What a change of the system is on the scorecard."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.functional_extension import (
    Changed,
    change_row,
    changed_manifests,
    changed_targets,
)
from analysis.indicator import AVAILABILITY, EXTENSION, RESPONSE_TIME, USER_GROWTH, Indicator
from scenarios.model import Target

RATIO = Estimate(value=1.02, low=0.98, high=1.04, level=0.9, n=8)


def row(**changes: Any) -> Indicator:
    said: dict[str, Any] = {
        "of_what": "p95 of all requests",
        "metric": "p95",
        "actual": RATIO,
        "tolerance": 0.05,
        "lower_is_better": True,
        "verdict": Verdict.PASSED,
        "changed": Changed(keys=("target.extensions",), added=("loyalty",)),
        "owner": "sales",
    }
    return change_row(**(said | changes))


@pytest.mark.parametrize(
    ("candidate", "keys", "is_extension"),
    [
        (Target(extensions=("loyalty",)), ("target.extensions",), True),
        (Target(app=None, url="http://a.test"), ("target.app", "target.url"), True),
        (Target(options={"cache": "ttl"}), ("target.options.cache",), False),
        (Target(), (), False),
    ],
)  # fmt: skip
def test_what_two_targets_differ_in(
    candidate: Target, keys: tuple[str, ...], is_extension: bool
) -> None:
    changed = changed_targets(Target(), candidate)
    assert set(changed.keys) == set(keys)
    assert changed.is_extension is is_extension


def test_a_module_that_was_taken_away_is_no_extension() -> None:
    changed = changed_targets(Target(extensions=("loyalty",)), Target())
    assert (changed.removed, changed.is_extension) == (("loyalty",), False)
    assert row(changed=changed).criterion == RESPONSE_TIME


def test_recorded_runs_tell_their_modules_in_their_manifests() -> None:
    base, candidate = ({"target": {"extensions": names}} for names in ([], ["loyalty"]))
    changed = changed_manifests(["target.extensions", "folder.commit"], base, candidate)
    assert changed == Changed(keys=("target.extensions",), added=("loyalty",))
    assert changed_manifests([], {}, {}) == Changed()


def test_a_row_has_what_was_expected_and_how_far_from_it_the_change_lies() -> None:
    found = row()
    assert (found.criterion, found.verdict, found.next) == (EXTENSION, "passed", "keep")
    assert found.indicator == "p95 of all requests, with loyalty, against without"
    assert found.expected == "<= 1.05 times the base"
    assert found.difference == pytest.approx(-0.03)
    assert found.difference_percent == pytest.approx(-100 * 0.03 / 1.05)


def test_less_throughput_is_worse() -> None:
    found = row(metric="throughput", lower_is_better=False, changed=Changed())
    assert found.criterion == USER_GROWTH
    assert found.expected == ">= 0.9524 times the base"
    assert found.difference == pytest.approx(1 / 1.05 - 1.02)


def test_bad_requests_are_held_against_points() -> None:
    points = Estimate(value=0.02, low=0.01, high=0.03, level=0.9, n=8, unit="ratio")
    found = row(metric="error_ratio", actual=points, tolerance=0.005, changed=Changed())
    assert found.criterion == AVAILABILITY
    assert found.expected == "<= 0.5 points more than the base"
    assert found.difference == pytest.approx(0.015)


def test_what_is_worse_is_looked_for_on_both_sides() -> None:
    found = row(verdict=Verdict.FAILED, advice="declare more pairs")
    assert found.next == "see where the time goes in a run of each side"


def test_without_an_answer_the_row_says_what_to_do() -> None:
    found = row(verdict=Verdict.INCONCLUSIVE, advice="declare more pairs")
    assert found.next == "declare more pairs"
    nothing = row(actual=Estimate(value=None, why="no pair"), verdict=Verdict.INCONCLUSIVE)
    assert (nothing.difference, nothing.difference_percent) == (None, None)
