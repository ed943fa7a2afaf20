"""Several runs of one scenario, one after the other, as one group."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.recording.format import MANIFEST
from scenarios.errors import ExitCode
from scenarios.variation import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run of a group: its folder, what was set in it, its verdict."""

    variant: Variant
    folder: Path
    verdict: Mapping[str, Any]


def run_all(
    variants: Sequence[Variant],
    run_one: Callable[[Variant], tuple[Path, dict[str, Any]]],
    *,
    say: Callable[[str], None],
) -> tuple[str, list[Member]]:
    """Run each variant, and note in its manifest which group it belongs to.

    Parameters
    ----------
    variants : sequence of Variant
        In order.
    run_one : callable
        Runs and judges one; gives its folder and verdict.
    say : callable
        Told what is run next.

    Returns
    -------
    tuple of (str, list of Member)
        The group's id, and the runs that were made: an interrupt ends the group.
    """
    group = secrets.token_hex(3)
    members: list[Member] = []
    for sequence, variant in enumerate(variants, start=1):
        say(f"run {sequence} of {len(variants)}: {variant.words}")
        folder, verdict = run_one(variant)
        note_member(folder, group=group, sequence=sequence, settings=variant.settings)
        members.append(Member(variant=variant, folder=folder, verdict=verdict))
        if verdict["exit_code"] == ExitCode.INTERRUPTED:
            break
    return group, members


def note_member(folder: Path, *, group: str, sequence: int, settings: Mapping[str, Any]) -> None:
    """Note in the manifest of a run which group it belongs to.

    Parameters
    ----------
    folder : Path
        The run folder.
    group : str
        The group's id.
    sequence : int
        Which of its runs it is, from 1.
    settings : mapping of str to object
        What was set in it, by dotted key.
    """
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest |= {"group": group, "sequence": sequence, "varied": dict(settings)}
    beside = path.with_suffix(".json.part")
    beside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    beside.rename(path)
