"""May load go there, and can this locustfile be loaded? Asked before anything is started."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from scenarios.errors import HostNotAllowed, LocustfileError, UsageError
from scenarios.model import Scenario, Secret

_ROOMS = ("analysis", "loadtests", "scenarios", "target_app")
_ROOT = Path(__file__).resolve().parent.parent


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's loopback.

    Parameters
    ----------
    host : str
        A name or an address, with or without brackets.

    Returns
    -------
    bool
        True for localhost, 127.0.0.0/8 and ::1.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def allowed_hosts(scenario: Scenario, on_command_line: tuple[str, ...]) -> tuple[str, ...]:
    """Hosts beside loopback that load may go to: named in the scenario and on the command line.

    Parameters
    ----------
    scenario : Scenario
        Its ``target.allow`` and ``target.url`` are taken.
    on_command_line : tuple of str
        Hosts of ``--allow`` and ``--url``.

    Returns
    -------
    tuple of str
        Those that both name.

    Raises
    ------
    HostNotAllowed
        When the target's own host is not among them.
    """
    named = {host.lower() for host in on_command_line}
    allowed = tuple(host for host in scenario.target.allow if host.lower() in named)
    host = (urlsplit(scenario.target.url or "").hostname or "").lower()
    if host and not is_loopback(host) and host not in {name.lower() for name in allowed}:
        raise HostNotAllowed(
            f"target.url: found the host {host}; allowed: loopback, and hosts that are named in "
            "the scenario's target.allow and on the command line. Nothing was sent",
            hint=f'to allow it: allow = ["{host}"] in [target], and --allow {host}',
        )
    return allowed


def check_secrets(scenario: Scenario) -> None:
    """Check that every secret that a scenario names is in the environment.

    Parameters
    ----------
    scenario : Scenario
        Its headers are looked at.

    Raises
    ------
    UsageError
        With all that are missing.
    """
    missing = sorted(
        f"{name} = {{ env = {value.env!r} }}"
        for name, value in scenario.target.headers.items()
        if isinstance(value, Secret) and value.env not in os.environ
    )
    if missing:
        raise UsageError(
            f"target.headers: not in the environment: {', '.join(missing)}; nothing was sent",
            hint="set the variables, then run again",
        )


def headers_of(scenario: Scenario) -> dict[str, str]:
    """Headers that every request carries, secrets in place.

    Parameters
    ----------
    scenario : Scenario
        Whose secrets have been checked.

    Returns
    -------
    dict of str to str
        Never to be written down.
    """
    return {
        name: os.environ[value.env] if isinstance(value, Secret) else value
        for name, value in scenario.target.headers.items()
    }


def check_locustfile(path: Path | None) -> None:
    """Check that no module beside a locustfile is called like one of ours.

    Both would be imported as, say, ``analysis``, and the locustfile would get ours.

    Parameters
    ----------
    path : Path or None
        The locustfile.

    Raises
    ------
    LocustfileError
        When there is such a module beside it or in the working folder.
    """
    if path is None:
        return
    for folder in dict.fromkeys((path.parent.resolve(), Path.cwd())):
        for room in _ROOMS:
            for module in (folder / f"{room}.py", folder / room):
                if _is_foreign_module(module):
                    where = "beside it" if folder == path.parent.resolve() else "in this folder"
                    raise LocustfileError(
                        f"{path}: {where} lies {module}, which is called like a part of "
                        f"Trueload; allowed: any module name but {', '.join(_ROOMS)}. "
                        "Nothing was sent",
                        hint=f"rename {module.name}, or run from another folder",
                    )


def _is_foreign_module(module: Path) -> bool:
    if module.is_relative_to(_ROOT) and module.parent == _ROOT:
        return False
    return module.is_file() or (module.is_dir() and any(module.glob("*.py")))
