"""A server that costs as little as one in Python can: 11 bytes for whatever is asked.

Run as ``python quick_server.py CORE``; prints its port. Its core is its own, if there is one.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world"


def main() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    open_ones: dict[int, socket.socket] = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        client, _ = listener.accept()
                        client.setblocking(False)
                        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        open_ones[client.fileno()] = client
                        poll.register(client, select.EPOLLIN)
                continue
            client = open_ones[fd]
            try:
                received = client.recv(65536)
                if received:
                    client.send(ANSWER)  # small requests come whole
                    continue
            except OSError:
                pass
            poll.unregister(client)
            del open_ones[fd]
            client.close()


main()
