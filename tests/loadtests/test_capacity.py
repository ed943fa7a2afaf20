"""A search that runs: its file, its words, its exit code, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis.capacity_levels import Ending, SearchPlan
from analysis.report.capacity import as_markdown, as_text, sentences
from loadtests import capacity_cli
from loadtests.capacity import HIGH, Campaign, check, level_settings, search_words
from loadtests.supervisor import Interrupted
from scenarios.errors import TargetError, TrueloadError, UsageError
from scenarios.loading import builtin_scenarios, load_scenario
from scenarios.model import Scenario
from tests.support.harness import Harness
from tests.support.schemas import validator
from tests.support.simulated_levels import AROUND_S, TRUTH, Simulated


def campaign(folder: Path, simulated: Simulated, **changes: Any) -> Campaign:
    said: dict[str, Any] = {"low": 40.0, "high": 2560.0, "width": 0.25} | changes
    return Campaign(
        scenario=load_scenario("capacity"),
        plan=SearchPlan(**said),
        hold_s=25.0,
        parent=folder,
        clock=lambda: simulated.now_s,
    )


@pytest.mark.costly
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_holds_what_theory_says(tmp_path: Path, seed: int) -> None:
    # Over 200 seeds every interval does (tests/accuracy/capacity.py); the seeds are fixed.
    simulated = Simulated(seed, tmp_path)
    found = campaign(tmp_path, simulated).run(simulated, say=lambda _: None)

    assert found.ending is Ending.FOUND
    assert found.last_pass is not None
    assert found.first_fail is not None
    assert found.last_pass <= TRUTH <= found.first_fail <= 1.25 * found.last_pass


def test_each_run_has_chances_of_its_own_and_is_noted_in_the_file_and_in_its_manifest(
    tmp_path: Path,
) -> None:
    simulated, said = Simulated(1, tmp_path), list[str]()
    search = campaign(tmp_path, simulated)
    search.run(simulated, say=said.append)
    document = json.loads(search.path.read_text())
    seeds = [settings["load.seed"] for settings in simulated.settings]

    assert len(set(seeds)) == len(seeds) == len(document["runs"])
    assert document == json.loads(json.dumps(search.document()))
    validator("capacity").validate(document)
    assert document["capacity"]["low"] in {level["level"] for level in document["levels"]}
    assert document["took_s"] == simulated.now_s
    assert document["held_s"] == simulated.now_s - AROUND_S * len(seeds)
    manifest = json.loads((tmp_path / "run2" / "manifest.json").read_text())
    assert (manifest["group"], manifest["sequence"]) == (search.group, 2)
    assert manifest["varied"] == simulated.settings[1]
    assert said[0] == "run 1: 40 arrivals/s for 25 s"
    assert said[-2].endswith("to confirm it")
    assert "of requests beyond it" in said[-1]


def test_the_answer_is_told_first_and_the_levels_in_a_table(tmp_path: Path) -> None:
    simulated = Simulated(1, tmp_path)
    search = campaign(tmp_path, simulated)
    search.run(simulated, say=lambda _: None)
    document = search.document()
    text, page = as_text(document), as_markdown(document)

    low, high = document["capacity"]["low"], document["capacity"]["high"]
    assert text.startswith(f"capacity of capacity: between {low:g} and {high:g} arrivals/s (found:")
    assert "confirmed: " in text
    assert "took " in text
    assert page.startswith("# Capacity of capacity\n\n**Capacity of capacity: between ")
    assert page.count("\n| ") == len(document["levels"]) + len(document["runs"]) + 4


def test_what_is_not_monotone_is_said(tmp_path: Path) -> None:
    simulated = Simulated(1, tmp_path)
    search = campaign(tmp_path, simulated)
    search.run(simulated, say=lambda _: None)
    document = search.document() | {"not_monotone": [[80.0, 160.0]]}

    assert "NOT MONOTONE: 80 arrivals/s failed, and 160 arrivals/s passed" in "\n".join(
        sentences(document)
    )


def test_an_interrupt_ends_the_search_and_keeps_what_is_known(tmp_path: Path) -> None:
    simulated = Simulated(1, tmp_path)
    search = campaign(tmp_path, simulated)

    def second_is_interrupted(settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        folder, verdict = simulated(settings)
        if len(simulated.settings) == 2:
            verdict |= {"exit_code": 130, "stages": [{"hold": [3.0, 7.5]}]}
        return folder, verdict

    search.run(second_is_interrupted, say=lambda _: None)
    document = json.loads(search.path.read_text())
    validator("capacity").validate(document)

    assert len(document["runs"]) == 2
    assert [level["runs"] for level in document["levels"]] == [1]
    assert document["ending"] == "interrupted"
    assert document["held_s"] == 25 + 4.5  # what was held, not what should have been
    assert "interrupted" in as_text(document)


def test_an_interrupt_of_the_first_run_leaves_no_empty_table(tmp_path: Path) -> None:
    simulated = Simulated(1, tmp_path)
    search = campaign(tmp_path, simulated)

    def is_interrupted(settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        folder, verdict = simulated(settings)
        return folder, verdict | {"exit_code": 130, "stages": [{"hold": [3.0, 7.5]}]}

    search.run(is_interrupted, say=lambda _: None)
    document = search.document()
    page = as_markdown(document)
    validator("capacity").validate(document)

    assert document["levels"] == []
    assert "nearest" not in as_text(document)
    assert "## Levels" not in page
    assert page.count("\n| ") == len(document["runs"]) + 2  # the runs' own table


def test_a_target_that_ends_fails_its_load_and_is_said_to_have_ended(tmp_path: Path) -> None:
    simulated, said = Simulated(1, tmp_path), list[str]()
    search = campaign(tmp_path, simulated, most_runs=2)

    def second_is_lost(settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        folder, verdict = simulated(settings)
        if len(simulated.settings) == 2:
            ended = {"why": "target_lost", "complete": False}
            why = "the target ended by itself after 3 s of load"
            verdict |= {"verdict": "failed", "why": why, "ended": ended}
        return folder, verdict

    found = search.run(second_is_lost, say=said.append)

    assert found.first_fail == 80
    assert said[-1] == "  failed: the target ended by itself after 3 s of load"
    assert "80 arrivals/s failed: the target ended" in as_text(search.document())


def test_a_floor_on_throughput_is_left_aside_and_that_is_said(tmp_path: Path) -> None:
    """The lowest load would miss it, and the search would go down from there."""
    search = campaign(tmp_path, Simulated(1, tmp_path))
    budgets = 'budgets.all=["p(95) < 100ms", "throughput > 90/s", "warn: p(99) < 1s"]'
    search.scenario = load_scenario("capacity", settings=(budgets,))

    check(search.scenario)
    document = search.document()

    assert document["left_aside"] == ["all: throughput > 90/s"]
    assert "left aside: all: throughput > 90/s" in as_text(document)


def test_invalid_runs_have_no_say(tmp_path: Path) -> None:
    simulated = Simulated(1, tmp_path)
    search = campaign(tmp_path, simulated, repetitions=2)

    def invalid(settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        folder, verdict = simulated(settings)
        return folder, verdict | {"verdict": "invalid", "why": "the generator did not keep up"}

    found = search.run(invalid, say=lambda _: None)

    assert found.ending is Ending.INVALID
    assert len(search.runs) == 3
    assert search.document()["levels"] == []
    validator("capacity").validate(search.document())


def test_a_level_of_users_is_whole_and_ramps_as_the_scenario_does() -> None:
    scenario = load_scenario("growth", settings=["load.seed=5"])
    settings = level_settings(scenario, 40.0, hold_s=12.5, number=3)

    ramp_s = max(stage.ramp_s for stage in scenario.load.stages)
    assert settings["load.stages"] == [{"users": 40, "hold": "12.5s", "ramp": f"{ramp_s:g}s"}]
    assert settings["load.required"] == 40
    assert settings["load.seed"] == 8


class OnPaper:
    """Runs of the command on paper; one of them cannot be made."""

    def __init__(self, folder: Path, broken: int, error: TrueloadError) -> None:
        self._simulated = Simulated(1, folder)
        self._broken, self._error, self.runs = broken, error, 0

    def __call__(self, loaded: Scenario, **_: Any) -> tuple[Path, dict[str, Any]]:
        self.runs += 1
        if self.runs == self._broken:
            raise self._error
        (stage,) = loaded.load.stages
        hold = f"{stage.hold_s:g}s"
        return self._simulated({"load.stages": [{"rate": stage.level, "hold": hold}]})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TargetError("http://127.0.0.1:1/: nobody listens", hint="start it"), 97),
        (TrueloadError("the disk is full", hint="start it"), 1),
        (Interrupted("interrupted"), 130),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_run_that_cannot_be_made_ends_the_search_and_what_was_found_is_told(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    error: TrueloadError,
    code: int,
    as_json: bool,
) -> None:
    on_paper = OnPaper(harness.folder, 4, error)
    monkeypatch.setattr(capacity_cli, "run_and_judge", on_paper)
    done = harness.here("capacity", "capacity", *(["--json"] if as_json else []))
    (path,) = (harness.folder / "runs").glob("group_*.json")
    document = json.loads(path.read_text())
    validator("capacity").validate(document)

    assert done.code == code, done.err
    assert len(document["runs"]) == 3
    assert document["capacity"]["low"] == 80
    assert path.with_suffix(".md").read_text().startswith("# Capacity of capacity")
    if as_json:
        assert json.loads(done.out) == document
    else:
        assert done.out.startswith("capacity of capacity: ")
        assert str(path.with_suffix(".md")) in done.out
    if code == 130:
        assert (document["ending"], document["error"]) == ("interrupted", None)
    else:
        assert document["ending"] == "error"
        assert document["error"] == {"message": error.message, "hint": "start it"}
        assert error.message in done.err
        assert as_json or f"error: {error.message}" in done.out


def test_a_first_run_that_cannot_be_made_is_bad_usage_and_leaves_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_paper = OnPaper(harness.folder, 1, TargetError("nobody listens"))
    monkeypatch.setattr(capacity_cli, "run_and_judge", on_paper)
    done = harness.here("capacity", "capacity")

    assert done.code == 2
    assert "nobody listens" in done.err
    assert "if all are needed" in done.err
    assert not list(harness.folder.glob("runs/*"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["capacity", "--set", "load.max_users=255"], "255; allowed: at least 256"),
        (["growth", "--high", "600", "--set", "load.max_users=550"], "550; allowed: at least"),
    ],
)
def test_a_setting_that_the_highest_load_does_not_allow_is_refused_before_the_first_run(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, words: list[str], found: str
) -> None:
    on_paper = OnPaper(harness.folder, 1, TargetError("nobody listens"))
    monkeypatch.setattr(capacity_cli, "run_and_judge", on_paper)
    done = harness.here("capacity", *words)

    assert done.code == 2, done.err
    assert f"load.max_users: found {found}" in done.err
    assert "--high" in done.err
    assert "--set load.max_users=" in done.err
    assert on_paper.runs == 0


def test_how_long_a_search_takes_is_said_before_its_first_run() -> None:
    """Warm-up 3 s, no settling, drain 2 s and 15 s around each hold of 10, 20, 40 and 40 s."""
    settings = ("load.warmup='3s'", "load.settle='0s'", "load.extend='1m'")
    scenario = load_scenario("capacity", settings=settings)
    search = SearchPlan(low=40, high=2560, repetitions=3, most_runs=5)
    once = SearchPlan(low=40, high=2560, repetitions=1, most_runs=1)

    assert search_words(scenario, search, 10) == (
        "at most 5 runs of 30 s to 60 s: about 3.7 min if all are needed"
    )
    assert search_words(scenario, once, 10) == "at most 1 run of 30 s: about 30 s if all are needed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--low", "0"], "--low: found 0; allowed: 0.001 to"),
        (["--high", "30"], "--high: found 30; allowed: more than 40"),
        (["--width", "1%"], "--width: found '1%'; allowed: 3% to 100%"),
        (["--width", "wide"], "--width: found 'wide'"),
        (["--hold", "20"], "--hold: found '20'; allowed: a time with a unit"),
        (["--set", 'budgets={all=["warn: p(95) < 1s"]}'], "found no budget that can fail"),
        (["--set", 'budgets={all=["throughput > 90/s"]}'], "found no budget that can fail"),
        (
            ["--set", 'faults=[{kind="freeze",process="server",at="5s",lasts="1s"}]'],
            "found faults; allowed: none",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_sent(
    harness: Harness, words: list[str], message: str
) -> None:
    done = harness.here("capacity", "capacity", *words)

    assert done.code == 2, done.err
    assert message in done.err
    assert not harness.runs()


def test_parts_of_users_are_refused(harness: Harness) -> None:
    done = harness.here("capacity", "growth", "--low", "2.5")

    assert done.code == 2
    assert "found a part of a user" in done.err


@pytest.mark.parametrize("name", sorted(builtin_scenarios()))
def test_every_scenario_that_comes_with_it_can_be_searched_or_has_faults(name: str) -> None:
    scenario = load_scenario(name)
    if scenario.faults:
        with pytest.raises(UsageError, match="found faults"):
            check(scenario)
        check(load_scenario(name, settings=["faults=[]"]))  # as its hint says
        return
    check(scenario)
    settings = level_settings(scenario, 7.0, hold_s=12.0, number=2)
    at_level = load_scenario(name, overrides=settings)

    (stage,) = at_level.load.stages
    assert (stage.level, stage.hold_s, at_level.load.required) == (7, 12, 7)
    assert at_level.load_seed == scenario.load_seed + 2
    assert at_level.load.extend_s == 0
    highest = HIGH * min(stage.level for stage in scenario.load.stages)
    most = level_settings(scenario, highest, hold_s=12.0, number=1)
    assert load_scenario(name, overrides=most).load.required == highest
