from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from target_app import seeding
from tests.support.accounts import Accounts
from tests.support.crm_server import CrmServer, ask, gone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def token(accounts: Accounts) -> str:
    token: str = accounts.of_role("admin")[0]["token"]
    return token


@pytest.fixture
def start(database: Path, tmp_path: Path, token: str) -> Iterator[Callable[..., CrmServer]]:
    started: list[CrmServer] = []

    def run(*words: str) -> CrmServer:
        server = CrmServer(database, tmp_path, *words, token=token)
        started.append(server)
        return server.start()

    yield run
    for server in started:
        with server:
            pass


@pytest.fixture(scope="module")
def shared_server(
    dataset: seeding.Found, token: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CrmServer]:
    """A server for tests that do not mind what others have written, and leave it running."""
    folder = tmp_path_factory.mktemp("server")
    database = seeding.copy_dataset(dataset.folder, folder / "crm.sqlite")
    with CrmServer(database, folder, token=token) as server:
        yield server.start()


def test_a_healthy_server_ends_with_0_on_sigterm(start: Callable[..., CrmServer]) -> None:
    server = start()
    (worker,) = server.workers()

    assert worker.pid == server.ask("GET", "/healthz")[1]["pid"]
    assert worker.pid != server.master().pid  # we have become the master; the worker is its child
    assert server.stop() == 0
    assert gone(worker, 10)


def test_a_worker_dies_with_its_master(start: Callable[..., CrmServer]) -> None:
    server = start("--workers", "2")
    workers = server.workers()
    assert len(workers) == 2

    server.kill()

    assert all(gone(worker, 10) for worker in workers)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset
        server.ask("GET", "/healthz")


def test_a_lost_worker_is_replaced_even_when_it_was_the_only_one_and_no_count_goes_back(
    start: Callable[..., CrmServer],
) -> None:
    server = start()
    (first,) = server.workers()
    for _ in range(5):
        server.ask("GET", "/api/v1/products")
    before = samples(server)
    first.kill()

    deadline = time.monotonic() + 10
    pid = first.pid
    while pid == first.pid and time.monotonic() < deadline:
        try:
            pid = server.ask("GET", "/healthz")[1]["pid"]
        except OSError:
            time.sleep(0.02)
    assert pid != first.pid

    server.ask("GET", "/api/v1/products")
    after = samples(server)
    products = 'crm_requests_total{method="GET",route="/api/v1/products",status="200"}'
    assert (before[products], after[products]) == (5, 6)
    counters = [name for name in before if "_total{" in name or "_bucket{" in name]
    assert len(counters) > 20
    assert all(after[name] >= before[name] for name in counters)
    assert {name for name in before if name.startswith("crm_in_flight")} == {
        f'crm_in_flight{{pid="{first.pid}"}}'
    }
    assert {name for name in after if name.startswith("crm_in_flight")} == {
        f'crm_in_flight{{pid="{pid}"}}'
    }


def test_whichever_worker_is_asked_the_metrics_are_those_of_all(
    start: Callable[..., CrmServer],
) -> None:
    server = start("--workers", "2")
    pids: set[int] = set()
    asked, deadline = 0, time.monotonic() + 30
    # Connections are spread by chance, and one of the two is there before the other.
    while len(pids) < 2 and time.monotonic() < deadline:
        pids.add(server.ask("GET", "/healthz")[1]["pid"])
        asked += 1
    health = 'crm_requests_total{method="GET",route="/healthz",status="200"}'
    counts = [samples(server)[health] for _ in range(8)]
    found = samples(server)

    assert len(pids) == 2
    assert set(counts) == {float(asked)}
    assert {name for name in found if name.startswith("crm_process_resident_bytes")} == {
        f'crm_process_resident_bytes{{pid="{pid}"}}' for pid in pids
    }


def samples(server: CrmServer) -> dict[str, float]:
    """What ``/metrics`` says, by name and labels."""
    lines = [line for line in server.text("/metrics").splitlines() if not line.startswith("#")]
    pairs = (line.rpartition(" ") for line in lines)
    return {name: float(value) for name, _, value in pairs}


def test_every_acknowledged_order_is_there_once_and_nobody_finds_the_database_locked(
    start: Callable[..., CrmServer],
    together: Callable[..., None],
    database: Path,
    tmp_path: Path,
    token: str,
) -> None:
    log = tmp_path / "access.log"
    server = start("--workers", "2", "--threads", "3", "--access-log", str(log))
    acknowledged: dict[str, int] = {}
    sent: list[str] = []

    def visit(visitor: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        authorization = {"Authorization": f"Bearer {token}"}
        for n in range(15):
            name = f"visitor-{visitor}:{n}"
            order = {"customer_id": visitor + 1, "items": [{"product_id": n + 1, "qty": 2}] * 2}
            sent.append(name)
            status, body = ask(
                connection,
                "POST",
                "/api/v1/orders",
                order,
                **authorization | {"X-Request-Id": name},
            )
            assert status == 201, body
            acknowledged[name] = body["id"]
            path = f"/api/v1/customers/{visitor + 1}/orders?limit=1"
            status, body = ask(
                connection, "GET", path, **authorization | {"X-Request-Id": f"read-{name}"}
            )
            assert (status, body["items"][0]["id"]) == (200, acknowledged[name])
        connection.close()

    together(*[lambda v=v: visit(v) for v in range(8)])
    assert server.stop() == 0

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


def test_a_body_in_chunks_is_read_and_bounded_all_the_same(
    shared_server: CrmServer, token: str
) -> None:
    good = json.dumps({"content": "Fine", "name": "Ada", "email": "a@b.c"}).encode()

    statuses = []
    for body in ([good[:9], good[9:]], [b" " * 1000] * 66):
        connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=10)
        kind = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Transfer-Encoding": "chunked",
        }
        connection.request("POST", "/api/v1/feedback", iter(body), kind, encode_chunked=True)
        statuses.append(connection.getresponse().status)
        connection.close()

    assert statuses == [201, 413]


def test_the_page_and_its_headers_come_through_the_server(shared_server: CrmServer) -> None:
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
