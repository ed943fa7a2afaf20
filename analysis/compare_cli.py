"""The command that compares runs: ``trueload compare``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from analysis.cli import DEFAULT_RUNS, find_run
from analysis.gate import (
    check_junit,
    inconclusive_option,
    junit_option,
    tell_not_counted,
    write_junit,
)
from analysis.out_folder import check_parent
from analysis.run_folders import sides_of_duel
from analysis.run_values import ALL, METRICS
from scenarios.errors import InvalidRuns, UsageError
from scenarios.mistakes import Mistakes
from scenarios.units import parse_ratio

_MANY = ("--base", "--candidate")

_BESIDE = re.compile(r"(group_[0-9a-f]+|duel)\.(json|md)")
"""Files that ``sweep``, ``capacity`` and ``duel`` write beside their runs."""


class ManyValues(click.Command):
    """Let ``--base`` and ``--candidate`` take one run after the other, up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write ``--base A B``, and ``--base=A B``, as ``--base A --base B``."""
        spread: list[str] = []
        name: str | None = None
        for word in args:
            option, equals, value = word.partition("=")
            if word.startswith("-"):
                name = option if option in _MANY else None
                if name is None:
                    spread.append(word)
                elif equals:
                    spread += [name, value]
            elif name is not None:
                spread += [name, word]
            else:
                spread.append(word)
        return super().parse_args(ctx, spread)


class Share(click.ParamType[float]):
    """A share as scenarios write it: ``5%`` or ``0.05``; above 0, below 1."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        if isinstance(value, float):
            return value
        try:
            share = parse_ratio(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not 0 < share < 1:
            self.fail(f"found {value}; allowed: above 0 and below 100 %, 5% say", param, ctx)
        return share


@click.command(
    cls=ManyValues,
    epilog=(
        "\b\nExamples:\n"
        "  trueload compare --base before/* --candidate after/*\n"
        "  trueload compare --base A B C --candidate D E F --metric p99 --out comparison\n"
        "  trueload compare --duel last\n"
        "  trueload compare --base A --candidate B --allow-different machine\n\n"
        "\b\nExit codes:\n"
        "  0 not regressed, 98 regressed, 97 inconclusive (99 or 0 with --inconclusive),\n"
        "  96 a run is not valid, 2 the runs cannot be compared"
    ),
)
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="RUN...",
    help="Runs of what was before.",
)
@click.option(
    "--candidate",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="RUN...",
    help="Runs of what may be worse.",
)
@click.option(
    "--duel",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Instead of both: the runs of a duel, by what their manifests say that they are.",
)
@click.option(
    "--metric",
    type=click.Choice(METRICS),
    default="p95",
    show_default=True,
    help="What decides, beside the share of bad requests.",
)
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    metavar="NAME",
    help="What must be shown not to be worse (default: all requests together).",
)
@click.option(
    "--tolerance",
    type=Share(),
    default=0.05,
    help="A change for the worse that does not matter (default: 5%).",
)
@click.option(
    "--error-tolerance",
    type=Share(),
    default=0.005,
    help="The same for bad requests, in percentage points (default: 0.5%).",
)
@click.option(
    "--allow-different",
    "allowed",
    multiple=True,
    metavar="KEY",
    help="What must be equal and may yet differ: machine, dataset, load.stages say.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that gets comparison.json, .md and .html.",
)
@inconclusive_option
@junit_option
@click.option("--json", "as_json", is_flag=True, help="Print comparison.json instead.")
@click.pass_context
def compare(
    context: click.Context,
    /,
    base: tuple[Path, ...],
    candidate: tuple[Path, ...],
    duel: Path | None,
    **options: Any,
) -> None:
    """Say whether runs of one system are worse than those of another, and by how much."""
    from analysis.compare import check_allowed  # noqa: PLC0415 - pandas takes its time
    from analysis.compare import compare as compare_runs  # noqa: PLC0415 - the same
    from analysis.report.junit_change import comparison_junit  # noqa: PLC0415 - the same
    from analysis.verdict_on_change import Question  # noqa: PLC0415 - the same

    base, candidate = _sides(base, candidate, duel)
    question = Question(
        metric=options["metric"],
        subjects=options["endpoints"] or (ALL,),
        tolerance=options["tolerance"],
        error_tolerance=options["error_tolerance"],
    )
    mistakes = Mistakes()
    before = _folders(base, "--base", mistakes)
    after = _folders(candidate, "--candidate", mistakes)
    with mistakes.noted():
        check_allowed(options["allowed"])
    with mistakes.noted():
        check_junit(options["junit"])
    with mistakes.noted():
        if options["out"] is not None:
            check_parent(options["out"])
    mistakes.tell()
    with _invalid_told(options["junit"]):
        document = compare_runs(
            before,
            after,
            question,
            allowed=options["allowed"],
            on_inconclusive=options["inconclusive"],
        )
    report = None if options["out"] is None else _write(document, options["out"])
    _tell(document, report, as_json=options["as_json"])
    write_junit(options["junit"], lambda: comparison_junit(document))
    tell_not_counted(document["exit_code"], options["inconclusive"])
    context.exit(int(document["exit_code"]))


@contextmanager
def _invalid_told(junit: Path | None) -> Iterator[None]:
    """Tell a CI server of runs that are not valid.

    Raises
    ------
    InvalidRuns
        As it came.
    """
    from analysis.report.junit_change import invalid_junit  # noqa: PLC0415 - see above

    try:
        yield
    except InvalidRuns as error:
        message = error.message
        write_junit(junit, lambda: invalid_junit(message))
        raise


def _sides(
    base: tuple[Path, ...], candidate: tuple[Path, ...], duel: Path | None
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Take the runs that are named, or those of a duel.

    Raises
    ------
    UsageError
        When neither or both are asked for, or the duel has no pair of runs.
    """
    given = {"--base": base, "--candidate": candidate}
    allowed = "allowed: --base RUN... and --candidate RUN..., or --duel FOLDER"
    if duel is None:
        missing = [name for name, runs in given.items() if not runs]
        if missing:
            raise UsageError(f"found no {' and no '.join(missing)}; {allowed}")
        return base, candidate
    beside = [name for name, runs in given.items() if runs]
    if beside:
        raise UsageError(f"--duel: found {' and '.join(beside)} beside it; {allowed}")
    sides = sides_of_duel(duel, DEFAULT_RUNS)
    for run in sides.left_out:
        click.echo(f"--duel: left out: {run}", err=True)
    return sides.base, sides.candidate


def _folders(runs: Sequence[Path], option: str, mistakes: Mistakes) -> list[Path]:
    """Find the run folders of a side; mistakes are put with the others.

    What a sweep, a search or a duel writes beside its runs is left out, and that is said.
    """
    beside = [run for run in runs if _BESIDE.fullmatch(run.name) and run.is_file()]
    if beside:
        names = ", ".join(str(run) for run in beside)
        click.echo(f"{option}: left out, for these are no runs: {names}", err=True)
    folders = []
    for run in runs:
        if run in beside:
            continue
        with mistakes.noted():
            folders.append(find_run(run))
    if len(beside) == len(runs):
        mistakes.add(f"{option}: found no run; allowed: at least one run folder")
    return folders


def _write(document: dict[str, Any], folder: Path) -> str:
    """Write the reports of a comparison; gives where the page lies.

    Raises
    ------
    UsageError
        When the folder takes no files.
    """
    from analysis.report.comparison_write import write_comparison  # noqa: PLC0415 - matplotlib

    try:
        return str(write_comparison(document, folder))
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be written to: {error}") from error


def _tell(document: dict[str, Any], report: str | None, *, as_json: bool) -> None:
    from analysis.report.comparison_text import plain, summary  # noqa: PLC0415 - see above

    if as_json:
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        return
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(summary(document, report=report))
    else:
        click.echo(plain(document, report=report), nl=False)
