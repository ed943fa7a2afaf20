"""A whole search against a server whose capacity is known: the interval holds it."""

from __future__ import annotations

import json

import pytest

from tests.support.harness import Harness, troubled_server

pytestmark = pytest.mark.slow

SERVICE_S = 0.025
"""One server works everything off: 40 requests/s, whatever else it does."""

USERS = """
from loadtests.generator.client import LoadUser
from locust import task

class Somebody(LoadUser):
    @task
    def ask(self) -> None:
        self.client.get("/ok")
"""

SCENARIO = """
[target]
url = "{url}"
[load]
model = "open"
arrivals = "even"
locustfile = "users.py"
warmup = "2s"
settle = "0s"
stages = [{{ rate = 36, hold = "3s" }}]
[budgets]
all = ["apdex(300ms) > 0.5", "max < 9s", "error_ratio < 10%"]
"""
# The highest latency is there for what follows from it: a generator on a busy machine may lag by
# a twentieth of the tightest limit.


def test_the_interval_holds_the_rate_at_which_the_server_is_always_busy(harness: Harness) -> None:
    # At 36/s nobody waits. At 72/s the queue grows by 0.8 s a second, and everybody waits for more
    # than 1.2 s before the hold begins: neither is near to being undecided.
    harness.folder.joinpath("users.py").write_text(USERS)
    for out in ("first", "again"):  # a run whose generator did not get its turn is invalid
        with troubled_server(harness.folder / "answers.log", 0.0, f"queue:0::{SERVICE_S}") as url:
            harness.folder.joinpath("limited.toml").write_text(SCENARIO.format(url=url))
            words = ("--width", "100%", "--repetitions", "1", "--no-report", "--out", out)
            done = harness.run("capacity", "limited.toml", *words)
        (path,) = (harness.folder / out).glob("group_*.json")
        document = json.loads(path.read_text())
        runs = {folder.name for folder in path.parent.iterdir() if folder.is_dir()}
        assert {run["run"] for run in document["runs"]} == runs
        assert document["took_s"] >= document["held_s"]
        if done.code == 0:
            break
        assert done.code == 96, done.err
        assert any(run["verdict"] == "invalid" for run in document["runs"])

    assert done.code == 0, done.err
    assert document["ending"] == "found"
    assert (document["capacity"]["low"], document["capacity"]["high"]) == (36, 72)
    assert document["confirmed"]
    valid = [run for run in document["runs"] if run["verdict"] != "invalid"]
    assert [run["why"] for run in valid] == ["ramp", "ramp", "confirm"]
    assert "between 36 and 72 arrivals/s (found: 100 % wide" in done.out
    assert path.with_suffix(".md").read_text().startswith("# Capacity of limited")
