"""The recoveries of recorded runs, and the budget that speaks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.availability import Outage
from analysis.decision import Verdict
from analysis.disturbances import Disturbance
from analysis.estimate import Estimate, not_estimable
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.recoveries import NOTHING_DISTURBED, judge_recovery, recoveries_of
from analysis.recovery import Recovery
from analysis.report.advice import next_actions
from analysis.report.words import moment
from analysis.stability import stability_of
from analysis.verdict import judge
from analysis.windows import hold_of, hold_windows
from scenarios.assertions import parse_assertion
from tests.analysis.synthetic import RunBuilder, closed_queue, scenario_of, watch
from tests.support.disturbed import Freeze, arrivals, closed_requests, departures

USERS = 20


def record(build: RunBuilder, freeze: Freeze, until_s: float) -> None:
    """Users who think 0.2 s at a server of 5 ms that stands still once."""
    requests = closed_requests(
        np.random.default_rng(1),
        users=USERS,
        think_s=0.2,
        service_s=0.005,
        length_s=until_s,
        freeze=freeze,
    )
    for at_s, latency_ms in zip(requests.intended_s, requests.latency_ms, strict=True):
        build.add(at_s, latency_ms / 1e3, persona="sales_rep")


def events(build: RunBuilder, number: int, at_s: float, cleared_s: float | None) -> None:
    same = {"fault": number, "what": "freeze", "process": "server"}
    build.event(t_s=at_s, kind="fault_injected", **same, planned_s=at_s, pids=[1])
    if cleared_s is not None:
        build.event(t_s=cleared_s, kind="fault_cleared", **same, planned_s=cleared_s, pids=[1])


def frozen_run(
    folder: Path,
    *,
    injected: bool,
    cpu: float = 0.2,
    budgets: Sequence[str] = ("p(95) < 800ms",),
    **load: Any,
) -> Recording:
    """A run of 30 s that stands still from 12.3 to 16.8 s."""
    build = RunBuilder(
        folder / "run",
        scenario_of([(USERS, 30.0)], budgets={"all": budgets}, timeout="9s", **load),
    )
    record(build, Freeze(start_s=12.3, end_s=16.8), 30.0)
    if injected:
        events(build, 0, 12.3, 16.8)
    watch(build, until_s=30.0, cpu=cpu)
    return read_run(build.finish(ended_s=30.0))


@pytest.mark.parametrize("injected", [True, False], ids=["a fault", "an outage"])
def test_a_freeze_is_followed_whether_or_not_anybody_injected_it(
    tmp_path: Path, injected: bool
) -> None:
    run = frozen_run(tmp_path, injected=injected)
    holds = [hold_of(run.samples, w) for w in hold_windows(run.schedule, run.ended_s)]
    (found,) = stability_of(run, (), holds).recoveries
    assert found.disturbance.kind == ("fault" if injected else "outage")
    assert found.disturbance.start_s == pytest.approx(12.3, abs=1.0)
    assert found.recovered_s == pytest.approx(16.8, abs=1.0)
    assert found.seen_until_s == 30.0
    assert found.loss.value == pytest.approx(4.5, abs=1.0)


@pytest.mark.parametrize(
    ("cpu", "verdicts"), [(0.2, ("passed", "failed")), (0.99, ("invalid", "invalid"))]
)
def test_where_nobody_listened_well_a_recovery_is_neither_fast_nor_slow(
    tmp_path: Path, cpu: float, verdicts: tuple[str, str]
) -> None:
    budgets = ["recovery_time < 20s", "recovery_time < 2s"]
    document = judge(frozen_run(tmp_path, injected=True, cpu=cpu, budgets=budgets))
    assert document["verdict"] == verdicts[1]
    of_recovery = [b for b in document["budgets"] if b["assertion"] in budgets]
    rows = [r for r in document["scorecard"] if r["indicator"] == "recovery_time"]
    assert tuple(budget["verdict"] for budget in of_recovery) == verdicts
    assert tuple(row["verdict"] for row in rows) == verdicts


def test_what_comes_back_too_late_is_followed_in_the_log_and_expected_as_it_was_stated(
    tmp_path: Path,
) -> None:
    document = judge(frozen_run(tmp_path, injected=True, budgets=["recovery_time < 2 s"]))
    (row,) = [r for r in document["scorecard"] if r["indicator"] == "recovery_time"]
    assert row["expected"] == "< 2 s"
    assert row["next"] == "follow the target's log from the end of the fault on"
    (action,) = [a for a in next_actions(document) if "recovery_time" in a.about]
    (recovery,) = document["stability"]["recovery"]
    assert action.text.startswith(f"Follow the target's log from {moment(recovery['end_s'])} on")


def test_a_recovery_or_capacity_that_nobody_saw_is_not_seen_by_holding_longer(
    tmp_path: Path,
) -> None:
    build = RunBuilder(
        tmp_path / "run",
        scenario_of(
            [(USERS, 12.0)], budgets={"all": ["recovery_time < 2s", "capacity >= 90 users"]}
        ),
    )
    rng = np.random.default_rng(2)
    closed_queue(build, users=USERS, start_s=0, end_s=12, think_s=0.2, service_s=0.005, rng=rng)
    watch(build, until_s=12.0, cpu=0.2)
    document = judge(read_run(build.finish(ended_s=12.0)))
    rows = {r["indicator"]: r for r in document["scorecard"]}
    assert rows["recovery_time"]["next"] == "disturb it, and run on for ten windows after it"
    assert rows["capacity"]["next"] == "add a stage above"
    (action,) = [a for a in next_actions(document) if a.verdict == "inconclusive"]
    assert "Hold the deciding stage longer" not in action.text


def test_a_run_that_nothing_disturbed_has_none(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(USERS, 12.0)]))
    rng = np.random.default_rng(2)
    closed_queue(build, users=USERS, start_s=0, end_s=12, think_s=0.2, service_s=0.005, rng=rng)
    assert recoveries_of(read_run(build.finish(ended_s=12.0)), ()) == ()


def test_what_disturbs_only_a_load_beyond_the_required_is_left_out(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(5, 10.0), (20, 10.0)], required=5))
    events(build, 0, 12.0, 13.0)
    build.add(1.0, 0.1)
    assert recoveries_of(read_run(build.finish(ended_s=20.0)), ()) == ()


def test_an_outage_before_something_else_was_over_is_a_part_of_it(tmp_path: Path) -> None:
    recording = frozen_run(tmp_path, injected=True)
    within = Outage(start_s=16.0, end_s=18.5)
    later = Outage(start_s=25.0, end_s=26.0)
    found = recoveries_of(recording, [within, later])
    assert [each.disturbance.kind for each in found] == ["fault", "outage"]
    assert found[1].baseline[0][0] == 0.0
    assert found[1].baseline[1][0] == found[0].recovered_s  # what the first disturbed is left out


def test_overlapping_faults_censor_the_first_and_follow_the_second(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(USERS, 30.0)]))
    record(build, Freeze(start_s=12.3, end_s=16.8), 30.0)
    events(build, 0, 12.3, 16.8)
    events(build, 1, 14.0, 14.1)
    first, second = recoveries_of(read_run(build.finish(ended_s=30.0)), ())
    assert first.recovery_time.is_lower_bound
    assert first.seen_until_s == 14.0
    assert second.recovered_s == pytest.approx(16.8, abs=1.0)
    assert second.baseline == ((0.0, 12.3),)


def test_a_spike_is_compared_with_the_load_before_it(tmp_path: Path) -> None:
    load: dict[str, Any] = {"model": "open", "required": 50, "timeout": "9s"}
    stages = [{"rate": 50, "hold": "15s"}, {"rate": 150, "hold": "5s"}, {"rate": 50, "hold": "25s"}]
    build = RunBuilder(tmp_path / "run", scenario_of([], **load))
    build.scenario["load"]["stages"] = stages
    rng = np.random.default_rng(3)
    at_s = np.sort(np.append(arrivals(rng, 50, 45.0), 15 + arrivals(rng, 100, 5.0)))
    # 150/s come where 100/s are served: 250 wait when the load is back, and drain at 50/s
    end_s = departures(at_s, rng.exponential(0.01, len(at_s)))
    for begin, end in zip(at_s, end_s, strict=True):
        build.add(begin, end - begin, persona="sales_rep")
    (found,) = recoveries_of(read_run(build.finish(ended_s=45.0)), ())
    assert found.disturbance.what == "spike to 150 arrivals/s"
    assert (found.disturbance.start_s, found.disturbance.since_s) == (15.0, 20.0)
    assert found.baseline == ((0.0, 15.0),)
    assert found.recovery_time.value == pytest.approx(5.0, abs=2.5)


def staircase(folder: Path, *rates: int, away: tuple[float, float] = (0.0, 0.0)) -> Recording:
    """Arrivals at several rates of 12 s each, refused from one moment to another."""
    build = RunBuilder(
        folder / "run", scenario_of([], model="open", required=sorted(set(rates))[1], timeout="9s")
    )
    build.scenario["load"]["stages"] = [{"rate": rate, "hold": "12s"} for rate in rates]
    rng = np.random.default_rng(3)
    for stage, rate in enumerate(rates):
        for at_s in 12 * stage + arrivals(rng, rate, 12.0):
            outcome = Outcome.HTTP_ERROR if away[0] <= at_s < away[1] else Outcome.OK
            build.add(at_s, rng.exponential(0.01), persona="sales_rep", outcome=outcome)
    return read_run(build.finish(ended_s=12.0 * len(rates)))


def test_an_outage_on_the_way_to_a_spike_is_not_swallowed_by_it(tmp_path: Path) -> None:
    run = staircase(tmp_path, 20, 50, 80, 20, away=(20.0, 23.0))
    spike, outage = recoveries_of(run, [Outage(start_s=20.0, end_s=23.0)])
    assert (spike.disturbance.kind, spike.disturbance.since_s) == ("spike", 36.0)
    assert (outage.disturbance.kind, outage.disturbance.level) == ("outage", 50)
    assert outage.baseline == ((12.0, 20.0),)
    assert outage.recovery_time.value == pytest.approx(3.0, abs=1.0)
    decision = judge_recovery(parse_assertion("recovery_time < 2s"), [spike, outage])
    assert decision.verdict is Verdict.FAILED


def test_a_spike_upon_a_spike_is_followed_to_both_levels(tmp_path: Path) -> None:
    outer, inner = recoveries_of(staircase(tmp_path, 20, 50, 80, 50, 20), ())
    assert (outer.disturbance.since_s, inner.disturbance.since_s) == (48.0, 36.0)
    assert (outer.baseline, inner.baseline) == (((0.0, 12.0),), ((12.0, 24.0),))
    assert (outer.recovery_time.value, inner.recovery_time.value) == (0.0, 0.0)


@pytest.mark.parametrize("kind", ["fault", "outage"])
def test_a_recovery_that_cannot_be_told_hides_no_later_one(tmp_path: Path, kind: str) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(USERS, 30.0)]))
    record(build, Freeze(start_s=12.3, end_s=16.8), 30.0)
    outages = [Outage(start_s=1.0, end_s=1.5), Outage(start_s=12.3, end_s=16.8)]
    if kind == "fault":
        for number, each in enumerate(outages):
            events(build, number, each.start_s, each.end_s)
    first, second = recoveries_of(read_run(build.finish(ended_s=30.0)), outages)
    assert (first.disturbance.kind, first.recovery_time.value) == (kind, None)
    assert second.baseline == ((0.0, 1.0), (1.5, 12.3))
    assert second.recovered_s == pytest.approx(16.8, abs=1.0)
    decision = judge_recovery(parse_assertion("recovery_time < 2s"), [first, second])
    assert decision.verdict is Verdict.FAILED


def test_a_fault_that_was_not_over_when_the_run_ended_is_censored(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(USERS, 16.0)]))
    record(build, Freeze(start_s=12.3, end_s=99.0), 16.0)
    events(build, 0, 12.3, None)
    (found,) = recoveries_of(read_run(build.finish(ended_s=16.0, why="interrupted")), ())
    assert found.recovery_time.is_lower_bound
    assert found.recovery_time.value == pytest.approx(3.7, abs=0.5)


def test_requests_that_the_harness_cancelled_disturb_nobody(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(USERS, 30.0)]))
    record(build, Freeze(start_s=99.0, end_s=99.0), 30.0)
    for i in range(200):
        build.add(14.0 + i / 100, None, seen_s=17.0, outcome=Outcome.CANCELLED)
    events(build, 0, 14.0, 16.0)
    (found,) = recoveries_of(read_run(build.finish(ended_s=30.0)), ())
    assert found.recovery_time.value == 0


SEEN = {"unit": "s", "method": "m"}


def recovered(low: float, high: float | None, why: str | None = None) -> Recovery:
    nothing = not_estimable("x")
    return Recovery(
        disturbance=Disturbance(
            kind="fault", what="kill of the server", start_s=60.0, end_s=63.0, level=20
        ),
        seen_until_s=120.0,
        window_s=0.5,
        detected_after=nothing,
        recovery_time=Estimate(
            value=low if high is None else high, low=low, high=high, why=why, unit="s"
        ),
        loss=nothing,
        lost=nothing,
        residual=dict.fromkeys(("p50", "p95", "goodput"), nothing),
    )


@pytest.mark.parametrize(
    ("recoveries", "verdict", "said"),
    [
        ([recovered(4.5, 5.0)], Verdict.PASSED, "kill of the server at 60.0 s"),
        ([recovered(30.0, 30.5)], Verdict.FAILED, "kill of the server at 60.0 s"),
        ([recovered(29.75, 30.25)], Verdict.INCONCLUSIVE, "within a window of 0.5 s"),
        ([recovered(42.0, None, "not recovered")], Verdict.FAILED, "not recovered"),
        ([recovered(12.0, None, "not recovered")], Verdict.INCONCLUSIVE, "not recovered"),
        ([recovered(4.5, 5.0), recovered(30.0, 31.0)], Verdict.FAILED, "kill"),
        ([recovered(12.0, None, "cut"), recovered(30.0, 31.0)], Verdict.FAILED, "kill"),
        ([recovered(4.5, 5.0), recovered(12.0, None, "cut off")], Verdict.INCONCLUSIVE, "cut off"),
        ([], Verdict.INCONCLUSIVE, NOTHING_DISTURBED),
    ],
)
def test_the_slowest_recovery_decides(
    recoveries: list[Recovery], verdict: Verdict, said: str
) -> None:
    decision = judge_recovery(parse_assertion("recovery_time < 30s"), recoveries)
    assert decision.verdict is verdict
    assert said in str(decision.why)


def test_what_is_measured_is_the_deciding_one_and_in_seconds() -> None:
    decision = judge_recovery(
        parse_assertion("recovery_time < 30s"), [recovered(1.0, 1.5), recovered(7.5, 8.0)]
    )
    assert decision.measured.value == 8.0
    assert decision.measured.unit == "s"


@pytest.mark.parametrize("slowest", [recovered(60.0, 61.0), recovered(61.0, None, "cut off")])
def test_what_is_measured_is_the_slowest_of_those_that_took_too_long(slowest: Recovery) -> None:
    budget = parse_assertion("recovery_time < 30s")
    decision = judge_recovery(budget, [recovered(30.5, 31.0), slowest, recovered(1.0, 1.5)])
    assert decision.verdict is Verdict.FAILED
    assert decision.measured.value == 61.0


def test_what_cannot_be_estimated_is_undecided_with_its_reason() -> None:
    unknown = replace(recovered(1.0, 1.5), recovery_time=not_estimable("no baseline", unit="s"))
    decision = judge_recovery(
        parse_assertion("recovery_time < 30s"), [recovered(1.0, 2.0), unknown]
    )
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "no baseline" in str(decision.why)
