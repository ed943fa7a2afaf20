"""Where a command is to write: looked at before its work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from scenarios.errors import UsageError


def check_parent(parent: Path) -> None:
    """Check that files and folders can be made in a folder, which need not be there yet.

    Parameters
    ----------
    parent : Path
        What ``--out`` names.

    Raises
    ------
    UsageError
        When its nearest folder that is there is none, or takes no files.
    """
    there = next(path for path in (parent, *parent.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise UsageError(f"--out {parent}: found {there}, which is not a folder; allowed: a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"--out {parent}: no folder can be made in {there}: it is not writable")
