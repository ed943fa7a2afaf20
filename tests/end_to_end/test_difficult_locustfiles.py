"""Locustfiles that make it hard: pacing through a stall, users that raise or hang, full disks."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from analysis.recording.reader import read_run
from analysis.recording.streams import read_lines
from tests.support.harness import SUPPORT, Harness, finish

pytestmark = pytest.mark.slow

SCENARIO = """
[load]
settle = "0s"
timeout = "5s"
stages = [{{ users = {users}, hold = "{hold_s}s" }}]
[budgets]
all = ["{budget}"]
"""


@contextlib.contextmanager
def stalling_server(from_s: float = 1e9, until_s: float = 1e9) -> Iterator[str]:
    """A server with one stall, or none; its URL."""
    command = [sys.executable, str(SUPPORT / "stalling_server.py"), str(from_s), str(until_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def prepare(
    harness: Harness, users: str, *, count: int, hold_s: float, url: str, budget: str = "p(95) < 2s"
) -> list[str]:
    """Write scenario and locustfile; the command's arguments."""
    (harness.folder / "hard.toml").write_text(
        SCENARIO.format(users=count, hold_s=hold_s, budget=budget)
    )
    (harness.folder / "users.py").write_text(users)
    return ["run", "hard.toml", "--url", url, "--locustfile", "users.py"]


PACED = """
from locust import FastHttpUser, constant_pacing, task

class Paced(FastHttpUser):
    wait_time = constant_pacing(0.05)

    @task
    def look(self):
        self.client.get("/")
"""


def test_a_stall_under_constant_pacing_shows_in_the_percentiles(harness: Harness) -> None:
    """0.9 s of 6 s: 15 % of the starts wait between 0 and 0.9 s, evenly.

    So p95 is a third of the stall below it, 0.6 s, and p99 a fifteenth, 0.84 s; starts are
    0.05 s apart, and what was overdue is then sent back to back. A machine that is busy
    makes it longer, never shorter.
    """
    budget = "warn: p(95) < 2s"
    with stalling_server(2.5, 3.4) as url:
        command = prepare(harness, PACED, count=10, hold_s=6, url=url, budget=budget)
        done = harness.run(*command)
    samples = read_run(harness.the_run()).samples
    samples = samples[samples["outcome"] != "cancelled"]
    latency_s = samples["latency_ms"].to_numpy() / 1e3
    timeline = read_lines(harness.the_run() / "timeline.jsonl")
    events = {event["kind"]: event for event in read_lines(harness.the_run() / "events.jsonl")}

    assert done.code == 0, done
    assert len(samples) == pytest.approx(10 * 120, abs=20)
    assert 0.52 < np.quantile(latency_s, 0.95) < 0.9
    assert 0.76 < np.quantile(latency_s, 0.99) < 1.2
    # what each request took by itself tells nothing of it
    assert np.quantile(samples["service_ms"], 0.95) < 300
    assert sum(line["late"] for line in timeline) >= 10 * 15
    assert sum(line["missed"] for line in timeline) == 0
    n = sum(line["budgets"][0][0] for line in timeline)
    assert n == len(samples)
    assert events["stream_closed"]["client_requests"] == len(samples)


DIFFICULT = """
import time
from itertools import count
from locust import FastHttpUser, constant, task

NUMBERS = count()

class Raises(FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.2)

    @task
    def work(self):
        raise KeyError("nothing there")

class Hangs(FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.2)

    def on_start(self):
        time.sleep(1000)

    @task
    def work(self):
        self.client.get("/never")

class Names(FastHttpUser):
    wait_time = constant(0)

    @task
    def work(self):
        self.client.get(f"/{next(NUMBERS)}")
"""


def test_users_that_raise_hang_and_name_every_request_are_told_of(harness: Harness) -> None:
    with stalling_server() as url:
        done = harness.run(*prepare(harness, DIFFICULT, count=4, hold_s=7, url=url))
    folder = harness.the_run()
    verdict = json.loads((folder / "verdict.json").read_text())
    endpoints = Counter(pq.read_table(folder / "samples.parquet")["endpoint"].to_pylist())
    names = read_lines(folder / "samples" / "names.jsonl")

    assert done.code == 96, done
    reasons = {reason["code"]: reason for reason in verdict["validity"]["reasons"]}
    assert (reasons["load_not_delivered"]["measured"], reasons["load_not_delivered"]["limit"]) == (
        3,
        4,
    )
    assert "records_lost" not in reasons
    assert "KeyError: 'nothing there'" in done.out
    assert "1 users of Hangs are in on_start for more than 5 s" in done.out
    assert "more than 1,000 endpoints" in done.out
    assert len(endpoints) == 1_001
    assert endpoints["(other)"] == endpoints.total() - 1_000
    assert len(names) < 1_010


def test_a_disk_that_is_full_ends_the_run_and_what_was_written_can_be_read(
    harness: Harness,
) -> None:
    with stalling_server() as url:
        process = harness.start(*prepare(harness, PACED, count=10, hold_s=30, url=url))
        # no file may grow beyond: the processes that it starts inherit that
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (40_000, 40_000))
        done = finish(process)
    folder: Path = harness.the_run()
    recording = read_run(folder)
    checked = harness.run("check", str(folder))

    assert done.code == 1, done
    assert "samples cannot be written" in done.err
    assert "trueload check" in done.err
    assert "Traceback" not in done.err + (folder / "generator.log").read_text()
    assert recording.streams[0].rows > 50
    assert not recording.streams[0].torn
    assert recording.ended_s < 20
    assert checked.code == 96, checked
    assert harness.all_gone_within(5) is not None
