"""Several runs of one scenario, one after the other, as one group.

::

    a run is interrupted under load     it is the last of the group
    between its load and its verdict,
    or while it is prepared             the group ends with the run before it
    a run cannot be made                the same, and the error goes with the group
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.recording.format import MANIFEST
from loadtests.supervisor import Interrupted
from scenarios.errors import ExitCode, TrueloadError
from scenarios.variation import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run of a group: its folder, what was set in it, its verdict."""

    variant: Variant
    folder: Path
    verdict: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs that were made: its id, they, and why no more where one could not be made."""

    name: str
    members: list[Member]
    error: TrueloadError | None = None


def run_all(
    variants: Sequence[Variant],
    run_one: Callable[[Variant], tuple[Path, dict[str, Any]]],
    *,
    say: Callable[[str], None],
) -> Group:
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
    Group
        An interrupt and an error end it; the runs before are kept.

    Raises
    ------
    TrueloadError
        When the first run could not be made, or was interrupted before its verdict.
    KeyboardInterrupt
        When it was interrupted where nothing turns that into an error.
    """
    group = secrets.token_hex(3)
    members: list[Member] = []
    for sequence, variant in enumerate(variants, start=1):
        say(f"run {sequence} of {len(variants)}: {variant.words}")
        try:
            folder, verdict = run_one(variant)
        except (TrueloadError, KeyboardInterrupt) as error:
            if not members:
                raise
            return Group(name=group, members=members, error=_kept(error, say))
        note_member(folder, group=group, sequence=sequence, settings=variant.settings)
        members.append(Member(variant=variant, folder=folder, verdict=verdict))
        if verdict["exit_code"] == ExitCode.INTERRUPTED:
            break
    return Group(name=group, members=members)


def _kept(error: BaseException, say: Callable[[str], None]) -> TrueloadError | None:
    """Keep an error for when the runs before it have been told; an interrupt is none."""
    if isinstance(error, Interrupted):
        for line in filter(None, (error.message, error.hint)):
            say(line)
    elif isinstance(error, TrueloadError):
        return error
    return None


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
