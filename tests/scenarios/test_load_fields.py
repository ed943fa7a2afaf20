"""Load in the open model, faults and stop rules: how they are read from a scenario."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.loading import load_scenario

GOOD = """
[load]
mix = { sales_rep = 1 }
stages = [{ users = 10, hold = "20s" }]
[budgets]
all = ["p(95) < 300ms"]
"""


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def mistakes_of(tmp_path: Path, text: str, *sets: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, text), settings=sets)
    return [f"{mistake.key}: {mistake}" for mistake in caught.value.mistakes]


OPEN = """
[load]
model  = "open"
mix    = { sales_rep = 1 }
stages = [{ rate = 40, hold = "20s" }, { rate = 100.5, hold = "20s", ramp = "5s" }]
[budgets]
all = ["p(95) < 250ms", "p(99) < 500ms"]
"""


def test_arrivals_get_as_many_users_as_their_budgets_need(tmp_path: Path) -> None:
    load = load_scenario(write(tmp_path, OPEN)).load
    assert [stage.level for stage in load.stages] == [40.0, 100.5]
    assert (load.required, load.unit, load.arrivals) == (100.5, "arrivals/s", "poisson")
    assert load.max_users == math.ceil(100.5 * 0.5 * 2)  # two requests in the longest click


def test_too_few_users_for_arrivals_are_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, OPEN, "load.max_users=100")
    assert mistake.startswith("load.max_users: ")
    assert "at least 101" in mistake


def test_users_and_think_times_are_no_part_of_the_open_model(tmp_path: Path) -> None:
    settings = ('load.stages=[{users=5,hold="5s"}]', "load.think_scale=0.5")
    keys = {m.split(":")[0] for setting in settings for m in mistakes_of(tmp_path, OPEN, setting)}
    assert keys == {"load.stages[0].users", "load.think_scale"}


def test_faults_and_the_stop_rule_are_read_in_seconds(tmp_path: Path) -> None:
    faults = (
        'faults=[{kind="kill",at="15s",lasts="500ms"},{kind="freeze",process="worker",at="9s",'
        'lasts="5s"}]'
    )
    settings = [faults, 'stop.when="error_ratio > 50% for 10s"']
    scenario = load_scenario(write(tmp_path, GOOD), settings=settings)
    assert [(f.kind, f.process, f.at_s, f.lasts_s) for f in scenario.faults] == [
        ("freeze", "worker", 9.0, 5.0),
        ("kill", "server", 15.0, 0.5),
    ]
    assert scenario.stop is not None
    assert (scenario.stop.metric, scenario.stop.above, scenario.stop.for_s) == (
        "error_ratio",
        0.5,
        10.0,
    )


def test_faults_may_not_overlap_nor_concern_what_is_not_ours(tmp_path: Path) -> None:
    two = 'faults=[{kind="freeze",at="5s",lasts="5s"},{kind="kill",at="9s",lasts="1s"}]'
    (mistake,) = mistakes_of(tmp_path, GOOD, two)
    assert "one fault at a time" in mistake
    (tmp_path / "a.jsonl").touch()
    elsewhere = '\n[target]\nurl = "http://127.0.0.1:1"\naccounts = "a.jsonl"\n'
    (mistake,) = mistakes_of(
        tmp_path, GOOD + elsewhere, 'faults=[{kind="freeze",at="5s",lasts="1s"}]'
    )
    assert mistake.startswith("faults: ")


def test_two_workers_may_not_be_killed_within_what_makes_the_server_give_up(
    tmp_path: Path,
) -> None:
    def two(second: str) -> str:
        kills = (f'{{kind="kill",process="worker",at="{at}"}}' for at in ("6s", second))
        return f"faults=[{','.join(kills)}]"

    (mistake,) = mistakes_of(tmp_path, GOOD, two("11s"))
    assert "gives up" in mistake
    assert len(load_scenario(write(tmp_path, GOOD), settings=[two("12s")]).faults) == 2
