"""Runs against servers whose trouble is known: what is said of them must be what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.harness import Harness, troubled_server

pytestmark = pytest.mark.slow

USERS = """
from locust import FastHttpUser, between, task

class Somebody(FastHttpUser):
    wait_time = between({think_s} * 0.5, {think_s} * 1.5)

    @task
    def ask(self) -> None:
        self.client.get("/ok")
"""

SCENARIO = """
[target]
url = "{url}"
[load]
locustfile = "users.py"
warmup = "{warmup}"
settle = "{settle}"
timeout = "5s"
stages = [{{ users = {users}, hold = "{hold}" }}]
[budgets]
all = [{budgets}]
"""

LATENCY = '"p(50) < 200ms", "p(95) < 250ms"'


@dataclass(frozen=True)
class Judged:
    """What came of a run."""

    code: int
    verdict: dict[str, Any]

    @property
    def stage(self) -> dict[str, Any]:
        """The one stage."""
        stage: dict[str, Any] = self.verdict["stages"][0]
        return stage

    def budget(self, assertion: str) -> dict[str, Any]:
        """One budget."""
        return next(b for b in self.verdict["budgets"] if b["assertion"] == assertion)


def run(
    harness: Harness,
    *rules: str,
    delay_s: float = 0.01,
    think_s: float = 0.05,
    **options: object,
) -> Judged:
    """Run a scenario against a server with a script."""
    asked = {
        "warmup": "0s",
        "settle": "0s",
        "users": 10,
        "hold": "8s",
        "budgets": LATENCY,
        **options,
    }
    harness.folder.joinpath("users.py").write_text(USERS.format(think_s=think_s))
    with troubled_server(harness.folder / "answers.log", delay_s, *rules) as url:
        harness.folder.joinpath("scenario.toml").write_text(SCENARIO.format(url=url, **asked))
        done = harness.run("run", "scenario.toml", "--no-report")
    assert harness.runs(), done.err
    return Judged(code=done.code, verdict=harness.verdict())


def test_an_outage_in_the_middle_is_dated_and_its_end_too(harness: Harness) -> None:
    judged = run(harness, "refuse:3:5", think_s=0.1)
    stability = judged.verdict["stability"]
    (outage,) = stability["outages"]

    assert judged.code == 99, judged.verdict["why"]
    assert not outage["open"]
    # by whole seconds: a second in which one good answer came is up
    assert outage["start_s"] == pytest.approx(3.0, abs=1.1)
    assert outage["end_s"] == pytest.approx(5.0, abs=1.1)
    assert judged.budget("availability >= 99%")["verdict"] == "failed"
    assert judged.verdict["totals"]["outcomes"]["connection_error"] >= 10 * 2 / (0.1 + 0.05) * 0.3
    assert judged.verdict["validity"]["valid"], judged.verdict["validity"]


def test_a_slow_first_second_changes_nothing_that_is_judged(harness: Harness) -> None:
    judged = run(harness, "slow:0:1:0.4", warmup="2s", hold="5s")

    assert judged.code == 0, judged.verdict["why"]
    assert judged.stage["latency"]["max"]["value"] < 250
    assert judged.verdict["stability"]["down_s"] == 0


def test_two_hundred_users_who_think_as_long_as_they_wait_pass_with_none_bad_at_the_end(
    harness: Harness,
) -> None:
    judged = run(
        harness, delay_s=0.5, think_s=0.5, users=200, warmup="2s", hold="6s", budgets='"p(95) < 1s"'
    )
    outcomes = judged.verdict["totals"]["outcomes"]

    assert judged.code == 0, judged.verdict["why"]
    assert {name for name, count in outcomes.items() if count} == {"ok"}
    assert judged.stage["in_flight"]["value"] == pytest.approx(100, rel=0.15)


def test_errors_that_come_fast_never_improve_a_latency(harness: Harness) -> None:
    slow = '"p(95) < 100ms", "error_ratio < 100%", "availability >= 1%"'
    judged = run(harness, "fail:2:8", delay_s=0.2, budgets=slow)

    assert judged.code == 99, judged.verdict["why"]
    assert judged.budget("p(95) < 100ms")["verdict"] == "failed"
    assert judged.stage["latency"]["p50"]["value"] > 200  # of the right answers alone


def test_nobody_is_taken_for_down_who_was_only_slow_in_answering(harness: Harness) -> None:
    judged = run(harness, "stall:3:4.5", think_s=0.1, budgets='"p(50) < 200ms"')

    assert judged.verdict["totals"]["bad"] == 0
    assert judged.stage["latency"]["max"]["value"] == pytest.approx(1500, abs=120)
