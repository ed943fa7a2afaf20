"""Collects mistakes of usage, to tell them all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scenarios.errors import UsageError


class Mistakes:
    """What was found so far; nothing is raised until :meth:`tell`."""

    def __init__(self) -> None:
        self._found: list[UsageError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note a mistake that is raised within, and go on after it."""
        try:
            yield
        except UsageError as error:
            self._found.append(error)

    def add(self, message: str) -> None:
        """Note a mistake."""
        self._found.append(UsageError(message))

    def tell(self) -> None:
        """Raise what was noted, if anything was.

        Raises
        ------
        UsageError
            The one there is, or one with the messages and hints of all.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            messages = dict.fromkeys(error.message for error in self._found)
            hints = dict.fromkeys(error.hint for error in self._found if error.hint)
            raise UsageError("\n".join(messages), hint="\n  ".join(hints) or None)
