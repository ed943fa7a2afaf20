"""Databases on a server, be it ours or one that somebody gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from sqlalchemy import URL

from target_app.errors import DatasetError
from target_app.postgres import urls
from target_app.postgres.running import MAINTENANCE

_LONGEST_NAME = 63  # bytes; PostgreSQL would cut what is longer, and only say so in a notice
_FILE_COPY_SINCE = 150_000
_BUILTIN_LOCALE_SINCE = 170_000
_END_CONNECTIONS_MS = 2000


def ensure_database(server: URL, name: str) -> bool:
    """
    Make a database if it is not there.

    Parameters
    ----------
    server : URL
        Any database of the server.
    name : str
        The database.

    Returns
    -------
    bool
        Whether it was made now.

    Raises
    ------
    DatasetError
        When the server cannot be reached or refuses.
    """
    quoted = _identifier(name)
    with _maintenance(server, f"database {name!r} cannot be made") as connection:
        if _exists(connection, name):
            return False
        # Sorted by code point and able to hold every character, whatever the server is used to.
        words = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        if connection.info.server_version >= _BUILTIN_LOCALE_SINCE:
            words += " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        try:
            connection.execute(sql.SQL(words).format(quoted))
        except (errors.DuplicateDatabase, errors.UniqueViolation):  # somebody was faster
            return False
        return True


def create_from_template(server: URL, name: str, template: str) -> None:
    """
    Make a database that is a copy of another one.

    Who is connected to the template is disconnected, because PostgreSQL copies only what nobody
    uses.

    Parameters
    ----------
    server : URL
        Any database of the server.
    name : str
        The new database.
    template : str
        The one to copy.

    Raises
    ------
    DatasetError
        When the server cannot be reached or refuses, there is no such template or a database of
        the new name, or somebody keeps coming back to the template.
    """
    quoted = _identifier(name), _identifier(template)
    with _maintenance(server, f"database {name!r} cannot be made of {template!r}") as connection:
        _end_connections(connection, template)
        words = "CREATE DATABASE {} TEMPLATE {}"
        if connection.info.server_version >= _FILE_COPY_SINCE:
            # The template's files as they are; the other way writes each page to the log as well.
            words += " STRATEGY file_copy"
        connection.execute(sql.SQL(words).format(*quoted))


def drop_database(server: URL, name: str) -> None:
    """
    Remove a database, if it is there, with whoever is connected to it.

    Parameters
    ----------
    server : URL
        Any database of the server.
    name : str
        The database.

    Raises
    ------
    DatasetError
        When the server cannot be reached or refuses.
    """
    words = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_identifier(name))
    with _maintenance(server, f"database {name!r} cannot be removed") as connection:
        connection.execute(words)


@contextmanager
def _maintenance(server: URL, trouble: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """
    Connect to the database that is there for such things: none of those that come and go.

    Raises
    ------
    DatasetError
        When the server cannot be reached, or refuses something.
    """
    with urls.connect(server.set(database=MAINTENANCE)) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error).strip()
            detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
            raise DatasetError(
                f"{urls.safe(server)}: {trouble}: {said}{detail}. {_advice(error)}"
            ) from error


def _advice(error: psycopg.Error) -> str:
    """Say what to do about it."""
    if isinstance(error, errors.ObjectInUse):
        return "Stop what uses that database, and try again."
    if isinstance(error, errors.InsufficientPrivilege):
        return "Name a user who may: ALTER ROLE ... CREATEDB, and who owns the database."
    return "See the server's log for more."


def _exists(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> bool:
    """Tell whether there is a database."""
    found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _end_connections(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """Disconnect everybody from a database, and wait until they have gone."""
    connection.execute(
        "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
        [_END_CONNECTIONS_MS, name],
    )


def _identifier(name: str) -> sql.Identifier:
    """
    Quote a name.

    Raises
    ------
    DatasetError
        When it can be none.
    """
    if not name or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        raise DatasetError(
            f"database {name!r}: a name has 1 to {_LONGEST_NAME} bytes, and none of them is zero"
        )
    return sql.Identifier(name)
