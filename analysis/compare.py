"""From run folders to a comparison: read, refuse what cannot be compared, answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.change import Change, Word
from analysis.comparable import FOLDER_COMMIT, MUST_BE_EQUAL, Difference, Kind, differences, shared
from analysis.compared_run import ComparedRun, check_runs, read_compared
from analysis.counted import counted
from analysis.functional_extension import changed_manifests
from analysis.run_order import Order, always_second, design_of
from analysis.run_values import ERRORS, subjects_of
from analysis.verdict_on_change import Answer, Question, answer, scorecard_of
from scenarios.counting import count_of
from scenarios.errors import ExitCode, NotComparable, UsageError
from scenarios.mistakes import Mistakes

FORMAT = 1
"""Version of the document."""

_EXIT_CODES = {
    Change.REGRESSED: ExitCode.REGRESSED,
    Change.NOT_REGRESSED: ExitCode.PASSED,
    Change.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}

_WIDTH = 44


def compare(
    base: Sequence[Path],
    candidate: Sequence[Path],
    question: Question,
    *,
    allowed: Sequence[str] = (),
    on_inconclusive: str | None = None,
) -> dict[str, Any]:
    """Compare recorded runs of two systems.

    Parameters
    ----------
    base, candidate : sequence of Path
        Run folders; at least one a side.
    question : Question
        What is asked.
    allowed : sequence of str
        Keys, or groups of keys, of what must be equal and may yet differ.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what an inconclusive comparison exits with.

    Returns
    -------
    dict
        The document of comparison.json: plain numbers, texts, lists, dicts and None.

    Raises
    ------
    RunFolderError
        When a folder is no run, of a newer format, or damaged.
    InvalidRuns
        When a run is not valid.
    NotComparable
        When runs differ in load, data or machine, or one was cut short.
    UsageError
        When an endpoint is asked for that no run knows, or a key that there is not.
    """
    check_allowed(allowed)
    mistakes = Mistakes()
    before, after = _read(base, mistakes), _read(candidate, mistakes)
    mistakes.tell()
    check_runs(before, after)
    found = differences(
        [run.facts for run in before], [run.facts for run in after], allowed=allowed
    )
    _refuse(found)
    design = design_of([run.when for run in before], [run.when for run in after])
    values = [[run.values for run in side] for side in (before, after)]
    _check_subjects(question, subjects_of([*values[0], *values[1]]))
    answered = answer(values[0], values[1], design, question)
    return document(before, after, answered, found, on_inconclusive=on_inconclusive)


def _read(folders: Sequence[Path], mistakes: Mistakes) -> list[ComparedRun]:
    runs = []
    for folder in folders:
        with mistakes.noted():
            runs.append(read_compared(folder))
    return runs


def check_allowed(allowed: Sequence[str]) -> None:
    """Check what may differ.

    Parameters
    ----------
    allowed : sequence of str
        Keys, or groups of keys.

    Raises
    ------
    UsageError
        When there is no such key.
    """
    unknown = [key for key in allowed if key.partition(".")[0] not in MUST_BE_EQUAL]
    if unknown:
        names, groups = ", ".join(unknown), ", ".join(MUST_BE_EQUAL)
        raise UsageError(
            f"--allow-different {names}: found no such key; allowed: one of {groups}, "
            "or a key below it, load.stages say",
            hint="what is compared (target, its options) may always differ",
        )


def _check_subjects(question: Question, known: Sequence[str]) -> None:
    unknown = [subject for subject in question.subjects if subject not in known]
    if unknown:
        raise UsageError(
            f"--endpoint {', '.join(unknown)}: found no such endpoint; allowed: {', '.join(known)}"
        )


def _refuse(found: Sequence[Difference]) -> None:
    """Refuse runs that differ in what must be equal, with all of it in one table.

    Raises
    ------
    NotComparable
        When there is any such difference that was not allowed.
    """
    refused = [difference for difference in found if difference.refused]
    if not refused:
        return
    width = max(len(difference.key) for difference in refused)
    lines = [
        f"  {d.key:{width}}  {_side(d.base)}  /  {_side(d.candidate)}"
        + ("  (the runs of one side differ)" if d.uneven else "")
        for d in refused
    ]
    heading = f"  {'':{width}}  base  /  candidate"
    names = " ".join(f"--allow-different {name}" for name in _shortest(refused))
    hint = "make runs that differ in the system alone"
    if all(difference.kind is Kind.MUST for difference in refused):
        hint += f"; or, if it cannot matter: {names}"
    raise NotComparable(
        "these runs cannot be compared: what differs would pass for a change of the system\n"
        + "\n".join([heading, *lines]),
        hint=hint,
    )


def _shortest(refused: Sequence[Difference]) -> list[str]:
    """Name what would have to be allowed: a key, or its group where there are several."""
    groups = [difference.key.partition(".")[0] for difference in refused]
    names = [
        group if groups.count(group) > 1 else difference.key
        for group, difference in zip(groups, refused, strict=True)
    ]
    return list(dict.fromkeys(names))


def _side(values: Sequence[str]) -> str:
    text = " | ".join(values)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def document(
    base: Sequence[ComparedRun],
    candidate: Sequence[ComparedRun],
    answered: Answer,
    found: Sequence[Difference],
    *,
    on_inconclusive: str | None = None,
) -> dict[str, Any]:
    """Write a comparison as JSON does.

    Parameters
    ----------
    base, candidate : sequence of ComparedRun
        The runs.
    answered : Answer
        What came of them.
    found : sequence of Difference
        In what they differ.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what an inconclusive comparison exits with.

    Returns
    -------
    dict
        The document.
    """
    verdict = base[0].verdict
    return {
        "format": FORMAT,
        "scenario": verdict["scenario"],
        "title": verdict["title"],
        "required": verdict["required"],
        "load_unit": verdict["load_unit"],
        "think_scale": verdict["think_scale"],
        "verdict": str(answered.verdict),
        "why": answered.why,
        "advice": answered.advice,
        "exit_code": int(
            counted(_EXIT_CODES[answered.verdict], on_inconclusive, is_open=_measured(answered))
        ),
        "on_inconclusive": on_inconclusive,
        "question": answered.question.as_dict(),
        "design": answered.design.as_dict(),
        "base": [run.as_dict() for run in base],
        "candidate": [run.as_dict() for run in candidate],
        "changed": [d.as_dict() for d in found if d.kind is Kind.COMPARED],
        "differs": [d.as_dict() for d in found if d.kind is not Kind.COMPARED],
        "same": shared([run.facts for run in (*base, *candidate)]),
        "rows": [row.as_dict() for row in answered.rows],
        "scorecard": [
            row.as_dict()
            for row in scorecard_of(
                answered,
                changed_manifests(
                    [d.key for d in found if d.kind is Kind.COMPARED],
                    base[0].manifest,
                    candidate[0].manifest,
                ),
                owner=base[0].owner,
            )
        ],
        "needed_pairs": answered.needed,
        "notes": _notes(base, candidate, answered, found),
    }


def _measured(answered: Answer) -> bool:
    """Tell whether there are values of everything that was asked for."""
    question = answered.question
    return all(
        answered.row(subject, name).word is not Word.NOT_ESTIMABLE
        for subject in question.subjects
        for name in (question.metric, ERRORS)
    )


def _notes(
    base: Sequence[ComparedRun],
    candidate: Sequence[ComparedRun],
    answered: Answer,
    found: Sequence[Difference],
) -> list[str]:
    """Say what a reader should know of these runs beside the answer."""
    runs = [*base, *candidate]
    notes = []
    if not any(d.kind is Kind.COMPARED or d.key == FOLDER_COMMIT for d in found):
        notes.append(
            "nothing that is recorded of the system was changed: this compares it to itself"
        )
    failed = [run.name for run in runs if run.verdict["verdict"] == "failed"]
    if failed:
        word = "a run" if len(failed) == 1 else f"{len(failed)} of {count_of(len(runs), 'run')}"
        notes.append(f"{word} failed by the budgets, and is compared all the same: {failed[0]}")
    if answered.design.order is Order.PAIRS:
        second = always_second(answered.design.text)
        if second:
            notes.append(
                f"the {second} ran second in every pair, and has what the first left behind: "
                "randomise the order, or turn it round every other time"
            )
    allowed = [difference.key for difference in found if difference.allowed]
    if allowed:
        notes.append(f"allowed to differ: {', '.join(allowed)}")
    if any(run.manifest.get("role") in {"base", "candidate"} for run in runs):
        notes.append(
            "runs of a duel, which ended when its answer was known: its own verdict, in "
            "duel.json, allows for that; this one does not"
        )
    return notes
