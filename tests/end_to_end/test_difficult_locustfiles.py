"""Locustfiles that make it hard: pacing through a stall, users that raise or hang, full disks."""

from __future__ import annotations

import json
import resource
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.recording.reader import read_run
from analysis.recording.streams import read_lines
from tests.support.harness import Done, Harness, finish, troubled_server

pytestmark = pytest.mark.slow

SCENARIO = """
[load]
settle = "0s"
timeout = "5s"
stages = [{stages}]
[budgets]
all = ["{budget}"]
"""


def prepare(
    harness: Harness, users: str, stages: str, *, url: str, budget: str = "p(95) < 2s"
) -> list[str]:
    """Write scenario and locustfile; the command's arguments."""
    (harness.folder / "hard.toml").write_text(SCENARIO.format(stages=stages, budget=budget))
    (harness.folder / "users.py").write_text(users)
    return ["run", "hard.toml", "--url", url, "--locustfile", "users.py"]


PACED = """
from locust import FastHttpUser, constant_pacing, task
from loadtests.generator.client import LoadUser

class Paced(FastHttpUser):
    wait_time = constant_pacing(0.05)

    @task
    def look(self):
        self.client.get("/")

class Ours(LoadUser):
    wait_time = constant_pacing(0.05)

    @task
    def look(self):
        self.client.get("/")
"""


STAGES = '{ users = 10, hold = "6s" }, { users = 2, hold = "1500ms" }'


@dataclass(frozen=True)
class Paced:
    done: Done
    samples: pd.DataFrame
    timeline: list[dict[str, Any]]
    closed: dict[str, Any]


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Paced]:
    """Ten users, five of either client, at a start in 50 ms each.

    There is a stall of 0.9 s, and one while eight of them leave.
    """
    harness = Harness(tmp_path_factory.mktemp("paced"), cache)
    try:
        log = harness.folder / "answers.log"
        with troubled_server(log, 0.0, "stall:2.5:3.4", "stall:5.7:6.3") as url:
            command = prepare(harness, PACED, STAGES, url=url, budget="warn: p(95) < 2s")
            done = harness.run(*command)
        recording = read_run(harness.the_run())
        (closed,) = [event for event in recording.events if event["kind"] == "stream_closed"]
        yield Paced(done, recording.samples, recording.timeline, closed)
    finally:
        harness.clean()


def test_a_stall_under_constant_pacing_shows_in_the_percentiles(paced: Paced) -> None:
    """0.9 s of 6 s: 15 % of the starts wait between 0 and 0.9 s, evenly.

    So p95 is a third of the stall below it, 0.6 s, and p99 a fifteenth, 0.84 s; starts are
    0.05 s apart, and what was overdue is then sent back to back. A machine that is busy
    makes it longer, never shorter. The six seconds are those before the second stall.
    """
    before = paced.samples[paced.samples["intended_s"] < 5.65]
    fill = np.zeros(round((6 - 5.65) / 0.05) * 10)  # as quick as the others outside of a stall
    latency_s = np.concatenate([before["latency_ms"].to_numpy() / 1e3, fill])

    assert paced.done.code == 0, paced.done
    assert len(latency_s) == pytest.approx(10 * 120, abs=20)
    assert 0.52 < np.quantile(latency_s, 0.95) < 0.9
    assert 0.76 < np.quantile(latency_s, 0.99) < 1.2
    assert set(before["persona"]) == {"Paced", "Ours"}
    for _, starts in before.groupby("persona"):  # 5 users, 5.65 s, a start in 50 ms
        assert len(starts) == pytest.approx(5 * 113, abs=10)
        assert (starts["latency_ms"] > 200).sum() == pytest.approx(5 * 14, abs=15)
    # what each request took by itself tells nothing of it
    assert np.quantile(before["service_ms"], 0.95) < 300
    assert sum(line["late"] for line in paced.timeline) >= 10 * 15


def test_users_that_leave_finish_their_requests_and_miss_what_was_due(paced: Paced) -> None:
    """Eight leave at 6.0 s in a stall: each gets its answer at 6.3 s.

    In the 0.3 s of the stall before, six starts came due to each; the first one is the
    request that waits, the others were never sent.
    """
    samples = paced.samples
    missed = samples[samples["outcome"] == "missed"]
    answered = samples[(samples["end_s"] > 6.2) & (samples["intended_s"] < 6.0)]
    waited = answered.groupby("user")["intended_s"].min()

    assert set(samples["outcome"]) == {"ok", "missed"}
    assert len(waited) == 10
    assert missed["user"].nunique() == 8
    assert 8 * 4 <= len(missed) <= 8 * 7
    assert missed["intended_s"].between(5.65, 6.1).all()
    assert missed["end_s"].between(5.95, 6.25).all()
    assert sum(line["missed"] for line in paced.timeline) == len(missed)


def test_what_was_counted_live_is_what_was_recorded(paced: Paced) -> None:
    counted = sum(line["budgets"][0][0] for line in paced.timeline)

    assert counted == len(paced.samples)
    assert paced.closed["requests"] == len(paced.samples)
    assert paced.closed["client_requests"] == (paced.samples["outcome"] != "missed").sum()
    assert paced.closed["engine_requests"] == paced.closed["client_requests"]


DIFFICULT = """
import time
from itertools import count
from analysis.recording import writer
from locust import FastHttpUser, constant, task

writer.MAX_ENDPOINTS = 50  # judging a thousand endpoints would be most of the test

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
    with troubled_server(harness.folder / "answers.log", 0.0) as url:
        done = harness.run(*prepare(harness, DIFFICULT, '{ users = 4, hold = "7s" }', url=url))
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
    assert "1 user of Hangs is in on_start for more than 5 s: it counts as running" in done.out
    assert "more than 1,000 endpoints" in done.out
    assert len(endpoints) == 51
    assert endpoints["(other)"] == endpoints.total() - 50
    assert len(names) < 60


LONG = '{ users = 10, hold = "30s" }'


def test_a_disk_that_is_full_ends_the_run_and_what_was_written_can_be_read(
    harness: Harness,
) -> None:
    with troubled_server(harness.folder / "answers.log", 0.0) as url:
        process = harness.start(*prepare(harness, PACED, LONG, url=url))
        # no file may grow beyond: the processes that it starts inherit that
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (25_000, 25_000))
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


SABOTAGE = """
from loadtests.generator.tally import Tally

def add(*_):
    raise RuntimeError("cannot count")

Tally.add = add
"""


def test_a_recorder_that_raises_ends_the_run(harness: Harness) -> None:
    with troubled_server(harness.folder / "answers.log", 0.0) as url:
        done = harness.run(*prepare(harness, PACED + SABOTAGE, LONG, url=url))

    assert done.code == 1, done
    assert "samples cannot be written: cannot count" in done.err
    assert read_run(harness.the_run()).ended_s < 10


LEAVES = """
import sys

class Leaves(FastHttpUser):
    fixed_count = 1
    wait_time = constant_pacing(1)
    works = 0

    @task
    def leave(self):
        self.works += 1
        if self.works == 3:
            sys.exit(4)
"""


def test_a_task_that_calls_sys_exit_ends_the_test_and_everything_is_recorded(
    harness: Harness,
) -> None:
    with troubled_server(harness.folder / "answers.log", 0.0) as url:
        done = harness.run(*prepare(harness, PACED + LEAVES, LONG, url=url))
    recording = read_run(harness.the_run())
    closed = [event for event in recording.events if event["kind"] == "stream_closed"]

    assert harness.verdict()["ended"]["why"] == "stopped_by_locustfile", done
    assert [event["rows"] for event in closed] == [len(recording.samples)]
    assert "generator_lost" not in {event["kind"] for event in recording.events}
    assert "SystemExit: 4" in done.out
    assert recording.ended_s < 10
