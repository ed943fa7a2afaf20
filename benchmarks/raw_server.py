"""A server that costs little: it answers each path with its own bytes, and reads no header.

Run as ``python raw_server.py``; prints its port.
"""

from __future__ import annotations

import select
import socket
import sys

BODY = b"hello world"
RECORD = (
    b'{"id": 1, "name": "Customer 1", "email": "customer-1@example.com", "company": "Example", '
)
RECORD += b'"country": "DE", "status": "active", "owner_id": 17, "notes": "'
RECORD += b"x" * (358 - len(RECORD)) + b'"}'
ANSWERS = {
    b"/text": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n" + BODY,
    b"/json": b"HTTP/1.1 200 OK\r\nServer: granian\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b'Server-Timing: app;dur=3.125, db;dur=1.250, queries;desc="4"\r\n'
    b"Set-Cookie: session=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax\r\n"
    b"Content-Length: %d\r\n\r\n" % len(RECORD) + RECORD,
}


def serve() -> None:
    """Answer for ever, each path with its own bytes; the port is printed first."""
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    listener.setblocking(False)
    poll, peers = select.epoll(), {}
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                peer, _ = listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[peer.fileno()] = peer
                poll.register(peer.fileno(), select.EPOLLIN)
                continue
            try:
                data = peers[fd].recv(65536)
                peers[fd].sendall(ANSWERS.get(data[4:9], b""))
            except OSError:
                data = b""
            if not data:
                peers.pop(fd).close()


if __name__ == "__main__":
    serve()
