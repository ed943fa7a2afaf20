"""What a generator process tells of a run beside its samples: events and warnings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.recording.format import EVENTS
from analysis.recording.writer import LineFile
from loadtests.generator.clock import now_ns


class Journal:
    """Appends to ``events.jsonl``.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int or None
        Number of this generator process; None for the master.
    failed : callable
        Called with the exception when the disk does not take it.
    """

    def __init__(
        self, folder: Path, process: int | None, failed: Callable[[BaseException], None]
    ) -> None:
        self._file = LineFile(folder / EVENTS)
        self._process = process
        self._failed = failed
        self._warned: set[str] = set()
        self.origin_ns = now_ns()

    def event(self, kind: str, **event: object) -> None:
        """Note an event, now."""
        t_s = round((now_ns() - self.origin_ns) / 1e9, 6)
        try:
            self._file.write({"t_s": t_s, "kind": kind, "process": self._process, **event})
        except OSError as error:
            self._failed(error)

    def warn(self, kind: str, text: str) -> None:
        """Note a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self.event("warning", code=kind, text=text)
