"""The command that fits somebody's own table: ``trueload fit``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scenarios.errors import UsageError

STDIN = Path("-")
FIGURES = (".svg", ".png", ".pdf")
"""Endings of the kinds of figures that can be drawn."""


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload fit levels.csv\n"
        "  trueload fit levels.csv --load users --throughput rps --figure levels.svg\n"
        "  trueload fit levels.csv --json | jq .peak_load\n"
        "  grep -v warmup levels.csv | trueload fit -\n\n"
        "\b\nThe table: a row for each measurement, with a load above 0 and a throughput;\n"
        "a load that comes again is a repetition; rows of 0 and 0 are left out; # begins a\n"
        "comment. Commas, semicolons or tabs part fields; with the latter two a comma may\n"
        "be a decimal one.\n\n"
        "\b\nExit codes: 0 fitted, 2 bad file, 97 refused (the data cannot carry a fit)"
    )
)
@click.argument("table", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE.csv")
@click.option("--load", metavar="COLUMN", help="Column of the load: its name, or number from 1.")
@click.option("--throughput", metavar="COLUMN", help="Column of the throughput.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Draw levels and models into this file: .svg, .png or .pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead.")
@click.pass_context
def fit(
    context: click.Context,
    /,
    table: Path,
    load: str | None,
    throughput: str | None,
    figure: Path | None,
    *,
    as_json: bool,
) -> None:
    """Fit a table of load and throughput; say whether there is a peak, and what is not known.

    FILE.csv is the table; - reads it from standard input.
    """
    from analysis.load_table import read_table  # noqa: PLC0415 - help needs none of this
    from analysis.report.table_fit import as_lines  # noqa: PLC0415 - the same
    from analysis.table_fit import fit_table  # noqa: PLC0415 - the same

    _check_figure(figure, table)
    name = "standard input" if table == STDIN else str(table)
    found = read_table(_text(table, name), name=name, load=load, throughput=throughput)
    document = fit_table(found, name=name)
    if figure is not None:
        _draw(document, figure)
    if as_json:
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        click.echo(as_lines(document, figure=None if figure is None else str(figure)))
    context.exit(document["exit_code"])


def _check_figure(figure: Path | None, table: Path) -> None:
    """Refuse a figure that could not be drawn, before anything is computed.

    Raises
    ------
    UsageError
        When its name says no kind that there is, or it is the table.
    """
    if figure is None:
        return
    try:
        same = table != STDIN and figure.samefile(table)
    except OSError:  # one of them is not there
        same = False
    if same:
        raise UsageError(f"--figure {figure}: is the table itself; allowed: another file")
    if figure.suffix.lower() not in FIGURES:
        found = f"the ending {figure.suffix}" if figure.suffix else "no ending"
        raise UsageError(f"--figure {figure}: found {found}; allowed: {', '.join(FIGURES)}")


def _text(path: Path, name: str) -> str:
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name}: cannot be read as UTF-8 ({error.reason} at byte {error.start})",
            hint="save it as CSV in UTF-8",
        ) from error
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error


def _draw(document: Mapping[str, Any], path: Path) -> None:
    from analysis.figures.drawing import to_image, to_svg  # noqa: PLC0415 - matplotlib takes long
    from analysis.figures.scaling import scalability  # noqa: PLC0415 - the same

    levels = [
        {"level": load, "in_flight": {"value": load}, "throughput": {"value": x}}
        for load, x in document["rows"]
    ]
    columns = document["columns"]
    drawn = scalability(
        levels,
        {**document, "peak": document["peak_load"]},
        users=None,
        load=columns["load"],
        throughput=columns["throughput"],
    )
    title = f"{columns['throughput']} over {columns['load']}"
    kind = path.suffix.lower().removeprefix(".")
    content = to_svg(drawn, title=title).encode() if kind == "svg" else to_image(drawn, kind)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"--figure {path}: cannot be written: {error.strerror}") from error
