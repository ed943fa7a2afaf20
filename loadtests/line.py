"""The supervisor's end of the line to a generator process."""

from __future__ import annotations

import json
import select
import socket
from typing import Any


class Line:
    """A socket pair; the generator inherits `remote`."""

    def __init__(self) -> None:
        self.local, self.remote = socket.socketpair()
        self.local.setblocking(False)
        self._received = b""

    def send(self, **message: object) -> None:
        """Send a message; a generator that is gone is noticed by its exit code."""
        try:
            self.local.setblocking(True)
            self.local.sendall((json.dumps(message) + "\n").encode())
        except OSError:
            return
        finally:
            self.local.setblocking(False)

    def receive(self) -> list[dict[str, Any]]:
        """Messages that have come."""
        try:
            while data := self.local.recv(65536):
                self._received += data
        except OSError:
            pass  # nothing more for now, or the generator is gone
        *whole, self._received = self._received.split(b"\n")
        return [json.loads(line) for line in whole if line]

    def wait(self, seconds: float) -> None:
        """Wait until a message comes, or so long."""
        select.select([self.local], [], [], seconds)

    def close(self) -> None:
        """Close this end."""
        self.local.close()
