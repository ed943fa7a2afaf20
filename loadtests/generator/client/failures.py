"""What can go wrong with a request, and what is said of it.

::

    OSError                     the system's: refused, reset, no such name, ...
    └── TimeoutError            thrown by the sweep over what is in flight
    ExchangeError
    ├── ConnectionLost          the server ended the connection before its answer was whole
    └── ProtocolError           what came is no answer to this request
    StaleConnection             a kept connection was closed before a byte was sent
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from analysis.recording.format import Outcome
from loadtests.generator.guard import HostRefusedError
from loadtests.generator.outcomes import clean_error


class ExchangeError(Exception):
    """A request has no answer."""


class ConnectionLost(ExchangeError):  # noqa: N818 - what happened
    """The server ended the connection before its answer was whole."""


class ProtocolError(ExchangeError):
    """What came is no answer to this request."""


class StaleConnection(Exception):  # noqa: N818 - what happened
    """A kept connection was closed before a byte was sent: it may be opened anew."""


def explain(error: Exception) -> tuple[Outcome, str]:
    """Explain why there is no answer.

    Parameters
    ----------
    error : Exception
        As the connection raised it.

    Returns
    -------
    tuple of (Outcome, str)
        What became of the request, and why, without URLs and secrets.
    """
    if isinstance(error, TimeoutError):
        return Outcome.TIMEOUT, clean_error(error.strerror or str(error)) or "timed out"
    return Outcome.CONNECTION_ERROR, clean_error(_reason(error)) or "unknown"


def _reason(error: Exception) -> str:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason(error)
    return f"{type(error).__name__}: {error}"


def _of_tls(error: Any) -> str:
    return f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}"


def _of_system(error: Any) -> str:
    if error.errno is None:
        return f"{type(error).__name__}: {error}"
    return f"{errno.errorcode.get(error.errno, error.errno)}: {os.strerror(error.errno)}"


# the first that fits
_REASONS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (ConnectionLost, lambda error: f"closed: {error}"),
    (ProtocolError, lambda error: f"protocol: {error}"),
    (
        ssl.SSLCertVerificationError,
        lambda error: f"tls: certificate verify failed: {error.verify_message}",
    ),
    (ssl.SSLError, _of_tls),
    (socket.gaierror, lambda error: f"dns: {error.strerror or error}"),
    (HostRefusedError, str),
    (ConnectionRefusedError, lambda _: "refused"),
    (ConnectionResetError, lambda _: "reset"),
    (BrokenPipeError, lambda _: "reset"),
    (OSError, _of_system),
)
