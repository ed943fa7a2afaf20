"""The supervisor's own connections to a target; the load's are the generators'."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from urllib.parse import urlsplit


def trusting(ca: Path | None) -> ssl.SSLContext:
    """Make a context that checks certificates and names, as the generators' client does.

    Parameters
    ----------
    ca : Path or None
        Certificate authorities beside the system's, a PEM file.

    Returns
    -------
    SSLContext
        For clients.
    """
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(cafile=str(ca))
    return context


def connection_to(url: str, *, ca: Path | None, timeout_s: float) -> http.client.HTTPConnection:
    """Make a connection, which is opened when something is asked on it.

    Parameters
    ----------
    url : str
        Of a server.
    ca : Path or None
        Certificate authorities beside the system's.
    timeout_s : float
        Seconds, for whatever is waited for.

    Returns
    -------
    HTTPConnection
        With or without TLS.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, parts.port, timeout=timeout_s, context=trusting(ca)
        )
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
