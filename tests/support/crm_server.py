"""A real server that can be killed and started again on the same database and port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import psutil

_READY_S = 60.0  # a machine may be busy with other tests


class CrmServer:
    """
    Serves one database, as a user would.

    Parameters
    ----------
    database : Path or str
        A SQLite file, the folder of a PostgreSQL cluster, or the URL of a PostgreSQL database.
    folder : Path
        Where log and temporary files go; made when it is missing.
    *words : str
        More of the command line.
    token : str
        Sent with each request.
    """

    def __init__(self, database: Path | str, folder: Path, *words: str, token: str = "") -> None:
        self.database = database
        self.log = folder / "server.log"
        self._temporary = folder / "tmp"
        self._temporary.mkdir(parents=True, exist_ok=True)
        self._words = words
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Bound and not listened on: nobody else gets the port, and granian may share it.
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.port: int = self._keeper.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, and wait until it is this one, and no other, that answers on the port."""
        instance = secrets.token_hex(8)
        command = [sys.executable, "-P", "-m", "target_app", "serve"]
        command += ["--database", str(self.database), "--port", str(self.port), *self._words]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                env=os.environ | {"CRM_INSTANCE": instance, "TMPDIR": str(self._temporary)},
            )
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                if self.ask("GET", "/readyz")[1].get("instance") == instance:
                    return self
            time.sleep(0.01)
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request on a connection of its own; status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return ask(connection, method, path, body, **self._headers | headers)
        finally:
            connection.close()

    def text(self, path: str) -> str:
        """The body of a GET that is no JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def master(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def workers(self) -> list[psutil.Process]:
        """Its worker processes, those that have ended aside."""
        found = []
        for child in self.master().children():
            with contextlib.suppress(psutil.Error):
                words = " ".join(child.cmdline())
                others = ("resource_tracker", "postgres")
                if child.status() != psutil.STATUS_ZOMBIE and not any(o in words for o in others):
                    found.append(child)
        return found

    def all_processes(self) -> list[psutil.Process]:
        """The master and everything that came of it, PostgreSQL included."""
        return [self.master(), *self.master().children(recursive=True)]

    def kill(self) -> list[psutil.Process]:
        """Kill the master, as the kernel does when memory runs out; what there was."""
        assert self.process is not None
        there = self.all_processes()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return there

    def stop(self) -> int:
        """End it as it should be ended, and wait for all that came of it; its exit code."""
        assert self.process is not None
        there = self.all_processes() if self.process.poll() is None else []
        if there:
            self.process.terminate()
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        assert all(gone(each, 10) for each in there)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()
        self._keeper.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Send one request on a connection that stays; status and JSON."""
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
        time.sleep(0.005)
    return False
