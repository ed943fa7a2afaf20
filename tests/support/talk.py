"""A session that talks with a scripted server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent

from analysis.recording.format import Outcome
from loadtests.generator.client import Response, Session
from tests.support.scripted_server import Peer, Script, ScriptedServer
from tests.support.sending import Noted, sending_to

TLS = Path(__file__).parent / "tls"


_PATIENCE_S = 20
"""Rather than hang, a test fails."""


class Talk:
    """A session with a server, and what it told the recorder."""

    def __init__(self, server: ScriptedServer, **options: Any) -> None:
        self.server = server
        self.sending, self.notebook = sending_to(options.pop("url", server.url), **options)
        self.session = Session(self.sending)

    @property
    def last(self) -> Noted:
        assert not self.notebook.in_flight
        assert not self.notebook.connecting
        return self.notebook.last

    @property
    def kept(self) -> Any:
        """The connection that is kept to the target."""
        return self.session._connections._kept[self.session._origin.text]

    def get(self, path: str = "/", **options: Any) -> Response:
        return self.session.get(path, **options)

    def ended(self) -> tuple[Outcome | None, int | None, str | None]:
        return self.last.outcome, self.last.status, self.last.error


@contextmanager
def talk(*scripts: Script, certificate: str | None = None, **options: Any) -> Iterator[Talk]:
    with ScriptedServer(*scripts, certificate=certificate) as server:
        talking = Talk(server, **options)
        try:
            with gevent.Timeout(_PATIENCE_S):
                yield talking
        finally:
            talking.session.close()


def with_body(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the server's thread does; serves the loop meanwhile."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        gevent.sleep(0.001)


def ignore(peer: Peer) -> None:
    peer.request()
    peer.request()  # until the client goes
