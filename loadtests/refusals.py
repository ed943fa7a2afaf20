"""Why a run cannot begin, or must end, as the error that ends the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from scenarios.errors import HostNotAllowed, LocustfileError, TrueloadError, UsageError

_LAST_LINES = 5


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


def raise_cannot_write(error: OSError, place: Path, *, is_kept: bool) -> NoReturn:
    """Raise that a run cannot be written down.

    Parameters
    ----------
    error : OSError
        Why.
    place : Path
        The run folder; or where runs are kept, when nothing of this one is left.
    is_kept : bool
        Whether something was recorded.

    Raises
    ------
    TrueloadError
        Always.
    """
    kept = "nothing was sent"
    hint = "make room, or name another folder with --out"
    if is_kept:
        kept = "what was recorded before is kept"
        hint += f"; what was recorded can be read with: trueload check {place}"
    raise TrueloadError(f"{place}: {error}; {kept}", hint=hint) from error


def raise_ended_early(ended: str, log: Path) -> NoReturn:
    """Raise that a generator process ended before there was any load.

    Parameters
    ----------
    ended : str
        How it ended.
    log : Path
        Of the generators: its last lines are told, for the folder goes with it.

    Raises
    ------
    TrueloadError
        Always.
    """
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    told = " | ".join(lines[-_LAST_LINES:]) or "(empty)"
    raise TrueloadError(
        f"a generator ended before it was ready ({ended}); nothing was sent. Its log: {told}"
    )


def raise_not_ready(after_s: float, processes: Sequence[int | None]) -> NoReturn:
    """Raise that users took too long to load.

    Parameters
    ----------
    after_s : float
        Seconds that were waited.
    processes : sequence of (int or None)
        Which generators are not ready; None is the master.

    Raises
    ------
    LocustfileError
        Always.
    """
    names = ", ".join("the master" if each is None else str(each) for each in processes)
    raise LocustfileError(
        f"the users were not loaded within {after_s:g} s (generator {names}); nothing was sent",
        hint="a locustfile must not wait for anything while it is imported",
    )
