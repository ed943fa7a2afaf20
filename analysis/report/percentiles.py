"""The table of percentiles of every endpoint at every stage, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.percentile_intervals import values_for_both_ends
from analysis.percentile_table import Percentiles
from analysis.report.side_by_side import as_text
from analysis.report.typography import clean
from analysis.windows import Window

FORMAT = 1
"""Version of the document."""

CONFIDENCE = 0.95
LARGE_MS = 100
"""From here on decimals say nothing."""
BOUND = ">= "
ALL_REQUESTS = "all requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Percentiles of an endpoint at a stage, or of all requests there.

    Attributes
    ----------
    window : Window
        The hold of the stage.
    name : str
        ``"METHOD endpoint"``, or :data:`ALL_REQUESTS`.
    found : Percentiles
        In milliseconds.
    total : bool
        Whether it is that of all requests: an endpoint may have any name.
    """

    window: Window
    name: str
    found: Percentiles
    total: bool = False


def needed(levels: Sequence[float]) -> list[int]:
    """Count the requests that percentiles take.

    Parameters
    ----------
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    list of int
        Of fewer, though they were independent, an interval would have an open end.
    """
    return [values_for_both_ends(level, CONFIDENCE) for level in levels]


def as_table(rows: Sequence[Row], levels: Sequence[float]) -> str:
    """Write the table for people.

    Parameters
    ----------
    rows : sequence of Row
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
    enough = needed(levels)
    laid = [["", "requests", *(f"p{100 * level:.6g} ms" for level in levels)]]
    stage = -1
    for row in rows:
        window, found = row.window, row.found
        if window.stage != stage:
            stage = window.stage
            laid.append([f"stage {stage + 1}: {window.named}", *[""] * (len(levels) + 1)])
        cells = [
            "-" if found.n < least else f"{BOUND if bound else ''}{_figures(value)}"
            for value, bound, least in zip(found.values, found.is_bound, enough, strict=True)
        ]
        laid.append([f"  {clean(row.name)}", f"{found.n:,}", *cells])
    text = as_text(laid)
    if any("-" in row[2:] for row in laid):
        text += "-: too few requests; "
        text += ", ".join(
            f"p{100 * level:.6g} takes {least:,}"
            for level, least in zip(levels, enough, strict=True)
        )
        text += " independent ones\n"
    if any(cell.startswith(BOUND) for row in laid for cell in row[2:]):
        text += ">=: requests that were never seen to end are at their age: it is at least that\n"
    return text + "without intervals: those are in verdict.json and the report\n"


def _figures(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= LARGE_MS else f"{milliseconds:#.3g}"


def as_document(run: str, rows: Sequence[Row], levels: Sequence[float]) -> dict[str, Any]:
    """Write the table for a machine.

    Parameters
    ----------
    run : str
        Its name.
    rows : sequence of Row
        In order.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    dict
        With the requests of each row, which percentiles those are too few for (they have no
        value), and which are lower bounds.
    """
    enough = needed(levels)
    return {
        "format": FORMAT,
        "run": run,
        "unit": "ms",
        "percents": [float(np.round(100 * level, 9)) for level in levels],
        "needed": enough,
        "rows": [
            {
                "stage": row.window.stage,
                "level": row.window.level,
                "name": row.name,
                "total": row.total,
                "n": row.found.n,
                "values": [
                    None if row.found.n < least else float(value)
                    for value, least in zip(row.found.values, enough, strict=True)
                ],
                "too_few": [row.found.n < least for least in enough],
                "is_lower_bound": row.found.is_bound.tolist(),
            }
            for row in rows
        ],
    }
