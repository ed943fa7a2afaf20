"""The personas at a CRM that somebody else started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.crm_server import CrmServer
from tests.support.harness import Harness

pytestmark = pytest.mark.slow

AT_ONCE = ("--set", 'load.warmup="0s"', "--set", 'load.settle="0s"')
SHORT = ("--set", 'load.stages=[{users=10,hold="6s"}]', "--set", "load.think_scale=0.01", *AT_ONCE)
SHORTEST = ("--set", 'load.stages=[{users=3,hold="2s"}]', *AT_ONCE)


@dataclass(frozen=True)
class Crm:
    """A CRM that runs."""

    url: str
    accounts: Path
    access_log: Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A dataset, made as a user makes one."""
    harness = Harness(tmp_path_factory.mktemp("somebodys"), cache)
    seeded = harness.run("app", "seed", "--customers", "500", "--data", "data")
    assert seeded.code == 0, seeded
    return harness.folder / "data"


@pytest.fixture
def crm(harness: Harness, data: Path) -> Iterator[Crm]:
    copy = harness.folder / "work" / "crm.sqlite"
    copied = harness.run("app", "reset", "--data", str(data), "--to", str(copy))
    assert copied.code == 0, copied
    log = harness.folder / "access.log"
    with CrmServer(copy, harness.folder, "--access-log", str(log), "--test-mode") as server:
        yield Crm(server.start().url, data / "accounts.jsonl", log)


def test_they_sign_in_with_the_accounts_of_its_dataset(harness: Harness, crm: Crm) -> None:
    done = harness.run("run", "smoke", "--url", crm.url, "--accounts", str(crm.accounts), *SHORT)

    # Whether the machine was quick enough for the verdict is not what this is about.
    assert done.code in {0, 96, 97}, done
    totals = harness.verdict()["totals"]
    assert totals["outcomes"]["ok"] > 50
    assert totals["bad"] == 0
    goodput = harness.verdict()["goodput"]
    assert goodput["assessed"], goodput["why"]
    assert goodput["stored"] == goodput["acknowledged"] > 0
    assert goodput["invariants"]["fresh"] is False


def test_more_users_than_accounts_are_refused_before_anything_is_sent(
    harness: Harness, crm: Crm
) -> None:
    header, *people = crm.accounts.read_text().splitlines()
    sales = [line for line in people if json.loads(line)["role"] == "sales"][:2]
    others = [line for line in people if json.loads(line)["role"] != "sales"]
    few = harness.folder / "few.jsonl"
    few.write_text("\n".join([header, *sales, *others]))
    done = harness.run("run", "smoke", "--url", crm.url, "--accounts", str(few), *SHORT)
    asked = [json.loads(line) for line in crm.access_log.read_text().splitlines()]

    assert done.code == 2, done
    assert "found 3 users as sales_rep, and 2 accounts of the role sales; allowed" in done.err
    assert harness.runs() == []
    assert not [line for line in asked if "/api/" in json.dumps(line)]


THEIRS = """
import json, os
from locust import FastHttpUser, constant, task

with open(os.environ["TRUELOAD_ACCOUNTS"], encoding="utf-8") as file:
    PEOPLE = [json.loads(line) for line in file][1:]

class Theirs(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def products(self):
        headers = {"Authorization": "Bearer " + PEOPLE[0]["token"]}
        self.client.get("/api/v1/products", headers=headers)
"""


def test_a_locustfile_finds_the_accounts_of_a_crm_that_we_start(harness: Harness) -> None:
    (harness.folder / "theirs.py").write_text(THEIRS)
    done = harness.run("run", "smoke", "--locustfile", "theirs.py", *SHORTEST)
    rows = pq.read_table(harness.the_run() / "samples.parquet").to_pydict()

    assert set(rows["endpoint"]) == {"/api/v1/products"}, done
    assert set(rows["outcome"]) - {"cancelled"} == {"ok"}
