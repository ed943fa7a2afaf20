"""What the commands share: how they end when the user can mend something, and their examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from click.core import ParameterSource

from target_app.errors import DatasetError


class AppError(click.ClickException):
    """Something the user can mend; exit code 2, nothing was done."""

    exit_code = 2


@contextmanager
def mendable() -> Iterator[None]:
    """
    Say what went wrong in a line, instead of a traceback.

    Raises
    ------
    AppError
        For what the user can mend.
    """
    try:
        yield
    except (DatasetError, OSError) as error:
        raise AppError(str(error)) from error


def refuse_password_in_sight(name: str, given: str) -> None:
    """
    Refuse a password on the command line, where everybody on this machine can read it.

    Parameters
    ----------
    name : str
        The parameter of the command that runs; its variable may hold a password.
    given : str
        What it was given: anything, or a URL.

    Raises
    ------
    AppError
        When there is one.
    """
    context = click.get_current_context()
    if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or "://" not in given:
        return
    from target_app.postgres import urls  # noqa: PLC0415 - a dataset in a file has no use for it

    with mendable():
        url = urls.parse(given)
    if urls.safe(url) != url.render_as_string(hide_password=False):
        (option,) = [each for each in context.command.params if each.name == name]
        raise AppError(
            f"{option.opts[0]} {urls.safe(url)}: every user of this machine can read a password on "
            f"a command line. Put the URL into the environment variable {option.envvar}, and leave "
            f"{option.opts[0]} out."
        )


def examples(*lines: str) -> str:
    """
    Write the end of a help text.

    Parameters
    ----------
    *lines : str
        What to type, after ``python -m target_app``.

    Returns
    -------
    str
        Which click does not wrap.
    """
    return "\b\nExample:\n" + "\n".join(f"  python -m target_app {line}" for line in lines)
