"""Standard output that never decides how a command ends.

=============================== ==============================================
what may be amiss               what becomes of it
=============================== ==============================================
the reader has gone (``| head`` the rest is written to nobody; the command ends
and the like)                   with the code that it has anyway
the alphabet is small (latin-1, a character that is not in it becomes a question
ASCII)                          mark
=============================== ==============================================
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Unheard(io.FileIO):
    """A file that takes what is written also when nobody reads it any more."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; gives how many bytes were taken."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def unfailing(stream: TextIO, *, errors: str | None = None) -> TextIO:
    """Give a standard stream whose reader may go, and which takes any character.

    Parameters
    ----------
    stream : TextIO
        Standard output or error, before anything is written.
    errors : str, optional
        What becomes of characters that it has not, as :func:`codecs.register_error` names
        it; else what becomes of them there.

    Returns
    -------
    TextIO
        The same file; the stream itself where it is no file (within tests, or closed).
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        number = stream.fileno()
        stream.flush()
    except (OSError, ValueError):
        return stream
    raw = _Unheard(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=errors or stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )
