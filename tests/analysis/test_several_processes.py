"""Validity of a run that several generator processes shared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from analysis.delivery import load_delivered, not_saturated
from analysis.reasons import Finding
from analysis.recording.streams import StreamEnd
from analysis.records import generators_kept, records_complete
from analysis.windows import Hold, Window
from scenarios.schedule import Schedule, Span

STAGES = [(0.0, 10.0), (10.0, 20.0)]


def recording(
    *,
    lost: dict[int | None, float] | None = None,
    silent_s: float | None = None,
    written: tuple[int, ...] = (0, 1),
) -> Any:
    """Two processes with four and three users; one of them is lost or silent from some moment."""
    gone = {1: silent_s} if silent_s is not None else dict(lost or {})
    timeline = [
        {"t_s": float(t_s), "process": process, "asked": 7, "running": users}
        for t_s in range(1, 21)
        for process, users in enumerate((4, 3))
        if process in written and t_s < gone.get(process, 99.0)
    ]
    closed = [process for process in (0, 1) if process not in gone]
    counts = {"rows": 2, "requests": 2, "engine_requests": 2}
    return SimpleNamespace(
        scenario=SimpleNamespace(load=SimpleNamespace(is_open=False)),
        schedule=Schedule(warmup_s=0.0, spans=tuple(span(*each) for each in enumerate(STAGES))),
        manifest={"generators": [{"process": 0}, {"process": 1}]},
        timeline=timeline,
        events=[
            *(
                {"t_s": t_s, "kind": "generator_lost", "process": process, "reason": "SIGKILL"}
                for process, t_s in (lost or {}).items()
            ),
            *({"t_s": 20.1, "kind": "stream_closed", "process": p, **counts} for p in closed),
        ],
        samples=pd.DataFrame(
            {"process": [0, 0, 1, 1], "outcome": ["ok"] * 4, "sent_us": [1.0] * 4}
        ),
        streams=[StreamEnd(process=process, rows=2, torn=False) for process in (0, 1)],
        end_why="finished",
    )


def span(stage: int, bounds: tuple[float, float]) -> Span:
    start_s, end_s = bounds
    return Span(
        stage=stage,
        level=7,
        before=7,
        start_s=start_s,
        ramped_s=start_s,
        hold_s=start_s,
        end_s=end_s,
    )


def hold_of(stage: int) -> Hold:
    start_s, end_s = STAGES[stage]
    window = Window(stage=stage, level=7, start_s=start_s, end_s=end_s, planned_end_s=end_s)
    nothing = pd.DataFrame(
        {name: pd.Series(dtype=float) for name in ("sent_us", "intended_s", "end_s")}
        | {name: pd.Series(dtype=int) for name in ("process", "user", "transaction", "step")}
        | {name: pd.Series(dtype=str) for name in ("persona", "outcome", "click")}
    )
    return Hold(window=window, samples=nothing, earlier=nothing, carried=0)


def delivered(run: Any, stage: int) -> Finding:
    return load_delivered(run, hold_of(stage))


def test_the_users_of_all_processes_count_together() -> None:
    assert delivered(recording(), 0) == Finding()
    assert records_complete(recording()) == Finding()


@pytest.mark.parametrize("stage", [0, 1])
def test_those_of_a_process_that_never_wrote_a_line_were_not_seen(stage: int) -> None:
    (reason,) = delivered(recording(written=(0,)), stage).reasons

    assert reason.code == "load_not_delivered"
    assert "not of every generator" in reason.message


def test_a_process_that_is_lost_has_no_users_from_then_on() -> None:
    run = recording(lost={1: 12.4})
    (reason,) = delivered(run, 1).reasons

    assert delivered(run, 0) == Finding()
    assert "at the least 4" in reason.message
    assert reason.measured == 4


def test_one_that_stood_still_did_not_keep_up_though_it_measured_that_only_afterwards() -> None:
    run = recording()
    run.scenario.tightest_latency_limit_s = 2.0
    for line in run.timeline:
        line |= {"cpu": 0.1, "loop_lag_us": [100]}
    whole = [not_saturated(run, hold_of(stage)) for stage in (0, 1)]
    run.timeline = [
        line for line in run.timeline if line["process"] == 0 or not 9 <= line["t_s"] <= 12
    ]
    (before,) = not_saturated(run, hold_of(0)).reasons
    (after,) = not_saturated(run, hold_of(1)).reasons

    assert whole == [Finding(), Finding()]
    assert before.code == after.code == "generator_saturated"
    assert before.measured == pytest.approx(1_000)  # due at 9 s, and the hold ends at 10 s
    assert after.measured == pytest.approx(3_000)  # it came at 13 s


def test_one_that_is_silent_has_unknown_users() -> None:
    run = recording(silent_s=13.0)
    (reason,) = delivered(run, 1).reasons

    assert delivered(run, 0) == Finding()
    assert "not every one" in reason.message


@pytest.mark.parametrize(
    ("t_s", "lost_in", "records_of"),
    [(15.0, 1, {1}), (10.4, 1, {0}), (20.05, 1, {1}), (0.2, 0, {0})],
)
def test_the_loss_of_a_process_spoils_its_stage_and_the_last_second_of_its_records(
    t_s: float, lost_in: int, records_of: set[int]
) -> None:
    run = recording(lost={1: t_s})
    (lost,) = generators_kept(run).reasons

    assert lost.stage == lost_in
    assert "generator 1 was lost (SIGKILL)" in lost.message
    assert {reason.stage for reason in records_complete(run).reasons} == records_of


def test_the_loss_of_the_master_is_told_by_its_name() -> None:
    (lost,) = generators_kept(recording(lost={None: 3.0})).reasons

    assert "the generators' master was lost" in lost.message
    assert lost.stage == 0
