"""Apdex in every stage, for the budgets that ask for it: T is theirs, nobody invents one."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.tables import NOTHING, Document, parsed
from analysis.report.typography import clean
from analysis.report.words import Said, say
from scenarios.assertions import Metric
from scenarios.units import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ApdexRow:
    """The Apdex of a subject at one T, in each stage's hold in the order of the stages."""

    subject: str
    threshold: str
    by_stage: tuple[Said, ...]


def apdex_rows(verdict: Document) -> list[ApdexRow]:
    """List the Apdex that budgets ask for, stage by stage.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of ApdexRow
        As the scenario has the budgets; empty where none asks.
    """
    rows: dict[tuple[str, str], ApdexRow] = {}
    for budget in verdict.get("budgets", []):
        assertion = parsed(budget)
        if assertion is None or assertion.metric is not Metric.APDEX:
            continue
        # a score from 0 to 1, not a share
        found = {
            stage["stage"]: say(dict(stage.get("measured") or {}, unit=""))
            for stage in budget.get("stages") or []
        }
        subject = clean(budget.get("subject"))
        threshold = format_duration(assertion.threshold_s or 0.0)
        rows[subject, threshold] = ApdexRow(
            subject=subject,
            threshold=threshold,
            by_stage=tuple(
                found.get(stage.get("stage"), NOTHING) for stage in verdict.get("stages", [])
            ),
        )
    return list(rows.values())
