"""The engine's statistics, fed in bulk, are those that it would have kept itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import locust.stats
import numpy as np
import pytest
from locust.exception import CatchResponseError
from locust.rpc.protocol import Message
from locust.stats import RequestStats, StatsEntry, bucket_response_time

from analysis.recording.format import MAX_ENDPOINTS, OTHER, Outcome
from loadtests.generator import statistics as bulk
from loadtests.generator.clock import now_ns
from loadtests.generator.recorder import Recorder
from loadtests.generator.statistics import BulkStatistics, bound, bucket_ms

MS = 1_000_000
FIELDS = [
    *("name", "method", "num_requests", "num_none_requests", "num_failures"),
    *("min_response_time", "max_response_time", "num_reqs_per_sec", "num_fail_per_sec"),
    *("response_times", "total_content_length", "start_time", "last_request_timestamp"),
    *("response_times_cache", "use_response_times_cache"),
]


class Clock:
    """The wall clock as the engine reads it."""

    def __init__(self) -> None:
        self.offset_s = 1_700_000_000.25 - now_ns() / 1e9
        self.at_ns: int | None = None

    def time(self) -> float:
        return (now_ns() if self.at_ns is None else self.at_ns) / 1e9 + self.offset_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (locust.stats, bulk):
        monkeypatch.setattr(module, "time", clock)
    # the bulk takes the difference of both clocks: exactly this one's
    monkeypatch.setattr(bulk, "now_ns", lambda: 0)
    return clock


def raised(error: BaseException) -> None:
    raise error


def compare(mine: StatsEntry, theirs: StatsEntry) -> None:
    for field in FIELDS:
        assert getattr(mine, field) == getattr(theirs, field), (mine.name, field)
    # the engine adds floats up one by one, and its error with them
    assert mine.total_response_time == pytest.approx(theirs.total_response_time, rel=1e-12)


@pytest.mark.parametrize("cache", [True, False])
def test_every_field_is_as_if_the_engine_had_been_told_of_each_request(
    tmp_path: Path, clock: Clock, cache: bool
) -> None:
    rng = np.random.default_rng(1)
    origin = now_ns()
    clock.at_ns = origin
    mine, theirs = (RequestStats(use_response_times_cache=cache) for _ in range(2))
    record = Recorder(tmp_path, 0, 2.0, raised)
    statistics = BulkStatistics(mine)
    record.feed(statistics)
    user = record.new_user(None)
    done_ns = origin
    for number in range(3_000):
        done_ns += int(rng.exponential(2 * MS))
        # from below a millisecond to a minute, and every half that rounding can meet
        latency_us = int(10 ** rng.uniform(1.5, 7.8))
        latency_us = latency_us // 500 * 500 if number % 3 == 0 else latency_us
        endpoint, method = f"/{int(rng.integers(4))}", ("GET", "POST")[number % 2]
        failed = number % 7 == 0
        sent = record.sent(user, method, endpoint)
        sent.done_ns, sent.sent_ns = done_ns, done_ns - latency_us * 1000
        outcome = Outcome.HTTP_ERROR if failed else Outcome.OK
        error = f"HTTPError: {number % 2}" if failed else None
        record.finished(sent, outcome, 500 if failed else 200, error, 0, number)

        clock.at_ns = done_ns
        time_ms: Any = latency_us / 1000
        theirs.log_request(method, endpoint, time_ms, number)
        if failed:
            theirs.log_error(method, endpoint, error)
        if number % 701 == 0:
            clock.at_ns = 0
            record.take_second()
    clock.at_ns = 0
    record.take_second()
    record.close()

    assert mine.total.num_requests == 3_000
    compare(mine.total, theirs.total)
    assert mine.entries.keys() == theirs.entries.keys()
    for key, entry in mine.entries.items():
        compare(entry, theirs.entries[key])
    assert {key: (e.occurrences, e.first_seen, e.last_seen) for key, e in mine.errors.items()} == {
        key: (e.occurrences, e.first_seen, e.last_seen) for key, e in theirs.errors.items()
    }
    assert {e.to_name() for e in mine.errors.values()} == {
        e.to_name() for e in theirs.errors.values()
    }


def test_response_times_are_rounded_as_the_engine_rounds_them() -> None:
    near = np.arange(-3, 4) * 500
    us = np.unique(np.concatenate([near + at for at in np.arange(2_000, 30_000_000, 9_500)]))

    assert bucket_ms(us).tolist() == [bucket_response_time(value / 1000) for value in us.tolist()]


def test_the_engine_holds_no_more_names_than_the_recording() -> None:
    stats = RequestStats()
    bound(stats)
    for number in range(MAX_ENDPOINTS + 50):
        stats.log_request("GET", f"/{number}", 5, 1)
        stats.log_error("GET", f"/{number}", ValueError(f"error {number}"))
    stats.log_request("GET", "/3", 5, 1)

    assert len(stats.entries) == MAX_ENDPOINTS + 1
    assert stats.entries[OTHER, "GET"].num_requests == 50
    assert stats.entries["/3", "GET"].num_requests == 2
    assert stats.total.num_requests == MAX_ENDPOINTS + 51
    assert len(stats.errors) <= MAX_ENDPOINTS + 1
    assert sum(error.occurrences for error in stats.errors.values()) == MAX_ENDPOINTS + 50


def test_names_that_cannot_be_written_do_not_reach_a_master(tmp_path: Path) -> None:
    stats = RequestStats()
    bound(stats)
    stats.log_request("GET", "/\ud800", 1, 1)
    stats.log_error("GET", "/\ud800", CatchResponseError("found \udfff"))
    stats.log_error("GET", "/\ud800", "found \udfff")
    recorder = Recorder(tmp_path, 0, 2.0, raised)
    recorder.feed(BulkStatistics(stats))
    user = recorder.new_user("a")
    sent = recorder.sent(user, "GET", "/\ud801")
    sent.sent_ns = sent.done_ns = now_ns()
    recorder.finished(sent, Outcome.CHECK_FAILED, 200, "found \ud801")
    recorder.close()

    reports = [stats.serialize_stats(), stats.serialize_errors()]
    assert list(stats.entries) == [("/?", "GET")]
    assert Message("stats", reports, "worker").serialize()


def test_what_the_engine_hears_of_from_others_is_not_told_it_twice(tmp_path: Path) -> None:
    stats = RequestStats()
    record = Recorder(tmp_path, 0, 2.0, raised)
    record.feed(BulkStatistics(stats))
    user = record.new_user(None)
    record.killed(record.sent(user, "GET", "/killed"))
    record.listeners = (1, 2, 3)  # somebody listens: our own client fires the event itself
    record.finished(record.sent(user, "GET", "/fired"), Outcome.OK, 200)
    record.listeners = (1, 2)
    record.finished(record.sent(user, "GET", "/own"), Outcome.OK, 200)
    assert record.take_second().ok == 2
    record.close()

    assert [name for name, _ in stats.entries] == ["/own"]
    assert record.own == 1
