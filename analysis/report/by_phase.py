"""What a disturbed hold measured in quiet, under its fault, and in recovery, in words."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.tables import Document, stage_name
from analysis.report.words import Said, count, quantity, say

_NAMES = {"hold": "undisturbed", "fault": "under a fault", "recovery": "in recovery"}
_DISTURBED = ("fault", "recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """A part of a hold."""

    stage: str
    phase: str
    length: str
    requests: str
    bad: str
    error_ratio: Said
    p50: Said
    p95: Said
    p99: Said


def phase_rows(verdict: Document) -> list[PhaseRow]:
    """List the parts of the holds that something disturbed.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of PhaseRow
        Of each such hold: undisturbed, under a fault, in recovery.
    """
    return [
        _row(part, stage_name(verdict, stage["stage"]))
        for stage in verdict.get("stages", [])
        for part in stage.get("by_phase") or []
    ]


def _row(part: Document, stage: str) -> PhaseRow:
    latency = part["latency"]
    return PhaseRow(
        stage=stage,
        phase=_NAMES[part["phase"]],
        length=quantity(part["length_s"], "s"),
        requests=count(part["requests"]),
        bad=count(part["bad"]),
        error_ratio=say(part["error_ratio"]),
        p50=say(latency["p50"]),
        p95=say(latency["p95"]),
        p99=say(latency["p99"]),
    )


def phase_words(verdict: Document) -> list[str]:
    """Say which holds' own figures contain a fault or a recovery.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of str
        A sentence for each such hold.
    """
    return [
        _sentence(stage["by_phase"], stage_name(verdict, stage["stage"]))
        for stage in verdict.get("stages", [])
        if stage.get("by_phase")
    ]


def _sentence(parts: list[Document], stage: str) -> str:
    length_s = sum(part["length_s"] for part in parts)
    told = [
        f"{quantity(part['length_s'], 's')} were {_NAMES[part['phase']]}"
        for part in parts
        if part["phase"] in _DISTURBED
    ]
    return (
        f"Of the hold at {stage}, {quantity(length_s, 's')} long, {' and '.join(told)}: its own "
        "figures, and the budgets that are decided on them, contain that."
    )
