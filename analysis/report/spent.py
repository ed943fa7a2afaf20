"""Where the time goes, as rows: by endpoint at the shown stage, and by stage of all requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.tables import Document, stage_name
from analysis.report.typography import clean
from analysis.report.words import Said, percent, say

PARTS = ("waiting", "application", "database")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentRow:
    """A subject, and where its mean service time goes.

    Attributes
    ----------
    name : str
        Endpoint or stage.
    waiting, application, database, queries : Said
        A request.
    largest : str
        The part that takes most, with its share.
    """

    name: str
    waiting: Said
    application: Said
    database: Said
    queries: Said
    largest: str


def spent_rows(verdict: Document) -> list[SpentRow]:
    """List where the time goes, by endpoint.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of SpentRow
        The endpoint that takes most of all time first; empty where no answer tells.
    """
    told = [part for part in verdict.get("endpoints", []) if _tells(part)]
    told.sort(key=lambda part: -_total(part) * part["requests"])
    return [_row(clean(part["name"]), part) for part in told]


def spent_by_stage(verdict: Document) -> list[SpentRow]:
    """List where the time of all requests goes, stage by stage.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of SpentRow
        Stages in which an answer tells.
    """
    return [
        _row(stage_name(verdict, index), stage)
        for index, stage in enumerate(verdict.get("stages", []))
        if _tells(stage)
    ]


def _tells(part: Mapping[str, Any]) -> bool:
    spent = part.get("spent") or {}
    return (spent.get("waiting") or {}).get("value") is not None


def _values(part: Mapping[str, Any]) -> dict[str, float]:
    return {name: part["spent"][name]["value"] or 0.0 for name in PARTS}


def _total(part: Mapping[str, Any]) -> float:
    return sum(_values(part).values())


def _row(name: str, part: Mapping[str, Any]) -> SpentRow:
    values, spent = _values(part), part["spent"]
    total = sum(values.values())
    most = max(PARTS, key=lambda each: values[each])
    return SpentRow(
        name=name,
        waiting=say(spent["waiting"]),
        application=say(spent["application"]),
        database=say(spent["database"]),
        queries=say(spent["queries"]),
        largest=f"{most}, {percent(values[most] / total)}" if total > 0 else "-",
    )


def spent_words(verdict: Document) -> str:
    """Say in a sentence which part grew most from the lowest to the highest load.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Empty where fewer than two stages tell.
    """
    told = [stage for stage in verdict.get("stages", []) if _tells(stage)]
    if len(told) <= 1:
        return ""
    told.sort(key=lambda stage: stage["level"])
    first, last = _values(told[0]), _values(told[-1])
    grown = {name: last[name] - first[name] for name in PARTS}
    most, all_of_it = max(PARTS, key=lambda name: grown[name]), sum(grown.values())
    if grown[most] <= 0 or all_of_it <= 0:
        return "From the lowest to the highest load no part of the mean service time grew."
    share = min(grown[most] / all_of_it, 1.0)
    was, became = ({"value": v, "unit": "ms"} for v in (first[most], last[most]))
    return (
        f"From the lowest to the highest load {most} grew most: from {say(was).value} to "
        f"{say(became).value} a request, {percent(share)} of what was added."
    )
