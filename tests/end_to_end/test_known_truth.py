"""Runs against servers whose trouble is known: what is said of them must be what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from analysis.recording.reader import read_run
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

BUSY = {"generator_saturated"}
"""What a busy machine may add to any run: no bound may depend on its being quiet."""

LATENCY = '"p(50) < 200ms", "p(95) < 250ms"'


@dataclass(frozen=True)
class Judged:
    """What came of a run."""

    code: int
    verdict: dict[str, Any]
    samples: pd.DataFrame

    @property
    def stage(self) -> dict[str, Any]:
        """The one stage."""
        stage: dict[str, Any] = self.verdict["stages"][0]
        return stage

    @property
    def first_s(self) -> float:
        """When the server's clock begins: with the first request."""
        return float(self.samples["sent_us"].min()) / 1e6

    def ends_with(self, code: int, *, failed: str | None = None) -> None:
        """Hold exit code and budget against what they should be where the generator keeps up."""
        reasons = {reason["code"] for reason in self.verdict["validity"]["reasons"]}
        assert reasons <= BUSY, self.verdict["validity"]
        assert self.code == (96 if reasons else code), self.verdict["why"]
        if failed is not None:
            assert self.budget(failed)["verdict"] == ("invalid" if reasons else "failed")

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
    samples = read_run(harness.the_run()).samples
    return Judged(code=done.code, verdict=harness.verdict(), samples=samples)


def test_an_outage_in_the_middle_is_dated_and_its_end_too(harness: Harness) -> None:
    judged = run(harness, "refuse:3:5", think_s=0.1, hold="7s")
    stability = judged.verdict["stability"]
    (outage,) = stability["outages"]

    judged.ends_with(99, failed="availability >= 99%")
    assert not outage["open"]
    # by whole seconds: a second in which one good answer came is up. No good answer comes
    # while it refuses; a busy machine ends an outage later, never sooner
    assert 3.0 <= outage["start_s"] <= judged.first_s + 3.0 + 1.1
    assert 5.0 <= outage["end_s"] <= judged.first_s + 5.0 + 2.0
    assert judged.verdict["totals"]["outcomes"]["connection_error"] >= 10 * 2 / (0.1 + 0.05) * 0.3


def test_a_slow_first_second_changes_nothing_that_is_judged(harness: Harness) -> None:
    judged = run(harness, "slow:0:1:0.4", warmup="2s", hold="5s")

    judged.ends_with(0)
    # of 24 requests in the first second each takes 410 ms: more than one of a hundred of all
    assert (judged.samples["latency_ms"] > 400).sum() >= 20
    assert judged.stage["latency"]["p99"]["value"] < 400
    assert judged.verdict["stability"]["down_s"] == 0


def test_two_hundred_users_who_think_as_long_as_they_wait_pass_with_none_bad_at_the_end(
    harness: Harness,
) -> None:
    judged = run(
        harness,
        delay_s=0.5,
        think_s=0.5,
        users=200,
        warmup="2s",
        hold="6s",
        budgets='"p(95) < 2600ms"',
    )
    outcomes = judged.verdict["totals"]["outcomes"]

    judged.ends_with(0)
    assert {name for name, count in outcomes.items() if count} == {"ok"}
    # of its time each user waits for an answer the share R / (R + Z), which is a half where R
    # is the server's alone, and more on a busy machine
    start_s, end_s = judged.stage["hold"]
    held = judged.samples[judged.samples["sent_us"].between(start_s * 1e6, end_s * 1e6)]
    waits_s = float(held["latency_ms"].mean()) / 1e3
    assert waits_s >= 0.5
    assert judged.stage["in_flight"]["value"] == pytest.approx(
        200 * waits_s / (waits_s + 0.5), rel=0.15
    )


def test_errors_that_come_fast_never_improve_a_latency(harness: Harness) -> None:
    slow = '"p(95) < 100ms", "error_ratio < 100%", "availability >= 1%"'
    judged = run(harness, "fail:2:5", delay_s=0.2, budgets=slow, hold="5s")

    judged.ends_with(99, failed="p(95) < 100ms")
    assert judged.stage["latency"]["p50"]["value"] > 200  # of the right answers alone


def test_nobody_is_taken_for_down_who_was_only_slow_in_answering(harness: Harness) -> None:
    budgets = '"p(50) < 200ms", "error_ratio < 5%"'
    judged = run(harness, "stall:2:3.5", think_s=0.1, hold="5s", budgets=budgets)
    stalled = judged.samples["latency_ms"].nlargest(10)  # one of each user

    judged.ends_with(0)
    assert judged.verdict["totals"]["bad"] == 0
    assert judged.verdict["stability"]["outages"] == []
    # whoever asks at its beginning waits for all of it: ten users ask within 0.16 s, and the
    # first of them later only where none of the ten has asked at all
    assert stalled.max() > 1300
    assert stalled.median() < 1600
