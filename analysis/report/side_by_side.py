"""Runs side by side, in text: a table for people, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.across import VOLUME, Across
from analysis.estimate import Estimate
from analysis.growth import Growth
from analysis.report.markdown import code, text
from analysis.report.scorecard import indicator_table
from analysis.report.typography import clean, shorten
from analysis.report.words import NOT_ESTIMABLE, say
from scenarios.counting import count_of

_NAME_WIDTH = 40


def side_by_side(runs: Across) -> list[list[str]]:
    """Lay runs out as rows of cells: the first row names the columns.

    Parameters
    ----------
    runs : Across
        The runs.

    Returns
    -------
    list of list of str
        What differs, the verdict, throughput, bad share, then p95 by endpoint.
    """
    columns = runs.columns
    keys = list(columns[0].settings) if columns else []
    rows = [["", *(f"run {number}" for number in range(1, len(columns) + 1))]]
    rows.extend([key, *(_value(column.settings[key]) for column in columns)] for key in keys)
    rows.append(["verdict", *(column.verdict for column in columns)])
    rows.append(["ok/s", *(_short(column.throughput) for column in columns)])
    rows.append(["bad", *(_short(column.error_ratio) for column in columns)])
    for name, estimates in runs.p95.items():
        label = "p95 of all requests" if name == "all" else f"p95 {clean(name)}"
        rows.append([shorten(label, _NAME_WIDTH), *(_short(estimate) for estimate in estimates)])
    return rows


def growth_lines(runs: Across) -> list[str]:
    """Say how each operation's time grows with the volume of data.

    Parameters
    ----------
    runs : Across
        The runs.

    Returns
    -------
    list of str
        A heading, and a table with a line for each operation, the steepest first; empty where
        not only the volume differs.
    """
    if not runs.growth:
        return []
    volumes = sorted(column.settings[VOLUME] for column in runs.columns if not column.left_out)
    levels = list(next(iter(runs.growth.values())))
    rows = [["time = c volume^b", *(f"b of {level}" for level in levels), f"{levels[-1]} is"]]
    for name, found in sorted(runs.growth.items(), key=_steepest_first):
        label = "all requests" if name == "all" else shorten(clean(name), _NAME_WIDTH)
        exponents = [_exponent(found[level].exponent) for level in levels]
        rows.append([label, *exponents, found[levels[-1]].words])
    return [
        f"growth with the volume of data, {volumes[0]:,} to {volumes[-1]:,} customers:",
        *(f"  {line}" for line in as_text(rows, left=(0, len(levels) + 1)).splitlines()),
    ]


def _steepest_first(item: tuple[str, Mapping[str, Growth]]) -> tuple[bool, float]:
    """Order all requests before operations, and these by the growth of their highest level."""
    name, levels = item
    exponent = list(levels.values())[-1].exponent.value
    return name != "all", np.inf if exponent is None else -exponent


def left_out_lines(runs: Across) -> list[str]:
    """Say which runs have no part in what is told of several together.

    Parameters
    ----------
    runs : Across
        The runs.

    Returns
    -------
    list of str
        A line for each.
    """
    return [
        f"run {number} has no part in what is told of several runs: {column.left_out}"
        for number, column in enumerate(runs.columns, 1)
        if column.left_out
    ]


def repeated_lines(runs: Across) -> list[str]:
    """Say what repeated runs come to together.

    Parameters
    ----------
    runs : Across
        The runs.

    Returns
    -------
    list of str
        A heading and a line for each quantity, for each setting; empty where no seed was varied.
    """
    lines = []
    for repeated in runs.repeated:
        settings = ", ".join(f"{key}={_value(value)}" for key, value in repeated.settings.items())
        of = f" of {settings}" if settings else ""
        lines.append(
            f"over {count_of(repeated.runs, 'valid run')}{of}, which differ in their seed alone:"
        )
        rows = {"ok/s": repeated.throughput, "bad": repeated.error_ratio}
        for name, estimate in repeated.p95.items():
            rows["p95 of all requests" if name == "all" else f"p95 {clean(name)}"] = estimate
        for label, estimate in rows.items():
            said = say(estimate.as_dict())
            told = bool(said.interval) or said.value == NOT_ESTIMABLE
            why = f"; {said.why}" if said.why and not told else ""
            lines.append(f"  {shorten(label, _NAME_WIDTH)}: {said}{why}")
    return lines


def _exponent(exponent: Estimate) -> str:
    if exponent.value is None:
        return "-"
    if exponent.low is None or exponent.high is None:
        return f"{exponent.value:.2f}"
    return f"{exponent.value:.2f} ({exponent.low:.2f} to {exponent.high:.2f})"


def as_markdown(runs: Across, *, title: str) -> str:
    """Write runs side by side as a page, for a pull request.

    Parameters
    ----------
    runs : Across
        The runs.
    title : str
        Of their scenario.

    Returns
    -------
    str
        The table, the scorecard, growth and repetitions, and who has no part in them.
    """
    head, *body = [[text(cell) for cell in row] for row in side_by_side(runs)]
    rule = ["---", *("---:" for _ in head[1:])]
    told = [*left_out_lines(runs), *growth_lines(runs), *repeated_lines(runs)]
    lines = [
        f"## {str(runs.verdict).capitalize()}: {text(title)}",
        "",
        *(f"| {' | '.join(cells)} |" for cells in (head, rule, *body)),
        "",
        *indicator_table([row.as_dict() for row in runs.scorecard]),
        *(["```", *told, "```", ""] if told else []),
        *(f"- run {number}: {code(each.run)}" for number, each in enumerate(runs.columns, 1)),
    ]
    return "\n".join(lines) + "\n"


def as_text(rows: list[list[str]], *, left: tuple[int, ...] = (0,)) -> str:
    """Write rows of cells as aligned lines.

    Parameters
    ----------
    rows : list of list of str
        As :func:`side_by_side` gives them.
    left : tuple of int
        Columns that are words; the others are numbers.

    Returns
    -------
    str
        Words to the left, numbers to the right.
    """
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else clean(value)


def _short(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return "-"
    said = say(estimate).value
    return "n/a" if said == NOT_ESTIMABLE else said.removesuffix("/s")
