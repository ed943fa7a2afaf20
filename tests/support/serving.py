"""A real server on a database, for as long as a test needs it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_S = 20
_END_S = 10


@dataclass(frozen=True)
class Server:
    """Where it listens, and what proves that it is this one."""

    port: int
    instance: str
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def health(self) -> dict[str, Any]:
        """What ``/healthz`` says; its ``pid`` changes when a worker was lost."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found


@contextmanager
def serving(database: Path | str, folder: Path, *words: str) -> Iterator[Server]:
    """
    Serve a database with one worker process.

    Parameters
    ----------
    database : Path or str
        A SQLite file or the URL of a PostgreSQL database.
    folder : Path
        Where the server's log and its temporary files go.
    *words : str
        More of the command line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Bound and not listened on: nobody else gets the port, and granian may share it.
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        server = Server(keeper.getsockname()[1], secrets.token_hex(8), folder / "server.log")
        process = _start(server, str(database), words)
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(server: Server, database: str, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "target_app", "serve", "--database", database]
    folder = server.log.parent
    with server.log.open("wb") as output:
        return subprocess.Popen(
            [*command, "--port", str(server.port), *words],
            stdout=output,
            stderr=output,
            env=os.environ | {"CRM_INSTANCE": server.instance, "TMPDIR": str(folder)},
        )


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.health()["instance"] == server.instance:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{server.log.read_text()}")
