"""Parts of the generator that can be looked at alone: clock, driver, guard, recorder."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from analysis.recording.format import Outcome
from analysis.recording.streams import read_samples
from loadtests.generator.clock import Alarm, LagMonitor, now_ns
from loadtests.generator.driver import Driver
from loadtests.generator.recorder import Recorder
from scenarios.loading import parse_scenario
from scenarios.schedule import plan


def recorder(tmp_path: Path, drain_s: float = 2.0) -> Recorder:
    (tmp_path / "samples").mkdir()

    def failed(error: BaseException) -> None:
        raise error

    return Recorder(tmp_path, 0, drain_s, failed)


def rows(tmp_path: Path) -> list[dict[str, Any]]:
    table, _ = read_samples(tmp_path)
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def judge(recorder: Recorder, sent: Any, status: int = 200) -> None:
    recorder.judged(
        sent,
        method="GET",
        name="/renamed",
        exception=None,
        response=SimpleNamespace(status_code=status, headers={"Server-Timing": "app;dur=1"}),
        length=12,
    )


def test_sleepers_wake_in_order_of_their_moments_and_never_early() -> None:
    alarm = Alarm()
    woken: list[tuple[int, int]] = []

    def sleep(began: int, ms: int) -> None:
        alarm.sleep_until(began + ms * 1_000_000)
        woken.append((ms, now_ns() - began))

    in_time = False
    while not in_time:  # a machine that stands still before all of them sleep proves nothing
        woken.clear()
        began = now_ns() + 20_000_000
        sleepers = [gevent.spawn(sleep, began, ms) for ms in (30, 5, 20, 10, 0)]
        gevent.sleep(0)
        in_time = len(alarm._due) == len(sleepers)
        gevent.joinall(sleepers, timeout=5)

    assert [ms for ms, _ in woken] == [0, 5, 10, 20, 30]
    assert all(after >= ms * 1_000_000 for ms, after in woken)


def test_a_sleeper_that_is_killed_does_not_keep_the_others_from_waking() -> None:
    alarm = Alarm()
    woken: list[int] = []
    began = now_ns()
    killed = gevent.spawn(alarm.sleep_until, began + 5_000_000)

    def sleep() -> None:
        alarm.sleep_until(began + 10_000_000)
        woken.append(1)

    other = gevent.spawn(sleep)
    gevent.sleep(0)
    killed.kill()
    other.join(timeout=5)

    assert woken == [1]


@pytest.mark.costly
def test_a_loop_that_is_blocked_is_seen_as_late() -> None:
    monitor, began = LagMonitor(), now_ns()
    running = gevent.spawn(monitor.run)
    gevent.sleep(0.1)
    time.sleep(0.2)  # blocks the loop
    gevent.sleep(0.1)
    running.kill()
    late_us = monitor.take()

    assert 150_000 < max(late_us) < (now_ns() - began) / 1000
    assert sum(late > 30_000 for late in late_us) >= 7, "each tick that was swallowed counts"
    assert monitor.take() == []


class Instantly(Alarm):
    """Wakes at once whoever sleeps, at the moment that was asked for."""

    def __init__(self) -> None:
        self.now_ns = now_ns() + 10**12  # nobody is late there

    def sleep_until(self, due_ns: int) -> None:
        assert due_ns >= self.now_ns
        self.now_ns = due_ns


def test_the_driver_asks_for_each_stage_at_its_edge_and_returns_at_the_end() -> None:
    load = {
        "mix": {"sales_rep": 1},
        "settle": "0s",
        "stages": [{"users": 3, "hold": "1s"}, {"users": 8, "hold": "1s", "ramp": "0.5s"}],
    }
    schedule = plan(parse_scenario({"load": load}, name="test", folder=None))
    asked: list[tuple[float, int]] = []
    alarm = Instantly()
    origin = alarm.now_ns
    driver = Driver(
        schedule, lambda users, _: asked.append(((alarm.now_ns - origin) / 1e9, users)), alarm
    )
    driver.run(origin)
    users = [count for _, count in asked]

    assert (alarm.now_ns - origin) / 1e9 == 2.5
    assert asked[0] == (0.0, 3)
    assert asked[-1] == (1.5, 8)
    assert users == sorted(users)
    assert len(users) == 6  # each of the five who join comes alone


def test_the_driver_of_a_loop_that_is_late_goes_on_with_the_present() -> None:
    stages = [{"users": 3, "hold": "30s"}, {"users": 8, "hold": "60s"}]
    load = {"mix": {"sales_rep": 1}, "settle": "0s", "stages": stages}
    schedule = plan(parse_scenario({"load": load}, name="test", folder=None))
    asked: list[int] = []
    slept: list[int] = []
    alarm = SimpleNamespace(sleep_until=slept.append)
    driver = Driver(schedule, lambda users, _: asked.append(users), alarm)  # type: ignore[arg-type]
    driver.run(now_ns() - 100_000_000_000)

    assert asked == [8]
    assert len(slept) == 2  # not once for each of 900 steps


def test_the_driver_holds_a_stage_on_and_what_follows_comes_later() -> None:
    load = {
        "mix": {"sales_rep": 1},
        "settle": "0s",
        "stages": [{"users": 3, "hold": "1s"}, {"users": 8, "hold": "1s"}],
    }
    schedule = plan(parse_scenario({"load": load}, name="test", folder=None))
    asked: list[tuple[float, int]] = []
    alarm = Instantly()
    origin = alarm.now_ns
    driver = Driver(
        schedule, lambda users, _: asked.append(((alarm.now_ns - origin) / 1e9, users)), alarm
    )
    sleep_until = alarm.sleep_until

    def extend_then_sleep(due_ns: int) -> None:
        if due_ns == origin + 600_000_000:
            driver.extend(0, 2.05)
        sleep_until(due_ns)

    alarm.sleep_until = extend_then_sleep  # type: ignore[method-assign]
    driver.run(origin)

    assert asked == [(0.0, 3), (3.05, 8)]
    assert (alarm.now_ns - origin) / 1e9 == 4.05


def test_a_request_becomes_one_row_with_the_name_it_ended_with(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user("sales_rep")
    record.begin_transaction(user, record.origin_ns)
    sent = record.sent(user, "GET", "/sent")
    record.answered(sent)
    judge(record, sent)
    record.close()
    (row,) = rows(tmp_path)

    assert (row["endpoint"], row["outcome"], row["status"]) == ("/renamed", "ok", 200)
    assert (row["persona"], row["transaction"], row["step"]) == ("sales_rep", 1, 0)
    assert row["intended_us"] == 0
    assert row["sent_us"] <= row["done_us"] == row["seen_us"]
    assert (row["server_us"], row["bytes_in"]) == (1000, 12)
    assert record.in_flight == {}


def test_an_open_request_is_written_with_each_flush_once_it_is_a_second_old(
    tmp_path: Path,
) -> None:
    record = recorder(tmp_path)
    sent = record.sent(record.new_user(None), "GET", "/stuck")
    record.flush()
    sent.sent_ns -= 1_500_000_000
    record.flush()
    record.flush()
    gevent.sleep(0.05)
    (row,) = rows(tmp_path)

    assert (row["outcome"], row["done_us"]) == ("open", None)
    assert row["seen_us"] - row["sent_us"] >= 1_500_000
    record.killed(sent)
    record.close()
    assert [row["outcome"] for row in rows(tmp_path)] == ["unfinished"]


@pytest.mark.parametrize(("age_s", "outcome"), [(0.5, "cancelled"), (3.0, "unfinished")])
def test_what_an_interrupt_cuts_off_is_cancelled_unless_it_had_its_time(
    tmp_path: Path, age_s: float, outcome: str
) -> None:
    record = recorder(tmp_path)
    sent = record.sent(record.new_user(None), "GET", "/")
    sent.sent_ns -= round(age_s * 1e9)
    record.cut_short = True
    record.leave_open([])
    record.close()

    assert [row["outcome"] for row in rows(tmp_path)] == [outcome]


def test_an_answer_that_nobody_was_left_to_check_is_cancelled_and_one_whose_check_raised_failed(
    tmp_path: Path,
) -> None:
    record = recorder(tmp_path)
    left, raised = record.new_user(None), record.new_user(None)
    for user in (left, raised):
        record.answered(record.sent(user, "GET", "/"))
    record.begin_transaction(raised, None)  # the user goes on: its check has raised
    record.leave_open([left, raised])
    record.close()

    assert [row["outcome"] for row in rows(tmp_path)] == ["check_failed", "cancelled"]
    assert record.unreported == 1


def test_a_request_that_is_judged_twice_is_one_row(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    sent = record.sent(record.new_user(None), "GET", "/")
    judge(record, sent)
    record.answered(sent)
    judge(record, sent, status=500)
    record.killed(sent)
    record.close()

    assert [row["outcome"] for row in rows(tmp_path)] == ["ok"]
    assert record.take_second().ok == 1


@pytest.mark.costly
def test_the_recorder_holds_nothing_of_requests_that_have_ended(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    for _ in range(3_000):
        record.begin_transaction(user, None)
        sent = record.sent(user, "GET", "/")
        record.answered(sent)
        judge(record, sent)
    record.flush()
    record.close()
    del sent
    gc.collect()
    kept = [thing for thing in gc.get_objects() if type(thing).__name__ == "Sent"]

    assert len(rows(tmp_path)) == 3_000
    assert kept == []
    assert {row["outcome"] for row in rows(tmp_path)} == {Outcome.OK.label}


GUARDED = """
import socket, sys
from loadtests.generator.guard import Guard
refused = []
Guard(["allowed.invalid"], refused.append).install()
for attempt in (
    lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2).close(),
    lambda: socket.getaddrinfo("stranger.invalid", 80),
    lambda: socket.gethostbyname("stranger2.invalid"),
    lambda: socket.socket().connect(("10.255.255.1", 9)),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.255.255.2", 9)),
    lambda: socket.getaddrinfo("allowed.invalid", 80),
    lambda: sys.addaudithook(None),
):
    try:
        attempt()
    except (OSError, TypeError):
        pass
print(",".join(refused))
"""


def test_the_guard_sees_every_way_to_a_host_and_lets_loopback_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", GUARDED, str(port)], capture_output=True, text=True, check=True
        )

    assert done.stdout.strip().split(",") == [
        "stranger.invalid",
        "stranger2.invalid",
        "10.255.255.1",
        "10.255.255.2",
    ]
