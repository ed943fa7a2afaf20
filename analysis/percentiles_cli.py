"""The command that prints the table of percentiles: ``trueload percentiles``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from analysis.cli import find_run, run_argument
from analysis.finish import consolidated, told_where
from analysis.percentile_table import LEVELS, Table, percentile_table
from analysis.recording.format import EVENTS
from analysis.recording.reader import read_manifest, read_run
from analysis.recording.streams import read_lines
from analysis.report.percentiles import Rows, as_document, as_table
from analysis.windows import Window, hold_windows
from scenarios.errors import ExitCode, RunFolderError
from scenarios.loading import parse_scenario
from scenarios.schedule import as_extended, plan

MOST_LEVELS = 20


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
        json.dump(as_document(folder.name, rows, levels), sys.stdout, indent=1, allow_nan=False)
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
