"""Where runs lie: in a folder, and in the folders of duels and other groups one level deeper.

::

    runs/20261122T101500Z_smoke_1a2b3c/manifest.json                       a run
    runs/20261122T102000Z_duel_smoke_4d5e6f/duel.json                      a group
    runs/20261122T102000Z_duel_smoke_4d5e6f/20261122T102001Z_.../manifest.json    its runs
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.recording.format import MANIFEST, VERDICT
from scenarios.counting import count_of
from scenarios.errors import RunFolderError, UsageError

DUEL = "duel.json"
"""What a duel says, in the folder of its runs."""

LAST = "last"
"""Stands for the newest run of a folder."""

_ROLES = ("base", "candidate")


def run_folders(parent: Path) -> list[Path]:
    """List the runs of a folder and of the groups in it.

    Parameters
    ----------
    parent : Path
        The folder; it need not be there.

    Returns
    -------
    list of Path
        By their names, which begin with when they began: the newest last.
    """
    own = [path.parent for path in parent.glob(f"*/{MANIFEST}")]
    grouped = [path.parent for path in parent.glob(f"*/*/{MANIFEST}")]
    return sorted([*own, *(run for run in grouped if run.parent not in own)], key=_by_name)


def _by_name(folder: Path) -> tuple[str, Path]:
    return folder.name, folder


def named(run: Path, parent: Path) -> Path | None:
    """Find a run by what it is called on the command line.

    Parameters
    ----------
    run : Path
        A path; a name in `parent` or in a group there; ``last``, or ``FOLDER/last``.
    parent : Path
        Where runs are kept.

    Returns
    -------
    Path or None
        The folder; None when there is none.
    """
    if str(run) == LAST and (known := run_folders(parent)):
        return known[-1]
    for folder in (run, parent / run):
        if folder.is_dir():
            return folder
    if run.name == LAST and str(run) != LAST:
        folders = run_folders(run.parent) or run_folders(parent / run.parent)
        return folders[-1] if folders else None
    return next((each for each in run_folders(parent) if each.name == str(run)), None)


def listing(parent: Path) -> list[str]:
    """Write the runs of a folder as lines, those of a group below it.

    Parameters
    ----------
    parent : Path
        The folder.

    Returns
    -------
    list of str
        Name and verdict each, the newest last.
    """
    groups: dict[Path, list[Path]] = {}
    for run in run_folders(parent):
        groups.setdefault(run if run.parent == parent else run.parent, []).append(run)
    lines = []
    for folder, runs in sorted(groups.items(), key=lambda item: _by_name(item[0])):
        if runs == [folder]:
            lines.append(f"{folder.name}  {_verdict_word(folder / VERDICT)}")
            continue
        duel = f"duel {_verdict_word(folder / DUEL)}, " if (folder / DUEL).is_file() else ""
        lines.append(f"{folder.name}  {duel}{count_of(len(runs), 'run')}")
        lines += [f"  {run.name}  {_verdict_word(run / VERDICT)}{_place(run)}" for run in runs]
    return lines


def _verdict_word(path: Path) -> str:
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))
        return str(verdict["verdict"])
    except FileNotFoundError:
        return "not judged"
    except (ValueError, KeyError, TypeError, OSError) as error:
        return f"cannot be read ({type(error).__name__})"


def _place(run: Path) -> str:
    """Say which run of a duel it is."""
    try:
        manifest = _manifest(run)
    except RunFolderError:
        return ""
    return f"  pair {manifest.get('pair')}, {manifest['role']}" if manifest.get("role") else ""


def _manifest(run: Path) -> Mapping[str, Any]:
    path = run / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path}: is damaged: {error}") from error
    if not isinstance(found, dict):
        raise RunFolderError(f"{path}: is damaged: it holds no table")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The runs of a duel by what their manifests say that they are.

    Attributes
    ----------
    base, candidate : tuple of Path
        Run folders, pair by pair.
    left_out : tuple of str
        Runs that are in no whole pair, each with the reason.
    """

    base: tuple[Path, ...]
    candidate: tuple[Path, ...]
    left_out: tuple[str, ...]


def sides_of_duel(folder: Path, parent: Path) -> Sides:
    """Find the runs of a duel.

    Parameters
    ----------
    folder : Path
        Where they lie: a path, a name in `parent`, or ``last``.
    parent : Path
        Where runs are kept.

    Returns
    -------
    Sides
        As many of each; of a run that was made once more the later one.

    Raises
    ------
    UsageError
        When it is no folder of a duel, or no pair is whole.
    RunFolderError
        When a manifest is damaged.
    """
    if str(folder) == LAST:
        known = sorted((path.parent for path in parent.glob(f"*/{DUEL}")), key=_by_name)
        folder = known[-1] if known else folder
    elif not folder.is_dir():
        folder = parent / folder
    runs = [path.parent for path in folder.glob(f"*/{MANIFEST}")]
    found = [(run, manifest) for run in runs if (manifest := _manifest(run)).get("role") in _ROLES]
    if not found:
        raise UsageError(
            f"--duel {folder}: found no runs of a duel there; allowed: the folder that a duel has "
            f"made, or its name under {parent}/, or {LAST}",
            hint="list the runs there are with: trueload runs",
        )
    return _whole_pairs(folder, sorted(found, key=_sequence))


def _sequence(found: tuple[Path, Mapping[str, Any]]) -> int:
    run, manifest = found
    sequence = manifest.get("sequence")
    if not isinstance(sequence, int):
        raise RunFolderError(f"{run / MANIFEST}: is damaged: sequence = {sequence!r}")
    return sequence


def _whole_pairs(folder: Path, found: Sequence[tuple[Path, Mapping[str, Any]]]) -> Sides:
    """Take the last run of each side of each pair.

    Raises
    ------
    UsageError
        When no pair has both.
    """
    pairs: dict[str, dict[str, Path]] = {}
    left_out = []
    for run, manifest in found:
        sides = pairs.setdefault(str(manifest.get("pair")), {})
        if (earlier := sides.get(manifest["role"])) is not None:
            left_out.append(f"{earlier.name}: was made once more")
        sides[manifest["role"]] = run
    for pair, sides in pairs.items():
        if len(sides) == 1:
            left_out += [f"{run.name}: pair {pair} has no other run" for run in sides.values()]
    whole = [sides for sides in pairs.values() if len(sides) == len(_ROLES)]
    if not whole:
        raise UsageError(f"--duel {folder}: found no pair of runs; allowed: one at least")
    base, candidate = (tuple(sides[role] for sides in whole) for role in _ROLES)
    return Sides(base=base, candidate=candidate, left_out=tuple(left_out))
