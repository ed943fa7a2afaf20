"""What a generator refuses, as the error that ends the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from scenarios.errors import HostNotAllowed, LocustfileError, UsageError


def raise_refusal(message: dict[str, Any]) -> None:
    """Raise what a generator refuses to begin for, with its own message.

    Parameters
    ----------
    message : dict
        Of the generator; one that refuses nothing raises nothing.

    Raises
    ------
    UsageError
        Of the generator's kind.
    """
    if message["kind"] == "host_refused":
        raise_not_allowed(message["host"], None)
    if message["kind"] == "refused":
        known = {"LocustfileError": LocustfileError, "HostNotAllowed": HostNotAllowed}
        kind = known.get(message["error"], UsageError)
        raise kind(message["message"], hint=message["hint"])


def raise_not_allowed(host: str, folder: Path | None) -> NoReturn:
    """Raise that load was about to go where it may not.

    Parameters
    ----------
    host : str
        Where.
    folder : Path or None
        The run folder, when something was recorded before.

    Raises
    ------
    HostNotAllowed
        Always.
    """
    kept = f" What was recorded before: trueload check {folder}." if folder else ""
    raise HostNotAllowed(
        f"load was about to go to {host}; allowed: loopback, and hosts that are named in the "
        f"scenario's target.allow and on the command line. The connection was refused.{kept}",
        hint=f'to allow it: allow = ["{host}"] in [target], and --allow {host}',
    )
