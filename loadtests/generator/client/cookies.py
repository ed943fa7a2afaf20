"""The cookies of one session, as browsers keep them (RFC 6265), made to cost little.

Most servers send the same cookie again and again: one that is known costs one look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from loadtests.generator.client.origin import Origin

MAX_COOKIES = 200
MAX_BYTES = 4096
"""Of one cookie; RFC 6265, 6.1, asks for at least so much."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a server set."""

    name: str
    value: str
    host: str
    is_host_only: bool
    path: str
    is_secure: bool
    expires_s: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same cookie: a later one replaces it."""
        return self.host, self.path, self.name

    @property
    def is_simple(self) -> bool:
        """Whether it goes with every request to its host, for ever."""
        return self.path == "/" and self.expires_s is None

    def belongs_to(self, origin: Origin, path: str, now_s: float) -> bool:
        """Tell whether it goes with a request."""
        return (
            (self.expires_s is None or self.expires_s > now_s)
            and (origin.is_secure or not self.is_secure)
            and (
                origin.host == self.host
                or (not self.is_host_only and _is_below(origin.host, self.host))
            )
            and _is_under(path, self.path)
        )


class CookieJar:
    """The cookies of one session.

    Parameters
    ----------
    clock : callable
        Tells the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._known: dict[tuple[str, bytes], tuple[tuple[str, str, str], Cookie]] = {}
        self._lines: dict[str, str] = {}
        self._is_simple = True

    def __len__(self) -> int:
        return len(self._cookies)

    def store(self, header: bytes, origin: Origin, path: str) -> None:
        """Take the value of a header ``Set-Cookie``; one that is none is left alone.

        Parameters
        ----------
        header : bytes
            As it came.
        origin : Origin
            Who sent it.
        path : str
            That was asked for.
        """
        known = self._known.get((origin.host, header))
        if known is not None and self._cookies.get(known[0]) is known[1]:
            return
        now_s = self._clock()
        cookie = parse(header, origin, path, now_s)
        if cookie is None:
            return
        key = cookie.key
        self._cookies.pop(key, None)
        if cookie.expires_s is None or cookie.expires_s > now_s:
            self._cookies[key] = cookie
            if len(self._cookies) > MAX_COOKIES:
                del self._cookies[next(iter(self._cookies))]
        self._changed()
        if cookie.is_simple and b"path" in header.lower():
            self._known[origin.host, header] = key, cookie

    def _changed(self) -> None:
        self._lines.clear()
        self._is_simple = all(cookie.is_simple for cookie in self._cookies.values())
        if len(self._known) >= MAX_COOKIES:
            self._known.clear()

    def line(self, origin: Origin, path: str) -> str:
        """Write the value of the header ``Cookie`` of a request.

        Parameters
        ----------
        origin : Origin
            Where it goes.
        path : str
            Its path; a query is no part of it.

        Returns
        -------
        str
            Empty when no cookie belongs to it.
        """
        if self._is_simple:
            known = self._lines.get(origin.text)
            if known is None:
                known = self._lines[origin.text] = self._write(origin, "/")
            return known
        return self._write(origin, path.partition("?")[0])

    def _write(self, origin: Origin, path: str) -> str:
        now_s = self._clock()
        cookies = [c for c in self._cookies.values() if c.belongs_to(origin, path, now_s)]
        cookies.sort(key=lambda cookie: -len(cookie.path))  # the more special ones first
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def parse(header: bytes, origin: Origin, path: str, now_s: float) -> Cookie | None:
    """Read a header ``Set-Cookie``.

    Parameters
    ----------
    header : bytes
        Its value.
    origin : Origin
        Who sent it.
    path : str
        That was asked for.
    now_s : float
        Seconds since the epoch.

    Returns
    -------
    Cookie or None
        None when it is none, is too large, or is for another host than its sender's.
    """
    if len(header) > MAX_BYTES:
        return None
    pair, *attributes = header.decode("latin-1").split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals or not name:
        return None
    said = {}
    for attribute in attributes:
        key, _, word = attribute.partition("=")
        said[key.strip().lower()] = word.strip()
    domain = said.get("domain", "").lstrip(".").lower()
    if domain and domain != origin.host and not _is_below(origin.host, domain):
        return None
    where = said.get("path", "")
    path = path.partition("?")[0]
    return Cookie(
        name=name,
        value=value,
        host=domain or origin.host,
        is_host_only=not domain,
        path=where if where.startswith("/") else path[: path.rfind("/")] or "/",
        is_secure="secure" in said,
        expires_s=_expiry(said, now_s),
    )


def _expiry(said: dict[str, str], now_s: float) -> float | None:
    try:
        return now_s + int(said["max-age"])
    except (KeyError, ValueError, OverflowError):
        pass
    try:
        return parsedate_to_datetime(said["expires"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _is_below(host: str, domain: str) -> bool:
    return host.endswith(f".{domain}") and not host.replace(".", "").isdigit()


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or (
        path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix)] == "/")
    )
