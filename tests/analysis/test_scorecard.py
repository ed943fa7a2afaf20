"""What one run cannot say: the scorecard names the commands that can."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from analysis.scorecard import called_by, of_several_runs
from loadtests.sides import read_spec
from scenarios.loading import builtin_scenarios, load_scenario
from scenarios.variation import load_variants, parse_variation


@pytest.mark.parametrize("name", builtin_scenarios())
def test_the_commands_that_fill_the_other_rows_are_accepted_as_they_stand(name: str) -> None:
    data, module = of_several_runs(load_scenario(name), name)
    program, command, scenario, *rest = shlex.split(data.next)
    assert (program, command, scenario) == ("trueload", "sweep", name)
    vary = dict([parse_variation(rest[1])]) if rest else None
    variants = load_variants(scenario, vary=vary)
    volumes = [variant.scenario.target.customers for variant in variants]
    assert len(volumes) >= 3
    assert max(volumes) >= 10 * min(volumes)
    program, command, scenario, flag, spec = shlex.split(module.next)
    assert (program, command, scenario, flag) == ("trueload", "duel", name, "--candidate")
    settings = read_spec([spec], flag).settings
    assert load_scenario(name, settings=settings).target.extensions == ("loyalty",)


def test_both_rows_say_what_is_expected_and_whose_that_is() -> None:
    for row in of_several_runs(load_scenario("smoke"), "smoke"):
        assert row.verdict == "unjudged"
        assert row.expected
        assert row.expectation.owner
        assert row.expectation.source


def test_a_module_that_is_on_is_held_against_the_same_without() -> None:
    scenario = load_scenario("smoke", settings=['target.extensions=["loyalty"]'])
    command = shlex.split(of_several_runs(scenario, "smoke")[1].next)
    assert command[3:] == ["--base", "target.extensions=[]", "--candidate", "as-is"]


def test_a_system_that_runs_already_is_told_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "mine.toml").write_text(
        '[target]\nurl = "http://127.0.0.1:9"\n[load]\nlocustfile = "mine.py"\n'
        'stages = [{ users = 1, hold = "5s" }]\n'
    )
    data, module = of_several_runs(load_scenario(str(tmp_path / "mine.toml")), "mine.toml")
    assert "trueload compare" in data.next
    assert module.next.startswith("trueload duel mine.toml --base http://127.0.0.1:9 --candidate ")


def test_a_scenario_is_called_by_its_file_where_one_was_named() -> None:
    scenario = load_scenario("smoke")
    assert called_by({"command": ["trueload", "run", "my own/x.toml"]}, scenario) == "my own/x.toml"
    assert called_by({"command": ["trueload", "run", "smoke"]}, scenario) == "smoke"
    assert called_by({}, scenario) == "smoke"
