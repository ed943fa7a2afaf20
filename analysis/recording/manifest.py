"""The manifest of a run: read, and looked through for what anybody asks it for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.recording.damage import damage_words, told_as_damage
from analysis.recording.format import FORMAT, MANIFEST
from analysis.recording.shape import (
    A_NUMBER,
    A_SWITCH,
    A_TEXT,
    A_WHOLE,
    NUMBER,
    TEXT,
    WHOLE,
    Kind,
    Shape,
    misfits,
)
from scenarios.errors import RunFolderError, ScenarioError
from scenarios.loading import parse_scenario
from scenarios.model import Scenario

_CORES = Kind(
    words='a list of whole numbers, or "shared"',
    takes=lambda value: (
        isinstance(value, str)
        or (isinstance(value, list) and all(type(core) is int for core in value))
    ),
)

_SHAPE: Shape = {
    "run": TEXT,
    "id": TEXT,
    "group": TEXT,
    "role": TEXT,
    "sequence": WHOLE,
    "command": [TEXT],
    "target": {
        "app": TEXT,
        "url": TEXT,
        "workers": NUMBER,
        "dataset_hash": TEXT,
        "options": {},
        "extensions": [TEXT],
        "cores": _CORES,
    },
    "environment": {"memory_bytes": NUMBER, "memory_limit_bytes": NUMBER, "packages": {}},
    "tags": {},
    "generators": [
        {
            "process": A_WHOLE,
            "clock": {"offset_us": A_NUMBER, "uncertainty_us": NUMBER},
            "cores": _CORES,
        }
    ],
    "streams": [{"process": A_WHOLE, "rows": A_WHOLE, "torn": A_SWITCH}],
    "end": {"load_ended_s": A_NUMBER, "why": A_TEXT, "at": TEXT},
}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a run's manifest.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict
        The manifest; whatever is asked of it is what it should be, or is not there.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise RunFolderError(
            f"{folder}: found no {MANIFEST} in it; allowed: a run folder",
            hint="list the runs there are with: trueload runs",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunFolderError(f"{path}: is no manifest of a run ({error})") from error
    if type(version) is not int or version > FORMAT:
        raise RunFolderError(
            f"{path}: found format {version!r}; allowed: up to {FORMAT}",
            hint="it was recorded by a newer Trueload: judge it with that one",
        )
    mistakes = list(misfits(manifest, _SHAPE))
    if mistakes:
        raise RunFolderError(damage_words(path, mistakes))
    return dict(manifest)


def recorded_scenario(folder: Path, manifest: Mapping[str, Any]) -> Scenario:
    """Take the scenario of a run from its manifest.

    Parameters
    ----------
    folder : Path
        The run folder.
    manifest : mapping
        As :func:`read_manifest` gives it.

    Returns
    -------
    Scenario
        With every setting of the command line applied.

    Raises
    ------
    RunFolderError
        When it is none.
    """
    path = folder / MANIFEST
    try:
        with told_as_damage(path):
            return parse_scenario(manifest["scenario"], name=folder.name, folder=None)
    except ScenarioError as error:
        mistakes = (
            f"scenario.{each.key}: found {each.found}; allowed: {each.allowed}"
            for each in error.mistakes
        )
        raise RunFolderError(damage_words(path, mistakes)) from error
