"""What a pipeline asks of an answer beside the answer: ``--inconclusive`` and ``--junit``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from scenarios.errors import ExitCode, TrueloadError, UsageError

inconclusive_option = click.option(
    "--inconclusive",
    type=click.Choice(("fail", "pass")),
    help="Count an inconclusive answer as failed (exit 99) or as passed (0; default: exit 97).",
)
junit_option = click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File that gets the answer as a CI server reads it.",
)


def check_junit(path: Path | None) -> None:
    """Check that the file can be written before anything is sent or computed.

    Parameters
    ----------
    path : Path or None
        As given with ``--junit``.

    Raises
    ------
    UsageError
        When the nearest folder that is there takes no files, or is none.
    """
    if path is None:
        return
    there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    if there != path and not there.is_dir():
        raise UsageError(f"--junit {path}: found {there}, which is not a folder; allowed: a folder")
    if not os.access(there, os.W_OK):
        raise UsageError(f"--junit {path}: cannot be written: {there} is not writable")


def write_junit(path: Path | None, render: Callable[[], str]) -> None:
    """Write the file, where one was asked for.

    Parameters
    ----------
    path : Path or None
        Where to.
    render : callable
        Gives the XML; called only where it is wanted.

    Raises
    ------
    TrueloadError
        When it cannot be written; the answer was told before.
    """
    if path is None:
        return
    # a lone surrogate, which a name may hold, is written as the sign for "unreadable"
    text = render().encode("utf-8", errors="replace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise TrueloadError(f"--junit {path}: cannot be written: {error}") from error


def tell_not_counted(code: int, on_inconclusive: str | None) -> None:
    """Say why an answer was not counted as passed, where that was asked for.

    Parameters
    ----------
    code : int
        What the command exits with.
    on_inconclusive : str or None
        What was said.
    """
    if on_inconclusive == "pass" and code == ExitCode.INCONCLUSIVE:
        click.echo(
            "--inconclusive pass: not counted as passed, for it is not evidence alone that is "
            "missing; see why above",
            err=True,
        )
