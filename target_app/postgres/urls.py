"""URLs of servers that somebody gives: read, reached, and never shown with their password."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from target_app.errors import DatasetError
from target_app.postgres.running import DRIVER

_SCHEMES = ("postgresql", "postgres", DRIVER)
_SHAPE = "postgresql://USER@HOST:PORT/DATABASE"
_SECRETS = ("password", "sslpassword")
_CONNECT_TIMEOUT_S = 5
_HIDDEN = "***"


def parse(text: str) -> URL:
    """
    Read the URL of a database.

    Parameters
    ----------
    text : str
        Such as ``postgresql://user@host:5432/crm``.

    Returns
    -------
    URL
        With the driver that we have.

    Raises
    ------
    DatasetError
        When it is none, or none of PostgreSQL; the message holds no password.
    """
    scheme = text.partition("://")[0]
    if scheme not in _SCHEMES:
        raise DatasetError(f"{safe(text)}: is no URL of PostgreSQL. Write {_SHAPE}")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their messages may hold parts of the password
        raise DatasetError(f"{safe(text)}: cannot be read. Write {_SHAPE}") from None
    if "@" in (url.host or ""):
        raise DatasetError(
            f"{safe(text)}: has more than one @. Write each @ of the user's name or password as %40"
        )
    return url.set(drivername=DRIVER)


def safe(url: URL | str) -> str:
    """
    Write a URL as it may be shown.

    Parameters
    ----------
    url : URL or str
        One that was read, or a text that may be anything.

    Returns
    -------
    str
        With stars for a password, wherever it is.
    """
    if isinstance(url, URL):
        hidden = {name: _HIDDEN for name in url.query if name in _SECRETS}
        return url.update_query_dict(hidden).render_as_string(hide_password=True)
    scheme, separator, _ = url.partition("://")
    if not separator:
        return _HIDDEN if "=" in url else url  # libpq's other form, or the path of a file
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        read = None
    if read is None or "@" in (read.host or ""):
        return f"{scheme}://{_HIDDEN}"  # where the password begins and ends, nobody can tell
    return safe(read)


def require_reachable(url: URL) -> None:
    """
    Refuse a database that cannot be reached.

    Parameters
    ----------
    url : URL
        The database.

    Raises
    ------
    DatasetError
        When no connection comes about.
    """
    connect(url).close()


def connect(url: URL) -> psycopg.Connection[tuple[Any, ...]]:
    """
    Connect to a database as SQLAlchemy would, each statement its own transaction.

    Parameters
    ----------
    url : URL
        The database.

    Returns
    -------
    psycopg.Connection
        To be closed.

    Raises
    ------
    DatasetError
        When no connection comes about.
    """
    try:
        _, options = url.get_dialect()().create_connect_args(url)
        given = {"connect_timeout": _CONNECT_TIMEOUT_S, **options, "autocommit": True}
        return psycopg.connect(**given)
    except (psycopg.Error, ArgumentError) as error:
        reason = str(error).strip()
        raise DatasetError(
            f"{safe(url)}: cannot be reached: {reason}. Is the server running, and may this user "
            "connect to this database?"
        ) from error
