"""A server with every kind of answer; prints its port, logs each request's id and headers.

Run as ``python zoo_server.py LOG``.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        line = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        os.write(LOG, (json.dumps(line) + "\n").encode())
        kind, _, rest = path.strip("/").partition("/")
        if kind == "status":
            self.answer(int(rest))
        elif kind == "redirect":
            self.answer(302, {"Location": "/ok"})
        elif kind == "away":
            self.answer(302, {"Location": "http://elsewhere.invalid/ok"})
        elif kind == "broken":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half of")
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif kind == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif kind == "latin":
            self.answer(500, {"X-Body": "latin"})
        elif kind == "slow":
            time.sleep(0.3)
            self.answer(200)
        else:
            self.answer(200, {"Server-Timing": 'app;dur=2.5, db;dur=1.25, queries;desc="3"'})

    do_POST = do_GET

    def answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        body = b'{"ok": true}' if "X-Body" not in (headers or {}) else b"\xff\xfe no UTF-8"
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Handler)
sys.stdout.write(f"{server.server_address[1]}\n")
sys.stdout.flush()
server.serve_forever()
