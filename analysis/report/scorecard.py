"""Rows of the scorecard beside other findings: lines for a terminal, a table for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.report import tables
from analysis.report.markdown import text


def indicator_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write rows of a scorecard as lines.

    Parameters
    ----------
    rows : sequence of mapping
        As JSON holds them.

    Returns
    -------
    list of str
        A heading and three lines a row; empty without rows.
    """
    lines = []
    for row in _rows(rows):
        lines += [
            f"  {row.verdict}: {row.criterion}: {row.indicator}",
            f"    expected {row.expected} ({row.whose})",
            f"    actual {row.actual}; difference {row.difference} (positive is worse); "
            f"next: {row.next}",
        ]
    return ["scorecard:", *lines] if lines else []


def indicator_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write rows of a scorecard as a table of Markdown.

    Parameters
    ----------
    rows : sequence of mapping
        As JSON holds them.

    Returns
    -------
    list of str
        With a heading; empty without rows.
    """
    cells = [
        (row.verdict, row.criterion, row.indicator, row.expected, row.whose, row.actual,
         row.difference, row.next)
        for row in _rows(rows)
    ]  # fmt: skip
    if not cells:
        return []
    return [
        "### Scorecard",
        "",
        "| verdict | criterion | indicator | expected | whose, from | actual | worse by | next |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(text(cell) for cell in row)} |" for row in cells),
        "",
    ]


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[tables.IndicatorRow]:
    return tables.indicator_rows({"scorecard": list(rows)})
