"""What each answer tells about itself: ``X-Request-Id``, ``Server-Timing``, metrics, a log.

It sits outside Flask, around the whole application, so that errors and static files carry the
same headers as everything else, and so that what comes after the answer is made (giving back the
connection to the database) is measured with it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from target_app import metrics
from target_app.config import Config
from target_app.metrics import NO_ROUTE, Metrics
from target_app.models import db

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
    """Since when the database has been asked; 0 while it is not."""
    route: str = NO_ROUTE

    def server_timing(self, took_ns: int) -> str:
        """
        Give the value of the ``Server-Timing`` header.

        Parameters
        ----------
        took_ns : int
            How long the request has taken.

        Returns
        -------
        str
            ``app``: milliseconds inside the application, those of the database included; ``db``:
            milliseconds spent waiting for the database; ``queries``: how many statements it ran.
        """
        return (
            f"app;dur={took_ns / 1e6:.3f}, db;dur={self.database_ns / 1e6:.3f}, "
            f'queries;desc="{self.queries}"'
        )

    def waiting(self) -> None:
        """Note that the database has been asked."""
        self.waiting_since_ns = _clock_ns()

    def answered(self) -> None:
        """Note that the database has answered, or failed; nothing, when it was not asked."""
        if self.waiting_since_ns:
            self.database_ns += _clock_ns() - self.waiting_since_ns
            self.waiting_since_ns = 0

    @contextmanager
    def in_database(self) -> Iterator[None]:
        """Count what happens inside as time of the database, however it ends."""
        self.waiting()
        try:
            yield
        finally:
            self.answered()


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
    A WSGI layer: adds the headers, counts, and writes the access log where one is asked for.

    Parameters
    ----------
    application : WSGIApplication
        What it surrounds.
    config : Config
        Names the access log.
    metrics : Metrics
        Where to count.
    """

    def __init__(self, application: WSGIApplication, config: Config, metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics
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
        being_served = object()
        self._metrics.open.add(being_served)
        started: list[Any] = []
        parts: list[bytes] = []

        def start(*answer: Any) -> Any:
            # Passed on below: only then is it known what the answer has cost.
            started[:] = answer
            # Flask keeps its request here until it gives up its context, after this.
            measure.route = _route(environ)
            return parts.append

        try:
            body = self._application(environ, start)
            try:
                parts.extend(body)
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()
        finally:
            _current.reset(token)
            self._metrics.open.discard(being_served)
        self._tell(measure, environ, started)
        start_response(*started)
        return [b"".join(parts)]

    def _tell(self, measure: Measure, environ: WSGIEnvironment, started: list[Any]) -> None:
        """Put the headers on an answer, count it, and write it down."""
        status, headers, *_ = started
        took_ns = _clock_ns() - measure.started_ns
        headers.append(("X-Request-Id", measure.request_id))
        headers.append(("Server-Timing", measure.server_timing(took_ns)))
        self._metrics.record(
            environ["REQUEST_METHOD"],
            measure.route,
            status[:3],
            took_ns / 1e9,
            (measure.database_ns / 1e9, measure.queries),
        )
        if self._log is not None:
            self._write_line(measure.request_id, status, environ)

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
        The application; it has its engine.
    config : Config
        Its options.
    """
    with app.app_context():
        counted = metrics.install(app, config, db.engine)
    app.wsgi_app = Telemetry(app.wsgi_app, config, counted)  # type: ignore[method-assign]


def _route(environ: WSGIEnvironment) -> str:
    """Give the rule that the path matched: never the path, which would be a label without end."""
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return NO_ROUTE if rule is None else rule.rule


def _request_id(environ: WSGIEnvironment) -> str:
    """Take the caller's id when it is one that may be logged and stored, else make one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
