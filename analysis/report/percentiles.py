"""The table of percentiles of every endpoint at every stage, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.percentile_intervals import values_for_both_ends
from analysis.percentile_table import Percentiles
from analysis.report.side_by_side import as_text
from analysis.report.typography import clean
from analysis.windows import Window

CONFIDENCE = 0.95
LARGE_MS = 100
"""From here on decimals say nothing."""
BOUND = ">= "

Rows = list[tuple[Window, str, Percentiles]]
"""A hold, an endpoint, and its percentiles there; in order."""


def as_table(rows: Rows, levels: Sequence[float]) -> str:
    """Write the table for people.

    Parameters
    ----------
    rows : list of (Window, str, Percentiles)
        In order.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    str
        Lines; a percentile of which so few requests can say nothing is "-".
    """
    if not rows:
        return "no request was answered in a hold: there are no percentiles\n"
    needed = [values_for_both_ends(level, CONFIDENCE) for level in levels]
    laid = [["", "requests", *(f"p{100 * level:.6g} ms" for level in levels)]]
    stage = -1
    for window, name, found in rows:
        if window.stage != stage:
            stage = window.stage
            laid.append([f"stage {stage + 1}: {window.named}", *[""] * (len(levels) + 1)])
        cells = [
            "-" if found.n < least else f"{BOUND if bound else ''}{_figures(value)}"
            for value, bound, least in zip(found.values, found.is_bound, needed, strict=True)
        ]
        laid.append([f"  {clean(name)}", f"{found.n:,}", *cells])
    text = as_text(laid)
    if any("-" in row[2:] for row in laid):
        text += "-: too few requests; "
        text += ", ".join(
            f"p{100 * level:.6g} takes {least:,}"
            for level, least in zip(levels, needed, strict=True)
        )
        text += " independent ones\n"
    if any(cell.startswith(BOUND) for row in laid for cell in row[2:]):
        text += ">=: requests that were never seen to end are at their age: it is at least that\n"
    return text + "without intervals: those are in verdict.json and the report\n"


def _figures(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= LARGE_MS else f"{milliseconds:#.3g}"


def as_document(run: str, rows: Rows, levels: Sequence[float]) -> dict[str, Any]:
    """Write the table for a machine.

    Parameters
    ----------
    run : str
        Its name.
    rows : list of (Window, str, Percentiles)
        In order.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    dict
        With the requests of each row, and which percentiles are lower bounds.
    """
    return {
        "run": run,
        "unit": "ms",
        "percents": [float(np.round(100 * level, 9)) for level in levels],
        "rows": [
            {
                "stage": window.stage,
                "level": window.level,
                "name": name,
                "n": found.n,
                "values": found.values.tolist(),
                "is_lower_bound": found.is_bound.tolist(),
            }
            for window, name, found in rows
        ],
    }
