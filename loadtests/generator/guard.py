"""Keeps load where it was allowed to go.

The check sits where connections are made: an audit hook sees every name that is
looked up and every address that is connected to, whatever client a locustfile
brings, and cannot be removed again.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

import gevent.socket

from loadtests.permission import is_loopback


class HostRefusedError(ConnectionRefusedError):
    """A connection to a host that is neither loopback nor allowed."""


class Guard:
    """Refuses connections to hosts that were not allowed.

    Parameters
    ----------
    allowed : iterable of str
        Hosts beside loopback.
    refused : callable
        Called with the host when a connection is refused.
    """

    def __init__(self, allowed: Iterable[str], refused: Callable[[str], None]) -> None:
        self._names = {host.strip("[]").rstrip(".").lower() for host in allowed}
        self._addresses: set[str] = set()
        self._refused = refused

    def allows(self, host: str) -> bool:
        """Tell whether load may go to a host."""
        name = host.strip("[]").rstrip(".").lower()
        return is_loopback(name) or name in self._names or name in self._addresses

    def install(self) -> None:
        """Watch every lookup and every connection of this process from now on."""
        sys.addaudithook(self._audit)
        for module in (socket, gevent.socket):
            self._learn_from(module)

    def _learn_from(self, module: Any) -> None:
        """Allow the addresses that a lookup of an allowed name gives, each time anew."""
        original = module.getaddrinfo

        @functools.wraps(original)
        def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
            found = original(host, *arguments, **options)
            if host is not None and _text(host).rstrip(".").lower() in self._names:
                self._addresses.update(str(entry[4][0]).lower() for entry in found)
            return found

        module.getaddrinfo = getaddrinfo

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            sock, address = arguments
            if address is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
                self._check(str(address[0]))
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and arguments[0] is not None:
            self._check(_text(arguments[0]))

    def _check(self, host: str) -> None:
        if host and not self.allows(host):
            self._refused(host)
            raise HostRefusedError(f"load to {host} was not allowed")


def _text(host: str | bytes) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host
