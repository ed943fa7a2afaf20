"""What recording a request costs, and what it holds on to.

Cost: microseconds of CPU a request for noting the send, noting the end, counting the second,
feeding the engine's statistics, encoding and writing, all in; beside a CSV row and a JSON
line, the ways it is usually done. Medians of interleaved rounds; every way ends in bytes on
a file. Nothing is sent here: the loop that stands for the client is measured by itself, and
taken off.

Loop: how long a batch of ten thousand rows keeps the loop from running others.

Memory: what the process holds after ten million requests more than after ten thousand
(``--quick``: after two hundred thousand), and how many bytes of rows were written.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from locust.stats import RequestStats

from analysis.recording.format import COLUMNS, Outcome
from loadtests.generator.clock import now_ns
from loadtests.generator.recorder import Recorder
from loadtests.generator.statistics import BulkStatistics
from scenarios.assertions import parse_assertion
from scenarios.model import Budget

ROWS = 40_000
ROUNDS = 9
BATCH = 10_000
FEW = 10_000
MANY, MANY_QUICK = 10_000_000, 200_000
MIB = 2**20
OK = int(Outcome.OK)  # looked up once, as our own client does: an enum's member is slow to find
ENDPOINTS = [f"/api/things/{number}" for number in range(20)]
VALUES = [0, 1, 1, 0, 3, 0, 10**6, 10**6, -1, 10**6, 10**6, 10**6, 0, 1, 2, 3, 0, 200, -1]
VALUES += [0, 360, 1200, 300, 2, -1]


class Run:
    """A recorder with everything on, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        budgets = [
            Budget(subject=subject, assertion=parse_assertion(text))
            for subject, text in (("all", "p(95) < 300ms"), (f"GET {ENDPOINTS[0]}", "med < 50ms"))
        ]
        self.recorder = Recorder(folder, 0, 2.0, _raise, budgets)
        self.statistics = RequestStats()
        self.recorder.feed(BulkStatistics(self.statistics))
        self.users = [self.recorder.new_user("sales_rep") for _ in range(100)]

    def record(self, count: int) -> None:
        """Record requests as our own client does, a click of two each time."""
        recorder, users = self.recorder, self.users
        for number in range(0, count, 2):
            user = users[number % len(users)]
            recorder.begin_transaction(user, now_ns(), "list")
            for endpoint in (ENDPOINTS[number % 20], ENDPOINTS[3]):
                sent = recorder.sent(user, "GET", endpoint)
                sent.first_byte_ns = now_ns()
                recorder.finished(sent, OK, 200, None, 0, 360, (1200, 300, 2))

    def stand_still(self, count: int) -> None:
        """Do the same without recording anything."""
        users = self.users
        for number in range(0, count, 2):
            user = users[number % len(users)]
            now_ns()
            for _endpoint in (ENDPOINTS[number % 20], ENDPOINTS[3]):
                user.free_ns = now_ns()

    def flush(self) -> None:
        """Do what happens twice, and once, a second."""
        self.recorder.flush()
        self.recorder.take_second()
        gevent.sleep(0)


def _raise(error: BaseException) -> None:
    raise error


def recorder(file: Path) -> float:
    run = Run(file.parent)
    began = time.process_time()
    for _ in range(ROWS // FEW):
        run.record(FEW)
        run.flush()
    run.recorder.close()
    return time.process_time() - began


def client(file: Path) -> float:
    run = Run(file.parent)
    began = time.process_time()
    run.stand_still(ROWS)
    took = time.process_time() - began
    run.recorder.close()
    return took


def csv_rows(file: Path) -> float:
    began = time.process_time()
    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(ROWS):
        writer.writerow((0, number, *VALUES[2:]))
    file.write_text(text.getvalue())
    return time.process_time() - began


def json_lines(file: Path) -> float:
    began = time.process_time()
    lines = (
        json.dumps(dict(zip(COLUMNS, (0, number, *VALUES[2:]), strict=True)))
        for number in range(ROWS)
    )
    file.write_text("\n".join(lines))
    return time.process_time() - began


def cost_us(record: Callable[[Path], float]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return record(Path(folder) / "rows") / ROWS * 1e6


def costs(rounds: int) -> dict[str, float]:
    """Microseconds a request, by way, all threads of the process together."""
    ways = {"recorder": recorder, "client": client, "csv row": csv_rows, "json line": json_lines}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, record in ways.items():
            found[name].append(cost_us(record))
    medians = {name: statistics.median(some) for name, some in found.items()}
    return {"recorder": medians.pop("recorder") - medians.pop("client"), **medians}


def stop_ms(rounds: int) -> list[float]:
    """For each batch of ten thousand rows, the longest time that others had to wait."""
    longest = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            run, gaps = Run(Path(folder)), [0.0]
            run.record(BATCH)

            def watch(gaps: list[float] = gaps) -> None:
                before = time.perf_counter()
                while True:
                    gevent.sleep(0)
                    now = time.perf_counter()
                    gaps.append(now - before)
                    before = now

            watching = gevent.spawn(watch)
            gevent.sleep(0)
            run.recorder.flush()
            gevent.sleep(0)
            watching.kill()
            run.recorder.close()
            longest.append(max(gaps) * 1e3)
    return longest


def held_mib(many: int) -> tuple[float, float]:
    """MiB that the process grew by between the first and the last request, and MiB written."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        for _ in range(10):  # the allocator has seen batches of every size that come
            run.record(FEW)
            run.flush()
        before, done = rss_mib(), 0
        while done < many:
            run.record(FEW)
            run.flush()
            done += FEW
        gevent.sleep(0.2)
        grown = rss_mib() - before
        run.recorder.close()
        written = sum(path.stat().st_size for path in Path(folder).rglob("*.arrows"))
    return grown, written / MIB


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and requests")
    quick = parser.parse_args().quick
    many, rounds = (MANY_QUICK, 3) if quick else (MANY, ROUNDS)
    found = costs(rounds)
    for name, cost in found.items():
        ratio = cost / found["csv row"]
        print(f"{name:10} {cost:6.2f} us a request   x {ratio:.2f} of a csv row")
    waits = stop_ms(rounds)
    print(
        f"a batch of {BATCH:,} rows stops the loop for {statistics.median(waits):.2f} ms (median)"
    )
    grown, written = held_mib(many)
    print(f"{many:,} requests: {grown:.1f} MiB more held, {written:.0f} MiB written")


if __name__ == "__main__":
    main()
