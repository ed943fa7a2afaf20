"""The open model against real servers: what was asked for came, and who was to blame."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.delivery import CPU_SHARE
from analysis.reasons import HARNESS
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from scenarios.arrivals import Arrival, arrivals, click_shares
from tests.support.harness import Harness, finish, troubled_server, wait_for_load, wait_for_run

pytestmark = pytest.mark.slow

RATE = 80.0
STALL = (3.0, 4.5)
HOLD_S = 10.0

USERS = """
from locust import constant, task
from loadtests.generator.client import LoadUser

class Somebody(LoadUser):
    wait_time = constant(1000)  # there are no think times in the open model

    @task
    def ask(self):
        self.client.get("/ok")
"""

SCENARIO = """
[target]
url = "{url}"
[load]
model = "open"
locustfile = "users.py"
settle = "0s"
timeout = "{timeout}"
stages = [{{ rate = 80, hold = "{hold}" }}]
[budgets]
all = ["p(95) < {limit}"]
"""


@dataclass(frozen=True)
class Judged:
    """What came of a run."""

    code: int
    verdict: dict[str, Any]
    recording: Recording

    @property
    def samples(self) -> pd.DataFrame:
        """Every request, and every missed arrival."""
        return self.recording.samples

    @property
    def planned(self) -> list[Arrival]:
        """The schedule of the seed."""
        scenario = self.recording.scenario
        shares = click_shares(scenario)
        seed = scenario.target.seed
        return list(arrivals(self.recording.schedule, scenario.load, shares, seed))

    def count(self, outcome: Outcome) -> int:
        """Requests of an outcome."""
        return int((self.samples["outcome"] == outcome.label).sum())

    def counted(self, key: str) -> int:
        """Sum of what the timeline's lines say."""
        return sum(int(line[key]) for line in self.recording.timeline)


def prepare(harness: Harness, url: str, *, hold: str, timeout: str, limit: str) -> str:
    """Write a scenario and its users."""
    harness.folder.joinpath("users.py").write_text(USERS)
    text = SCENARIO.format(url=url, hold=hold, timeout=timeout, limit=limit)
    harness.folder.joinpath("scenario.toml").write_text(text)
    return "scenario.toml"


def judged(harness: Harness, code: int) -> Judged:
    """Read what a run left behind."""
    run = harness.the_run()
    return Judged(code=code, verdict=harness.verdict(run), recording=read_run(run))


def microseconds(planned: list[Arrival]) -> list[int]:
    """When arrivals were to come, as the recorder writes it."""
    return [round(arrival.t_s * 1e9) // 1000 for arrival in planned]


@pytest.fixture(scope="module")
def stalled(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Judged]:
    """Ten seconds of arrivals at a server that stalls for a second and a half."""
    harness = Harness(tmp_path_factory.mktemp("stalled"), cache)
    rule = f"stall:{STALL[0]}:{STALL[1]}"
    with troubled_server(harness.folder / "answers.log", 0.002, rule) as url:
        scenario = prepare(harness, url, hold=f"{HOLD_S:g}s", timeout="5s", limit="600ms")
        done = harness.run("run", scenario, "--no-report")
    assert harness.runs(), done.err
    yield judged(harness, done.code)
    harness.clean()


def test_arrivals_are_intended_when_the_seed_says_to_the_microsecond(stalled: Judged) -> None:
    intended_us = [round(value * 1e6) for value in stalled.samples["intended_s"]]

    assert intended_us == microseconds(stalled.planned)
    assert (stalled.samples["sent_us"] >= intended_us).all(), "never early"


def test_a_stall_shows_in_the_percentiles_as_theory_says(stalled: Judged) -> None:
    share = (STALL[1] - STALL[0]) / HOLD_S
    latency_s = stalled.samples["latency_ms"].to_numpy() / 1000
    intended_s = stalled.samples["intended_s"].to_numpy()
    # the server's clock starts with the first request
    first_s = float(stalled.samples["sent_us"].min()) / 1e6
    waited_s = np.where(
        (intended_s >= STALL[0] + first_s) & (intended_s < STALL[1] + first_s),
        STALL[1] + first_s - intended_s,
        0.0,
    )

    for level in (0.95, 0.99):
        found = np.quantile(latency_s, level)
        # of the arrivals that there were: only the server's 2 ms and the machine come on top
        assert found == pytest.approx(np.quantile(waited_s, level), abs=0.1)
        # a share of all falls into the stall, and waits for a time uniform on its length;
        # the tolerance is 4.5 sigma of the quantile of 800 Poisson arrivals, and 0.1 s
        closed_form = (STALL[1] - STALL[0]) * (1 - (1 - level) / share)
        sigma = np.sqrt(level * (1 - level) / (RATE * HOLD_S)) * (STALL[1] - STALL[0]) / share
        assert found == pytest.approx(closed_form, abs=4.5 * sigma + 0.1)


def test_arrivals_that_had_to_wait_for_a_user_are_counted_and_the_targets(stalled: Judged) -> None:
    users = stalled.recording.scenario.load.max_users
    in_stall = sum(STALL[0] < arrival.t_s < STALL[1] for arrival in stalled.planned)

    assert users == 50  # 80/s x 600 ms would be 48
    # the stall begins with the server's first request and not with the run, and what it held
    # up is not all answered at its very end
    assert in_stall - users - 5 <= stalled.counted("late") <= in_stall - users + 25
    assert stalled.count(Outcome.MISSED) == stalled.counted("missed") == 0
    assert stalled.verdict["validity"]["reasons"] == []


def test_a_locustfile_is_told_that_its_wait_times_are_not_used(stalled: Judged) -> None:
    warnings = [event for event in stalled.recording.events if event["kind"] == "warning"]

    assert [event["code"] for event in warnings] == ["wait_time_not_used"]


def test_an_overloaded_target_has_failed_and_nothing_is_forgotten(harness: Harness) -> None:
    # one at a time, 20 ms each: 50 of the 80 that come every second
    with troubled_server(harness.folder / "answers.log", 0.0, "queue:0::0.02") as url:
        scenario = prepare(harness, url, hold="8s", timeout="1500ms", limit="600ms")
        done = harness.run("run", scenario, "--no-report")
    run = judged(harness, done.code)

    assert run.code == 99, done.out
    assert run.verdict["validity"]["reasons"] == []
    assert run.verdict["verdict"] == "failed"
    assert run.count(Outcome.MISSED) == run.counted("missed") > 0
    assert run.counted("late") > RATE
    firsts = run.samples[(run.samples["step"] == 0).to_numpy()]
    assert [round(s * 1e6) for s in firsts["intended_s"]] == microseconds(run.planned)
    assert run.verdict["totals"]["outcomes"]["missed"] == run.count(Outcome.MISSED)


def test_arrivals_that_wait_when_the_run_is_interrupted_are_cancelled(harness: Harness) -> None:
    # one at a time, 20 ms each, for 80 a second: all users wait, and thirty a second more
    with troubled_server(harness.folder / "answers.log", 0.0, "queue:0::0.02") as url:
        scenario = prepare(harness, url, hold="20s", timeout="10s", limit="300ms")
        path = harness.folder / scenario
        path.write_text(path.read_text().replace("[load]", "[load]\nmax_users = 24"))
        command = harness.start("run", scenario, "--no-report")
        wait_for_load(wait_for_run(harness), 3)
        command.send_signal(signal.SIGINT)
        done = finish(command)
    run = judged(harness, done.code)
    waiting = run.samples[run.samples["sent_us"].isna()]

    assert run.code == 130, done.out
    assert len(waiting) > 20
    assert set(waiting["outcome"]) <= {"cancelled", "missed"}
    # what waited for longer than the drain has had its time
    cancelled = waiting[waiting["outcome"] == "cancelled"]
    assert len(cancelled) > 20
    assert (cancelled["latency_ms"] / 1e3).max() < run.recording.scenario.drain_s
    assert run.count(Outcome.MISSED) == run.counted("missed") < len(cancelled)
    assert "records_lost" not in {each["code"] for each in run.verdict["validity"]["reasons"]}


def test_a_generator_that_is_stopped_for_a_while_is_invalid(harness: Harness) -> None:
    with troubled_server(harness.folder / "answers.log", 0.002) as url:
        scenario = prepare(harness, url, hold="6s", timeout="5s", limit="500ms")
        command = harness.start("run", scenario, "--no-report")
        wait_for_load(wait_for_run(harness), 2)
        generator = harness.role("loadtests.generator.main")
        generator.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        generator.send_signal(signal.SIGCONT)
        done = finish(command)
    run = judged(harness, done.code)
    codes = {reason["code"] for reason in run.verdict["validity"]["reasons"]}

    assert run.code == 96, done.out
    assert "generator_saturated" in codes
    assert run.verdict["verdict"] == "invalid"
    assert [round(s * 1e6) for s in run.samples["intended_s"]] == microseconds(run.planned)
    text = json.dumps(run.verdict["validity"]["reasons"])
    assert "late by" in text


BURNS = USERS.replace(
    'self.client.get("/ok")',
    """self.client.get("/ok")
        until = time.process_time() + 0.015
        while time.process_time() < until:
            pass""",
).replace("from locust", "import time\nfrom locust", 1)
"""Fifteen milliseconds of the generator's CPU for each of 80 clicks a second: more than a core."""


def test_a_generator_that_starves_is_invalid_and_its_target_is_not_blamed(
    harness: Harness,
) -> None:
    with troubled_server(harness.folder / "answers.log", 0.002) as url:
        scenario = prepare(harness, url, hold="4s", timeout="5s", limit="100ms")
        harness.folder.joinpath("users.py").write_text(BURNS)
        done = harness.run("run", scenario, "--no-report")
    run = judged(harness, done.code)
    reasons = run.verdict["validity"]["reasons"]
    by_cpu = [each for each in reasons if each["limit"] == CPU_SHARE]
    start_s, end_s = run.verdict["stages"][0]["hold"]
    cpu = np.mean(
        [line["cpu"] for line in run.recording.timeline if start_s <= line["t_s"] <= end_s]
    )

    assert run.code == 96, done.out
    assert run.verdict["verdict"] == "invalid"
    assert {each["code"] for each in reasons} <= HARNESS
    assert "generator_saturated" in {each["code"] for each in reasons}
    # where other programs take its core away from it, it is late all the same, for less CPU
    assert len(by_cpu) == int(cpu > CPU_SHARE)
    assert cpu > CPU_SHARE / 2
    assert [each["measured"] for each in by_cpu] == pytest.approx([cpu] * len(by_cpu))
    assert ["of its core" in each["message"] for each in by_cpu] == [True] * len(by_cpu)
    assert {budget["verdict"] for budget in run.verdict["budgets"]} == {"invalid"}


CLICKS = """
[target]
customers = 2_000
[load]
model = "open"
mix = { sales_rep = 5, support_agent = 3, manager = 1, marketing = 1, portal_customer = 6 }
settle = "2s"
timeout = "5s"
stages = [{ rate = 40, hold = "4s" }]
[budgets]
all = ["p(95) < 2s"]
"""


def test_two_processes_begin_the_clicks_of_the_one_schedule(harness: Harness) -> None:
    harness.folder.joinpath("clicks.toml").write_text(CLICKS)
    done = harness.run("run", "clicks.toml", "--processes", "2", "--no-report")
    assert harness.runs(), done.err
    run = judged(harness, done.code)
    firsts = run.samples[(run.samples["step"] == 0).to_numpy()]
    begun = zip(
        firsts["process"].astype(int),
        (firsts["intended_s"] * 1e6).round().astype(int),
        firsts["persona"].astype(str),
        firsts["click"].astype(str),
        strict=True,
    )
    planned = [
        (arrival.index % 2, *when, arrival.persona, arrival.step)
        for arrival, when in zip(run.planned, zip(microseconds(run.planned)), strict=True)
    ]

    assert len({step for *_, step in planned}) > 10, "many kinds of clicks"
    assert sorted(begun) == sorted(planned)
    assert run.verdict["validity"]["reasons"] == []
    # some two hundred requests are few for an error ratio below 1 %
    assert run.verdict["verdict"] in {"passed", "inconclusive"}, done.out
