"""What is seen of the processes of a run: resources, workers, the CRM's own gauges."""

from __future__ import annotations

import errno
import http.server
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.recording.writer import LineFile
from loadtests import gauges
from loadtests.gauges import Gauges, read_gauges
from loadtests.resources import Watch
from loadtests.workers import Workers, changes

METRICS = """# HELP crm_in_flight Requests being served.
# TYPE crm_in_flight gauge
crm_in_flight{pid="41"} 3.0
crm_in_flight{pid="42"} 0.0
crm_pool_size{pid="41"} 4.0
crm_pool_checked_out{pid="41"} 2.0
crm_pool_waits{pid="41"} 17.0
crm_requests_total{method="GET",route="/",status="200"} 5.0
crm_process_threads{pid="41"} 6.0
"""


def lines_of(folder: Path) -> list[dict[str, Any]]:
    path = folder / "resources.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_gauges_are_told_apart_by_worker() -> None:
    assert read_gauges(METRICS) == {
        41: {"in_flight": 3, "pool_size": 4, "pool_used": 2, "pool_waits": 17},
        42: {"in_flight": 0},
    }
    assert read_gauges("http_requests_total 7\n<html>") == {}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with what its server was given."""

    status, body = 200, METRICS
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answers() -> Iterator[tuple[str, type[Answers]]]:
    handler = type("Handler", (Answers,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def watched(url: str, folder: Path, enough: Callable[[], bool]) -> None:
    """Let a run go on until enough was asked."""
    watcher, began = Gauges(url, folder, {}, every_s=0.02), time.monotonic()
    run: Any = SimpleNamespace(now_s=lambda: time.monotonic() - began)
    watcher.look(run, 0.0)
    while not enough():
        assert time.monotonic() - began < 10
        time.sleep(0.005)
    watcher.close(run)


def test_gauges_are_written_again_and_again(
    tmp_path: Path, answers: tuple[str, type[Answers]]
) -> None:
    url, handler = answers
    watched(url, tmp_path, lambda: len(lines_of(tmp_path)) >= 4)
    lines = lines_of(tmp_path)

    assert handler.asked[0].startswith("/metrics?name%5B%5D=crm_in_flight&")
    assert {line["role"] for line in lines} == {"crm"}
    assert [line["pid"] for line in lines[:2]] == [41, 42]
    assert lines[0]["pool_used"] == 2


def test_a_disk_that_is_full_ends_the_gauges_quietly(
    tmp_path: Path, answers: tuple[str, type[Answers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = answers
    tried = threading.Event()
    raised: list[threading.ExceptHookArgs] = []

    def is_full(*_: object) -> None:
        tried.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LineFile, "write", is_full)
    monkeypatch.setattr(threading, "excepthook", raised.append)
    watched(url, tmp_path, tried.is_set)

    assert raised == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_target_without_gauges_has_no_lines_and_no_error(
    tmp_path: Path, answers: tuple[str, type[Answers]], status: int
) -> None:
    url, handler = answers
    handler.status = status
    watched(url, tmp_path, lambda: len(handler.asked) >= 3)

    assert lines_of(tmp_path) == []


@pytest.mark.costly
def test_a_target_that_does_not_answer_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "TIMEOUT_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        watched(url, tmp_path, lambda: time.monotonic() - began > 0.1)

    assert lines_of(tmp_path) == []


def test_the_loss_of_a_worker_and_its_successor_are_events() -> None:
    events: list[tuple[float, str, int]] = []
    server = SimpleNamespace(living=[1, 2])
    server.workers = lambda: server.living
    run: Any = SimpleNamespace(
        target_may_be_down=False,
        event=lambda t_s, kind, pid: events.append((t_s, kind, pid)),
    )
    workers = Workers(server)
    for t_s, living in ((1.0, [1, 2]), (2.0, [2]), (3.0, [2, 7]), (4.0, [2, 7])):
        server.living = living
        workers.look(run, t_s)
    assert events == [(2.0, "worker_lost", 1), (3.0, "worker_started", 7)]

    run.target_may_be_down = True  # a fault kills the whole server: its own events tell it
    server.living = []
    workers.look(run, 5.0)
    run.target_may_be_down, server.living = False, [8, 9]
    workers.look(run, 6.0)
    assert len(events) == 2
    assert changes({1, 2}, {2, 3}) == [("worker_lost", 1), ("worker_started", 3)]


def test_what_a_process_uses_is_written_with_its_files_and_sockets(tmp_path: Path) -> None:
    code = (
        "import socket, sys; pair = socket.socketpair(); "
        "sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        watch = Watch(tmp_path)
        watch.write(1.0, [("target", process.pid)])
        watch.write(2.0, [("target", process.pid)])
    first, second = lines_of(tmp_path)

    assert (first["role"], first["pid"], first["t_s"]) == ("target", process.pid, 1.0)
    assert (first["files"], first["connections"], first["threads"]) == (5, 2, 1)
    assert first["rss"] > 1_000_000
    assert first["files_limit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert "files_limit" not in second, "said once"
    assert first["cpu"] is None  # counted since the last look, and there was none
    assert second["cpu"] == pytest.approx(0, abs=1)
