"""Servers on loopback that say exactly what a test wants them to, byte by byte.

Each connection is handled by the next script, in a thread; the last script handles all that
are left. A script is a function of a :class:`Peer`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
GAP_S = 0.002
"""Between two pieces, so that they are received one by one."""


class Peer:
    def __init__(self, sock: socket.socket, requests: list[bytes]) -> None:
        self.sock = sock
        self._requests = requests
        self._left = b""

    def request(self, interruption: bytes = b"") -> bytes:
        """Read a whole request; empty when the client has gone.

        The client is interrupted, once, when its body does not come at once.
        """
        data = self._left
        while b"\r\n\r\n" not in data:
            if not (piece := self.sock.recv(65536)):
                return b""
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            if interruption and len(rest) < length - 1_000_000:
                self.sock.sendall(interruption)
                interruption = b""
            if not (piece := self.sock.recv(1 << 20)):
                return b""
            rest += piece
        self._left = rest[length:]
        self._requests.append(head + b"\r\n\r\n" + rest[:length])
        return self._requests[-1]

    def say(self, *pieces: bytes) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(GAP_S)
            self.sock.sendall(piece)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Peer], None]


def answers(*pieces: bytes) -> Script:
    """Give the same answer to every request, as long as the client asks."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.say(*pieces)

    return script


def once(*pieces: bytes) -> Script:
    """Answer one request, then end the connection."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.say(*pieces)

    return script


class ScriptedServer:
    def __init__(
        self,
        *scripts: Script,
        host: str = "127.0.0.1",
        certificate: str | None = None,
    ) -> None:
        self._scripts = scripts
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if certificate else 'http'}://{shown}:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):  # gone already
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._open.append(sock)
            self._start(self._handle, sock, script)

    def _handle(self, sock: socket.socket, script: Script) -> None:
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            with sock:
                script(Peer(sock, self.requests))
        except OSError:
            pass  # the client has gone, or does not trust us
