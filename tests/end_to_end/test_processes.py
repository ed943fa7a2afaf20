"""Several generator processes: one run with every sample once, and one of them may be lost."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from analysis.recording.streams import read_lines
from tests.support.harness import Done, Harness, finish, hanging_server, wait_for_load, wait_for_run

pytestmark = pytest.mark.slow

USERS = 7
"""Not a multiple of the processes: the shares differ."""

THEIRS = """
from locust import FastHttpUser, HttpUser, constant, task


class Plain(HttpUser):
    wait_time = constant(0.05)

    @task
    def index(self):
        self.client.get("/plain")


class Fast(FastHttpUser):
    wait_time = constant(0.03)

    @task
    def index(self):
        self.client.get("/fast")
"""
QUITS = """
import gevent
from locust import HttpUser, constant, task


class Quits(HttpUser):
    wait_time = constant(0.05)
    quits_after = 40

    @task
    def index(self):
        self.client.get("/plain")
        type(self).quits_after -= 1
        if self.environment.runner.worker_index == 1 and type(self).quits_after == 0:
            gevent.spawn(self.environment.runner.quit)
"""
SCENARIO = """
[load]
locustfile = "theirs.py"
settle = "0s"
warmup = "1s"
stages = [{stages}]
[budgets]
all = ["p(95) < 2s"]
"""


def command(harness: Harness, *holds: int, theirs: str = THEIRS, processes: int = 2) -> list[str]:
    """A scenario with somebody's locustfile, for several processes."""
    (harness.folder / "theirs.py").write_text(theirs)
    stages = ", ".join(f'{{ users = {USERS}, hold = "{hold}s" }}' for hold in holds)
    path = harness.folder / "theirs.toml"
    path.write_text(SCENARIO.format(stages=stages))
    return ["run", str(path), "--processes", str(processes)]


@dataclass(frozen=True)
class Shared:
    """A run that two processes shared."""

    harness: Harness
    done: Done
    folder: Path
    answered: list[str]

    def lines(self, name: str) -> list[dict[str, Any]]:
        return read_lines(self.folder / f"{name}.jsonl")

    @property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return document


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Shared]:
    """One run of two processes that many tests look at."""
    harness = Harness(tmp_path_factory.mktemp("shared"), cache)
    log = harness.folder / "server.log"
    with hanging_server(log, 60) as url:
        done = harness.run(*command(harness, 4), "--url", url)
    answered = [line.split()[1] for line in log.read_text().splitlines()]
    yield Shared(harness, done, harness.the_run(), answered)
    harness.clean()


def test_every_request_that_the_server_answered_is_one_sample(shared: Shared) -> None:
    table = pq.read_table(shared.folder / "samples.parquet").to_pydict()
    run = shared.manifest["id"]
    recorded = Counter(
        f"{run}-{process}-{request}"
        for process, request in zip(table["process"], table["request"], strict=True)
    )

    assert len(shared.answered) > 200
    assert recorded == Counter(shared.answered)
    assert set(recorded.values()) == {1}
    assert set(table["outcome"]) == {"ok"}


def test_each_process_has_a_stream_of_its_own_that_agrees_with_its_own_count(
    shared: Shared,
) -> None:
    processes = pq.read_table(shared.folder / "samples.parquet")["process"].to_pylist()
    closed = {
        event["process"]: event
        for event in shared.lines("events")
        if event["kind"] == "stream_closed"
    }

    assert sorted(path.name for path in (shared.folder / "samples").glob("g*")) == [
        "g0.arrows",
        "g1.arrows",
    ]
    assert sorted(closed) == [0, 1]
    for process, event in closed.items():
        counted = processes.count(process)
        assert 0 < counted == event["requests"] == event["rows"] == event["engine_requests"]


def test_the_statistics_of_the_engines_master_are_the_sum_of_the_samples(shared: Shared) -> None:
    (closed,) = [event for event in shared.lines("events") if event["kind"] == "master_closed"]

    assert closed["engine_statistics"] == len(shared.answered)


def test_the_users_are_shared_out_and_no_two_processes_have_the_same(shared: Shared) -> None:
    table = pq.read_table(shared.folder / "samples.parquet").to_pydict()
    users = set(zip(table["process"], table["user"], strict=True))
    kinds = set(zip(table["process"], table["user"], table["persona"], strict=True))

    assert Counter(process for process, _ in users) == {0: 4, 1: 3}
    assert len(kinds) == USERS  # no number stands for two users


def test_the_users_that_ran_sum_up_to_those_asked_for_within_a_second(shared: Shared) -> None:
    lines = [line for line in shared.lines("timeline") if line["phase"] in {"warmup", "hold"}]

    assert {line["asked"] for line in lines} == {USERS}
    assert {(line["process"], line["running"]) for line in lines} == {(0, 4), (1, 3)}


def test_the_manifest_and_the_resources_name_every_process(shared: Shared) -> None:
    generators, master = shared.manifest["generators"], shared.manifest["generators_master"]
    pids = {each["pid"] for each in (*generators, master)}
    watched = {(line["role"], line["pid"]) for line in shared.lines("resources")}

    assert [each["process"] for each in generators] == [0, 1]
    assert len(pids) == 3
    assert all(each["clock"]["shared"] for each in generators)
    assert watched == {
        ("master", master["pid"]),
        *(("generator", each["pid"]) for each in generators),
    }


def test_nothing_of_it_makes_the_run_invalid_and_nothing_is_left(shared: Shared) -> None:
    found = {reason["code"] for reason in shared.harness.verdict()["validity"]["reasons"]}

    # how busy this machine is, and how much it so gets to answer, is no matter of the records
    assert found <= {"generator_saturated"}, found
    assert shared.done.code in {0, 96, 97}, shared.done
    assert shared.harness.processes() == []


# what is lost


def process_of(run: Path, number: int | None) -> psutil.Process:
    """A generator process of a run, or the master."""
    manifest = json.loads((run / "manifest.json").read_text())
    each = manifest["generators_master"] if number is None else manifest["generators"][number]
    return psutil.Process(each["pid"])


def at_load(harness: Harness, url: str, *holds: int, **options: Any) -> tuple[Any, Path]:
    """Start a run, and wait for two seconds of load."""
    process = harness.start(*command(harness, *holds, **options), "--url", url)
    run = wait_for_run(harness)
    wait_for_load(run, 4)  # lines of both processes
    return process, run


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in read_lines(run / "events.jsonl") if event["kind"] == kind]


def reasons(harness: Harness) -> dict[str, set[int | None]]:
    """Codes of a verdict's reasons, and their stages."""
    found: dict[str, set[int | None]] = {}
    for reason in harness.verdict()["validity"]["reasons"]:
        found.setdefault(reason["code"], set()).add(reason["stage"])
    return found


def test_one_of_two_is_killed_and_the_run_goes_on_and_is_invalid(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 60) as url:
        process, run = at_load(harness, url, 5, 3)
        process_of(run, 1).send_signal(signal.SIGKILL)
        done = finish(process)
    (lost,) = events(run, "generator_lost")
    last = {line["process"]: line for line in read_lines(run / "timeline.jsonl")}
    rows = pq.read_table(run / "samples.parquet", columns=["process"])["process"].to_pylist()

    assert done.code == 96, done
    assert harness.verdict()["verdict"] == "invalid"
    assert (lost["process"], lost["reason"]) == (1, "SIGKILL")
    assert 1 < lost["t_s"] < 6  # in the first hold
    assert last[0]["t_s"] >= 9  # it stayed to the end
    assert last[1]["t_s"] < lost["t_s"] + 0.5
    assert rows.count(1) > 20
    assert reasons(harness)["generator_lost"] == {0}
    assert reasons(harness)["load_not_delivered"] >= {1}  # and nobody took its users over
    assert json.loads((run / "manifest.json").read_text())["end"]["why"] == "finished"
    assert "target" not in str(harness.verdict()["validity"]["reasons"])


def test_without_the_master_the_run_ends_and_is_invalid(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 60) as url:
        process, run = at_load(harness, url, 30)
        process_of(run, None).send_signal(signal.SIGKILL)
        gone = harness.children_gone_within(5, supervisor=process.pid)
        done = finish(process)
    (lost,) = events(run, "generator_lost")

    assert gone is not None
    assert done.code == 96, done
    assert (lost["process"], lost["reason"]) == (None, "SIGKILL")
    assert len(events(run, "stream_closed")) == 2
    assert json.loads((run / "manifest.json").read_text())["end"]["why"] == "generator_lost"
    assert "the generators' master was lost" in done.out


def test_one_that_hangs_is_seen_at_once_and_ended_with_the_run(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 60) as url:
        process, run = at_load(harness, url, 6)
        stopped = process_of(run, 1)
        stopped.send_signal(signal.SIGSTOP)
        done = finish(process)
    (silent,) = events(run, "generator_silent")
    (lost,) = events(run, "generator_lost")
    last = {line["process"]: line for line in read_lines(run / "timeline.jsonl")}

    assert done.code == 96, done
    assert (silent["process"], lost["process"]) == (1, 1)
    assert silent["t_s"] < silent["since_s"] + 3.5
    assert "killed" in lost["reason"]
    assert last[0]["t_s"] >= 7
    assert 0 in reasons(harness)["load_not_delivered"]
    assert harness.processes() == []


def test_nothing_outlives_a_supervisor_that_was_killed(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 60) as url:
        process, run = at_load(harness, url, 30)
        os.kill(process.pid, signal.SIGKILL)
        gone = harness.all_gone_within(3)
        finish(process)
    judged = harness.run("check", str(run))

    assert gone is not None, [each.cmdline() for each in harness.processes()]
    assert judged.code in {96, 97}, judged
    assert harness.verdict()["totals"]["requests"] > 50


def test_a_locustfile_that_quits_in_one_process_ends_the_run_in_all(harness: Harness) -> None:
    with hanging_server(harness.folder / "server.log", 60) as url:
        done = harness.run(*command(harness, 30, theirs=QUITS), "--url", url)
    run = harness.the_run()
    manifest = json.loads((run / "manifest.json").read_text())

    assert manifest["end"]["why"] == "stopped_by_locustfile"
    assert manifest["end"]["load_ended_s"] < 20
    assert len(events(run, "stream_closed")) == 2
    assert events(run, "generator_lost") == []
    assert done.code in {96, 97}, done
