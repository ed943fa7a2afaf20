"""The command that prints the table of percentiles: ``trueload percentiles``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from analysis.cli import find_run, run_argument
from analysis.finish import consolidated, told_where
from analysis.percentile_intervals import values_for_both_ends
from analysis.percentile_table import LEVELS, Table, percentile_table
from analysis.recording.format import EVENTS
from analysis.recording.reader import read_manifest, read_run
from analysis.recording.streams import read_lines
from analysis.report.side_by_side import as_text
from analysis.report.words import clean
from analysis.windows import Window, hold_windows
from scenarios.errors import ExitCode, RunFolderError
from scenarios.loading import parse_scenario
from scenarios.schedule import as_extended, plan

CONFIDENCE = 0.95
MOST_LEVELS = 20
LARGE_MS = 100
"""From here on decimals say nothing."""

Rows = list[tuple[Window, str, Any]]


class Percents(click.ParamType[tuple[float, ...]]):
    """Levels as percents with commas between: ``50,95,99.9``."""

    name = "percents"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            levels = tuple(float(word) / 100 for word in str(value).split(","))
        except ValueError:
            self.fail(
                f"found {value}; allowed: numbers with commas between, 50,95,99.9", param, ctx
            )
        if not all(0 < level < 1 for level in levels):
            self.fail(f"found {value}; allowed: each above 0 and below 100", param, ctx)
        if len(levels) > MOST_LEVELS:
            self.fail(f"found {len(levels)} of them; allowed: at most {MOST_LEVELS}", param, ctx)
        return levels


@click.command(epilog="Example:  trueload percentiles last --at 50,95,99.9")
@run_argument
@click.option(
    "--at",
    "levels",
    type=Percents(),
    default=LEVELS,
    metavar="P,P,...",
    help="Which percentiles (default: 50,90,95,99).",
)
@click.option("--json", "as_json", is_flag=True, help="Print it for a machine.")
@click.pass_context
def percentiles(
    context: click.Context, run: Path, levels: tuple[float, ...], as_json: bool
) -> None:
    """Print response time percentiles of every endpoint at every stage.

    Any percentile, of the largest runs, in seconds: straight from the file of samples, without
    intervals. Those are in verdict.json and the report.
    """
    folder = find_run(run)
    rows = read_rows(folder, levels)
    if as_json:
        json.dump(as_document(folder, rows, levels), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        click.echo(as_table(rows, levels), nl=False)
    context.exit(ExitCode.PASSED if rows else ExitCode.INCONCLUSIVE)


def read_rows(folder: Path, levels: Sequence[float]) -> Rows:
    """Read the table of a recorded run.

    Parameters
    ----------
    folder : Path
        The run folder; its streams are consolidated first where they were not.
    levels : sequence of float, shape (k,)
        0..1.

    Returns
    -------
    list of (Window, str, Percentiles)
        In order.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    """
    with told_where(folder):
        consolidated(folder)
        windows = read_windows(folder)
        try:
            table = percentile_table(folder, windows, levels)
        except (pa.ArrowException, FileNotFoundError, KeyError, ValueError) as error:
            raise RunFolderError(
                f"{folder}: is damaged: {type(error).__name__}: {error}"
            ) from error
    return in_order(table, windows)


def read_windows(folder: Path) -> tuple[Window, ...]:
    """Find the holds of a recorded run, without its samples where it ended by itself.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    tuple of Window
        In order.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    """
    manifest = read_manifest(folder)
    end = manifest.get("end")
    if end is None:
        cut_off = read_run(folder, ("end_s",))
        return hold_windows(cut_off.schedule, cut_off.ended_s)
    try:
        scenario = parse_scenario(manifest["scenario"], name=folder.name, folder=None)
        schedule = as_extended(plan(scenario), read_lines(folder / EVENTS))
        return hold_windows(schedule, float(end["load_ended_s"]))
    except (KeyError, ValueError, TypeError, FileNotFoundError) as error:
        raise RunFolderError(f"{folder}: is damaged: {type(error).__name__}: {error}") from error


def in_order(table: Table, windows: Sequence[Window]) -> Rows:
    """Put rows in order: stage by stage, endpoints by name.

    Parameters
    ----------
    table : dict
        As :func:`analysis.percentile_table.percentile_table` gives it.
    windows : sequence of Window
        The holds.

    Returns
    -------
    list of (Window, str, Percentiles)
    """
    names = sorted({name for name, _ in table})
    return [
        (window, name, table[name, window.stage])
        for window in windows
        for name in names
        if (name, window.stage) in table
    ]


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
            "-" if found.n < least else f"{'>= ' if bound else ''}{_figures(value)}"
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
    if any(found.is_bound.any() for _, _, found in rows):
        text += ">=: requests that were never seen to end are at their age: it is at least that\n"
    return text + "without intervals: those are in verdict.json and the report\n"


def _figures(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= LARGE_MS else f"{milliseconds:.3g}"


def as_document(folder: Path, rows: Rows, levels: Sequence[float]) -> dict[str, Any]:
    """Write the table for a machine.

    Parameters
    ----------
    folder : Path
        The run folder.
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
        "run": folder.name,
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
