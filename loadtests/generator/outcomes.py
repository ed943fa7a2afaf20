"""What became of a request, from what its client reports."""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
from typing import Any

import gevent
import requests
from geventhttpclient.useragent import RetriesExceeded
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS
from locust.exception import CatchResponseError

from analysis.recording.format import Outcome

_TOO_MANY = 429
_FIRST_ERROR = 400
_MAX_ERROR_CHARS = 160
_MOST_WRAPPED = 10
_OWN_LIMITS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.I)
_SECRET = re.compile(
    r"(?i)\b(bearer|basic)\s+\S+|\b(token|password|passwd|secret|api[_-]?key|cookie|session)"
    r"\s*[=:]\s*\S+"
)
_USERINFO = re.compile(r"//[^/@\s]+@")
_NUMBERS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{12,}\b|\d{5,}", re.I)

_TIMEOUTS = (TimeoutError, socket.timeout, gevent.Timeout, requests.exceptions.Timeout)


def classify(exception: BaseException | None, response: Any) -> tuple[Outcome, int | None]:
    """Classify a finished request.

    Parameters
    ----------
    exception : BaseException or None
        As the engine's event carries it; None when the client calls it a success.
    response : object
        The client's response; may carry ``status_code`` and ``error``.

    Returns
    -------
    tuple of (Outcome, int or None)
        The outcome, and the status when there was an answer.
    """
    status = getattr(response, "status_code", None) or None
    if status is None:
        return _unanswered(_cause(getattr(response, "error", None) or exception)), None
    exception = _cause(exception)
    if exception is None:
        return Outcome.OK, status
    return _bad_answer(exception, status), status


def _cause(exception: BaseException | None) -> BaseException | None:
    """Take out what the engine's fast client wraps when it gives up: a timeout, say."""
    original = getattr(exception, "original", None)
    wrapped = isinstance(exception, RetriesExceeded) and isinstance(original, BaseException)
    return original if wrapped else exception


def _bad_answer(exception: BaseException, status: int) -> Outcome:
    if isinstance(exception, _TIMEOUTS):
        return Outcome.TIMEOUT
    if status >= _FIRST_ERROR:
        return Outcome.RATE_LIMITED if status == _TOO_MANY else Outcome.HTTP_ERROR
    if isinstance(exception, FAILURE_EXCEPTIONS):
        return Outcome.CONNECTION_ERROR  # the body broke off
    return Outcome.CHECK_FAILED


def _unanswered(exception: BaseException | None) -> Outcome:
    if exception is None:
        return Outcome.OK  # no HTTP: a client of the locustfile's own that reports a success
    if isinstance(exception, _TIMEOUTS):
        return Outcome.TIMEOUT
    if isinstance(exception, CatchResponseError | AssertionError):
        return Outcome.CHECK_FAILED
    return Outcome.CONNECTION_ERROR


def own_limit(exception: BaseException | None) -> str | None:
    """Find out whether a request failed because this process could connect no more.

    Parameters
    ----------
    exception : BaseException or None
        As any client reports it: what it wraps is looked at too.

    Returns
    -------
    str or None
        Which limit was reached, in the system's words.
    """
    seen = _cause(exception)
    for _ in range(_MOST_WRAPPED):
        if seen is None:
            return None
        if isinstance(seen, OSError) and seen.errno in _OWN_LIMITS:
            return os.strerror(seen.errno)
        seen = seen.__cause__ or seen.__context__
    return None


def bytes_out_of(response: Any) -> int:
    """Measure the body of the request that a response answers.

    Parameters
    ----------
    response : object
        The client's response, of either client of the engine.

    Returns
    -------
    int
        Bytes; 0 where there was none, or it cannot be seen.
    """
    request = getattr(response, "request", None)
    body = getattr(request, "payload", None) or getattr(request, "body", None)
    if isinstance(body, str):
        return len(body.encode())
    return len(body) if isinstance(body, bytes | bytearray) else 0


def clean_error(exception: BaseException | str | None) -> str | None:
    """Write an error so that it can be grouped and holds no URL and no secret.

    Parameters
    ----------
    exception : BaseException, str or None
        What the client reports.

    Returns
    -------
    str or None
        At most 160 characters.
    """
    if exception is None:
        return None
    text = exception if isinstance(exception, str) else _describe(_cause(exception) or exception)
    text = _URL.sub("<url>", text)
    text = _SECRET.sub("<secret>", text)
    text = _NUMBERS.sub("<n>", text)
    return " ".join(text.split())[:_MAX_ERROR_CHARS]


class CleanFormatter(logging.Formatter):
    """Formats log records without credentials: users' tracebacks may hold some."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, credentials replaced."""
        text = _USERINFO.sub("//<secret>@", super().format(record))
        return _SECRET.sub("<secret>", text)


def _describe(exception: BaseException) -> str:
    if isinstance(exception, CatchResponseError):
        return str(exception)
    return f"{type(exception).__name__}: {exception}"
