"""The run folder while it is made: its name, its manifest, its events."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.recording.format import EVENTS, FORMAT, MANIFEST, SAMPLES_FOLDER
from analysis.recording.writer import LineFile
from scenarios.errors import UsageError

_STAMP = "%Y%m%dT%H%M%SZ"
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def group_folder(parent: Path, kind: str, *, scenario: str) -> Path:
    """Make the folder that several runs of one question lie in.

    Parameters
    ----------
    parent : Path
        Where runs are kept.
    kind : str
        What makes them a group, as in ``"duel"``.
    scenario : str
        Name of the scenario.

    Returns
    -------
    Path
        A new folder.

    Raises
    ------
    UsageError
        When it cannot be made.
    """
    stamp = datetime.now(UTC).strftime(_STAMP)
    path = parent / f"{stamp}_{kind}_{_UNFIT.sub('-', scenario)}_{secrets.token_hex(3)}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"--out {parent}: no folder can be made there: {error}") from error
    return path


class RunFolder:
    """A new run folder; never one that is there already.

    Parameters
    ----------
    parent : Path
        Where runs are kept.
    scenario : str
        Name of the scenario.
    now : datetime
        When the run begins.

    Raises
    ------
    UsageError
        When the folder cannot be made.
    """

    def __init__(self, parent: Path, scenario: str, now: datetime) -> None:
        self.short_id = secrets.token_hex(3)
        stamp = now.astimezone(UTC).strftime(_STAMP)
        self.path = parent / f"{stamp}_{_UNFIT.sub('-', scenario)}_{self.short_id}"
        try:
            self.path.mkdir(parents=True)
            (self.path / SAMPLES_FOLDER).mkdir()
            self._events = LineFile(self.path / EVENTS)
        except OSError as error:
            shutil.rmtree(self.path, ignore_errors=True)
            raise UsageError(f"--out {parent}: no folder can be made there: {error}") from error
        self.manifest: dict[str, Any] = {
            "format": FORMAT,
            "run": self.path.name,
            "id": self.short_id,
            "started": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        }

    def event(self, t_s: float, kind: str, **event: object) -> None:
        """Append an event."""
        self._events.write({"t_s": round(t_s, 6), "kind": kind, **event})

    def write_manifest(self) -> None:
        """Write the manifest beside the old one, then rename it."""
        path = self.path / MANIFEST
        beside = path.with_suffix(".json.part")
        beside.write_text(json.dumps(self.manifest, indent=1) + "\n", encoding="utf-8")
        beside.rename(path)
