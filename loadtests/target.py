"""What is loaded: something that has a URL, and may have to be stopped afterwards."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtests.connecting import connection_to
from loadtests.permission import headers_of
from scenarios.errors import TargetError
from scenarios.model import Scenario

_CONNECT_S = 3.0
_OK = 200


@dataclass(slots=True, kw_only=True)
class Target:
    """A target that is ready for load.

    Attributes
    ----------
    base_url : str
        Where load goes.
    accounts : Path or None
        File of those who may sign in, for the personas.
    rows : dict of str to int
        Sizes of its tables, as far as they are known.
    facts : dict
        What the manifest says of it.
    """

    base_url: str
    accounts: Path | None = None
    rows: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def server(self) -> int | None:
        """Process id of a server that was started; None for a URL."""
        return None

    def lost(self) -> bool:
        """Whether a server that was started has ended."""
        return False

    def is_coming(self) -> bool:
        """Whether a server was started again, and does not serve yet."""
        return False

    def stop(self) -> None:
        """Stop what was started."""


def reach_url(scenario: Scenario) -> Target:
    """Take a system that is already running.

    It is ready when it accepts a connection: refusal is a mistake of the
    configuration, silence afterwards is the target's.

    Parameters
    ----------
    scenario : Scenario
        With a URL.

    Returns
    -------
    Target
        Nothing of it has to be stopped.

    Raises
    ------
    TargetError
        When nobody listens there, or personas of the CRM are to load something else.
    """
    url = scenario.target.url or ""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except TimeoutError:
        pass  # silence is load and failed, not a mistake
    except OSError as error:
        raise TargetError(
            f"target.url {url}: nobody answers at {host}:{port} ({error.strerror or error}); "
            "allowed: a system that accepts connections",
            hint="start it first, or leave --url away to load the reference CRM",
        ) from error
    target = Target(
        base_url=url, accounts=scenario.target.accounts, facts={"app": None, "url": url}
    )
    if scenario.load.mix:
        target.rows = _rows(url, headers_of(scenario), scenario.target.ca)
    return target


def _rows(url: str, headers: dict[str, str], ca: Path | None) -> dict[str, int]:
    """Ask a CRM how many rows its dataset has.

    Raises
    ------
    TargetError
        When it is none.
    """
    try:
        rows: dict[str, int] = ask(url, "/version", headers, ca=ca)["dataset"]["rows"]
    except (OSError, ValueError, TypeError, KeyError, http.client.HTTPException) as error:
        raise TargetError(
            f"target.url {url}: is no reference CRM ({error!r} at /version); "
            "allowed beside a mix: a CRM, which the users of a mix know how to use",
            hint="load anything else with --locustfile",
        ) from error
    return rows


def ask(
    url: str, path: str, headers: dict[str, str] | None = None, *, ca: Path | None = None
) -> dict[str, Any]:
    """Ask a server for a JSON object; redirects are not followed.

    Parameters
    ----------
    url : str
        Of the server.
    path : str
        Below it.
    headers : dict of str to str, optional
        To be sent.
    ca : Path, optional
        Certificate authorities beside the system's.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    ValueError
        When the answer is something else.
    """
    connection = connection_to(url, ca=ca, timeout_s=_CONNECT_S)
    try:
        connection.request("GET", urlsplit(url).path + path, headers=headers or {})
        response = connection.getresponse()
        body = json.loads(response.read())
    finally:
        connection.close()
    if response.status != _OK or not isinstance(body, dict):
        raise ValueError(f"{path} answered {response.status}")
    return body
