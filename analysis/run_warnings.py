"""What a run warns of: its events, and what could not be assessed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from analysis.recording.reader import Recording

_BRACKETS = re.compile(r" \([^)]*\)")
_STAGE = re.compile(r"stage (\d+) \([^)]*\): ")


def run_warnings(recording: Recording, notes: Iterable[str]) -> list[str]:
    """Collect the warnings of a run.

    Parameters
    ----------
    recording : Recording
        The run.
    notes : iterable of str
        Of its validity.

    Returns
    -------
    list of str
        What is said alike of several stages is said once.
    """
    events = recording.events
    written = [str(event.get("text")) for event in events if event.get("kind") == "warning"]
    written += [
        f"a user's task failed {_times(event.get('count', 1))}: {event.get('text')}"
        for event in events
        if event.get("kind") == "user_error"
    ]
    return [*written, *together(notes)]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def together(notes: Iterable[str]) -> list[str]:
    """Say once what is said alike of several stages.

    Parameters
    ----------
    notes : iterable of str
        Some begin with ``"stage 2 (20 users): "``.

    Returns
    -------
    list of str
        Such as ``"stages 2, 3 and 5: ..."``, in the order of the first of each; then without
        what stands in brackets, which is of one stage alone.
    """
    stages: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for note in notes:
        found = _STAGE.match(note)
        text = _BRACKETS.sub("", note[found.end() :]) if found else note
        first.setdefault(text, note)
        if found:
            stages.setdefault(text, []).append(found[1])
    return [
        f"stages {_listed(stages[text])}: {text}" if len(stages.get(text, ())) > 1 else note
        for text, note in first.items()
    ]


def _listed(numbers: list[str]) -> str:
    return f"{', '.join(numbers[:-1])} and {numbers[-1]}"
