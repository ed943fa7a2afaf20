"""Every moment of a run is one thing, and a fault stands over what was planned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.disturbances import Disturbance
from analysis.estimate import not_estimable
from analysis.faults import FaultSpan
from analysis.phases import Label, disturbed_stretches, per_second, phases, undisturbed
from analysis.recovery import Recovery
from scenarios.loading import parse_scenario
from scenarios.schedule import Schedule, plan
from tests.analysis.synthetic import scenario_of


def schedule() -> Schedule:
    """Warm-up 2 s; twice ramp 1 s, settle 1 s, hold 6 s: to 18 s."""
    document = scenario_of([(5, 6.0), (10, 6.0)], warmup="2s", settle="1s")
    for stage in document["load"]["stages"]:
        stage["ramp"] = "1s"
    return plan(parse_scenario(document, name="synthetic", folder=None))


def freeze(start_s: float, end_s: float | None) -> FaultSpan:
    return FaultSpan(
        number=0, what="freeze", process="server", planned_s=start_s, start_s=start_s, end_s=end_s
    )


def recovery(
    start_s: float, end_s: float | None, *, recovered_s: float | None, known: bool = True
) -> Recovery:
    nothing = not_estimable("not asked here", unit="s")
    return Recovery(
        disturbance=Disturbance(
            kind="outage", what="outage", start_s=start_s, end_s=end_s, level=5.0
        ),
        seen_until_s=18.0,
        detected_after=nothing,
        recovery_time=nothing,
        loss=nothing,
        lost=nothing,
        residual={},
        window_s=1.0 if known else None,
        recovered_s=recovered_s,
    )


def test_a_run_is_warmed_up_ramped_settled_held_and_drained() -> None:
    found = phases(schedule(), ended_s=18.0, last_s=18.5)

    assert [(str(spell.label), spell.stage, spell.start_s, spell.end_s) for spell in found] == [
        ("warm-up", None, 0.0, 2.0),
        ("ramp", 0, 2.0, 3.0),
        ("settle", 0, 3.0, 4.0),
        ("hold", 0, 4.0, 10.0),
        ("ramp", 1, 10.0, 11.0),
        ("settle", 1, 11.0, 12.0),
        ("hold", 1, 12.0, 18.0),
        ("drain", None, 18.0, 18.5),
    ]


def test_a_fault_and_what_follows_it_are_no_hold() -> None:
    back = recovery(5.0, 6.0, recovered_s=8.0)
    over = disturbed_stretches([freeze(5.0, 6.0)], [back], ended_s=18.0)
    found = phases(schedule(), ended_s=18.0, last_s=18.0, disturbed=over)

    assert [(spell.label, spell.start_s, spell.end_s) for spell in found if spell.stage == 0][
        2:
    ] == [
        (Label.HOLD, 4.0, 5.0),
        (Label.FAULT, 5.0, 6.0),
        (Label.RECOVERY, 6.0, 8.0),
        (Label.HOLD, 8.0, 10.0),
    ]


def test_what_never_recovered_or_was_never_cleared_lasts_to_the_end_of_the_load() -> None:
    for lasting in (recovery(5.0, 6.0, recovered_s=None), recovery(5.0, None, recovered_s=None)):
        over = disturbed_stretches([freeze(5.0, 6.0)], [lasting], ended_s=18.0)
        found = phases(schedule(), ended_s=18.0, last_s=19.0, disturbed=over)
        assert (found[-2].label, found[-2].end_s) == (Label.RECOVERY, 18.0)
    found = phases(
        schedule(),
        ended_s=9.0,
        last_s=9.0,
        disturbed=disturbed_stretches([freeze(5.0, None)], [], ended_s=9.0),
    )
    assert (found[-1].label, found[-1].start_s, found[-1].end_s) == (Label.FAULT, 5.0, 9.0)


def test_an_outage_with_nothing_to_compare_with_is_no_longer_than_itself() -> None:
    unknown = recovery(5.0, 6.0, recovered_s=None, known=False)

    assert disturbed_stretches([], [unknown], ended_s=18.0) == ((Label.RECOVERY, 5.0, 6.0),)


def test_a_run_that_was_cut_short_has_no_later_phases() -> None:
    found = phases(schedule(), ended_s=7.5, last_s=8.0)

    assert [(spell.label, spell.end_s) for spell in found[-2:]] == [
        (Label.HOLD, 7.5),
        (Label.DRAIN, 8.0),
    ]


@given(
    st.floats(0.5, 20),
    st.floats(0, 3),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20), st.booleans()), max_size=5),
)
def test_phases_follow_each_other_without_gaps(
    ended_s: float, drained_s: float, done: list[tuple[float, float, bool]]
) -> None:
    over = [
        (Label.FAULT if is_fault else Label.RECOVERY, min(a, b), max(a, b))
        for a, b, is_fault in done
    ]
    found = phases(schedule(), ended_s=ended_s, last_s=ended_s + drained_s, disturbed=over)

    assert found[0].start_s == 0
    assert found[-1].end_s == ended_s + drained_s
    assert all(a.end_s == b.start_s for a, b in pairwise(found))
    assert all(spell.end_s > spell.start_s for spell in found)
    assert all((a.label, a.stage) != (b.label, b.stage) for a, b in pairwise(found))
    assert all(spell.label is Label.DRAIN for spell in found if spell.start_s >= min(ended_s, 18.0))


def test_each_second_is_what_most_of_it_was_and_a_fault_in_any_part_of_it() -> None:
    over = disturbed_stretches([freeze(5.9, 6.05)], [], ended_s=18.0)
    seconds = per_second(phases(schedule(), ended_s=18.0, last_s=18.2, disturbed=over))

    assert len(seconds) == 19
    assert "".join(str(label)[0] for label in seconds) == "wwrshffhhhrshhhhhhd"


def test_bins_that_a_fault_touches_are_left_out() -> None:
    quiet = undisturbed(np.arange(6.0), 1.0, [(Label.FAULT, 1.5, 3.0)])

    assert quiet.tolist() == [True, False, False, True, True, True]
