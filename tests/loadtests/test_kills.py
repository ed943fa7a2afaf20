"""``kill -9`` of anything: nothing outlives the run, and what was recorded can be read."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.harness import Harness, finish, wait_for_load, wait_for_run

pytestmark = pytest.mark.slow

LONG = 'load.stages=[{users=20,hold="40s"}]'
SCALE = "load.think_scale=0.01"


def supervisor(harness: Harness, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def generator(harness: Harness, pid: int) -> None:
    harness.role("generator.main").send_signal(signal.SIGKILL)


def both(harness: Harness, pid: int) -> None:
    generator(harness, pid)
    supervisor(harness, pid)


def server(harness: Harness, pid: int) -> None:
    masters = [each for each in harness.processes() if "granian" in " ".join(each.cmdline())]
    oldest = min(masters, key=lambda each: each.create_time())
    oldest.send_signal(signal.SIGKILL)


def lost_answers(run: Path, access_log: Path, killed_ns: int) -> list[str]:
    """Answers of the server's own log, older than a second at the kill, that are in no sample."""
    manifest = json.loads((run / "manifest.json").read_text())
    table = pq.read_table(run / "samples.parquet", columns=["process", "request"]).to_pydict()
    recorded = {
        f"{manifest['id']}-{process}-{request}"
        for process, request in zip(table["process"], table["request"], strict=True)
    }
    answered = [json.loads(line) for line in access_log.read_text().splitlines()]
    assert answered
    return [
        line["id"]
        for line in answered
        if line["t"] < killed_ns - 1_000_000_000
        and line["id"].startswith(manifest["id"])
        and line["id"] not in recorded
    ]


@pytest.mark.parametrize(
    ("kill", "code", "database"),
    [
        pytest.param(kill, code, database, id=f"{kill.__name__}-{database}")
        for kill, code in ((supervisor, None), (generator, 96), (both, None), (server, 99))
        for database in ("sqlite", "postgres")
        if (kill, database) not in {(both, "postgres"), (generator, "postgres")}
    ],
)
def test_nothing_is_left_and_the_run_can_be_judged(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    kill: Callable[[Harness, int], None],
    code: int | None,
    database: str,
) -> None:
    access_log = harness.folder / "access.log"
    harness.environment["CRM_ACCESS_LOG"] = str(access_log)
    process = harness.start("run", "smoke", "--database", database, "--set", LONG, "--set", SCALE)
    run = wait_for_run(harness)
    wait_for_load(run, 3)
    assert bool(harness.databases()) == (database == "postgres")
    killed_ns = time.monotonic_ns()
    kill(harness, process.pid)
    gone = harness.children_gone_within(3, supervisor=process.pid)
    done = finish(process)

    assert gone is not None, [each.cmdline() for each in harness.processes()]
    if code is not None:
        assert done.code == code, done
        assert not list(run.glob("*crm.*"))
    assert harness.processes() == []
    judged = harness.here("check", str(run))
    if code is None:  # the others have reported themselves
        assert harness.here("report", str(run)).code == 0
    verdict = harness.verdict()
    assert judged.code in {96, 97, 99}, judged
    assert (run / "report.html").is_file()
    assert verdict["verdict"] in {"invalid", "inconclusive", "failed"}
    assert verdict["totals"]["requests"] > 100
    assert lost_answers(run, access_log, killed_ns) == []
