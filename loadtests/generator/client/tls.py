"""Whom the client trusts."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path
from typing import Any

import gevent.ssl


@functools.cache
def trust(ca: Path | None) -> Any:
    """Make the context of a client that checks certificates and names.

    Parameters
    ----------
    ca : Path or None
        Certificate authorities beside the system's, a PEM file.

    Returns
    -------
    SSLContext
        One for the process: reading the system's authorities takes milliseconds.
    """
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    if ca is not None:
        context.load_verify_locations(cafile=str(ca))
    context.set_alpn_protocols(["http/1.1"])
    return context
