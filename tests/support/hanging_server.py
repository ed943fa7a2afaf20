"""A server that answers for some seconds after its first request, and then hangs.

Run as ``python hanging_server.py SECONDS LOG``; prints its port. Appends a line
``<monotonic ns> <request id>`` to LOG for each answer, before the answer is sent.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS_S = float(sys.argv[1])
LOG = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
FIRST = threading.Event()
BEGUN: list[float] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not BEGUN:
            BEGUN.append(time.monotonic())
        if time.monotonic() - BEGUN[0] > ANSWERS_S:
            threading.Event().wait()
        time.sleep(0.005)
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        os.write(LOG, f"{time.monotonic_ns()} {self.headers['X-Request-Id']}\n".encode())
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
