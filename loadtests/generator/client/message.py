"""Writes requests: what is the same in all of them once, the rest in one line each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlencode

from loadtests.generator.client.coding import ACCEPTED
from loadtests.generator.client.origin import Origin

REQUEST_ID = "X-Request-Id"
_AGENT = f"trueload/{version('trueload')}"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_ASCII_TARGET = "!#$%&'()*+,/:;=?@[]~"
_OURS = frozenset({"content-length", "transfer-encoding", REQUEST_ID.lower()})


class Request:
    """A request before it has its id.

    Parameters
    ----------
    method : str
        In capitals.
    origin : Origin
        Where it goes.
    target : str
        Path and query as they are sent.
    endpoint : str
        What it is counted under.
    lines : str
        Its headers, but for cookies and id.
    body : bytes
        May be empty.
    about : str
        Headers that speak of the body.
    """

    __slots__ = ("about", "body", "endpoint", "lines", "method", "origin", "target")

    def __init__(
        self,
        method: str,
        origin: Origin,
        target: str,
        endpoint: str,
        lines: str,
        body: bytes = b"",
        about: str = "",
    ) -> None:
        self.method = method
        self.origin = origin
        self.target = target
        self.endpoint = endpoint
        self.lines = lines
        self.body = body
        self.about = about

    @property
    def url(self) -> str:
        """Where it goes, in full."""
        return f"{self.origin.text}{self.target}"


class Head:
    """What every request to a server begins with.

    Parameters
    ----------
    origin : Origin
        The server.
    headers : mapping of str to str
        Sent with every request.
    """

    def __init__(self, origin: Origin, headers: Mapping[str, str]) -> None:
        self._headers = {
            "host": ("Host", origin.netloc),
            "user-agent": ("User-Agent", _AGENT),
            "accept": ("Accept", "*/*"),
            "accept-encoding": ("Accept-Encoding", ACCEPTED),
        }
        self._add(headers)
        self.text = self._write(self._headers)

    def _add(self, headers: Mapping[str, str]) -> None:
        self._headers.update({name.lower(): (name, value) for name, value in headers.items()})

    def text_with(self, headers: Mapping[str, str]) -> str:
        """Write it with some headers more, or other values of the same.

        Parameters
        ----------
        headers : mapping of str to str
            Of one request.

        Returns
        -------
        str
            Lines, each with its end.

        Raises
        ------
        ValueError
            When a name or a value holds what would end its line.
        """
        own = {name.lower(): (name, value) for name, value in headers.items()}
        if self._headers.keys().isdisjoint(own):
            return self.text + self._write(own)
        return self._write({**self._headers, **own})

    @staticmethod
    def _write(headers: Mapping[str, tuple[str, str]]) -> str:
        lines = []
        for key, (name, value) in headers.items():
            if key in _OURS:
                continue
            line = f"{name}: {value}"
            # also stops line ends that only str.splitlines knows
            if not line.isprintable() or not key or ":" in key or " " in key:
                raise ValueError(f"header {name!r}: a name or value that no header can have")
            lines.append(line)
        return "\r\n".join(lines) + "\r\n" if lines else ""


def target_of(path: str) -> str:
    """Write a path and query so that it can stand in a request.

    Parameters
    ----------
    path : str
        As a person would write it.

    Returns
    -------
    str
        Printable ASCII without spaces, beginning with a slash.
    """
    usual = path.isascii() and path.isprintable() and " " not in path and "#" not in path
    if usual and path[:1] == "/":
        return path
    path = path.partition("#")[0]
    return quote(path if path.startswith("/") else f"/{path}", safe=_ASCII_TARGET)


def body_of(
    method: str, data: Any, as_json: Any, headers: Mapping[str, str] | None
) -> tuple[bytes, str]:
    """Encode a body, and write the headers that speak of it.

    Parameters
    ----------
    method : str
        Some have a length even without a body.
    data : mapping, str or bytes
        A mapping is sent as a form; None: nothing, or the JSON.
    as_json : object
        Sent as JSON where there are no data.
    headers : mapping of str to str or None
        Of the request: a type that stands there is left to it.

    Returns
    -------
    tuple of (bytes, str)
        The body, and lines, each with its end.

    Raises
    ------
    TypeError
        When it is something else.
    """
    kind = None
    if data is None and as_json is None:
        return b"", "Content-Length: 0\r\n" if method in _WITH_BODY else ""
    if data is None:
        body, kind = json.dumps(as_json, separators=(",", ":")).encode(), _JSON
    elif isinstance(data, bytes | bytearray):
        body = bytes(data)
    elif isinstance(data, str):
        body = data.encode()
    elif isinstance(data, Mapping):
        body, kind = urlencode(data, doseq=True).encode(), _FORM
    else:
        raise TypeError(f"data: found {type(data).__name__}; allowed: a mapping, str or bytes")
    if kind is None or any(name.lower() == "content-type" for name in headers or ()):
        return body, f"Content-Length: {len(body)}\r\n"
    return body, f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
