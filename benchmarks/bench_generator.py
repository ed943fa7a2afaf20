"""Requests per CPU-second of a generator with everything on, beside other clients.

Ours: content check, request id, in-flight registry and its sweep, timeouts, recorder to disk,
the engine's statistics fed, a click around each request. The others as they come: no check, no
request id, nothing recorded, the engine's statistics fed by its event. Twenty users each, in
one process, which is pinned to one core; the server is pinned to another. Slices of a quarter
of a second follow each other way by way, so that a disturbance meets all of them; the figures
are medians over the rounds, and ratios are taken round by round. CPU is that of the process
with all its threads; for wrk that of its process. A way that was not busy nearly all the time
waited for the server, or for its core: then each request pays for a wake-up that many share
under load, and the figure is too high.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
from locust import FastHttpUser, HttpUser  # patches the process, as in a generator
from locust.env import Environment

from benchmarks.raw_server import ANSWERS, BODY
from loadtests.generator.client import LoadUser, Response
from loadtests.generator.guard import Guard
from loadtests.generator.reaper import Reaper
from loadtests.generator.recorder import Recorder
from loadtests.generator.sending import Sending
from loadtests.generator.statistics import BulkStatistics

SERVER = Path(__file__).parent / "raw_server.py"
BARS = {"/text": 3.5, "/json": 5.0}
USERS = 20
OURS, FAST, PLAIN, BARE = "Trueload's LoadUser", "FastHttpUser", "HttpUser", "gevent socket, bare"


@contextmanager
def server(core: int | None) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass
class Way:
    """How a user asks once, one function for each user, and what ends a slice."""

    asks: list[Callable[[str], object]]
    end: Callable[[], None] = lambda: None


def ways(url: str, folder: Path) -> dict[str, Way]:
    """Make the users of every way, under one engine each."""
    found = {OURS: ours(url, folder)}
    for name, kind in ((FAST, FastHttpUser), (PLAIN, HttpUser)):
        visitor: Any = type("Visitor", (kind,), {"host": url, "tasks": [print]})
        environment = Environment(user_classes=[visitor], host=url)
        environment.create_local_runner()  # which feeds the statistics
        found[name] = Way([visitor(environment).client.get for _ in range(USERS)])
    port = int(url.rpartition(":")[2])
    found[BARE] = Way([bare(port) for _ in range(USERS)])
    return found


def ours(url: str, folder: Path) -> Way:
    def failed(error: BaseException) -> None:
        raise error

    visitor: Any = type("Visitor", (LoadUser,), {"host": url, "tasks": [print]})
    environment = Environment(user_classes=[visitor], host=url)
    environment.events.request.add_listener(lambda **_: None)  # the recorder's place
    environment.create_local_runner()
    (folder / "samples").mkdir()
    recorder = Recorder(folder, 0, 2.0, failed)
    recorder.feed(BulkStatistics(environment.stats))
    sending = Sending(
        recorder=recorder,
        guard=Guard((), print),
        events=environment.events,
        base_url=url,
        prefix="0123abcd-0-",
        headers={},
        timeout_s=10.0,
        connect_timeout_s=10.0,
        warn=print,
        event=print,
    )
    sending.recording = True
    visitor.sending = sending
    gevent.spawn(Reaper(sending).run)

    def text(response: Response) -> str | None:
        return None if response.content == BODY else "another text"

    def record(response: Response) -> str | None:
        return None if response.json()["id"] == 1 else "another record"

    checks = {"/text": text, "/json": record}

    def asks() -> Callable[[str], object]:
        user = visitor(environment)
        virtual, get = sending.user_of(user), user.client.get

        def ask(path: str) -> None:
            recorder.begin_transaction(virtual, None, "list")
            response = get(path, check=checks[path])
            assert response.ok, response.error

        return ask

    def end() -> None:
        recorder.take_second()
        recorder.flush()
        recorder.flush()  # waits for the first one's rows to be on disk

    return Way([asks() for _ in range(USERS)], end)


def bare(port: int) -> Callable[[str], object]:
    sock = gevent.socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(path: str) -> None:
        sock.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert sock.recv(65536)

    return ask


def slice_of(way: Way, path: str, slice_s: float) -> tuple[float, float]:
    """Microseconds of CPU a request, and how busy the process was, over one slice."""
    counts: list[int] = []

    def visit(ask: Callable[[str], object]) -> None:
        count, now = 0, time.monotonic
        while now() < end:
            ask(path)
            count += 1
        counts.append(count)

    cpu_s, began = time.process_time(), time.monotonic()
    end = began + slice_s
    visits = [gevent.spawn(visit, ask) for ask in way.asks]
    gevent.joinall(visits, raise_error=True)
    way.end()
    cpu_s = time.process_time() - cpu_s
    return cpu_s / sum(counts) * 1e6, cpu_s / (time.monotonic() - began)


def wrk_us(url: str, core: int | None, seconds: int) -> float | None:
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*pinned, wrk, "-t1", f"-c{USERS}", f"-d{seconds}s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (requests,) = (int(line.split()[0]) for line in said.splitlines() if " requests in " in line)
    return cpu_s / requests * 1e6


def table(
    path: str, found: dict[str, list[float]], busy: dict[str, list[float]], wrk: float | None
) -> bool:
    size = len(ANSWERS[path.encode()].partition(b"\r\n\r\n")[2])
    print(f"\nGET {path}: an answer of {size} bytes")
    print(f"{'':22}{'busy':>6}{'us a request':>14}{'requests / CPU-s':>18}{'x FastHttpUser':>16}")
    for name, costs in found.items():
        ratios = sorted(fast / cost for fast, cost in zip(found[FAST], costs, strict=True))
        spread = f"   ({ratios[0]:.2f} to {ratios[-1]:.2f})" if name != FAST else ""
        share = f"{statistics.median(busy[name]):.0%}"
        line(name, share, statistics.median(costs), statistics.median(ratios), spread)
    if wrk is None:
        print(f"{'wrk':22}{'':6}{'not installed':>14}")
    else:
        line("wrk", "", wrk, statistics.median(found[FAST]) / wrk)
    ratio = statistics.median(
        fast / our for fast, our in zip(found[FAST], found[OURS], strict=True)
    )
    bar = BARS[path]
    print(f"asked for: {bar:g} times FastHttpUser: {'met' if ratio >= bar else 'NOT MET'}")
    return ratio >= bar


def line(name: str, busy: str, cost_us: float, ratio: float, spread: str = "") -> None:
    print(f"{name:22}{busy:>6}{cost_us:14.1f}{1e6 / cost_us:18,.0f}{ratio:16.2f}{spread}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--slice", type=float, default=0.25, metavar="SECONDS")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    own, other = (cores[0], cores[-1]) if len(cores) > 1 else (None, None)
    with server(other) as port, tempfile.TemporaryDirectory() as folder:
        if own is not None:
            os.sched_setaffinity(0, {own})
        url = f"http://127.0.0.1:{port}"
        made = ways(url, Path(folder))
        gc.collect()
        gc.freeze()  # as a generator does before its load
        met = []
        for path in BARS:
            found: dict[str, list[float]] = {name: [] for name in made}
            busy: dict[str, list[float]] = {name: [] for name in made}
            for number in range(options.rounds + 1):
                for name, way in made.items():
                    cost_us, share = slice_of(way, path, options.slice)
                    if number:  # the first round warms up
                        found[name].append(cost_us)
                        busy[name].append(share)
            met.append(table(path, found, busy, wrk_us(f"{url}{path}", own, 2)))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
