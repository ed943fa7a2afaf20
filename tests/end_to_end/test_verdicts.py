"""Verdicts of real runs: what is broken is named, what hangs is counted."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from tests.support.harness import (
    Harness,
    finish,
    hanging_server,
    wait_for_load,
    wait_for_process,
    wait_for_run,
)

pytestmark = pytest.mark.slow

SOON = ("--set", 'load.warmup="1s"', "--set", 'load.settle="0s"')
SHORT = ("--set", 'load.stages=[{users=5,hold="4s"}]', *SOON)
USERS = 10
THEIRS = """
from locust import FastHttpUser, HttpUser, constant, task


class Slow(HttpUser):
    wait_time = constant(0.02)
    fixed_count = 5

    @task
    def index(self):
        self.client.get("/slow?session=1")


class Quick(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def index(self):
        with self.client.get("/quick", catch_response=True) as response:
            if response.status_code != 200:
                response.failure("not what I asked for")
"""


def theirs(harness: Harness, *, hold_s: int, settle_s: int = 0) -> list[str]:
    """Somebody else's locustfile, and a scenario that loads with it."""
    path = harness.folder / "theirs.py"
    path.write_text(THEIRS)
    scenario = harness.folder / "theirs.toml"
    scenario.write_text(
        f"""
        [load]
        locustfile = "theirs.py"
        settle = "{settle_s}s"
        stages = [{{ users = {USERS}, hold = "{hold_s}s" }}]
        [budgets]
        all = ["p(95) < 500ms"]
        """
    )
    return ["run", str(scenario)]


def outcomes(run: Path) -> dict[str, int]:
    words = pq.read_table(run / "samples.parquet")["outcome"].to_pylist()
    return {word: words.count(word) for word in set(words)}


def test_a_broken_budget_is_named_everywhere(harness: Harness) -> None:
    done = harness.run("run", "smoke", *SHORT, "--set", 'budgets.all=["p(95) < 1us"]')
    run = harness.the_run()
    failures = [
        case.get("name", "")
        for case in ElementTree.parse(run / "junit.xml").iter("testcase")
        if case.find("failure") is not None
    ]

    assert done.code == 99, done
    assert harness.verdict()["verdict"] == "failed"
    assert "p(95) < 1us" in done.out
    assert "p(95) < 1us" in (run / "report.md").read_text().replace("&lt;", "<")
    assert "p(95) &lt; 1us" in (run / "report.html").read_text()
    assert any("p(95) < 1us" in name for name in failures)


def test_a_cache_that_answers_writes_from_memory_fails_the_run(harness: Harness) -> None:
    busy = ("--set", 'load.stages=[{users=10,hold="4s"}]', "--set", "load.think_scale=0.01")
    naive = ("--set", 'target.options.cache="naive"')
    done = harness.run("run", "smoke", *SOON, *busy, *naive)
    table = pq.read_table(harness.the_run() / "samples.parquet").to_pydict()
    wrong = {
        (method, status)
        for method, status, word in zip(
            table["method"], table["status"], table["outcome"], strict=True
        )
        if word == "check_failed"
    }

    assert done.code == 99, done
    assert ("POST", 200) in wrong  # a write that was answered from memory, and is nowhere
    assert ("GET", 200) in wrong  # somebody else's list


@pytest.mark.parametrize("settle_s", [0, 4])
def test_a_server_that_hangs_fails_with_every_stuck_request_counted(
    harness: Harness, settle_s: int
) -> None:
    with hanging_server(harness.folder / "server.log", 3) as url:
        command = theirs(harness, hold_s=8 - settle_s, settle_s=settle_s)
        done = harness.run(*command, "--url", url)
    answers = (harness.folder / "server.log").read_text().splitlines()
    found = outcomes(harness.the_run())

    assert done.code == 99, done
    assert found["unfinished"] == USERS
    assert harness.verdict()["totals"]["unfinished"] == USERS
    assert found["ok"] == len(answers)


def test_a_hang_is_still_seen_when_everything_was_killed_during_it(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 2) as url:
        process = harness.start(*theirs(harness, hold_s=20), "--url", url)
        run = wait_for_run(harness)
        wait_for_load(run, 5)
        harness.role("generator.main").send_signal(signal.SIGKILL)
        os.kill(process.pid, signal.SIGKILL)
        finish(process)
        gone = harness.all_gone_within(3)
    done = harness.here("check", str(run))
    verdict = harness.verdict()

    assert gone is not None
    assert verdict["totals"]["unfinished"] == USERS
    assert verdict["verdict"] == "failed", verdict["validity"]
    assert done.code == 99


def test_a_server_that_never_answers_fails(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 0) as url:
        done = harness.run(*theirs(harness, hold_s=4), "--url", url)

    assert done.code == 99, done
    assert harness.verdict()["totals"]["unfinished"] == USERS


def test_requests_end_at_the_scenarios_timeout_whatever_the_client(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 1) as url:
        command = theirs(harness, hold_s=5)
        done = harness.run(*command, "--url", url, "--set", 'load.timeout="1s"')
    table = pq.read_table(harness.the_run() / "samples.parquet").to_pydict()
    late = [
        (done_us - sent_us) / 1e6
        for sent_us, done_us, word in zip(
            table["sent_us"], table["done_us"], table["outcome"], strict=True
        )
        if word == "timeout"
    ]

    # On a busy machine the harness may be too late for a verdict, never for a pass.
    assert done.code in {96, 99}, done
    assert len(late) >= 2 * USERS  # each user goes on after its first, within the hold of 5 s
    assert min(late) >= 1.0
    assert set(table["outcome"]) <= {"ok", "timeout"}
    assert set(table["endpoint"]) == {"/slow", "/quick"}


def test_ctrl_c_before_any_load_leaves_nothing_and_ends_with_130(harness: Harness) -> None:
    process = harness.start("run", "smoke", "--set", "target.customers=2500")
    wait_for_process(harness, "seed")
    process.send_signal(signal.SIGINT)
    done = finish(process)

    assert done.code == 130, done
    assert "Traceback" not in done.err
    assert harness.runs() == []
    assert harness.processes() == []


def test_ctrl_c_while_open_requests_are_followed_ends_that(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 0) as url:
        words = ("--set", 'load.timeout="50s"', "--set", 'budgets.all=["p(95) < 25s"]')
        process = harness.start(*theirs(harness, hold_s=1), "--url", url, *words)
        run = wait_for_run(harness)
        wait_for_load(run, 3)  # seconds: one of load, then those of the drain
        process.send_signal(signal.SIGINT)
        done = finish(process, 40)  # else it would take 50 s

    assert done.code == 130, done
    assert set(outcomes(run)) <= {"ok", "cancelled"}
    assert outcomes(run)["cancelled"] == USERS


def test_ctrl_c_ends_in_a_report_and_130(harness: Harness) -> None:
    process = harness.start("run", "smoke")
    run = wait_for_run(harness)
    wait_for_load(run, 4)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    done = finish(process)
    verdict = harness.verdict()

    assert done.code == 130, done
    assert time.monotonic() - began < 15
    assert (run / "report.html").is_file()
    assert verdict["ended"]["why"] == "interrupted"
    assert verdict["validity"]["reasons"] == []
    assert verdict["verdict"] != "passed"
    assert outcomes(run).get("unfinished", 0) == 0  # what the harness cut off is cancelled
    assert json.loads((run / "manifest.json").read_text())["end"]["why"] == "interrupted"
    assert harness.processes() == []
