"""The search for a capacity: right where the verdicts are, and at an end wherever they lead."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.capacity_levels import Ending, Found, Level, SearchPlan, Step, monotone
from analysis.capacity_search import Search
from analysis.decision import Verdict

PASSED, FAILED, UNDECIDED = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE


def plan(**changes: object) -> SearchPlan:
    said: dict[str, object] = {"low": 10.0, "high": 5000.0, "width": 0.25, "most_runs": 60}
    return SearchPlan(**(said | changes))  # type: ignore[arg-type]


def searched(search: Search, limit: float, *, blur: float = 0.0, lean: bool = True) -> list[Step]:
    """Run a search against a limit: what is nearer to it than `blur`, as a share, is undecided."""
    steps = []
    while (step := search.step()) is not None:
        steps.append(step)
        beyond = math.log(step.level / limit)
        verdict = UNDECIDED
        if abs(beyond) > blur:
            verdict = FAILED if beyond > 0 else PASSED
        said = {"lean": 4 * beyond, "weight": 100.0} if lean else {}
        search.note(verdict, **said)
    return steps


@settings(max_examples=40)
@given(
    limit=st.floats(12, 4000),
    width=st.floats(0.05, 1),
    factor=st.floats(1.2, 4),
    lean=st.booleans(),
)
def test_with_right_verdicts_the_limit_is_found_confirmed_and_as_narrow_as_asked(
    limit: float, width: float, factor: float, lean: bool
) -> None:
    search = Search(plan(width=width, factor=factor))
    steps = searched(search, limit, lean=lean)
    found = search.found()

    assert found.ending is Ending.FOUND
    assert found.last_pass is not None
    assert found.first_fail is not None
    assert found.last_pass <= limit <= found.first_fail
    assert found.width is not None
    assert found.width <= width * (1 + 1e-6)
    assert found.confirmed
    assert steps[-1].why == "confirm"
    assert steps[-1].level == found.last_pass
    assert found.not_monotone == ()
    assert (found.estimate is None) is (not lean)
    capacity = found.capacity("users")
    assert capacity.value == (found.last_pass if found.estimate is None else found.estimate)
    if found.estimate is not None:  # what it leans by is a line here, so that it is exact
        assert found.estimate == pytest.approx(limit, rel=1e-9)


@settings(max_examples=40)
@given(limit=st.floats(20, 4000), blur=st.floats(0, 0.1), repetitions=st.integers(1, 4))
def test_what_stays_undecided_next_to_the_limit_does_not_keep_it_from_being_found(
    limit: float, blur: float, repetitions: int
) -> None:
    search = Search(plan(repetitions=repetitions))
    searched(search, limit, blur=blur)
    found = search.found()

    # what is undecided spans exp(2 x 0.1) = 1.22 at most, and the interval may be 1.25 wide
    assert found.last_pass is not None
    assert found.first_fail is not None
    assert found.last_pass <= limit <= found.first_fail
    assert all(found.last_pass < load < found.first_fail for load in found.undecided)
    if blur <= 0.07:
        assert found.ending is Ending.FOUND


@settings(max_examples=40)
@given(limit=st.floats(12, 1500), blur=st.floats(0.13, 0.5))
def test_an_interval_that_cannot_be_as_narrow_as_asked_is_given_as_it_is(
    limit: float, blur: float
) -> None:
    search = Search(plan())
    searched(search, limit, blur=blur)
    found = search.found()

    assert found.ending in {Ending.WIDE, Ending.NONE_PASSED}
    assert found.width is None or found.width > 0.25
    if found.last_pass is not None and found.first_fail is not None:
        assert found.last_pass <= limit <= found.first_fail
        assert found.undecided


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    repetitions=st.integers(1, 4),
    whole=st.booleans(),
    factor=st.floats(1.2, 4),
)
def test_whatever_the_verdicts_it_ends_and_never_looks_more_often_than_it_may(
    seed: int, repetitions: int, whole: bool, factor: float
) -> None:
    draw = random.Random(seed)
    verdicts = [PASSED, FAILED, UNDECIDED, UNDECIDED, Verdict.INVALID]
    asked = plan(repetitions=repetitions, whole=whole, factor=factor)
    search, looks = Search(asked), Counter[float]()
    while (step := search.step()) is not None:
        verdict = draw.choice(verdicts)
        search.note(verdict, lean=draw.uniform(-3, 3), weight=draw.uniform(0, 500))
        looks[step.level] += verdict is not Verdict.INVALID
        assert 0 < step.level <= asked.high
        assert not whole or step.level % 1 == 0
    found = search.found()

    assert search.runs <= asked.most_runs
    assert max(looks.values(), default=0) <= asked.looks
    if found.last_pass is not None and found.first_fail is not None:
        assert found.last_pass < found.first_fail
        assert found.capacity("users").covers == "runs"
    for failed, passed in found.not_monotone:
        assert failed < passed
    assert search.step() is None


def test_a_level_is_repeated_twice_as_long_each_time_and_confirmed_as_long_as_the_last() -> None:
    asked = plan(repetitions=3)
    steps = searched(Search(asked), 111.0, blur=0.1)
    repeated = [step for step in steps if step.why == "repeat"]

    assert repeated
    assert all(step.holds == 2 ** (step.look - 1) for step in repeated)
    assert all(step.holds == 1 for step in steps if step.look == 1)
    assert (steps[-1].why, steps[-1].holds) == ("confirm", 4)


def test_a_first_load_that_fails_leads_down() -> None:
    search = Search(plan(low=1000.0))
    searched(search, 130.0)

    found = search.found()
    assert found.ending is Ending.FOUND
    assert found.last_pass is not None
    assert found.last_pass <= 130


def test_where_nothing_passes_it_says_so_after_six_steps_down() -> None:
    search = Search(plan(low=640.0))
    steps = searched(search, 1e-9)

    assert [step.level for step in steps] == [640.0, 320.0, 160.0, 80.0, 40.0, 20.0, 10.0]
    assert search.found().ending is Ending.NONE_PASSED
    assert search.found().capacity("users").value is None


def test_where_nothing_fails_the_capacity_is_at_least_the_highest_load() -> None:
    search = Search(plan(high=35.0))
    steps = searched(search, 1e9)
    found = search.found()

    assert [step.level for step in steps] == [10.0, 20.0, 35.0]
    assert found.ending is Ending.NONE_FAILED
    assert found.capacity("arrivals/s").is_lower_bound


@pytest.mark.parametrize(("low", "levels"), [(1.0, [1, 2, 3, 4, 6]), (3.0, [3, 4, 6])])
def test_a_small_factor_does_not_keep_whole_users_from_going_up(
    low: float, levels: list[float]
) -> None:
    search = Search(plan(low=low, high=64.0, factor=1.4, whole=True))
    steps = searched(search, 4.5)

    assert [step.level for step in steps if step.why == "ramp"] == levels
    found = search.found()
    assert (found.ending, found.last_pass, found.first_fail) == (Ending.FOUND, 4.0, 5.0)


def test_a_small_factor_does_not_keep_whole_users_from_going_down() -> None:
    search = Search(plan(low=4.0, factor=1.2, whole=True))
    steps = searched(search, 1.5)

    assert [step.level for step in steps if step.why == "ramp"] == [4, 3, 2, 1]
    found = search.found()
    assert (found.ending, found.last_pass, found.first_fail) == (Ending.FOUND, 1.0, 2.0)


@pytest.mark.parametrize("most_runs", [3, 4, 6])
def test_a_search_that_runs_out_of_runs_says_so_also_between_two_ends(most_runs: int) -> None:
    search = Search(plan(low=100.0, width=0.05, most_runs=most_runs))
    steps = searched(search, 250.0)
    found = search.found()

    assert len(steps) == most_runs
    assert (found.last_pass, found.first_fail) != (None, None)
    assert found.ending is Ending.STOPPED


def test_one_run_too_few_to_confirm_is_out_of_runs_and_not_too_wide() -> None:
    needed = len(searched(Search(plan()), 111.0))
    search = Search(plan(most_runs=needed - 1))
    searched(search, 111.0)

    found = search.found()
    assert found.width is not None
    assert found.width <= 0.25
    assert not found.confirmed
    assert found.ending is Ending.STOPPED


def test_a_search_whose_last_run_was_the_last_allowed_has_not_run_out_of_them() -> None:
    needed = len(searched(Search(plan()), 111.0, blur=0.3))
    search = Search(plan(most_runs=needed))
    searched(search, 111.0, blur=0.3)

    assert search.found().ending is Ending.WIDE


def test_a_fail_is_lowered_before_a_gap_of_a_few_percent_is_divided() -> None:
    # 105.7 is not quite as near to the limit as it should be, and above it all looks are spent.
    search = Search(plan(low=50.0))
    for level in (
        Level(load=105.7, verdict=PASSED, runs=1, lean=-0.4, weight=200.0),
        Level(load=109.3, verdict=UNDECIDED, runs=3, lean=-0.1, weight=900.0),
        Level(load=132.0, verdict=UNDECIDED, runs=1, lean=0.078, weight=100.0),
        Level(load=150.0, verdict=FAILED, runs=1, lean=1.0, weight=100.0),
    ):
        search.levels[level.load] = level
    step = search.step()

    assert step is not None
    assert (step.level, step.look, step.why) == (132.0, 2, "repeat")


def test_a_pass_above_a_fail_is_reported_and_does_not_count() -> None:
    search = Search(plan(low=100.0, factor=2.0))
    assert search.step() is not None
    search.note(PASSED)
    search.levels[150.0] = Level(load=150.0, verdict=FAILED, runs=1)
    search.levels[400.0] = Level(load=400.0, verdict=PASSED, runs=1)
    found = search.found()

    assert found.not_monotone == ((150.0, 400.0),)
    assert (found.last_pass, found.first_fail) == (100.0, 150.0)


def test_a_pass_that_is_not_confirmed_is_no_pass_any_more() -> None:
    search = Search(plan(low=100.0, factor=1.25, repetitions=1))
    told = {100.0: [PASSED, UNDECIDED], 125.0: [FAILED], 80.0: [PASSED, PASSED]}
    while (step := search.step()) is not None:
        if step.level not in told or not told[step.level]:
            break
        search.note(told[step.level].pop(0))
    found = search.found()

    assert found.last_pass == 80.0
    assert found.undecided == (100.0,)


def test_invalid_runs_are_no_looks_and_too_many_of_them_end_it() -> None:
    search = Search(plan(repetitions=2))
    levels = []
    while (step := search.step()) is not None:
        levels.append((step.level, step.look))
        search.note(Verdict.INVALID)

    assert levels == [(10.0, 1)] * 3
    assert search.found().ending is Ending.INVALID


def test_no_run_is_noted_that_was_not_asked_for() -> None:
    with pytest.raises(ValueError, match="no run was asked for"):
        Search(plan()).note(PASSED)


@settings(max_examples=40)
@given(limit=st.integers(2, 400), width=st.floats(0.03, 0.5))
def test_users_are_whole_and_neighbours_are_narrow_enough(limit: int, width: float) -> None:
    search = Search(plan(low=1.0, high=1000.0, whole=True, width=width))
    steps = searched(search, limit + 0.5)
    found = search.found()

    assert all(step.level % 1 == 0 for step in steps)
    assert found.ending is Ending.FOUND
    assert found.last_pass is not None
    assert found.first_fail is not None
    assert found.last_pass <= limit + 0.5 <= found.first_fail


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 100)), min_size=1, max_size=12))
def test_a_monotone_fit_never_falls_and_keeps_the_weighted_mean(
    points: list[tuple[float, float]],
) -> None:
    values, weights = zip(*points, strict=True)
    fit = monotone(values, weights)

    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(fit))
    assert np.average(fit, weights=weights) == pytest.approx(
        np.average(values, weights=weights), abs=1e-9
    )
    assert monotone(sorted(values), [1.0] * len(values)) == pytest.approx(sorted(values))


def test_nothing_found_is_not_estimable_and_says_why() -> None:
    found = Found(
        ending=Ending.NONE_PASSED,
        last_pass=None,
        first_fail=10.0,
        estimate=None,
        undecided=(),
        not_monotone=(),
        confirmed=False,
    )

    assert found.width is None
    assert found.capacity("users").why == "no load passed"
