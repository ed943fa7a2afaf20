"""Which database the CRM is to use: its kind, and where a URL leads.

A URL with a password lives in the environment alone. It is handed on there too,
never on a command line, which every user of this machine can read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from loadtests.permission import is_loopback
from scenarios.database_url import SHAPE, read_database_url
from scenarios.errors import HostNotAllowed, UsageError
from scenarios.model import Secret, Target

_LEAD_ELSEWHERE = ("PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE")
"""Variables by which libpq goes to another server than the one in the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database as a scenario names it, its secret found.

    Attributes
    ----------
    kind : str
        ``"sqlite"`` or ``"postgres"``.
    url : str or None
        Of a server that somebody runs; None for a database of our own.
    masked : str or None
        The URL as it may be written down.
    hosts : tuple of str
        Where the URL leads; none for a socket.
    """

    kind: str
    url: str | None = field(default=None, repr=False)
    masked: str | None = None
    hosts: tuple[str, ...] = ()


def database_of(target: Target) -> Database:
    """Find out which database a target's CRM is to use.

    Parameters
    ----------
    target : Target
        A valid target.

    Returns
    -------
    Database
        With its secret.

    Raises
    ------
    UsageError
        When the environment has no such variable, or no database in it.
    """
    named = target.database
    where = "target.database"
    if isinstance(named, Secret):
        where = f"target.database: the variable {named.env}"
        value = os.environ.get(named.env)
        if value is None:
            raise UsageError(
                f"target.database: not in the environment: {{ env = {named.env!r} }}; "
                "nothing was sent",
                hint="set the variable, then run again",
            )
    else:
        value = named
    if value in {"sqlite", "postgres"}:
        return Database(kind=value)
    try:
        url = read_database_url(value)
    except ValueError as error:
        raise UsageError(
            f"{where}: found {error}; allowed: sqlite, postgres, or a URL: {SHAPE}. "
            "Nothing was sent"
        ) from None
    return Database(kind="postgres", url=value, masked=url.masked, hosts=url.hosts)


def check_database(target: Target, on_command_line: tuple[str, ...]) -> None:
    """Check that the CRM's database is where it may be.

    It is filled, emptied and loaded like a target, so the same holds: loopback
    or a socket, or a host that the scenario and the command line both name.

    Parameters
    ----------
    target : Target
        Of the scenario.
    on_command_line : tuple of str
        Hosts that the command line names.

    Raises
    ------
    HostNotAllowed
        When it leads elsewhere.
    UsageError
        When the environment would lead it elsewhere, or has not the database.
    """
    if target.app is None:
        return
    database = database_of(target)
    both = {host.lower() for host in target.allow} & {host.lower() for host in on_command_line}
    for host in database.hosts:
        if not is_loopback(host) and host.lower() not in both:
            raise HostNotAllowed(
                f"target.database: found the host {host}; allowed: loopback, a socket, and hosts "
                "that are named in the scenario's target.allow and on the command line. "
                "Nothing was sent",
                hint=f'to allow it: allow = ["{host}"] in [target], and --allow {host}',
            )
    present = [name for name in _LEAD_ELSEWHERE if os.environ.get(name)]
    if database.url is not None and present:
        raise UsageError(
            f"target.database: {', '.join(present)} in the environment would lead to another "
            "server than the URL; nothing was sent",
            hint=f"unset {' '.join(present)}, then run again",
        )
