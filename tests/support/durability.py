"""Load, kills and a look at what is left: nothing that was acknowledged may be lost."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.crm_server import CrmServer, ask, gone

WRITERS = 6
_PATIENCE_S = 30.0  # longer than any limit of a test, which then says what took so long
_AT_ONCE = 5000


@dataclass
class Ledger:
    """What became of each request, as far as its sender knows."""

    acknowledged: list[str] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)
    """Answered with another status: below 500 it was not done, from 500 on nobody knows."""
    unanswered: list[str] = field(default_factory=list)


class Writers:
    """
    Threads that write orders and feedback without a pause, each request with an id of its own.

    Parameters
    ----------
    port : int
        Of the server.
    token : str
        Of a manager.
    """

    def __init__(self, port: int, token: str) -> None:
        self.ledger = Ledger()
        self._port = port
        self._token = token
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(WRITERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> Ledger:
        """Have each finish the request that it is in."""
        self._over.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
            assert not thread.is_alive(), "a request got neither an answer nor an end"
        return self.ledger

    def wait_for_more(self, number: int) -> float:
        """Wait until so many more requests were acknowledged; how long that took."""
        began, wanted = time.monotonic(), len(self.ledger.acknowledged) + number
        while len(self.ledger.acknowledged) < wanted:
            if time.monotonic() - began > _PATIENCE_S:
                refused = self.ledger.refused[-3:]
                raise AssertionError(f"no more writes were acknowledged: {refused}")
            time.sleep(0.005)
        return time.monotonic() - began

    def _write(self, writer: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=8)
        for number in itertools.count():
            if self._over.is_set():
                break
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:  # nobody listens: nothing was sent
                time.sleep(0.01)
                continue
            self._send(connection, f"writer-{writer}.{number}", order=number % 2 == 0)
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, name: str, *, order: bool) -> None:
        path, body = _ORDER if order else _FEEDBACK
        headers = {"X-Request-Id": name, "Authorization": f"Bearer {self._token}"}
        try:
            status, answer = ask(connection, "POST", path, body, **headers)
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            self.ledger.unanswered.append(name)
            return
        if status == 201 and answer["id"]:
            self.ledger.acknowledged.append(name)
        else:
            self.ledger.refused.append((name, status))


_ORDER: tuple[str, Any] = (
    "/api/v1/orders",
    {"customer_id": 1, "items": [{"product_id": n, "qty": n} for n in (1, 2, 3)]},
)
_FEEDBACK: tuple[str, Any] = (
    "/api/v1/feedback",
    {"content": "Still there?", "name": "Ada", "email": "ada@a.example"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found after the kills."""

    acknowledged: int
    lost: Sequence[str]
    """Acknowledged, and not there exactly once."""
    unanswered: int
    done: int
    """Of those without an answer, the ones that are there: done, but nobody was told."""
    wrong: Sequence[str]
    """Without an answer or refused, and there more often than they may be."""
    broken: dict[str, int]
    """Invariants that are broken, by how many rows."""
    worker_back_s: float
    gone_s: float
    """How long after the master the last of its processes was gone."""
    again_s: float
    """How long a new start took until it was ready."""

    @property
    def right(self) -> bool:
        return not (self.lost or self.wrong or self.broken)


def kill_and_look(database: Path, folder: Path, token: str, *, load_s: float = 0.4) -> Outcome:
    """
    Kill a worker under load, then everything; start again; compare.

    Parameters
    ----------
    database : Path
        A SQLite file or a cluster's folder, to be changed.
    folder : Path
        Where the server's log goes.
    token : str
        Of a manager.
    load_s : float
        How long there is load before each kill.
    """
    words = ("--workers", "2", "--threads", "3", "--test-mode")
    with CrmServer(database, folder, *words, token=token) as server:
        server.start()
        writers = Writers(server.port, token)
        writers.start()
        writers.wait_for_more(20)
        time.sleep(load_s)
        worker_back_s = _kill_worker(server)
        writers.wait_for_more(20)
        time.sleep(load_s)
        gone_s = _kill_all(server)
        ledger = writers.stop()
        began = time.monotonic()
        server.start()
        again_s = time.monotonic() - began
        return _look(server, ledger, worker_back_s=worker_back_s, gone_s=gone_s, again_s=again_s)


def _kill_worker(server: CrmServer) -> float:
    """Kill one of the workers; how long it took until another one answered in its place."""
    before = {worker.pid for worker in server.workers()}
    assert len(before) == 2
    victim = server.workers()[0]
    victim.kill()
    began = time.monotonic()
    while True:
        assert time.monotonic() - began < _PATIENCE_S, "the worker did not come back"
        try:
            answered = server.ask("GET", "/healthz")[1]["pid"]
        except (OSError, http.client.HTTPException):
            continue  # a connection that the dead one had accepted
        assert answered != victim.pid
        if answered not in before:
            return time.monotonic() - began


def _kill_all(server: CrmServer) -> float:
    """Kill the master; how long it took until all of its processes were gone."""
    there = server.kill()
    began = time.monotonic()
    for process in there:
        assert gone(process, _PATIENCE_S), f"{process} is still there"
    return time.monotonic() - began


def _look(server: CrmServer, ledger: Ledger, **times: float) -> Outcome:
    """Ask the audit for everything that was sent."""
    refused = dict(ledger.refused)
    found = _found(server, [*ledger.acknowledged, *ledger.unanswered, *refused])
    status, state = server.ask("GET", "/api/v1/_audit")
    assert status == 200, state
    return Outcome(
        acknowledged=len(ledger.acknowledged),
        lost=[name for name in ledger.acknowledged if found[name] != 1],
        unanswered=len(ledger.unanswered),
        done=sum(found[name] for name in ledger.unanswered),
        wrong=[
            *(name for name in ledger.unanswered if found[name] > 1),
            *(name for name, status in refused.items() if found[name] > (status >= 500)),
        ],
        broken={i["name"]: i["violations"] for i in state["invariants"] if i["violations"]},
        **times,
    )


def _found(server: CrmServer, names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(names), _AT_ONCE):
        body = {"request_ids": names[start : start + _AT_ONCE]}
        status, answer = server.ask("POST", "/api/v1/_audit", body)
        assert status == 200, answer
        found |= answer["found"]
    return found
