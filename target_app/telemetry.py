"""What each answer tells about itself: ``X-Request-Id``, ``Server-Timing``, the access log.

It sits outside Flask, around the whole application, so that errors and static files carry the
same headers as everything else.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from target_app.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_clock_ns = time.perf_counter_ns


@dataclass(slots=True)
class Measure:
    """What one request has used so far."""

    request_id: str
    started_ns: int
    database_ns: int = 0
    queries: int = 0
    waiting_since_ns: int = 0

    def server_timing(self) -> str:
        """
        Give the value of the ``Server-Timing`` header as of now.

        Returns
        -------
        str
            ``app``: milliseconds inside the application, those of the database included; ``db``:
            milliseconds spent waiting for the database; ``queries``: how many statements it ran.
        """
        app_ms = (_clock_ns() - self.started_ns) / 1e6
        return (
            f"app;dur={app_ms:.3f}, db;dur={self.database_ns / 1e6:.3f}, "
            f'queries;desc="{self.queries}"'
        )

    def waiting(self) -> None:
        """Note that the database has been asked."""
        self.waiting_since_ns = _clock_ns()

    def answered(self) -> None:
        """Note that the database has answered."""
        self.database_ns += _clock_ns() - self.waiting_since_ns


_current: ContextVar[Measure | None] = ContextVar("measure", default=None)


def current() -> Measure:
    """
    Give the measure of the request being served.

    Returns
    -------
    Measure
        Outside of a request: one that nobody reads.
    """
    return _current.get() or Measure(request_id="", started_ns=_clock_ns())


def request_id() -> str | None:
    """
    Give the id of the request being served, as it is stored with what the request writes.

    Returns
    -------
    str or None
        None outside of a request.
    """
    return current().request_id or None


def watch(engine: Engine) -> None:
    """
    Count and time the statements of an engine.

    A statement's time ends when it has been executed; who then fetches rows times that as well
    (`target_app.database.rows`), because SQLite finds them while they are fetched.

    Parameters
    ----------
    engine : Engine
        The engine whose statements count toward the request that runs them.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def _asked(*_: object) -> None:
        current().waiting()

    @event.listens_for(engine, "after_cursor_execute")
    def _answered(*_: object) -> None:
        measure = current()
        measure.answered()
        measure.queries += 1

    @event.listens_for(engine, "handle_error")
    def _failed(_: object) -> None:
        current().answered()


class Telemetry:
    """
    A WSGI layer: adds the headers, and a line to the access log where one is asked for.

    Parameters
    ----------
    application : WSGIApplication
        What it surrounds.
    config : Config
        Names the access log.
    """

    def __init__(self, application: WSGIApplication, config: Config) -> None:
        self._application = application
        self._log = None
        if config.access_log is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._log = os.open(config.access_log, flags, 0o644)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """
        Serve one request.

        Parameters
        ----------
        environ : dict
            The request, by PEP 3333.
        start_response : callable
            Takes status and headers.

        Returns
        -------
        list of bytes
            The whole body in one piece: the server sends that in one go.
        """
        measure = Measure(_request_id(environ), _clock_ns())
        token = _current.set(measure)
        answer: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answer.append(status)
            headers.append(("X-Request-Id", measure.request_id))
            headers.append(("Server-Timing", measure.server_timing()))
            return start_response(status, headers, exc_info)

        try:
            body = self._application(environ, start)
            try:
                return [b"".join(body)]
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()
        finally:
            _current.reset(token)
            if self._log is not None and answer:
                self._write_line(measure.request_id, answer[-1], environ)

    def _write_line(self, request: str, status: str, environ: WSGIEnvironment) -> None:
        """Append one line with one write, so that the lines of several workers never mix."""
        line = {
            "t": time.monotonic_ns(),
            "id": request,
            "status": int(status[:3]),
            "method": environ["REQUEST_METHOD"],
            "path": environ.get("PATH_INFO", ""),
        }
        os.write(self._log, json.dumps(line).encode() + b"\n")  # type: ignore[arg-type]


def install(app: Flask, config: Config) -> None:
    """
    Surround an application.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Its options.
    """
    app.wsgi_app = Telemetry(app.wsgi_app, config)  # type: ignore[method-assign]


def _request_id(environ: WSGIEnvironment) -> str:
    """Take the caller's id when it is one that may be logged and stored, else make one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
