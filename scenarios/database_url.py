"""URLs of PostgreSQL databases: where they lead, and whether they hold a secret.

Only the parts that are named here may stand in one. The driver's library takes
many more from a URL's query, some of which (``service``, ``hostaddr``) lead to
another server than the one that the URL shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
SHAPE = "postgresql://user@host:port/database, or postgresql://user@/database?host=/its/socket"
_QUERY = ("host", "port", "sslmode", "sslrootcert", "connect_timeout", "application_name")
_SECRET_QUERY = ("password", "sslpassword")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """What a URL says.

    Attributes
    ----------
    hosts : tuple of str
        Names and addresses of servers; empty when a socket's folder is named.
    has_password : bool
        Whether it holds one.
    masked : str
        The URL as it may be shown.
    """

    hosts: tuple[str, ...]
    has_password: bool
    masked: str


def is_database_url(text: str) -> bool:
    """Tell whether a text is meant to be a URL rather than the name of a kind.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    bool
        True when it has the form of one.
    """
    return "://" in text


def read_database_url(text: str) -> DatabaseUrl:
    """Read a URL.

    Parameters
    ----------
    text : str
        The URL.

    Returns
    -------
    DatabaseUrl
        Where it leads.

    Raises
    ------
    ValueError
        When it is none, or holds what it may not; the message repeats nothing
        of it that could be secret.
    """
    parts = urlsplit(text)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"a URL of another kind than {' or '.join(SCHEMES)}")
    user, at, place = parts.netloc.rpartition("@")
    if "@" in user:
        raise ValueError("more than one @ (write those of a name or a password as %40)")
    query = parse_qsl(parts.query, keep_blank_values=True)
    unknown = sorted({key for key, _ in query} - {*_QUERY, *_SECRET_QUERY})
    if unknown or parts.fragment:
        raise ValueError(f"{', '.join(unknown) or 'a fragment'} (only {', '.join(_QUERY)} may be)")
    if not parts.path.strip("/") or "/" in parts.path.strip("/"):
        raise ValueError("no name of one database")
    named = [_host(place), *(value for key, value in query if key == "host")]
    hosts = [host.strip() for value in named for host in value.split(",") if host.strip()]
    if not hosts:
        raise ValueError("neither a host nor a socket's folder")
    secret = ":" in user or any(key in _SECRET_QUERY for key, _ in query)
    name = f"{user.partition(':')[0]}{':***' if ':' in user else ''}{at}"
    shown = "&".join(f"{key}={'***' if key in _SECRET_QUERY else value}" for key, value in query)
    return DatabaseUrl(
        hosts=tuple(_without_port(host) for host in hosts if not host.startswith("/")),
        has_password=secret,
        masked=f"{parts.scheme}://{name}{place}{parts.path}{'?' if shown else ''}{shown}",
    )


def _host(place: str) -> str:
    """Host of an authority; the driver reads escapes in it."""
    return unquote(_without_port(place))


def _without_port(place: str) -> str:
    bracketed = re.match(r"\[([^]]*)\]", place)
    if bracketed:
        return bracketed[1]
    name, colon, port = place.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else place.removesuffix(":")
