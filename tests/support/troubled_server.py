"""A server that does what a script says, by the time since its first request with an id.

Run as ``python troubled_server.py LOG DELAY_S [KIND:FROM_S:TO_S[:SECONDS]]...``; prints its
port. Each answer takes DELAY_S and is logged as ``<monotonic ns> <request id>``. Kinds:

stall    what arrives is answered when the stall is over
hang     what arrives is never answered
refuse   connections are reset and none is accepted
slow     answers take SECONDS more
queue    what arrives is worked on one at a time, for SECONDS each
fail     answers are 503
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time

BODY = b'{"ok": true}'
HEAD = (
    f"HTTP/1.1 {{status}}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
)
LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
DELAY_S = float(sys.argv[2])


class Rule:
    """A kind of trouble and its time, in seconds since the first request with an id."""

    def __init__(self, text: str) -> None:
        kind, start, end, *more = text.split(":")
        self.kind = kind
        self.start_s = float(start)
        self.end_s = float(end or "inf")
        self.seconds = float(more[0]) if more else 0.0


RULES = [Rule(text) for text in sys.argv[3:]]
BEGUN: list[float] = []
WORKED_OFF_AT = [0.0]
CONNECTIONS: set[asyncio.Transport] = set()
SERVERS: list[asyncio.Server] = []
TASKS: list[asyncio.Future[None]] = []


def rule_now() -> Rule | None:
    if not BEGUN:
        return None
    now_s = time.monotonic() - BEGUN[0]
    return next((rule for rule in RULES if rule.start_s <= now_s < rule.end_s), None)


class Protocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""
        CONNECTIONS.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        CONNECTIONS.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        if len(body) < int(headers.get(b"content-length", b"0")):
            return
        self.received = b""
        request = headers.get(b"x-request-id", b"-")
        if not BEGUN and request != b"-":
            BEGUN.append(time.monotonic())
            plan_refusals()
        self.answer(request)

    def answer(self, request: bytes) -> None:
        rule, delay_s, status = rule_now(), DELAY_S, "200 OK"
        if rule is not None:
            if rule.kind == "hang":
                return
            if rule.kind == "stall":
                delay_s += BEGUN[0] + rule.end_s - time.monotonic()
            if rule.kind == "slow":
                delay_s += rule.seconds
            if rule.kind == "queue":
                now_s = time.monotonic()
                WORKED_OFF_AT.append(max(WORKED_OFF_AT.pop(), now_s) + rule.seconds)
                delay_s += WORKED_OFF_AT[0] - now_s
            if rule.kind == "fail":
                status, delay_s = "503 Service Unavailable", 0.0
        asyncio.get_running_loop().call_later(delay_s, self.send, request, status)

    def send(self, request: bytes, status: str) -> None:
        if not self.transport.is_closing():
            os.write(LOG, b"%d %s\n" % (time.monotonic_ns(), request))
            self.transport.write((HEAD.format(status=status)).encode() + BODY)


def plan_refusals() -> None:
    loop = asyncio.get_running_loop()
    for rule in RULES:
        if rule.kind == "refuse":
            loop.call_later(rule.start_s, refuse)
            loop.call_later(rule.end_s, accept)


def bound(port: int) -> socket.socket:
    """Bind a port; while nobody listens there it refuses, and nobody else gets it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def refuse() -> None:
    SERVERS.pop().close()
    for transport in list(CONNECTIONS):
        transport.abort()


def accept() -> None:
    TASKS.append(asyncio.ensure_future(listen()))


HELD = bound(0)
PORT = HELD.getsockname()[1]


async def listen() -> None:
    loop = asyncio.get_running_loop()
    SERVERS.append(await loop.create_server(Protocol, sock=bound(PORT), backlog=1024))


async def main() -> None:
    await listen()
    sys.stdout.write(f"{PORT}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main())
