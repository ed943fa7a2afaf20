"""When a run does what."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.loading import parse_scenario
from scenarios.persona_fields import builtin_personas
from scenarios.schedule import Phase, Schedule, as_extended, plan


def schedule(stages: list[dict[str, Any]], **load: Any) -> Schedule:
    raw = {"load": {"mix": {"sales_rep": 1}, "stages": stages, **load}}
    return plan(parse_scenario(raw, name="test", folder=None))


def test_a_stage_is_ramp_settle_hold_after_the_warm_up() -> None:
    planned = schedule(
        [{"users": 10, "hold": "20s"}, {"users": 30, "hold": "5s", "ramp": "4s"}],
        warmup="2s",
        settle="1s",
    )
    first, second = planned.spans

    assert (first.start_s, first.hold_s, first.end_s) == (2, 3, 23)
    assert (second.start_s, second.ramped_s, second.hold_s, second.end_s) == (23, 27, 28, 33)
    assert planned.at(1.0).phase is Phase.WARMUP
    assert planned.at(1.0).users == 10
    assert planned.at(25.0).users == 20  # half of the ramp from 10 to 30
    assert planned.at(25.0).phase is Phase.RAMP
    assert planned.at(27.5).phase is Phase.SETTLE
    assert planned.at(28.0).phase is Phase.HOLD
    assert planned.at(33.0).phase is Phase.DRAIN
    assert planned.at(33.0).users == 0


def test_without_a_warm_up_the_first_ramp_begins_with_nobody() -> None:
    planned = schedule([{"users": 10, "hold": "20s", "ramp": "10s"}], settle="0s")

    assert planned.at(0.0).users == 0
    assert planned.at(5.0).users == 5


@pytest.mark.parametrize(("scale", "expected_s"), [(0.01, 3.0), (1.0, 28.311)])
def test_a_settle_takes_three_seconds_or_two_think_times(scale: float, expected_s: float) -> None:
    planned = schedule([{"users": 1, "hold": "5s"}], think_scale=scale)

    assert planned.spans[0].hold_s == pytest.approx(expected_s, rel=1e-3)


def test_the_end_of_the_required_stage_is_that_of_the_last_stage_up_to_it() -> None:
    stages = [{"users": users, "hold": "10s"} for users in (10, 50, 20)]
    planned = schedule(stages, settle="0s")

    assert planned.required_end_s(20) == 30
    assert planned.required_end_s(10) == 10


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 500), st.integers(1, 60), st.integers(0, 20)),
        min_size=1,
        max_size=6,
    ),
    st.floats(0, 1),
)
def test_every_moment_belongs_to_one_stage_and_asks_for_users_between_its_ends(
    stages: list[tuple[int, int, int]], share: float
) -> None:
    planned = schedule(
        [{"users": users, "hold": f"{hold}s", "ramp": f"{ramp}s"} for users, hold, ramp in stages]
    )
    moment = planned.at(share * planned.end_s * 0.999999)

    assert moment.stage is not None
    span = planned.spans[moment.stage]
    assert min(span.before, span.level) <= moment.level <= max(span.before, span.level)
    assert all(
        earlier.end_s == later.start_s
        for earlier, later in zip(planned.spans, planned.spans[1:], strict=False)
    )


def test_the_mean_of_the_cut_think_time_agrees_with_its_integral() -> None:
    from scipy import integrate
    from scipy.stats import truncexpon

    persona = builtin_personas()["sales_rep"]
    cut = truncexpon(b=10, scale=persona.think_s)
    by_quadrature = integrate.quad(lambda t: t * cut.pdf(t), 0, 10 * persona.think_s)[0]

    assert persona.think_before_s("open_customer") == pytest.approx(by_quadrature, rel=1e-6)
    assert persona.think_before_s("create_order") == pytest.approx(3 * by_quadrature, rel=1e-6)


@functools.cache
def three_stages() -> Schedule:
    stages = [{"users": n, "hold": "20s", "ramp": "4s"} for n in (10, 30, 20)]
    return schedule(stages, warmup="2s", settle="1s")


@given(
    stage=st.integers(0, 2),
    by_s=st.sampled_from([0.0, 0.25, 7.0, 120.0]),
    t_s=st.integers(0, 12_800).map(lambda n: n / 64),  # sums of these are exact
)
def test_a_prolonged_hold_changes_nothing_before_and_moves_everything_after(
    stage: int, by_s: float, t_s: float
) -> None:
    before = three_stages()
    after = before.extended(stage, by_s)
    end_s = before.spans[stage].end_s

    assert after.end_s == before.end_s + by_s
    assert [span.level for span in after.spans] == [span.level for span in before.spans]
    if t_s < end_s:
        assert after.at(t_s) == before.at(t_s)
    elif t_s < end_s + by_s:
        held = after.at(t_s)
        level = before.spans[stage].level
        assert (held.level, held.stage, held.phase) == (level, stage, Phase.HOLD)
    else:
        was, now = before.at(t_s), after.at(t_s + by_s)
        assert (now.stage, now.phase) == (was.stage, was.phase)
        assert now.level == pytest.approx(was.level)


def test_a_schedule_is_rebuilt_from_the_events_of_a_run() -> None:
    stages = [{"users": 10, "hold": "20s"}, {"users": 30, "hold": "5s"}]
    planned = schedule(stages, settle="1s")
    events = [
        {"kind": "run_started", "t_s": 0.0},
        {"kind": "extended", "t_s": 19.0, "stage": 0, "by_s": 4.0},
        {"kind": "extended", "t_s": 23.5, "stage": 0, "by_s": 1.5},
    ]

    assert as_extended(planned, events) == planned.extended(0, 5.5)
    assert as_extended(planned, events[:1]) == planned
    assert planned.required_span(10) == planned.spans[0]
