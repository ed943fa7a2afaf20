"""Acknowledged writes of real runs: what a target says it has done is held against what is."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import (
    Harness,
    finish,
    hanging_server,
    wait_for_load,
    wait_for_run,
)

pytestmark = pytest.mark.slow

SHORT = 'load.stages=[{users=5,hold="4s"}]'
TRUSTING = """
import json
import os
from itertools import islice
from uuid import uuid4

from locust import HttpUser, constant, task

with open(os.environ["TRUELOAD_ACCOUNTS"], encoding="utf-8") as lines:
    ACCOUNTS = [json.loads(line) for line in islice(lines, 1, None)]
TOKEN = next(a["token"] for a in ACCOUNTS if a["role"] == "manager")


class Trusting(HttpUser):
    # Believes every status: a 200 is a stored order, and nobody looks.
    wait_time = constant(0.02)

    @task
    def order(self):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.client.get("/api/v1/orders", headers=headers)
        order = {"customer_id": 1, "items": [{"product_id": 1, "qty": 1}]}
        headers["Idempotency-Key"] = uuid4().hex
        for _ in range(2):  # the second one is answered as the first, and stores nothing
            self.client.post("/api/v1/orders", json=order, headers=headers)
"""


def trusting(harness: Harness, more: str = "", **load: object) -> list[str]:
    """A scenario whose users look at statuses alone, against the CRM, without budgets."""
    (harness.folder / "trusting.py").write_text(TRUSTING)
    scenario = harness.folder / "trusting.toml"
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in load.items())
    scenario.write_text(
        f"""
        [target]
        app = "crm"
        customers = 1000
        {more}
        [load]
        locustfile = "trusting.py"
        settle = "0s"
        stages = [{{ users = 4, hold = "3s" }}]
        {lines}
        """
    )
    return ["run", str(scenario)]


def goodput(harness: Harness) -> dict[str, Any]:
    section: dict[str, Any] = harness.verdict()["goodput"]
    return section


def test_a_cache_that_acknowledges_writes_fails_a_run_in_which_every_status_is_200(
    harness: Harness,
) -> None:
    done = harness.run(*trusting(harness, 'options = { cache = "naive" }'))
    verdict, found = harness.verdict(), goodput(harness)

    assert done.code == 99, done
    assert verdict["totals"]["bad"] == 0
    assert verdict["budgets"] == []
    assert found["assessed"]
    assert found["absent"]["count"] > 0
    assert found["absent"]["count"] + found["stored"] == found["acknowledged"] == found["writes"]
    assert "acknowledged writes are not stored" in done.out
    again = harness.run("check", str(harness.the_run()))
    assert again.code == 99, again
    assert goodput(harness) == found


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_right_target_has_stored_every_acknowledged_write_once(
    harness: Harness, database: str
) -> None:
    done = harness.run("run", "smoke", "--set", SHORT, "--database", database)
    found = goodput(harness)

    assert done.code in {0, 97}, done
    assert found["assessed"]
    assert found["broken"] == []
    assert found["stored"] == found["acknowledged"] > 0
    assert found["not_asked"] == found["unclear"] == 0
    assert found["invariants"]["checked"] > 10
    assert found["share"]["value"] == 1.0
    assert found["throughput"]["value"] > 0


def test_a_write_that_timed_out_is_neither_lost_nor_acknowledged(harness: Harness) -> None:
    process = harness.start(*trusting(harness, timeout="300ms"))
    run = wait_for_run(harness)
    wait_for_load(run, 1)
    # Whoever writes waits for this lock, longer than its client waits for an answer.
    with closing(sqlite3.connect(run / "crm.sqlite", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.8)
        other.execute("ROLLBACK")
    done = finish(process)
    found = goodput(harness)
    unknown = {row["outcome"]: row for row in found["indeterminate"]}

    assert done.code != 99, done  # no budgets, and nothing is lost
    assert found["broken"] == []
    assert found["stored"] == found["acknowledged"] > 0
    assert unknown["timeout"]["stored"] > 0  # done as soon as the lock was gone
    assert found["replayed"] > 0
    rest = sum(row["stored"] + row["not_stored"] for row in unknown.values())
    rest += found["refused"] + found["replayed"]
    assert found["acknowledged"] + rest == found["writes"]


def test_a_target_that_is_no_crm_is_not_asked_and_the_run_says_so(
    harness: Harness, tmp_path: Path
) -> None:
    (tmp_path / "one.py").write_text(
        "from locust import HttpUser, task, constant\n"
        "class One(HttpUser):\n"
        "    wait_time = constant(0.1)\n"
        "    @task\n"
        "    def post(self):\n"
        "        self.client.post('/', data='x')\n"
    )
    (tmp_path / "one.toml").write_text(
        '[load]\nlocustfile = "one.py"\nstages = [{ users = 1, hold = "1s" }]\n'
    )
    with hanging_server(harness.folder / "server.log", 60) as url:
        done = harness.run("run", str(tmp_path / "one.toml"), "--url", url)
        lines = (harness.folder / "server.log").read_text().splitlines()
    ids = [line.split()[1] for line in lines]

    assert "goodput: not assessed: no accounts" in done.out
    assert ids
    assert "-" not in ids  # the audit's questions have no request id
    assert not goodput(harness)["assessed"]
