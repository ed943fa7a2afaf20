from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import analysis
from analysis.recording.format import Outcome
from analysis.recording.reader import read_run
from analysis.verdict import judge
from scenarios.loading import IMPLIED_SOURCE, parse_budgets
from tests.analysis.synthetic import RunBuilder, closed_queue, scenario_of, watch

LATENCY = {"all": ["p(95) < 300ms"]}
USERS = 10
SCHEMA = Path(analysis.__file__).parent / "schema" / "verdict.schema.json"


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def judged(folder: Path, **options: Any) -> dict[str, Any]:
    """The document; every one that these tests produce is held against the schema."""
    document = judge(read_run(folder), **options)
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    validator().validate(document)
    return document


def started(
    folder: Path,
    stages: Sequence[tuple[int, float]] = ((USERS, 10.0),),
    budgets: Mapping[str, Sequence[Any]] | None = None,
    expectations: Mapping[str, str] | None = None,
    **load: Any,
) -> RunBuilder:
    load = {"think_scale": 0.01, "timeout": "9s"} | load
    chosen = LATENCY if budgets is None else budgets
    scenario = scenario_of(stages, budgets=chosen, **load)
    return RunBuilder(folder / "run", scenario | {"expectations": dict(expectations or {})})


def queue(build: RunBuilder, start_s: float, end_s: float, **options: Any) -> None:
    defaults: dict[str, Any] = {"users": USERS, "think_s": 0.1, "service_s": 0.005}
    rng = np.random.default_rng(1)
    closed_queue(build, start_s=start_s, end_s=end_s, rng=rng, **{**defaults, **options})


def hang(build: RunBuilder, at_s: float, seen_s: float, outcome: Outcome) -> None:
    """Every user sends a request that nobody ever sees the end of."""
    for user in range(USERS):
        build.add(at_s + 0.01 * user, None, seen_s=seen_s, outcome=outcome, persona="sales_rep")


def healthy(folder: Path, **options: Any) -> Path:
    build = started(folder, **options)
    queue(build, 0.0, 10.0)
    watch(build, until_s=10.0)
    return build.finish(ended_s=10.0)


def grown(
    folder: Path, service_s: Sequence[float], budgets: dict[str, list[str]], **load: Any
) -> RunBuilder:
    """Stages of 10, 20, 30 ... users, each 10 s, each with a service time of its own."""
    stages = [(USERS * (index + 1), 10.0) for index in range(len(service_s))]
    build = started(folder, stages, budgets, **load)
    for index, ((users, _), service) in enumerate(zip(stages, service_s, strict=True)):
        queue(build, 10.0 * index, 10.0 * (index + 1), users=users, service_s=service)
    watch(build, until_s=10.0 * len(stages))
    return build


def outcome_of(document: dict[str, Any]) -> tuple[str, int]:
    return document["verdict"], document["exit_code"]


def budget(document: dict[str, Any], assertion: str) -> dict[str, Any]:
    return next(b for b in document["budgets"] if b["assertion"] == assertion)


def codes(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document["validity"]["reasons"]]


def test_a_healthy_run_passes_and_is_valid(tmp_path: Path) -> None:
    document = judged(healthy(tmp_path))
    assert outcome_of(document) == ("passed", 0)
    assert document["validity"] == {"valid": True, "reasons": []}
    assert document["warnings"] == []
    assert [b["verdict"] for b in document["budgets"]] == ["passed"] * 3
    assert len(document["implied"]) == 2, "error ratio and availability come with a latency"
    assert document["stages"][0]["verdict"] == "passed"
    assert document["scalability"]["capacity"] == {"last_pass": 10, "first_fail": None}
    assert document["stability"]["availability"]["value"] == 1
    assert [row["verdict"] for row in document["scorecard"]] == ["passed"] * 4 + ["unjudged"] * 2
    assert [row["criterion"] for row in document["scorecard"][-2:]] == [
        "scalability.data_growth",
        "scalability.functional_extension",
    ], "what one run says nothing of is not passed over"


def test_a_hang_fails_the_run_and_every_stuck_request_is_counted(tmp_path: Path) -> None:
    build = started(tmp_path, [(USERS, 8.0)])
    queue(build, 0.0, 3.0)
    hang(build, 3.0, 10.0, Outcome.UNFINISHED)
    watch(build, until_s=8.0)
    document = judged(build.finish(ended_s=8.0))
    assert outcome_of(document) == ("failed", 99)
    assert document["validity"]["valid"]
    stage = document["stages"][0]
    assert stage["unfinished"] == stage["bad"] == document["totals"]["unfinished"] == USERS
    assert stage["in_flight"]["value"] == pytest.approx(USERS * 5 / 8, rel=0.1)
    assert stage["latency"]["max"]["value"] == pytest.approx(7000)
    assert budget(document, "availability >= 99%")["verdict"] == "failed"
    assert document["stability"]["availability"]["value"] == pytest.approx(3 / 8, abs=0.13)
    assert document["stability"]["outages"][0]["open"]


def test_a_hang_from_before_the_hold_fails_the_run(tmp_path: Path) -> None:
    build = started(tmp_path, [(USERS, 8.0)], settle="3s")
    queue(build, 0.0, 2.0)
    hang(build, 2.0, 13.0, Outcome.UNFINISHED)
    watch(build, until_s=11.0)
    document = judged(build.finish(ended_s=11.0))
    assert outcome_of(document) == ("failed", 99)
    assert document["validity"]["valid"]
    stage = document["stages"][0]
    assert stage["requests"] == stage["carried"] == stage["unfinished"] == USERS
    assert stage["throughput"]["value"] == 0
    assert stage["in_flight"]["value"] == USERS
    latency = budget(document, "p(95) < 300ms")
    assert latency["verdict"] == "failed"
    assert "none was answered well" in latency["why"]


def test_a_user_that_hangs_through_a_whole_hold_is_no_less_bad_than_in_it(tmp_path: Path) -> None:
    build = started(tmp_path, [(2, 8.0)], settle="3s")
    build.add(1.0, None, seen_s=13.0, outcome=Outcome.UNFINISHED, persona="sales_rep")
    queue(build, 0.0, 11.0, users=1)
    watch(build, until_s=11.0)
    stage = judged(build.finish(ended_s=11.0))["stages"][0]
    assert stage["unfinished"] == stage["carried"] == 1
    assert stage["latency"]["max"]["high"] is None, "a lower bound"


@pytest.mark.parametrize("settle", ["0s", "3s"])
def test_a_hang_that_was_cut_off_shows_and_never_passes(tmp_path: Path, settle: str) -> None:
    build = started(tmp_path, [(USERS, 8.0)], settle=settle)
    queue(build, 0.0, 2.9)
    hang(build, 2.9, 6.1, Outcome.OPEN)
    watch(build, until_s=7.0)
    document = judged(build.finish(ended_s=None, closed=False))
    assert outcome_of(document) == ("failed", 99)
    assert document["ended"]["why"] == "killed"
    assert not document["ended"]["complete"]
    assert document["totals"]["outcomes"]["open"] == USERS
    assert document["stages"][0]["unfinished"] == USERS
    assert document["stability"]["outages"][-1] == {"start_s": 2.9, "end_s": 7.0, "open": True}
    assert any("killed" in warning for warning in document["warnings"])


def test_requests_open_for_a_moment_when_a_run_was_cut_off_are_no_outage(tmp_path: Path) -> None:
    build = started(tmp_path)
    queue(build, 0.0, 6.9)
    hang(build, 7.0, 7.2, Outcome.OPEN)
    watch(build, until_s=7.0)
    document = judged(build.finish(ended_s=None, closed=False))
    assert outcome_of(document) == ("inconclusive", 97)
    stability = document["stability"]
    assert (stability["availability"]["value"], stability["outages"]) == (1, [])
    assert stability["by_requests"]["value"] == 1


def test_a_healthy_run_that_was_cut_off_is_not_passed(tmp_path: Path) -> None:
    build = started(tmp_path)
    queue(build, 0.0, 7.0)
    watch(build, until_s=7.0)
    document = judged(build.finish(ended_s=None, closed=False))
    assert outcome_of(document) == ("inconclusive", 97)
    assert "did not complete" in document["why"]
    assert not document["stages"][0]["complete"]


def test_a_run_that_was_cut_off_above_the_required_load_may_pass(tmp_path: Path) -> None:
    build = started(tmp_path, [(10, 10.0), (20, 10.0)], required=10)
    queue(build, 0.0, 10.0)
    queue(build, 10.0, 15.0, users=20)
    watch(build, until_s=15.0)
    document = judged(build.finish(ended_s=15.0, why="target_lost"))
    assert outcome_of(document) == ("passed", 0)
    assert document["stages"][1]["verdict"] == "inconclusive"


@pytest.mark.parametrize("budgets", [LATENCY, {}, {"all": ["throughput > 1/s"]}])
@pytest.mark.parametrize(
    "outcome", [Outcome.UNFINISHED, Outcome.CONNECTION_ERROR, Outcome.HTTP_ERROR]
)
def test_a_run_without_any_answer_fails_with_and_without_budgets(
    tmp_path: Path, budgets: dict[str, list[str]], outcome: Outcome
) -> None:
    build = started(tmp_path, budgets=budgets, think_scale=1.0)
    for user in range(USERS):
        latency_s = None if outcome is Outcome.UNFINISHED else 0.001
        build.add(0.1 * user, latency_s, seen_s=12.0, outcome=outcome)
    watch(build, until_s=10.0)
    document = judged(build.finish(ended_s=10.0))
    assert outcome_of(document) == ("failed", 99)
    assert "none was answered well" in document["why"]


def test_silence_is_not_held_against_the_target_when_the_harness_broke_down(
    tmp_path: Path,
) -> None:
    build = started(tmp_path)
    hang(build, 0.1, 12.0, Outcome.UNFINISHED)
    watch(build, until_s=10.0, cpu=0.99)
    document = judged(build.finish(ended_s=10.0))
    assert outcome_of(document) == ("invalid", 96)
    assert codes(document) == ["generator_saturated"]


def test_refusals_are_held_against_the_target_whatever_the_harness_did(tmp_path: Path) -> None:
    build = started(tmp_path)
    for number in range(5000):
        build.add(0.002 * number, 0.001, outcome=Outcome.CONNECTION_ERROR)
    watch(build, until_s=10.0, cpu=0.99)
    document = judged(build.finish(ended_s=10.0))
    assert outcome_of(document) == ("failed", 99)
    assert not document["validity"]["valid"]


def test_users_that_starve_an_endpoint_while_they_hang_do_not_make_the_run_invalid(
    tmp_path: Path,
) -> None:
    budgets = {"all": ["p(95) < 300ms"], "GET /never": ["p(95) < 300ms"]}
    build = started(tmp_path, [(USERS, 8.0)], budgets)
    queue(build, 0.0, 3.0)
    hang(build, 3.0, 10.0, Outcome.UNFINISHED)
    watch(build, until_s=8.0)
    document = judged(build.finish(ended_s=8.0))
    assert codes(document) == ["no_data"]
    assert outcome_of(document) == ("failed", 99)


def test_a_budget_on_an_endpoint_without_requests_is_never_passed(tmp_path: Path) -> None:
    budgets = {"GET /never": ["p(95) < 300ms"]}
    document = judged(healthy(tmp_path, budgets=budgets))
    assert outcome_of(document) == ("invalid", 96)
    assert codes(document) == ["no_data"]
    assert document["budgets"][0]["verdict"] == "inconclusive"


def test_an_invalid_run_has_no_other_verdict(tmp_path: Path) -> None:
    build = started(tmp_path, budgets={"all": ["p(95) < 1ms"]})
    queue(build, 0.0, 10.0)
    watch(build, until_s=10.0, missing=2)
    document = judged(build.finish(ended_s=10.0))
    assert outcome_of(document) == ("invalid", 96)
    assert document["why"] == document["validity"]["reasons"][0]["message"]
    assert {b["verdict"] for b in document["budgets"]} == {"invalid"}
    assert document["stages"][0]["verdict"] == "invalid"


def test_fast_errors_do_not_improve_a_latency_verdict(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 100ms"]}
    build = started(tmp_path, budgets=budgets)
    queue(build, 0.0, 10.0, service_s=0.05)
    for number in range(20_000):
        build.add(0.0005 * number, 0.001, outcome=Outcome.HTTP_ERROR, status=503, step=1)
    watch(build, until_s=10.0)
    document = judged(build.finish(ended_s=10.0))
    assert outcome_of(document) == ("failed", 99)
    assert budget(document, "p(95) < 100ms")["verdict"] == "failed"
    assert budget(document, "error_ratio < 1%")["verdict"] == "failed"


def test_a_budget_that_is_broken_at_a_lower_load_fails_and_names_it(tmp_path: Path) -> None:
    build = grown(tmp_path, [0.005, 0.1, 0.001], {"all": ["p(95) < 300ms"]})
    document = judged(build.finish(ended_s=30.0))
    assert outcome_of(document) == ("failed", 99)
    broken = budget(document, "p(95) < 300ms")
    assert (broken["stage"], broken["users"]) == (1, 20)
    assert [at["verdict"] for at in broken["stages"]] == ["passed", "failed", "passed"]
    assert document["scalability"]["capacity"] == {"last_pass": 10, "first_fail": 20}


@pytest.mark.parametrize(
    ("floor", "verdict", "capacity"),
    [
        ("throughput > 150/s", "passed", {"last_pass": 20, "first_fail": None}),
        ("throughput > 250/s", "failed", {"last_pass": None, "first_fail": 20}),
    ],
)
def test_a_floor_on_throughput_is_held_against_the_required_load_alone(
    tmp_path: Path, floor: str, verdict: str, capacity: dict[str, float | None]
) -> None:
    """Ten users who think 0.1 s ask less than 100 times a second, twenty less than 200 times."""
    build = grown(tmp_path, [0.0005, 0.0005], {"all": [floor]})
    document = judged(build.finish(ended_s=20.0))
    assert document["verdict"] == verdict
    found = budget(document, floor)
    assert (found["stage"], found["users"], found["verdict"]) == (1, 20, verdict)
    assert [at["verdict"] for at in found["stages"]] == ["unjudged", verdict]
    assert found["stages"][0]["measured"]["value"] == pytest.approx(98, abs=6)
    assert "held to no floor" in found["stages"][0]["why"]
    assert document["scalability"]["capacity"] == capacity


def test_two_stages_of_one_load_in_a_run_do_not_speak_of_other_runs(tmp_path: Path) -> None:
    build = started(tmp_path, [(10, 10.0), (10, 10.0)])
    queue(build, 0.0, 20.0)
    watch(build, until_s=20.0)
    found = judged(build.finish(ended_s=20.0))["scalability"]
    assert found["levels"] == 1
    estimates = ("sigma", "kappa", "lambda", "peak", "peak_throughput", "saturation", "asymptote")
    assert {found[name]["covers"] for name in estimates} == {"this run"}


def test_a_lower_load_with_few_requests_does_not_make_the_run_inconclusive(
    tmp_path: Path,
) -> None:
    build = started(tmp_path, [(1, 1.0), (10, 10.0)])
    build.add(0.5, 0.01, persona="sales_rep")
    queue(build, 1.0, 11.0)
    watch(build, until_s=11.0)
    document = judged(build.finish(ended_s=11.0))
    assert outcome_of(document) == ("passed", 0)
    assert [stage["verdict"] for stage in document["stages"]] == ["inconclusive", "passed"]


def test_stages_above_the_required_load_do_no_harm_but_find_the_limit(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 300ms", "capacity >= 20"]}
    build = grown(tmp_path, [0.002, 0.002, 0.1], budgets, required=20)
    document = judged(build.finish(ended_s=30.0))
    assert outcome_of(document) == ("passed", 0)
    assert [stage["judged"] for stage in document["stages"]] == [True, True, False]
    assert [stage["verdict"] for stage in document["stages"]] == ["passed", "passed", "failed"]
    assert document["scalability"]["capacity"] == {"last_pass": 20, "first_fail": 30}
    assert budget(document, "capacity >= 20")["verdict"] == "passed"
    assert {endpoint["stage"] for endpoint in document["endpoints"]} == {1}


@pytest.mark.parametrize(
    ("users", "expected"), [(20, "passed"), (25, "inconclusive"), (30, "failed"), (99, "failed")]
)
def test_a_capacity_lies_between_what_passed_and_what_failed(
    tmp_path: Path, users: int, expected: str
) -> None:
    budgets = {"all": ["p(95) < 300ms", f"capacity >= {users}"]}
    build = grown(tmp_path, [0.002, 0.002, 0.1], budgets, required=20)
    document = judged(build.finish(ended_s=30.0))
    assert budget(document, f"capacity >= {users}")["verdict"] == expected


def test_a_stage_above_the_required_load_may_be_invalid_without_harm(tmp_path: Path) -> None:
    build = grown(tmp_path, [0.002, 0.002], {"all": ["p(95) < 300ms"]}, required=10)
    build.event(t_s=15.0, kind="clock_stepped", step_s=1.0)
    document = judged(build.finish(ended_s=20.0))
    assert outcome_of(document) == ("passed", 0)
    assert [stage["valid"] for stage in document["stages"]] == [True, False]
    assert document["stages"][1]["verdict"] == "invalid"
    assert document["scalability"]["capacity"] == {"last_pass": 10, "first_fail": None}


def test_a_run_whose_records_are_cut_off_says_nothing_of_how_it_scales(tmp_path: Path) -> None:
    build = started(tmp_path, [(USERS, 1.0), (USERS, 1.0)])
    queue(build, 0.0, 2.0)
    watch(build, until_s=2.0)
    document = judged(build.finish(ended_s=2.0, closed=False))
    assert outcome_of(document) == ("invalid", 96)
    assert codes(document) == ["records_lost"]
    assert [stage["valid"] for stage in document["stages"]] == [False, False], "nobody knows where"
    refused = "the run is invalid: the records of generator 0 are cut off; allowed: closed by it"
    assert document["scalability"]["refused"] == document["scalability"]["peak"]["why"] == refused


@pytest.mark.parametrize(("told", "exit_code"), [(None, 97), ("pass", 0), ("fail", 99)])
def test_few_requests_are_inconclusive_and_exit_as_told(
    tmp_path: Path, told: str | None, exit_code: int
) -> None:
    build = started(tmp_path, think_scale=0.5)
    queue(build, 0.0, 10.0, think_s=5.0)
    watch(build, until_s=10.0)
    document = judged(build.finish(ended_s=10.0), on_inconclusive=told)
    assert outcome_of(document) == ("inconclusive", exit_code)
    assert document["on_inconclusive"] == told
    assert "a pass takes at least 78" in document["why"]


def test_another_word_for_inconclusive_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed: pass, fail"):
        judge(read_run(healthy(tmp_path)), on_inconclusive="maybe")


def test_a_run_without_budgets_is_unjudged(tmp_path: Path) -> None:
    document = judged(healthy(tmp_path, budgets={}))
    assert outcome_of(document) == ("unjudged", 0)
    assert document["scorecard"][0]["expected"] is None
    assert [row["verdict"] for row in document["scorecard"]] == ["unjudged"] * 5


def test_an_invalid_run_misses_no_expectation(tmp_path: Path) -> None:
    stages = [(USERS, 10.0), (2 * USERS, 10.0)]
    build = started(tmp_path, stages, {"all": ["p(95) < 300ms", "capacity >= 20"]})
    queue(build, 0.0, 10.0, service_s=0.1)
    queue(build, 10.0, 20.0, users=2 * USERS)
    watch(build, until_s=20.0)
    build.event(t_s=15.0, kind="clock_stepped", step_s=1.0)
    document = judged(build.finish(ended_s=20.0))
    assert document["stages"][0]["verdict"] == "failed"
    assert outcome_of(document) == ("invalid", 96)
    told = {row["indicator"]: row["verdict"] for row in document["scorecard"]}
    assert told["users carried within the budgets"] == told["capacity"] == "invalid"


def test_a_broken_warning_shows_and_does_not_fail_the_run(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 300ms", "warn: p(99) < 1ms"]}
    document = judged(healthy(tmp_path, budgets=budgets))
    assert outcome_of(document) == ("passed", 0)
    assert budget(document, "p(99) < 1ms")["verdict"] == "warned"


def test_a_positive_difference_is_worse_whatever_the_indicator(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 300ms", "availability >= 99.9%"]}
    build = grown(tmp_path, [0.002, 0.1], budgets)
    rows = {row["indicator"]: row for row in judged(build.finish(ended_s=20.0))["scorecard"]}
    latency, growth = rows["p(95)"], rows["users carried within the budgets"]
    assert latency["difference"] == pytest.approx(latency["actual"]["value"] - 300)
    assert latency["difference"] > 0
    assert (latency["expected"], latency["unit"], latency["verdict"]) == ("< 300ms", "ms", "failed")
    assert latency["difference_percent"] == pytest.approx(latency["difference"] / 3)
    assert (growth["expected"], growth["difference"]) == (">= 20 users", 10)
    assert growth["difference_percent"] == 50
    assert rows["availability"]["difference"] == pytest.approx(-0.001)


def test_an_expectation_is_somebodys_and_comes_from_somewhere(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 300ms", {"assert": "p(99) < 1s", "source": "own history"}]}
    whose = {"owner": "head of sales", "source": "contract: SLA 2026"}
    build = healthy(tmp_path, budgets=budgets, expectations=whose)
    rows = {row["indicator"]: row for row in judged(build)["scorecard"]}
    said = {name: (row["owner"], row["source"]) for name, row in rows.items()}
    assert said["p(95)"] == ("head of sales", "contract: SLA 2026")
    assert said["p(99)"] == ("head of sales", "own history")
    assert said["users carried within the budgets"][0] == "head of sales"
    assert said["availability"] == ("head of sales", IMPLIED_SOURCE)


def test_a_recorded_run_is_judged_again_by_other_budgets(tmp_path: Path) -> None:
    other = parse_budgets({"budgets": {"all": ["p(95) < 1ms"]}}, name="other.toml")
    document = judged(healthy(tmp_path), budgets=other)
    assert outcome_of(document) == ("failed", 99)


@pytest.mark.parametrize(("why", "exit_code"), [("interrupted", 130), ("host_refused", 2)])
def test_some_ends_decide_the_exit_code(tmp_path: Path, why: str, exit_code: int) -> None:
    build = started(tmp_path)
    queue(build, 0.0, 5.0)
    watch(build, until_s=5.0)
    document = judged(build.finish(ended_s=5.0, why=why))
    assert document["exit_code"] == exit_code
    assert document["verdict"] != "passed"


@pytest.mark.parametrize("ended_s", [0.0, 1.0, 4.0, 14.5])
def test_a_run_that_ended_at_any_time_has_a_document(tmp_path: Path, ended_s: float) -> None:
    build = started(tmp_path, [(10, 5.0), (20, 5.0)], warmup="2s", settle="2s")
    if ended_s:
        queue(build, 0.0, ended_s)
    watch(build, until_s=ended_s)
    document = judged(build.finish(ended_s=ended_s, why="interrupted"))
    assert document["exit_code"] == 130
    assert document["verdict"] in {"inconclusive", "invalid"}


def test_an_empty_folder_of_a_killed_run_has_a_document(tmp_path: Path) -> None:
    document = judged(started(tmp_path).finish(ended_s=None, closed=False))
    assert document["verdict"] == "inconclusive"
    assert document["totals"]["requests"] == 0


def test_a_freeze_that_ends_in_right_answers_is_an_outage(tmp_path: Path) -> None:
    build = started(tmp_path, [(USERS, 20.0)])
    queue(build, 0.0, 4.0)
    for user in range(USERS):
        build.add(4.0 + 0.01 * user, 6.0, persona="sales_rep", user=user)
    queue(build, 10.1, 20.0)
    watch(build, until_s=20.0)
    document = judged(build.finish(ended_s=20.0))
    assert outcome_of(document) == ("failed", 99)
    assert budget(document, "availability >= 99%")["verdict"] == "failed"
    assert document["stability"]["by_requests"]["value"] == 1
    outage = document["stability"]["outages"][0]
    assert (outage["start_s"], outage["end_s"]) == pytest.approx((5.0, 10.0), abs=1.0)


def test_a_slow_warmup_is_not_judged(tmp_path: Path) -> None:
    build = started(tmp_path, warmup="5s")
    queue(build, 0.0, 5.0, service_s=0.2)
    queue(build, 6.0, 15.0)
    watch(build, until_s=15.0)
    document = judged(build.finish(ended_s=15.0))
    assert budget(document, "p(95) < 300ms")["measured"]["value"] < 300


def test_counts_and_percentiles_are_those_of_numpy(tmp_path: Path) -> None:
    build = started(tmp_path, [(5, 3.0), (10, 5.0)], settle="1s", warmup="1s")
    rng = np.random.default_rng(5)
    kinds = [Outcome.OK, Outcome.HTTP_ERROR, Outcome.TIMEOUT, Outcome.CANCELLED]
    rows = []
    for _ in range(3000):
        at, latency = float(rng.uniform(0, 11)), float(rng.exponential(0.05))
        outcome = kinds[int(rng.choice(4, p=[0.9, 0.05, 0.03, 0.02]))]
        name = f"GET /{'ab'[int(rng.integers(2))]}"
        build.add(at, latency, outcome=outcome, name=name, sent_s=at + 0.001)
        rows.append((at, round(at * 1e6), round(latency * 1e6), outcome, name))
    watch(build, until_s=11.0)
    document = judged(build.finish(ended_s=11.0))
    for stage, start, end in ((0, 2e6, 5e6), (1, 6e6, 11e6)):
        found = document["stages"][stage]
        parts = [(found, "")] + [(e, e["name"]) for e in found["endpoints"]]
        for part, name in parts:
            mine = [r for r in rows if start <= r[1] < end and r[4].startswith(name)]
            kind = np.array([r[3] for r in mine])
            latency_us = np.array([r[2] for r in mine], dtype=float)
            among = np.isin(kind, [Outcome.OK, Outcome.TIMEOUT])
            assert part["requests"] == len(mine)
            bad = int(np.isin(kind, [Outcome.HTTP_ERROR, Outcome.TIMEOUT]).sum())
            assert part["bad"] == bad
            assert part["outcomes"]["cancelled"] == int((kind == Outcome.CANCELLED).sum())
            counted = int((kind != Outcome.CANCELLED).sum())
            assert part["error_ratio"]["value"] == pytest.approx(bad / counted, rel=1e-12)
            for label, level in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
                value = np.quantile(latency_us[among] / 1e3, level, method="linear")
                assert part["latency"][label]["value"] == pytest.approx(value, rel=1e-12)
                service = np.quantile(latency_us[among] / 1e3 - 1, level, method="linear")
                assert part["service_time"][label]["value"] == pytest.approx(service, rel=1e-9)
            done_us = np.array([r[1] + r[2] for r in rows if r[4].startswith(name)])
            ok = np.array([r[3] is Outcome.OK for r in rows if r[4].startswith(name)])
            within = int((ok & (done_us >= start) & (done_us < end)).sum())
            assert part["throughput"]["value"] == pytest.approx(within / (end - start) * 1e6)
    assert document["totals"]["requests"] == 3000
