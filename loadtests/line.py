"""The supervisor's end of the line to a generator process."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterable
from typing import Any

_SEND_S = 1.0
"""A generator that hangs must not make the supervisor wait for it."""


class Line:
    """A socket pair; the generator inherits `remote`."""

    def __init__(self) -> None:
        self.local, self.remote = socket.socketpair()
        self.local.setblocking(False)
        self._received = b""

    def send(self, **message: object) -> None:
        """Send a message; a generator that is gone is noticed by its exit code."""
        try:
            self.local.settimeout(_SEND_S)
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

    def close(self) -> None:
        """Close this end."""
        self.local.close()


def wait_for_any(lines: Iterable[Line], seconds: float) -> None:
    """Wait until a message comes on one of the lines, or so long.

    Parameters
    ----------
    lines : iterable of Line
        Those that are open.
    seconds : float
        At most.
    """
    select.select([line.local for line in lines], [], [], seconds)
