"""Numbers for what requests are called, so that a row holds no text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.recording.format import OTHER
from analysis.recording.writer import Names, writable
from loadtests.generator.outcomes import clean_error

_MOST_ROUTES = 20_000
_MOST_ERRORS = 1_000
_NO_WORDS = "failed"


class Routes:
    """Routes, a method and an endpoint each, and all other names of this process.

    Bounded: names beyond what the format holds share a number, and are looked up again
    each time they come.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int
        Number of this generator process.
    failed : callable
        Called with the exception when a name cannot be written.

    Attributes
    ----------
    by_method : dict
        For each method, routes by endpoint: what the recorder looks into first.
    names : list of (str, str)
        For each route its method and its endpoint.
    """

    def __init__(self, folder: Path, process: int, failed: Callable[[BaseException], None]) -> None:
        self._names = Names(folder, process)
        self._failed = failed
        self.by_method: dict[str, dict[str, int]] = {}
        self.names: list[tuple[str, str]] = []
        self._numbers: list[tuple[int, int]] = []
        self._by_numbers: dict[tuple[int, int], int] = {}
        self._table = np.empty((0, 2), dtype=np.int16)
        self._errors: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def number(self, column: str, name: str | None) -> int:
        """Give the number of a name in a column; -1 for None.

        Raises
        ------
        OSError
            When it cannot be written, and the run goes on nevertheless.
        """
        try:
            return self._names.number(column, name)
        except OSError as error:
            self._failed(error)
            raise

    def error(self, error: str) -> int:
        """Give the number of an error, cleaned of what must not be written."""
        known = self._errors.get(error)
        if known is None:
            text = writable(clean_error(error) or _NO_WORDS)
            known = self.number("error", text)
            self._texts.setdefault(known, text if self._names.knows("error", text) else OTHER)
            if len(self._errors) < _MOST_ERRORS:
                self._errors[error] = known
        return known

    def text_of_error(self, number: int) -> str:
        """Give the text of an error by its number."""
        return self._texts.get(number, _NO_WORDS)

    def route(self, method: str, endpoint: str) -> int:
        """Give the route of a method and an endpoint."""
        endpoints = self.by_method.get(method, {})
        known = endpoints.get(endpoint)
        return self._find(method, endpoint) if known is None else known

    def _find(self, method: str, endpoint: str) -> int:
        method, endpoint = writable(method), writable(endpoint)
        numbers = (self.number("method", method), self.number("endpoint", endpoint))
        if numbers not in self._by_numbers and len(self.names) >= _MOST_ROUTES:
            numbers = (self.number("method", OTHER), self.number("endpoint", OTHER))
        known_method = self._names.knows("method", method)
        known_endpoint = self._names.knows("endpoint", endpoint)
        found = self._by_numbers.get(numbers)
        if found is None:
            found = self._by_numbers[numbers] = len(self.names)
            self._numbers.append(numbers)
            names = (method if known_method else OTHER, endpoint if known_endpoint else OTHER)
            self.names.append(names)
        if known_method and known_endpoint:
            self.by_method.setdefault(method, {})[endpoint] = found
        return found

    @property
    def overflowed(self) -> bool:
        """Whether endpoints beyond the first thousand were counted together."""
        return self._names.overflowed

    @property
    def table(self) -> npt.NDArray[np.int16]:
        """For each route the numbers of its method and its endpoint, shape (routes, 2)."""
        if len(self._table) < len(self._numbers):
            self._table = np.array(self._numbers, dtype=np.int16).reshape(-1, 2)
        return self._table

    def close(self) -> None:
        """Close the file of names."""
        self._names.close()
