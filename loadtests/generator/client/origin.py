"""Where requests go: scheme, host and port."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A server."""

    scheme: str
    host: str
    port: int
    netloc: str
    """Host, and the port where it is not the usual one; as in the header Host."""
    text: str
    """As the beginning of a URL."""

    @classmethod
    def of(cls, url: str) -> Origin:
        """Read the origin of a URL.

        Parameters
        ----------
        url : str
            An absolute one.

        Returns
        -------
        Origin
            Its server.

        Raises
        ------
        ValueError
            When it is no HTTP URL, or no name can be like its host's.
        """
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
        if scheme not in _PORTS or not host:
            raise ValueError(f"{scheme or 'no scheme'}: no URL that HTTP goes to")
        if not host.isprintable() or " " in host:
            raise ValueError(f"{host!r}: no name of a host")
        if ":" not in host:
            host.encode("idna")  # as whoever looks it up will do: a UnicodeError is a ValueError
        port = parts.port or _PORTS[scheme]
        netloc = f"[{host}]" if ":" in host else host
        if port != _PORTS[scheme]:
            netloc = f"{netloc}:{port}"
        return cls(scheme, host, port, netloc, f"{scheme}://{netloc}")

    @property
    def is_secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.scheme == "https"
