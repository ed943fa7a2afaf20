"""The command that prints the table of percentiles: ``trueload percentiles``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from analysis.cli import find_run, run_argument
from analysis.finish import consolidated, told_where
from analysis.percentile_table import LEVELS, Table, Totals, table_with_totals
from analysis.recording.damage import told_as_damage
from analysis.recording.format import EVENTS
from analysis.recording.manifest import read_manifest, recorded_scenario
from analysis.recording.reader import read_run
from analysis.recording.streams import read_lines, stream_paths
from analysis.report.percentiles import ALL_REQUESTS, Row, as_document, as_table
from analysis.report.typography import clean
from analysis.windows import Window, hold_windows
from scenarios.errors import ExitCode, RunFolderError, UsageError
from scenarios.schedule import as_extended, plan

MOST_LEVELS = 20

MOST_NAMES = 20
"""So many endpoints are named where one is not found."""


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


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload percentiles last --at 50,95,99.9\n"
        '  trueload percentiles last --stage 3 --endpoint "GET /api/v1/customers/{id}"\n\n'
        "\b\nExit codes: 0 printed, 2 no such run, stage or endpoint, 97 no request was answered\n"
        "in a hold: there are no percentiles"
    )
)
@run_argument
@click.option(
    "--at",
    "levels",
    type=Percents(),
    default=LEVELS,
    metavar="P,P,...",
    help="Which percentiles (default: 50,90,95,99).",
)
@click.option(
    "--stage",
    "stages",
    type=int,
    multiple=True,
    metavar="N",
    help="Only this stage, from 1; several times for several.",
)
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    metavar="NAME",
    help="Only this endpoint, as the table names it; several times for several.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it for a machine.")
@click.pass_context
def percentiles(
    context: click.Context,
    run: Path,
    levels: tuple[float, ...],
    stages: tuple[int, ...],
    endpoints: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print response time percentiles of every endpoint at every stage.

    Any percentile, of the largest runs, in seconds: straight from the file of samples, without
    intervals. Those are in verdict.json and the report. The last row of a stage is of all its
    requests.
    """
    folder = find_run(run)
    rows = read_rows(folder, levels, stages=stages, endpoints=endpoints)
    if as_json:
        json.dump(as_document(folder.name, rows, levels), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        click.echo(as_table(rows, levels), nl=False)
    context.exit(ExitCode.PASSED if rows else ExitCode.INCONCLUSIVE)


def read_rows(
    folder: Path,
    levels: Sequence[float],
    *,
    stages: Sequence[int] = (),
    endpoints: Sequence[str] = (),
) -> list[Row]:
    """Read the table of a recorded run.

    Parameters
    ----------
    folder : Path
        The run folder; its streams are consolidated first where they were not.
    levels : sequence of float, shape (k,)
        0..1.
    stages : sequence of int
        Those that are asked for, from 1; all where there are none.
    endpoints : sequence of str
        Those that are asked for; all, and all requests together, where there are none.

    Returns
    -------
    list of Row
        In order.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    UsageError
        When a stage or an endpoint that is asked for is not there.
    """
    with told_where(folder):
        consolidated(folder)
        windows = read_windows(folder)
        chosen = [window for window in windows if not stages or window.stage + 1 in stages]
        try:
            table, totals = _table(folder, chosen or windows, levels)
        except RunFolderError:
            if not stream_paths(folder):
                raise
            consolidated(folder, anew=True)  # some of it is damaged, and what it was made of is not
            table, totals = _table(folder, chosen or windows, levels)
    names = sorted({name for name, _ in table})
    mistakes = [*_no_such_stages(stages, len(windows)), *_no_such_endpoints(endpoints, names)]
    if mistakes:
        raise UsageError("\n  ".join(mistakes))
    kept = {key: found for key, found in table.items() if not endpoints or key[0] in endpoints}
    return in_order(kept, {} if endpoints else totals, chosen)


def _no_such_stages(asked: Sequence[int], stages: int) -> list[str]:
    return [
        f"--stage {number}: found no such stage; allowed: 1 to {stages}"
        for number in asked
        if not 1 <= number <= stages
    ]


def _no_such_endpoints(asked: Sequence[str], names: Sequence[str]) -> list[str]:
    """Say which endpoints are not there; where there is none at all, nothing is wrong with any."""
    shown = ", ".join(clean(name) for name in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return [
        f"--endpoint {name}: found no request of that name; allowed: {shown}{more}"
        for name in asked
        if names and name not in names
    ]


def _table(
    folder: Path, windows: Sequence[Window], levels: Sequence[float]
) -> tuple[Table, Totals]:
    with told_as_damage(folder):
        return table_with_totals(folder, windows, levels)


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
    scenario = recorded_scenario(folder, manifest)
    with told_as_damage(folder):
        schedule = as_extended(plan(scenario), read_lines(folder / EVENTS))
        return hold_windows(schedule, float(end["load_ended_s"]))


def in_order(table: Table, totals: Totals, windows: Sequence[Window]) -> list[Row]:
    """Put rows in order: stage by stage, endpoints by name, all requests after them.

    Parameters
    ----------
    table, totals : dict
        As :func:`analysis.percentile_table.table_with_totals` gives them.
    windows : sequence of Window
        The holds.

    Returns
    -------
    list of Row
    """
    names = sorted({name for name, _ in table})
    rows = []
    for window in windows:
        stage = window.stage
        rows += [
            Row(window=window, name=name, found=table[name, stage])
            for name in names
            if (name, stage) in table
        ]
        if stage in totals:
            rows.append(Row(window=window, name=ALL_REQUESTS, found=totals[stage], total=True))
    return rows
