"""Something recorded that cannot be read: one kind of error, whatever Python calls it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from scenarios.errors import RunFolderError

DAMAGE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    pa.ArrowException,
)
"""What Python ends in where something recorded is not what it should be."""


@contextmanager
def told_as_damage(path: Path, *, hint: str | None = None) -> Iterator[None]:
    """Say which folder or file cannot be read; to be put around reading alone.

    Parameters
    ----------
    path : Path
        Of the folder or file.
    hint : str, optional
        What to do next.

    Raises
    ------
    RunFolderError
        Instead of whatever came of it.
    MemoryError
        As it is: that is no damage.
    """
    try:
        yield
    except MemoryError:  # Arrow's is one of its exceptions, too
        raise
    except DAMAGE as error:
        raise RunFolderError(f"{path}: is damaged: {words_of(error)}", hint=hint) from error
    except OSError as error:
        # Arrow gives an error of the system its number, and one of the content none.
        is_damaged = error.errno is None or isinstance(error, FileNotFoundError)
        found = "is damaged" if is_damaged else "cannot be read"
        raise RunFolderError(f"{path}: {found}: {words_of(error)}", hint=hint) from error


def words_of(error: Exception) -> str:
    """Name an error as Python does, and say what it says."""
    return f"{type(error).__name__}: {error}"


def damage_words(path: Path, mistakes: Iterable[str]) -> str:
    """Say what was found in a file that is damaged.

    Parameters
    ----------
    path : Path
        Of the file.
    mistakes : iterable of str
        All of them.

    Returns
    -------
    str
        The message of an error, a line each.
    """
    return "\n".join((f"{path}: is damaged", *(f"  {mistake}" for mistake in mistakes)))
