"""The open model judged: what waits for the target is the target's, the rest the harness's."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.arrivals import BUSY_SHARE, pools_of, waited_for_target
from analysis.delivery import send_lag_s
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.validity import Validity, assess
from analysis.windows import Hold, hold_of, hold_windows
from scenarios.arrivals import arrivals, click_shares
from scenarios.loading import parse_scenario
from scenarios.schedule import plan
from tests.analysis.synthetic import RunBuilder

HOLD_S = 10.0
RATE = 200.0
USERS = 15
TIMEOUT_S = 2.0
NEVER = (np.inf, np.inf)


@dataclass
class OpenRun:
    """A run of the open model with known truth: first come, first served by free users.

    ::

        arrival ── nobody free? wait ── sent ── server (slow while it stalls) ── done ── aside
                   generator stopped? wait                                       (a task's own)
    """

    folder: Path
    service_s: float = 0.005
    stall: tuple[float, float] = NEVER
    stopped: tuple[float, float] = NEVER
    unwritten: tuple[float, float] = NEVER
    aside_s: float = 0.0
    running: int = USERS

    def scenario(self) -> dict[str, Any]:
        return {
            "target": {"url": "http://127.0.0.1:1"},
            "load": {
                "model": "open",
                "mix": {"portal_customer": 1},
                "settle": "0s",
                "timeout": f"{TIMEOUT_S}s",
                "max_users": USERS,
                "stages": [{"rate": RATE, "hold": f"{HOLD_S}s"}],
            },
            "budgets": {"all": ["p(95) < 20ms"]},
        }

    def record(self) -> Recording:
        self.build = RunBuilder(self.folder / "run", self.scenario())
        scenario = parse_scenario(self.scenario(), name="open", folder=None)
        due = arrivals(plan(scenario), scenario.load, click_shares(scenario), scenario.target.seed)
        free = [(0.0, user) for user in range(USERS)]
        for arrival in due:
            if not self.unwritten[0] <= arrival.t_s < self.unwritten[1]:
                self.begin(arrival.t_s, free)
        self.build.timeline(
            [
                {"t_s": float(t_s), "running": self.running, "cpu": 0.2, "loop_lag_us": [150] * 50}
                for t_s in range(1, round(HOLD_S) + 1)
            ]
        )
        return read_run(self.build.finish(ended_s=HOLD_S))

    def begin(self, due_s: float, free: list[tuple[float, int]]) -> None:
        free_s, user = heapq.heappop(free)
        sent_s = max(due_s, free_s)
        if self.stopped[0] <= sent_s < self.stopped[1]:
            sent_s = self.stopped[1]
        if sent_s - due_s > TIMEOUT_S:
            heapq.heappush(free, (free_s, user))
            self.miss(due_s, due_s + TIMEOUT_S)
            return
        done_s = sent_s + self.service_s
        if done_s > self.stall[0] and sent_s < self.stall[1]:
            done_s = min(self.stall[1] + self.service_s, sent_s + TIMEOUT_S)
        outcome = Outcome.OK if done_s < sent_s + TIMEOUT_S else Outcome.TIMEOUT
        self.build.add(
            due_s,
            done_s - due_s,
            sent_s=sent_s,
            user=user,
            persona="portal_customer",
            outcome=outcome,
        )
        heapq.heappush(free, (done_s + self.aside_s, user))

    def miss(self, due_s: float, seen_s: float) -> None:
        self.build.add(
            due_s,
            None,
            seen_s=seen_s,
            user=-1,
            persona="portal_customer",
            outcome=Outcome.MISSED,
            sent_s=-1e-6,  # -1 microsecond is null
        )


def judged(recording: Recording) -> tuple[Hold, Validity]:
    window = hold_windows(recording.schedule, recording.ended_s)[0]
    hold = hold_of(recording.samples, window)
    return hold, assess(recording, [hold], recording.scenario.budgets)


def codes(validity: Validity) -> list[str]:
    return [reason.code for reason in validity.reasons]


def count(hold: Hold, outcome: Outcome) -> int:
    return int((hold.samples["outcome"] == outcome.label).sum())


def test_arrivals_that_come_as_asked_are_valid(tmp_path: Path) -> None:
    hold, validity = judged(OpenRun(tmp_path).record())

    assert validity.reasons == ()
    assert len(hold.samples) == pytest.approx(RATE * HOLD_S, abs=5 * np.sqrt(RATE * HOLD_S))
    assert all("Little" in note for note in validity.notes)


def test_arrivals_that_wait_for_a_target_that_stalls_are_the_targets(tmp_path: Path) -> None:
    hold, validity = judged(OpenRun(tmp_path, stall=(3.0, 6.0)).record())

    assert count(hold, Outcome.MISSED) > RATE * 0.5, "the pool was exhausted for longer"
    assert count(hold, Outcome.TIMEOUT) == USERS
    assert codes(validity) == []


def test_arrivals_that_wait_for_a_target_that_is_too_slow_are_the_targets(tmp_path: Path) -> None:
    hold, validity = judged(OpenRun(tmp_path, service_s=USERS / RATE * 1.5).record())

    assert count(hold, Outcome.MISSED) > RATE
    assert codes(validity) == []


def test_a_generator_that_stops_is_to_blame_for_all_that_waited(tmp_path: Path) -> None:
    hold, validity = judged(OpenRun(tmp_path, stopped=(4.0, 5.5)).record())

    # no more than the idle users were sent late themselves: too few for a p99
    assert (send_lag_s(hold) > 0.005).mean() < 0.01
    assert codes(validity) == ["generator_saturated"]
    assert validity.reasons[0].measured > 1000, "milliseconds"


def test_users_that_are_busy_with_other_things_are_no_delay_of_the_target(tmp_path: Path) -> None:
    _, validity = judged(OpenRun(tmp_path, aside_s=0.1).record())

    assert "generator_saturated" in codes(validity)


def test_arrivals_missed_while_users_were_free_are_not_delivered(tmp_path: Path) -> None:
    run = OpenRun(tmp_path, stopped=(4.0, 7.5))
    hold, validity = judged(run.record())

    missed = count(hold, Outcome.MISSED)
    assert missed > RATE
    assert codes(validity) == ["load_not_delivered", "generator_saturated"]
    assert (validity.reasons[0].measured, validity.reasons[0].limit) == (missed, RATE)


def test_arrivals_of_which_nothing_is_recorded_are_not_delivered(tmp_path: Path) -> None:
    _, validity = judged(OpenRun(tmp_path, unwritten=(4.0, 5.5)).record())

    assert codes(validity) == ["load_not_delivered"]
    assert validity.reasons[0].measured == pytest.approx(1.5 * RATE, abs=5 * np.sqrt(1.5 * RATE))


def test_fewer_virtual_users_than_planned_are_not_delivered(tmp_path: Path) -> None:
    _, validity = judged(OpenRun(tmp_path, running=USERS - 1).record())

    assert codes(validity) == ["load_not_delivered"]
    assert "15 virtual users" in validity.reasons[0].message


def test_a_pool_waits_for_the_target_while_its_users_are_in_requests(tmp_path: Path) -> None:
    recording = OpenRun(tmp_path, stall=(3.0, 6.0)).record()
    (pool,) = pools_of(recording)
    window = hold_windows(recording.schedule, recording.ended_s)[0]
    rows = hold_of(recording.samples, window).samples
    missed = rows[(rows["outcome"] == "missed").to_numpy()]
    shares = waited_for_target(recording, missed, missed["end_s"].to_numpy())

    assert (pool.process, pool.persona, pool.users) == (0, "portal_customer", USERS)
    assert (shares > BUSY_SHARE).all()
    assert (shares <= 1 + 1e-9).all()
    early = rows[(rows["intended_s"] < 2.0).to_numpy()]
    share = waited_for_target(recording, early.iloc[:1], np.array([2.5]))
    assert share == pytest.approx(RATE * 0.005 / USERS, abs=0.05)
