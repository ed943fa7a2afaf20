"""Writes samples as they happen: whole batches, each with one write.

A stream that is cut anywhere keeps every batch before the cut. Free of pandas,
gevent and threads: the caller decides when and where a batch is written.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.recording.format import (
    MAX_ENDPOINTS,
    NAMES,
    OTHER,
    ROW,
    SAMPLES_FOLDER,
    STREAM_SCHEMA,
    encode,
    encode_columns,
    stream_name,
)

_MAX_NAMES = 32_000
"""An int16 holds 32,767."""

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class LineFile:
    """A file of JSON lines that several processes may append to.

    Each line is one write; a lock keeps others away meanwhile, so that on a full disk
    the part of a line that was taken can be cut off and nobody else's line with it.

    Parameters
    ----------
    path : Path
        The file; it is made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, _APPEND, 0o644)

    def write(self, line: dict[str, object]) -> None:
        """Append one line.

        Parameters
        ----------
        line : dict
            Becomes one JSON object.

        Raises
        ------
        OSError
            When the disk does not take it; the file is as it was.
        """
        data = (json.dumps(line, separators=(",", ":")) + "\n").encode()
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            write_all(self._fd, data)
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def write_all(fd: int, data: bytes) -> None:
    """Write everything, or leave the file as it was.

    Parameters
    ----------
    fd : int
        A file opened for appending, written by nobody else while this runs
        (short writes happen only on a full disk).
    data : bytes
        What to write.

    Raises
    ------
    OSError
        When the disk does not take all of it; the part that it took is cut off.
    """
    written = os.write(fd, data)
    if written == len(data):
        return
    end = os.lseek(fd, 0, os.SEEK_END) - written
    try:
        rest = data[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        os.ftruncate(fd, end)
        raise


def writable(name: str) -> str:
    """Make a text one that every reader takes.

    Parameters
    ----------
    name : str
        As a locustfile has it, where it may hold half of a surrogate pair.

    Returns
    -------
    str
        With question marks for what UTF-8 does not have.
    """
    return name.encode("utf-8", "replace").decode()


class Names:
    """Numbers for names; a name is on disk before the first row that uses its number.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int
        Number of the generator process.
    """

    def __init__(self, folder: Path, process: int) -> None:
        self._file = LineFile(folder / NAMES)
        self._process = process
        self._numbers: dict[tuple[str, str], int] = {}
        self._endpoints = 0
        self.overflowed = False

    def number(self, column: str, name: str | None) -> int:
        """Give the number of a name in a column; -1 for None.

        Endpoints beyond the first thousand share one number: see `overflowed`.
        """
        if name is None:
            return -1
        number = self._numbers.get((column, name))
        if number is None:
            name = writable(name)
            number = self._numbers.get((column, name))
        return self._new(column, name) if number is None else number

    def knows(self, column: str, name: str) -> bool:
        """Tell whether a name has a number of its own."""
        return (column, name) in self._numbers

    def _new(self, column: str, name: str) -> int:
        if column == "endpoint" and name != OTHER:
            self._endpoints += 1
            if self._endpoints > MAX_ENDPOINTS:
                self._endpoints = MAX_ENDPOINTS
                self.overflowed = True
                return self.number(column, OTHER)
        number = len(self._numbers)
        if number >= _MAX_NAMES and name != OTHER:  # leaves room for one (other) a column
            return self.number(column, OTHER)
        self._file.write(
            {"process": self._process, "column": column, "number": number, "name": name}
        )
        self._numbers[column, name] = number
        return number

    def close(self) -> None:
        """Close the file of names."""
        self._file.close()


class StreamWriter:
    """The stream of one generator process.

    Parameters
    ----------
    folder : Path
        The run folder; its ``samples`` folder is made when it is not there.
    process : int
        Number of the generator process.
    """

    def __init__(self, folder: Path, process: int) -> None:
        (folder / SAMPLES_FOLDER).mkdir(exist_ok=True)
        path = folder / stream_name(process)
        self._fd = os.open(path, _APPEND | os.O_EXCL, 0o644)
        write_all(self._fd, bytes(STREAM_SCHEMA.serialize()))
        self.rows = 0

    def write(self, packed: bytes | bytearray) -> None:
        """Append one batch of packed rows.

        Parameters
        ----------
        packed : bytes
            Whole rows of :data:`analysis.recording.format.ROW`; may be empty.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        if packed:
            self._append(encode(packed), len(packed) // ROW.size)

    def write_columns(self, columns: Mapping[str, npt.NDArray[np.integer[Any]]]) -> None:
        """Append one batch.

        Parameters
        ----------
        columns : mapping of str to ndarray
            As :func:`analysis.recording.format.encode_columns` takes them.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        rows = len(columns["request"])
        if rows:
            self._append(encode_columns(columns), rows)

    def _append(self, batch: bytes, rows: int) -> None:
        write_all(self._fd, batch)
        self.rows += rows

    def close(self) -> None:
        """Close the stream."""
        os.close(self._fd)
