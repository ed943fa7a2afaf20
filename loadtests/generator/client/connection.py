"""One kept connection: sends a request, waits for its answer, and nothing besides.

A watcher of the loop stays with a connection as long as it lives. While a request is
under way it wakes the greenlet that waits; while there is none it tells, for nothing, that
the server has closed the connection. gevent's own ``recv`` registers a watcher anew for
each wait.

Timeouts come from outside, thrown into the waiting greenlet: whatever is thrown
there, the connection is closed and never used again.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import Any, Protocol

import gevent.socket
from gevent import get_hub, getcurrent
from gevent.monkey import get_original

from loadtests.generator.client.answer import Answer
from loadtests.generator.client.failures import StaleConnection
from loadtests.generator.client.origin import Origin
from loadtests.generator.guard import HostRefusedError

IDLE_NS = 100_000_000
"""A connection that was idle for longer is looked at before it is used; after a shorter time
the loop's word is taken, because the look costs as much as a tenth of a request. Servers
end idle connections after seconds."""

_BUFFER = bytearray(128 * 1024)
_VIEW = memoryview(_BUFFER)
"""One for all: what was received is parsed before another greenlet can run."""

_NOTHING = memoryview(b"")
_READABLE, _WRITABLE = 1, 2
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET})

_poll = get_original("select", "poll")
_now_ns = time.monotonic_ns


class Times(Protocol):
    """What a connection notes of a request."""

    first_byte_ns: int
    done_ns: int


class Connection:
    """A connection to a server.

    Parameters
    ----------
    origin : Origin
        The server.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._sock: Any = None
        self._raw: Any = None
        self._watcher: Any = None
        self._look: Any = None
        self._switch: Any = None
        self._greenlet: Any = None
        self._waiting = False
        self._spoiled = False
        self._used_ns = 0
        self._answer = Answer()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._sock is not None

    # from opening to closing

    def open(self) -> None:
        """Connect: to the first address of the host that takes the connection.

        Raises
        ------
        OSError
            When none does.
        """
        self._sock = self._connect()
        self._answer = Answer()
        self._watch()

    def _connect(self) -> Any:
        failure: OSError | None = None
        for family, address in _addresses(self._origin):
            try:
                return self._connect_to(family, address)
            except HostRefusedError:
                raise
            except OSError as error:
                if error.errno is None:
                    raise  # thrown from outside: the time is up
                failure = error
        raise failure or socket.gaierror(socket.EAI_NONAME, "no address")

    def _connect_to(self, family: int, address: Any) -> Any:
        sock = gevent.socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            sock.close()
            raise
        return sock

    def _watch(self) -> None:
        hub = get_hub()
        self._raw = self._sock._sock  # non-blocking, and without gevent's layer over it
        self._switch = hub.switch
        self._spoiled = False
        self._look = _look_at(self._raw)
        self._watcher = hub.loop.io(self._raw.fileno(), _READABLE)
        self._watcher.start(self._readable)

    def close(self) -> None:
        """Close it; one that is closed stays so."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._sock is not None:
            self._sock.close()
            self._sock = self._raw = self._look = None

    def is_stale(self, now_ns: int) -> bool:
        """Tell whether the server has ended it, or said something unasked.

        Parameters
        ----------
        now_ns : int
            The time, in nanoseconds.

        Returns
        -------
        bool
            True when it must not be used again.
        """
        return self._spoiled or (now_ns - self._used_ns > IDLE_NS and bool(self._look(0)))

    # a request

    def exchange(self, message: bytes, times: Times, *, head: bool) -> Answer:
        """Send a request and wait for the whole answer.

        Parameters
        ----------
        message : bytes
            Head and body.
        times : Times
            Gets `first_byte_ns` and `done_ns`.
        head : bool
            Whether the method is HEAD.

        Returns
        -------
        Answer
            Good until the next exchange.

        Raises
        ------
        StaleConnection
            When the server had closed the connection before a byte was sent.
        OSError
            When the connection fails.
        ExchangeError
            When what comes is no whole answer.
        """
        answer = self._answer
        answer.expect(head)
        try:
            rest = self._send(message)
            size = self._receive()
            times.first_byte_ns = _now_ns()
            while True:
                if size:
                    answer.feed(_VIEW[:size])
                else:
                    answer.end()
                if answer.done:
                    break
                if rest:
                    rest = self._send_rest(rest)
                size = self._receive()
        except BaseException:
            self.close()
            raise
        times.done_ns = self._used_ns = _now_ns()
        if rest or not answer.keep:
            self.close()
        return answer

    def _send(self, message: bytes) -> memoryview:
        try:
            sent = self._raw.send(message)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno in _GONE:
                raise StaleConnection from error
            raise
        if sent == len(message):
            return _NOTHING
        return self._send_rest(memoryview(message)[sent:])

    def _send_rest(self, rest: memoryview) -> memoryview:
        # until all is sent or something comes; gives back what is left
        writable = get_hub().loop.io(self._raw.fileno(), _WRITABLE)
        writable.start(self._wake)
        try:
            while rest:
                self._wait()
                try:
                    rest = rest[self._raw.send(rest) :]
                except BlockingIOError:
                    break  # woken because there is something to read
                except OSError as error:
                    if error.errno not in _GONE:
                        raise
                    break  # it may have said why
        finally:
            writable.stop()
            writable.close()
        return rest

    def _receive(self) -> int:
        while True:
            self._wait()
            try:
                size: int = self._raw.recv_into(_BUFFER)
            except BlockingIOError:
                continue  # woken for nothing
            return size

    # waiting

    def _wait(self) -> None:
        switch = self._switch
        self._greenlet = getcurrent()
        self._waiting = True
        while self._waiting:
            switch()

    def _readable(self) -> None:
        if self._waiting:
            self._waiting = False
            self._greenlet.switch()
        else:
            self._spoiled = True
            self._watcher.stop()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting = False
            self._greenlet.switch()


class TlsConnection(Connection):
    """A connection under TLS, by way of gevent's own sockets.

    Parameters
    ----------
    origin : Origin
        The server, whose name must stand in its certificate.
    context : SSLContext
        What is trusted.
    """

    def __init__(self, origin: Origin, context: Any) -> None:
        super().__init__(origin)
        self._context = context

    def _connect_to(self, family: int, address: Any) -> Any:
        sock = self._context.wrap_socket(
            super()._connect_to(family, address),
            server_hostname=self._origin.host,
            do_handshake_on_connect=False,
        )
        try:
            sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _watch(self) -> None:
        self._look = _look_at(self._sock)

    def is_stale(self, now_ns: int) -> bool:  # noqa: ARG002 - looks always: TLS costs more
        """Tell whether the server has ended it, or said something unasked."""
        return bool(self._look(0))

    def _send(self, message: bytes) -> memoryview:
        self._sock.sendall(message)
        return _NOTHING

    def _receive(self) -> int:
        size: int = self._sock.recv_into(_BUFFER)
        return size


def _addresses(origin: Origin) -> list[tuple[int, Any]]:
    """Look a name up; an address is one already."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, origin.host)
        except OSError:
            continue
        return [(family, (origin.host, origin.port))]
    found = gevent.socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return [(entry[0], entry[4]) for entry in found]


def _look_at(sock: Any) -> Any:
    """Make what tells at once whether there is something to read."""
    look = _poll()
    look.register(sock.fileno(), _READABLE)
    return look.poll
