import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from target_app import seeding

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A running server: the process that was started, where it listens, its instance's name."""

    process: subprocess.Popen[bytes]
    port: int

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return ask(connection, method, path, body, **headers)
        finally:
            connection.close()

    def worker(self) -> psutil.Process:
        return psutil.Process(self.ask("GET", "/healthz")[1]["pid"])


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def gone(process: psutil.Process, within_s: float) -> bool:
    """Tell whether a process ends in time; a zombie that nobody reaps has ended."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def launch(database: Path, port: int, log: Path, *words: str) -> Server:
    """Start a server and wait until it is this one, and no other, that answers on the port."""
    command = [sys.executable, "-m", "target_app", "serve", "--database", str(database)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), *words],
            stdout=output,
            stderr=output,
            env=os.environ | {"CRM_INSTANCE": "test-nonce"},
        )
    server = Server(process, port)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.ask("GET", "/healthz")[1]["instance"] == "test-nonce":
                return server
        except OSError:
            time.sleep(0.01)
    end(server)
    raise AssertionError(log.read_text())


def end(server: Server) -> None:
    if server.process.poll() is None:
        server.process.terminate()
    server.process.wait(10)


@pytest.fixture
def start(database: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def run(*words: str) -> Server:
        server = launch(database, port, tmp_path / "server.log", *words)
        started.append(server)
        return server

    with hold_port() as port:
        yield run
        for server in started:
            end(server)


@contextmanager
def hold_port() -> Iterator[int]:
    """Keep a port: bound, so that nobody else gets it, and not listened on."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


@pytest.fixture(scope="module")
def shared_server(
    dataset: seeding.Found, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server for tests that do not mind what others have written, and leave it running."""
    folder = tmp_path_factory.mktemp("server")
    database = seeding.copy_dataset(dataset.folder, folder / "crm.sqlite")
    with hold_port() as port:
        server = launch(database, port, folder / "server.log")
        yield server
        end(server)


def test_a_healthy_server_ends_with_0_on_sigterm(start: Callable[..., Server]) -> None:
    server = start()
    worker = server.worker()

    assert worker.pid != server.process.pid  # we have become the master; the worker is its child
    assert server.ask("GET", "/readyz")[0] == 200
    server.process.terminate()

    assert server.process.wait(5) == 0
    assert gone(worker, 0.5)


def test_a_worker_dies_with_its_master(start: Callable[..., Server]) -> None:
    server = start("--workers", "2")
    workers = psutil.Process(server.process.pid).children()
    workers = [child for child in workers if "resource_tracker" not in " ".join(child.cmdline())]
    assert len(workers) == 2

    server.process.kill()

    assert all(gone(worker, 1.0) for worker in workers)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset
        server.ask("GET", "/healthz")


def test_a_lost_worker_is_replaced_even_when_it_was_the_only_one(
    start: Callable[..., Server],
) -> None:
    server = start()
    first = server.worker()
    first.kill()

    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            pid = server.ask("GET", "/healthz")[1]["pid"]
        except OSError:
            time.sleep(0.02)
        else:
            break
    assert pid != first.pid


def test_every_acknowledged_order_is_there_once_and_nobody_finds_the_database_locked(
    start: Callable[..., Server],
    together: Callable[..., None],
    database: Path,
    tmp_path: Path,
) -> None:
    log = tmp_path / "access.log"
    server = start("--workers", "2", "--threads", "3", "--access-log", str(log))
    acknowledged: dict[str, int] = {}
    sent: list[str] = []

    def visit(visitor: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for n in range(15):
            name = f"visitor-{visitor}:{n}"
            order = {"customer_id": visitor + 1, "items": [{"product_id": n + 1, "qty": 2}] * 2}
            sent.append(name)
            status, body = ask(
                connection, "POST", "/api/v1/orders", order, **{"X-Request-Id": name}
            )
            assert status == 201, body
            acknowledged[name] = body["id"]
            path = f"/api/v1/customers/{visitor + 1}/orders?limit=1"
            status, body = ask(connection, "GET", path, **{"X-Request-Id": f"read-{name}"})
            assert (status, body["items"][0]["id"]) == (200, acknowledged[name])
        connection.close()

    together(*[lambda v=v: visit(v) for v in range(8)])
    server.process.terminate()
    assert server.process.wait(5) == 0

    connection = sqlite3.connect(database)
    found = connection.execute(
        "SELECT o.request_id, o.id, count(*) FROM orders o JOIN order_items i ON i.order_id = o.id "
        "WHERE o.request_id IS NOT NULL GROUP BY o.id"
    ).fetchall()
    connection.close()
    assert len(sent) == 120
    assert sorted(found) == sorted((name, key, 2) for name, key in acknowledged.items())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    answered = [line["id"] for line in lines if line["status"] == 201]
    assert sorted(answered) == sorted(sent)


def test_a_body_in_chunks_is_read_and_bounded_all_the_same(shared_server: Server) -> None:
    good = json.dumps({"content": "Fine", "name": "Ada", "email": "a@b.c"}).encode()

    statuses = []
    for body in ([good[:9], good[9:]], [b" " * 1000] * 66):
        connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=10)
        kind = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/api/v1/feedback", iter(body), kind, encode_chunked=True)
        statuses.append(connection.getresponse().status)
        connection.close()

    assert statuses == [201, 413]


def test_the_page_and_its_headers_come_through_the_server(shared_server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=10)
    for method, path in [("GET", "/feedback"), ("HEAD", "/feedback"), ("GET", "/static/crm.css")]:
        connection.request(method, path, headers={"X-Request-Id": "abc"})
        answer = connection.getresponse()
        body = answer.read()

        assert answer.status == 200
        assert answer.headers["X-Request-Id"] == "abc"
        assert answer.headers["Server-Timing"].startswith("app;dur=")
        assert (len(body) > 1000) == (method == "GET")
    connection.close()
