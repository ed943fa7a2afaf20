"""How requests failed: each kind with its share of a hold and the interval of that share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.report.tables import (
    NOT_BAD,
    NOTHING,
    OUTCOMES,
    Document,
    hold_was_run,
    shown_stage,
    stage_name,
)
from analysis.report.typography import clean
from analysis.report.words import Said, count, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """How many requests of a hold failed in one way, and what share; None where none did."""

    total: str
    ratio: Said | None = None

    def __str__(self) -> str:
        return self.total if self.ratio is None else f"{self.total}: {self.ratio}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """A kind of failure: how often in the run, and in each stage's hold.

    Attributes
    ----------
    outcome : str
        In words.
    total : str
        In the whole run, ramps and warm-up included.
    by_stage : tuple of Failed
        In the order of the stages.
    at_shown : Failed
        In the hold that the report shows.
    """

    outcome: str
    total: str
    by_stage: tuple[Failed, ...]
    at_shown: Failed


def failure_rows(verdict: Document) -> list[FailureRow]:
    """List how requests ended when they did not end well, over the run and by stage.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of FailureRow
        Most frequent first; empty when every request was ok.
    """
    outcomes = (verdict.get("totals") or {}).get("outcomes") or {}
    bad = {label: n for label, n in outcomes.items() if label not in NOT_BAD and n}
    stages: Sequence[Document] = verdict.get("stages", [])
    shown = shown_stage(verdict)
    return [
        FailureRow(
            outcome=OUTCOMES.get(label, clean(label)),
            total=count(n),
            by_stage=tuple(_failed(stage, label) for stage in stages),
            at_shown=next(
                (_failed(stage, label) for stage in stages if stage.get("stage") == shown),
                Failed(total=NOTHING.value),
            ),
        )
        for label, n in sorted(bad.items(), key=lambda pair: -pair[1])
    ]


def _failed(stage: Document, label: str) -> Failed:
    if not hold_was_run(stage):
        return Failed(total=NOTHING.value)
    ratio = (stage.get("error_ratios") or {}).get(label)
    total = count((stage.get("outcomes") or {}).get(label, 0))
    return Failed(total=total, ratio=say(ratio) if ratio else None)


def failures_at(verdict: Document) -> str:
    """Name the hold of :attr:`FailureRow.at_shown`."""
    shown = shown_stage(verdict)
    return "the required load" if shown is None else stage_name(verdict, shown)


def failure_words(verdict: Document) -> str:
    """Say in what ways requests of the hold that the report shows failed.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Shares with their intervals, the most frequent first; empty where none failed.
    """
    told = [
        f"{row.outcome} {row.at_shown.ratio}"
        for row in failure_rows(verdict)
        if row.at_shown.ratio is not None
    ]
    return f"at {failures_at(verdict)}: {', '.join(told)}" if told else ""
