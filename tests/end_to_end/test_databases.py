"""The same run on PostgreSQL: one of our own, and one that somebody runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from analysis.recording.streams import read_lines
from target_app.postgres import Cluster, Running
from tests.support.harness import Done, Harness

pytestmark = pytest.mark.slow

SHORT = (
    *("--set", 'load.stages=[{users=16,hold="8s"}]', "--set", "load.think_scale=0.01"),
    # What is asked is whether it works: limits that a busy machine does not come near, and that
    # the few requests which it gets through are enough for.
    *("--set", 'budgets.all=["p(95) < 4s","error_ratio < 10%"]'),
)
SETTINGS = 'target.options={pool_size=3,n_plus_one=true,drop_index=["orders_placed"]}'


@dataclass(frozen=True)
class PostgresRun:
    """A short smoke run on a PostgreSQL of our own, with options and an extension."""

    harness: Harness
    done: Done
    folder: Path
    manifest: dict[str, Any]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[PostgresRun]:
    harness = Harness(tmp_path_factory.mktemp("postgres"), cache)
    words = ["run", "smoke", "--database", "postgres", *SHORT]
    words += ["--set", SETTINGS, "--set", 'target.extensions=["loyalty"]']
    done = harness.run(*words)
    folder = harness.the_run()
    yield PostgresRun(harness, done, folder, json.loads((folder / "manifest.json").read_text()))
    harness.clean()


def test_it_passes_and_leaves_nothing_running_or_lying_about(postgres: PostgresRun) -> None:
    assert postgres.done.code == 0, postgres.done
    assert postgres.harness.verdict()["verdict"] == "passed"
    assert postgres.harness.processes() == []
    assert not list(postgres.folder.glob("*crm.*"))


def test_the_manifest_says_what_the_crm_ran_on_and_how(postgres: PostgresRun) -> None:
    target = postgres.manifest["target"]

    assert target["database"] == "postgres"
    assert int(target["database_version"].partition(".")[0]) >= 18
    assert target["options"]["pool_size"] == 3
    assert target["options"]["n_plus_one"] is True
    assert target["options"]["drop_index"] == ["orders_placed"]
    assert target["extensions"] == ["loyalty"]
    assert postgres.manifest["scenario"]["target"]["database"] == "postgres"
    report = (postgres.folder / "report.html").read_text()
    for words in (f"postgres {target['database_version']}", "pool_size=3", "with loyalty"):
        assert words in report


def test_both_databases_hold_the_same_data(postgres: PostgresRun, harness: Harness) -> None:
    brief = ("--set", 'load.stages=[{users=1,hold="1s"}]', "--set", 'load.warmup="0s"')
    harness.run("run", "smoke", "--no-report", *brief)
    other = json.loads((harness.the_run() / "manifest.json").read_text())["target"]

    assert postgres.manifest["target"]["dataset_hash"] == other["dataset_hash"]
    assert postgres.manifest["target"]["rows"] == other["rows"]


def test_the_databases_processes_are_watched_as_the_targets(postgres: PostgresRun) -> None:
    lines = read_lines(postgres.folder / "resources.jsonl")
    watched = {line["pid"] for line in lines if line["role"] in {"target", "database"}}

    assert len(watched) > 5  # granian and its worker are two; PostgreSQL has a dozen


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A PostgreSQL that somebody else runs."""
    with Cluster.create(tmp_path / "theirs").start() as running:
        yield running


def urls(server: Running, name: str) -> tuple[str, str]:
    """URL of a database, and the same with a password."""
    plain = server.url(name).render_as_string(hide_password=False)
    return plain, plain.replace("crm@", "crm:hush@", 1)


def test_a_database_that_somebody_runs_is_filled_anew_for_each_run(
    harness: Harness, server: Running
) -> None:
    _, url = urls(server, "load")
    harness.environment["DATABASE_URL"] = url
    harness.environment["TMPDIR"] = str(harness.folder)
    words = ["run", "smoke", "--set", 'load.stages=[{users=5,hold="2s"}]', "--no-report"]
    words += ["--set", 'load.warmup="1s"', "--set", 'load.settle="0s"']
    words += ["--set", "target.customers=200"]
    words += ["--set", 'target.database={env="DATABASE_URL"}']
    first, second = harness.run(*words), harness.run(*words)
    manifests = [json.loads((run / "manifest.json").read_text()) for run in harness.runs()]

    # Little evidence, or of two seconds one in which the machine did other things: no failure.
    assert {first.code, second.code} <= {0, 96, 97}, (first, second)
    assert harness.processes() == []
    for run, manifest in zip(harness.runs(), manifests, strict=True):
        assert "load" in manifest["target"]["database_url"]
        assert manifest["target"]["rows"]["customers"] == 200
        assert not list(run.glob("*crm.*"))
        assert not [file for file in run.rglob("*.*") if b"hush" in file.read_bytes()]
    assert not list(harness.folder.glob("crm-metrics-*"))
    assert psutil.pid_exists(server.pid)


def test_a_database_that_is_none_of_ours_is_not_touched(harness: Harness, server: Running) -> None:
    url, _ = urls(server, "postgres")
    theirs, _ = urls(server, "payroll")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE payroll")
    with psycopg.connect(theirs.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE salaries (id bigint)")
    done = harness.run("run", "smoke", "--database", theirs)
    with psycopg.connect(theirs.replace("+psycopg", "")) as connection:
        left = connection.execute("SELECT count(*) FROM salaries").fetchone()

    assert done.code != 0
    assert "Traceback" not in done.err
    assert harness.runs() == []
    assert left == (0,)
