"""verdict.json, read again: its type, its format, and what its readers ask it for first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.recording.damage import damage_words, told_as_damage
from analysis.recording.format import VERDICT
from analysis.recording.shape import A_NUMBER, A_SWITCH, A_TEXT, A_WHOLE, TEXT, Shape, misfits
from scenarios.errors import RunFolderError

READABLE = 1
"""Format of verdict.json that is read."""

_FORMAT: Shape = {"format": A_WHOLE}

_SHAPE: Shape = {
    "run": A_TEXT,
    "scenario": A_TEXT,
    "title": A_TEXT,
    "verdict": A_TEXT,
    "why": A_TEXT,
    "exit_code": A_WHOLE,
    "load_unit": A_TEXT,
    "think_scale": A_NUMBER,
    "required": A_NUMBER,
    "validity": {"valid": A_SWITCH, "reasons": [{"code": TEXT, "message": TEXT}]},
    "stages": [{"stage": A_WHOLE, "level": A_NUMBER, "complete": A_SWITCH}],
}


def hint_of(folder: Path) -> str:
    """Say what to do about a verdict.json that cannot be read.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    str
        The command that writes it anew.
    """
    return f"judge again: trueload check {folder}"


def read_verdict(folder: Path) -> dict[str, Any]:
    """Read verdict.json of a run.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict
        The verdict.

    Raises
    ------
    RunFolderError
        When it is damaged, or of another format.
    """
    document = _document(folder)
    if document["format"] != READABLE:
        raise RunFolderError(
            f"{folder / VERDICT}: found format {document['format']}; allowed: {READABLE}",
            hint=f"it was judged by another Trueload: take that one, or {hint_of(folder)}",
        )
    return _fitting(folder, document, _SHAPE)


def known_verdict(folder: Path) -> dict[str, Any] | None:
    """Read verdict.json of a run where it is of the format that is read.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict or None
        None where it is of another format.

    Raises
    ------
    RunFolderError
        When it is damaged.
    """
    document = _document(folder)
    return _fitting(folder, document, _SHAPE) if document["format"] == READABLE else None


def _document(folder: Path) -> dict[str, Any]:
    path = folder / VERDICT
    with told_as_damage(path, hint=hint_of(folder)):
        document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        found = damage_words(path, ["found no object; allowed: an object"])
        raise RunFolderError(found, hint=hint_of(folder))
    return _fitting(folder, document, _FORMAT)


def _fitting(folder: Path, document: dict[str, Any], shape: Shape) -> dict[str, Any]:
    path, mistakes = folder / VERDICT, list(misfits(document, shape))
    if mistakes:
        raise RunFolderError(damage_words(path, mistakes), hint=hint_of(folder))
    return document
