"""The recorder: every request is in the rows exactly once, whatever happens to it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from analysis.recording.format import MAX_ENDPOINTS, OTHER, REPLAYED, Outcome
from analysis.recording.streams import read_samples
from loadtests.generator.clock import now_ns
from loadtests.generator.pacing import Grid, Pacing
from loadtests.generator.recorder import Recorder, Sent, VirtualUser
from scenarios.assertions import parse_assertion
from scenarios.model import Budget

MS = 1_000_000


def raised(error: BaseException) -> None:
    raise error


def recorder(folder: Path, *budgets: Budget) -> Recorder:
    return Recorder(folder, 0, 2.0, raised, budgets)


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_samples(folder)[0].to_pylist()
    return found


def take(record: Recorder, user: VirtualUser, latency_ms: int, outcome: Outcome, name: str) -> Sent:
    """A request of our own client that took a while."""
    sent = record.sent(user, "GET", name)
    sent.done_ns = sent.intended_ns + latency_ms * MS
    record.finished(sent, outcome, 200)
    return sent


STEPS = (
    *("sent", "sent", "sent", "missed", "begin", "flush", "age"),
    *("finished", "answered", "answered", "judged", "killed", "broke"),
)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_in_whatever_order_every_request_is_in_the_rows_exactly_once(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    record = recorder(tmp_path)
    users = [record.new_user(None) for _ in range(3)]
    requests: list[Sent] = []
    for step in rng.choices(STEPS, k=100):
        if step == "sent":
            requests.append(record.sent(rng.choice(users), "GET", f"/{rng.randrange(9)}"))
        elif step == "missed":
            record.missed(rng.choice(users), "somebody", "look", now_ns() - 1)
        elif step == "begin":
            record.begin_transaction(rng.choice(users), None, "click")
        elif step == "flush":
            record.flush()
        elif requests:  # mostly one of the last, and now and then one that ended long ago
            happen(record, step, rng.choice(requests[-rng.choice((4, 100)) :]))
    record.cut_short = seed % 2 == 0
    record.leave_open(users)
    written = record.close()
    found = rows(tmp_path)

    assert sorted(row["request"] for row in found) == list(range(1, record.requests + 1))
    assert Outcome.OPEN.label not in {row["outcome"] for row in found}
    assert sum(row["outcome"] == "missed" for row in found) == record.missed_arrivals
    assert record.requests == len(requests) + record.missed_arrivals
    assert written >= len(found)
    assert record.in_flight == {}
    assert record.connecting == {}


def happen(record: Recorder, step: str, sent: Sent) -> None:
    if step == "age":
        sent.sent_ns -= 1_500 * MS
    elif step == "finished":
        record.finished(sent, Outcome.OK, 200)
    elif step == "answered":
        record.answered(sent)
    elif step == "judged":
        record.judged(
            sent,
            method="GET",
            name="/judged",
            exception=None,
            response=SimpleNamespace(status_code=200, headers={}),
            length=3,
        )
    elif step == "killed":
        record.killed(sent)
    else:
        record.broke(sent, ValueError("broke"))


def test_our_own_client_says_everything_at_once_and_the_next_request_is_intended_then(
    tmp_path: Path,
) -> None:
    record = recorder(tmp_path)
    user = record.new_user("sales_rep")
    record.begin_transaction(user, record.origin_ns, "list_customers")
    first = record.sent(user, "GET", "/a")
    first.connected_ns = first.sent_ns + MS
    first.first_byte_ns = first.sent_ns + 2 * MS
    first.done_ns = first.sent_ns + 3 * MS
    first.attempt = 1
    record.finished(first, Outcome.OK, 200, None, 5, 7, (1, 2, 3))
    second = record.sent(user, "POST", "/b")
    record.finished(second, Outcome.HTTP_ERROR, 500, "token=abc at http://x/y")
    record.close()
    one, two = rows(tmp_path)

    assert (one["click"], one["transaction"], one["step"], one["attempt"]) == (
        "list_customers",
        1,
        0,
        1,
    )
    assert (one["bytes_out"], one["bytes_in"]) == (5, 7)
    assert (one["server_us"], one["database_us"], one["queries"]) == (1, 2, 3)
    assert one["connected_us"] < one["first_byte_us"] < one["done_us"]
    assert (two["click"], two["step"], two["method"], two["status"]) == (
        "list_customers",
        1,
        "POST",
        500,
    )
    assert two["intended_us"] == one["done_us"]
    assert two["error"] == "<secret> at <url>"
    assert record.clicks == 1


def test_a_missed_arrival_counts_for_its_endpoint_where_that_is_known(tmp_path: Path) -> None:
    budget = Budget(subject="GET /a", assertion=parse_assertion("p(95) < 100ms"))
    record = recorder(tmp_path, budget)
    record.missed(None, "manager", "read_report", now_ns() - 200 * MS, method="GET", endpoint="/a")
    record.missed(None, "manager", None, now_ns())
    second = record.take_second()
    record.close()
    known, unknown = rows(tmp_path)

    assert (known["persona"], known["click"], known["endpoint"]) == ("manager", "read_report", "/a")
    assert (known["user"], known["sent_us"], known["done_us"]) == (None, None, None)
    assert known["seen_us"] - known["intended_us"] >= 200_000
    assert (unknown["method"], unknown["endpoint"], unknown["click"]) == (None, None, None)
    assert (second.missed, second.bad, second.ok) == (2, 2, 0)
    assert second.budgets.tolist() == [[1, 1]]


def test_a_second_counts_what_ended_in_it_and_no_more(tmp_path: Path) -> None:
    texts = ("p(95) < 100ms", "med <= 100ms", "p(95) < 50ms")
    subjects = ("all", "/a", "GET /b")
    budgets = [
        Budget(subject=subject, assertion=parse_assertion(text))
        for subject, text in zip(subjects, texts, strict=True)
    ]
    record = recorder(tmp_path, *budgets)
    user = record.new_user(None)
    for latency_ms, outcome, name in (
        (100, Outcome.OK, "/a"),
        (20, Outcome.OK, "/b"),
        (300, Outcome.TIMEOUT, "/b"),
        (10, Outcome.TIMEOUT, "/b"),
        (500, Outcome.HTTP_ERROR, "/a"),
        (500, Outcome.CANCELLED, "/a"),
    ):
        record.begin_transaction(user, None)
        take(record, user, latency_ms, outcome, name)
    record.sent(user, "GET", "/a").attempt = 1  # still open
    second = record.take_second()

    assert (second.ok, second.bad, second.missed, second.reopened) == (2, 3, 0, 0)
    assert second.percentiles_ms(0.5) == [60.0]
    # n: ok and censored alone; beyond: at the limit or above it, where "<" is asked
    assert second.budgets.tolist() == [[4, 2], [1, 0], [3, 1]]
    assert record.take_second().ok == 0
    record.leave_open([])
    record.close()


def test_lateness_is_the_generators_only_from_when_its_user_was_free(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    began = now_ns()
    record.begin_transaction(user, began)
    slow = record.sent(user, "GET", "/")
    slow.sent_ns, slow.done_ns = began + 2 * MS, began + 50 * MS
    record.finished(slow, Outcome.OK, 200)
    record.begin_transaction(user, began + 10 * MS)  # was due while its user waited
    late = record.sent(user, "GET", "/")
    late.sent_ns, late.done_ns = began + 53 * MS, began + 54 * MS
    record.finished(late, Outcome.OK, 200)
    second = record.take_second()
    record.close()

    assert second.send_lag_us(0.0) == 2_000
    assert second.send_lag_us(1.0) == 3_000


def test_a_request_that_is_killed_and_then_answered_stays_as_it_was(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    sent = record.sent(record.new_user(None), "GET", "/")
    record.killed(sent)
    record.finished(sent, Outcome.OK, 200)
    record.close()

    assert [row["outcome"] for row in rows(tmp_path)] == ["unfinished"]


def test_a_hundred_thousand_endpoints_cost_no_more_than_a_thousand(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    for number in range(MAX_ENDPOINTS + 9_000):
        record.finished(record.sent(user, "GET", f"/{number}"), Outcome.OK, 200)
    record.close()
    names = (tmp_path / "samples" / "names.jsonl").read_text().splitlines()
    endpoints = Counter(row["endpoint"] for row in rows(tmp_path))

    assert record.too_many_endpoints
    assert endpoints[OTHER] == 9_000
    assert len(endpoints) == MAX_ENDPOINTS + 1
    assert len(names) < MAX_ENDPOINTS + 10
    assert len(record._routes.by_method["GET"]) == MAX_ENDPOINTS


def test_whatever_keeps_rows_from_the_disk_is_told(tmp_path: Path) -> None:
    told: list[BaseException] = []

    class EndedError(Exception):
        pass

    def failed(error: BaseException) -> None:
        told.append(error)
        raise EndedError  # as the process does

    record = Recorder(tmp_path, 0, 2.0, failed)
    record._batches._writer.close()  # the file descriptor is gone
    record.finished(record.sent(record.new_user(None), "GET", "/"), Outcome.OK, 200)
    record.flush()
    gevent.sleep(0.02)

    with pytest.raises(EndedError):
        record.flush()
    assert isinstance(told[0], OSError)


def test_a_flush_that_is_killed_leaves_nothing_half_written(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    for _ in range(20_000):
        record.finished(record.sent(user, "GET", "/"), Outcome.OK, 200)
    record.flush()
    waiting = gevent.spawn(record.flush)  # waits for the writer
    gevent.sleep(0)
    waiting.kill()
    record.finished(record.sent(user, "GET", "/"), Outcome.OK, 200)

    assert record.close() == 20_001
    assert len(rows(tmp_path)) == 20_001


def test_rows_that_come_while_all_threads_are_busy_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)

    def take_some(count: int) -> None:
        for _ in range(count):
            record.finished(record.sent(user, "GET", "/"), Outcome.OK, 200)

    spawn = gevent.get_hub().threadpool.spawn

    def have_threads(spawn: Any) -> None:
        hub = SimpleNamespace(threadpool=SimpleNamespace(spawn=spawn))
        monkeypatch.setattr("loadtests.generator.batches.get_hub", lambda: hub)

    def busy(*work: Any) -> Any:
        take_some(3)
        record.take_second()  # looks at them
        return spawn(*work)

    def killed(*_: Any) -> Any:
        raise gevent.GreenletExit

    take_some(2)
    have_threads(killed)
    with pytest.raises(gevent.GreenletExit):
        record.flush()
    have_threads(busy)
    record.flush()
    have_threads(spawn)
    take_some(1)

    assert record.close() == 6
    assert len(rows(tmp_path)) == 6
    assert record.take_second().ok + 5 == 6


def test_what_was_cancelled_is_not_counted_with_what_the_engine_heard_of(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    for outcome in (Outcome.OK, Outcome.CANCELLED, Outcome.HTTP_ERROR):
        record.finished(record.sent(user, "GET", "/"), outcome, 200)
    record.close()

    assert record.own == 2
    assert len(rows(tmp_path)) == 3


@pytest.mark.parametrize(
    ("cut_short", "age_s", "outcome"),
    [(False, 0.5, "missed"), (True, 0.5, "cancelled"), (True, 3.0, "missed")],
)
def test_a_start_that_was_due_when_the_run_was_cut_short_is_nobodys_fault(
    tmp_path: Path, cut_short: bool, age_s: float, outcome: str
) -> None:
    record = recorder(tmp_path)
    pacing = Pacing(record, lambda user: user, patience_s=10.0)
    user, now = record.new_user("paced"), now_ns()
    begun_ns = now - round((age_s + 0.2) * 1000) * MS
    grid = Grid(place_ns=begun_ns, started_ns=begun_ns, waited_ns=0, patience_ns=10_000 * MS)
    grid.find(200 * MS, now=begun_ns + MS, waited_ns=MS)
    grid.waiting = True  # for a place that has passed: the process was held up
    pacing._grids[user] = [grid]
    record.cut_short = cut_short
    pacing.close([])
    record.close()
    first = rows(tmp_path)[0]

    assert first["outcome"] == outcome
    assert first["sent_us"] is None
    assert record.missed_arrivals == sum(row["outcome"] == "missed" for row in rows(tmp_path))


def test_how_long_a_user_waited_for_answers_is_known_whichever_client_it_has(
    tmp_path: Path,
) -> None:
    record = recorder(tmp_path)
    ours, theirs = record.new_user(None), record.new_user(None)
    take(record, ours, 30, Outcome.OK, "/")
    sent = record.sent(theirs, "GET", "/")
    sent.done_ns = sent.sent_ns + 30 * MS
    record.answered(sent)
    record.close()

    assert ours.waited_ns == theirs.waited_ns == 30 * MS


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_requests_that_have_ended() -> None:
    """The benchmark's own measure, over two hundred thousand requests.

    What it may hold is 30 MiB for ten million; one number kept for each request
    would be 6 MiB here, so the bound is a tenth of that.
    """
    code = (
        "import sys; sys.path.insert(0, 'benchmarks')\n"
        "from bench_recorder import held_mib\n"
        "print(held_mib(200_000)[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert float(done.stdout) < 3.0


def test_an_answer_that_was_given_before_is_tagged(tmp_path: Path) -> None:
    record = recorder(tmp_path)
    user = record.new_user(None)
    for number in range(300):  # many names before: a tag's number is no small one
        record.finished(record.sent(user, "GET", f"/{number}"), Outcome.OK, 200)
    for headers in ({}, {"Idempotency-Replayed": "true"}):
        record.judged(
            record.sent(record.new_user(None), "POST", "/orders"),
            method="POST",
            name="/orders",
            exception=None,
            response=SimpleNamespace(status_code=201, headers=headers),
            length=3,
        )
    record.close()

    assert [row["tags"] for row in rows(tmp_path)][-2:] == [None, REPLAYED]
