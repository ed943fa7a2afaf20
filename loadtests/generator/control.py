"""The line between supervisor and generator: JSON lines over a socket pair."""

from __future__ import annotations

import json
from typing import Any

import gevent.socket

from loadtests.generator.clock import now_ns


class Control:
    """The generator's end.

    Parameters
    ----------
    fd : int
        Inherited socket.
    """

    def __init__(self, fd: int) -> None:
        self._socket = gevent.socket.socket(fileno=fd)
        self._received = b""

    def send(self, kind: str, **message: object) -> None:
        """Send a message; a supervisor that is gone is noticed by :meth:`receive`."""
        line = json.dumps({"kind": kind, **message}) + "\n"
        try:
            self._socket.sendall(line.encode())
        except OSError:
            return

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the supervisor is gone."""
        while b"\n" not in self._received:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return None
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def await_start(self) -> int | None:
        """Answer the supervisor's looks at this clock until it gives the origin.

        Returns
        -------
        int or None
            Nanoseconds of the monotonic clock; None when the supervisor is gone.
        """
        while (order := self.receive()) is not None:
            if order["kind"] == "start":
                return int(order["origin_ns"])
            if order["kind"] == "clock":
                self.send("clock", monotonic_ns=now_ns())
        return None

    def await_order(self, kind: str) -> dict[str, Any] | None:
        """Wait for a message of a kind.

        Parameters
        ----------
        kind : str
            What is awaited; others are dropped.

        Returns
        -------
        dict or None
            None when the supervisor is gone.
        """
        while (order := self.receive()) is not None:
            if order["kind"] == kind:
                return order
        return None
