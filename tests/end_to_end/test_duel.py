"""``trueload duel`` between two servers, one of which is slower: the whole command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import Harness, troubled_server

pytestmark = pytest.mark.slow

DUEL = """
name = "between"
question = "which of the two is slower?"
[load]
locustfile = "users.py"
settle = "0s"
timeout = "10s"
stages = [{ users = 5, hold = "1500ms" }]
[budgets]
all = ["p(95) < 2s"]
"""
USERS = """
from locust import HttpUser, constant, task

class Anybody(HttpUser):
    wait_time = constant(0.01)

    @task
    def look(self):
        self.client.get("/look")
"""


@pytest.fixture
def harness(tmp_path: Path, cache: Path) -> Harness:
    (tmp_path / "between.toml").write_text(DUEL)
    (tmp_path / "users.py").write_text(USERS)
    return Harness(tmp_path, cache)


def test_three_pairs_find_a_server_that_is_four_times_as_slow(harness: Harness) -> None:
    """Six runs; with errors of 15 % three pairs on one side are an answer (one of eight)."""
    errors = ("--pairs", "3", "--false-alarm", "15%", "--miss", "15%")
    log = harness.folder / "answers.log"
    with troubled_server(log, 0.03) as fast, troubled_server(log, 0.12) as slow:
        done = harness.run(
            *("duel", "between.toml", "--base", fast, "--candidate", slow, "--seed", "3"),
            *(*errors, "--json"),
            timeout_s=300,
        )

    assert done.code == 98, done.err
    duel = json.loads(done.out)
    assert duel["verdict"] == "regressed"
    assert duel["ratio"]["low"] > 2
    assert len(duel["pairs"]) == 3
    assert done.err.count("of at most 3") == 3
    (folder,) = harness.runs()
    assert json.loads((folder / "duel.json").read_text()) == duel
    made = [
        json.loads((folder / run["folder"] / "manifest.json").read_text()) for run in duel["runs"]
    ]
    assert [run["role"] for run in made] == [run["role"] for run in duel["runs"]]
    assert {run["group"] for run in made} == {duel["duel"]}
    # the same load in both runs of a pair, another one in the next
    seeds = [run["seeds"]["users"] for run in made]
    assert seeds[::2] == seeds[1::2] == [pair["load_seed"] for pair in duel["pairs"]]
    assert harness.all_gone_within(3) is not None

    again = _compared(harness, folder, duel["runs"])
    assert again["design"]["order"] == "pairs"
    assert again["design"]["pairs"] == 3
    assert any("runs of a duel" in note for note in again["notes"])


def _compared(harness: Harness, folder: Path, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Its runs as ``trueload compare`` reads them."""
    words = ["compare", "--json"]
    for role in ("base", "candidate"):
        words += [f"--{role}", *(str(folder / r["folder"]) for r in runs if r["role"] == role)]
    done = harness.here(*words)
    assert done.code in {97, 98}, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_mistakes_are_told_before_anything_is_sent(harness: Harness) -> None:
    few = harness.here("duel", "duel", "--candidate", "as-is", "--pairs", "4")
    assert (few.code, harness.runs()) == (2, [])
    assert "pairs = 4; allowed: 5 to 12" in few.err
    odd = harness.here("duel", "duel", "--candidate", "load.seed=4")
    assert (odd.code, harness.runs()) == (2, [])
    assert "--candidate: found 'load.seed=4'; allowed: a URL" in odd.err
