"""What the commands share: how they end when the user can mend something, and their examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

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
