"""The commands that read runs: check, report, runs."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from analysis.counted import counted
from analysis.decision import Verdict
from analysis.gate import inconclusive_option, write_junit
from analysis.run_folders import listing, named
from scenarios.counting import count_of
from scenarios.errors import ExitCode, RunFolderError, ScenarioError, UsageError
from scenarios.loading import parse_budgets
from scenarios.model import Budget, Scenario

DEFAULT_RUNS = Path("runs")

run_argument = click.argument("run", type=click.Path(path_type=Path))
out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_RUNS,
    show_default=True,
    help="Folder that holds the runs.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead.")


def find_run(run: Path) -> Path:
    """Find a run folder: a path, or a name under ``runs/`` or in a group there.

    ``last`` is the newest of these, ``FOLDER/last`` the newest in a folder.

    Parameters
    ----------
    run : Path
        As given on the command line.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunFolderError
        When there is none.
    """
    folder = named(run, DEFAULT_RUNS)
    if folder is not None:
        return folder
    found = "is a file, not a run" if run.is_file() else "found no such folder"
    raise RunFolderError(
        f"{run}: {found}; allowed: a run folder, its name under {DEFAULT_RUNS}/, "
        "or last, or FOLDER/last",
        hint="list the runs there are with: trueload runs",
    )


def read_budgets(path: Path, *, timeout_s: float) -> tuple[Budget, ...]:
    """Read budgets from a file of their own.

    Parameters
    ----------
    path : Path
        TOML with a table ``[budgets]``; a whole scenario will do.
    timeout_s : float
        Of the recorded requests, in seconds: no latency limit can be tested beyond it.

    Returns
    -------
    tuple of Budget
        With those that they imply.

    Raises
    ------
    UsageError
        When the file cannot be read or has mistakes.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--budgets {path}: cannot be read: {error}") from error
    try:
        budgets = parse_budgets(raw, name=str(path), timeout_s=timeout_s)
    except ScenarioError as error:
        raise UsageError(error.message, hint=None) from error
    if "growth" in raw.get("expectations", {}):
        click.echo(
            f"--budgets {path}: expectations.growth is left out: it is stated of several runs, "
            "and trueload sweep makes them",
            err=True,
        )
    return budgets


def tell(verdict: dict[str, Any], folder: Path, *, as_json: bool) -> int:
    """Print a verdict.

    Parameters
    ----------
    verdict : dict
        As in ``verdict.json``.
    folder : Path
        The run folder.
    as_json : bool
        Whether a machine reads it.

    Returns
    -------
    int
        The exit code.
    """
    from analysis.report.terminal import plain, summary  # noqa: PLC0415 - only a verdict needs it

    if as_json:
        json.dump(verdict, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        report = folder / "report.html"
        where = str(report) if report.is_file() else f"none; {folder} holds the run"
        console = Console(highlight=False)
        if console.is_terminal:
            console.print(summary(verdict, report=where))
        else:
            click.echo(plain(verdict, report=where))
    return int(verdict["exit_code"])


def tell_side_by_side(
    runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    path: Path,
    *,
    asked: Scenario,
    lacking: ExitCode | None = None,
    as_json: bool,
    on_inconclusive: str | None = None,
    junit: Path | None = None,
) -> int:
    """Write and print runs of one scenario side by side.

    Parameters
    ----------
    runs : sequence of (mapping, mapping)
        What was set in each, and its verdict as in ``verdict.json``.
    path : Path
        File that gets the same as JSON; one beside it gets it as Markdown.
    asked : Scenario
        Of all of them: its title, and how fast times may grow with the volume of data.
    lacking : ExitCode, optional
        What it counts as that not every run was made that was asked for.
    as_json : bool
        Whether a machine reads it.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what growth that cannot be told, or a run that could not be
        made, counts as.
    junit : Path, optional
        File that gets the same for a CI server.

    Returns
    -------
    int
        The exit code of the worst: an interrupt or a failure of the tool before all
        verdicts.
    """
    from analysis.across import across  # noqa: PLC0415 - only runs side by side need it
    from analysis.report.junit_group import sweep_junit  # noqa: PLC0415 - the same
    from analysis.report.scorecard import indicator_lines  # noqa: PLC0415 - the same
    from analysis.report.side_by_side import (  # noqa: PLC0415 - the same
        as_markdown,
        as_text,
        growth_lines,
        left_out_lines,
        repeated_lines,
        side_by_side,
    )

    found = across(runs, asked.growth)
    text = json.dumps(found.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    beside = path.with_suffix(".md")
    beside.write_text(as_markdown(found, title=asked.title), encoding="utf-8")
    if as_json:
        json.dump(found.as_dict(), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        click.echo(as_text(side_by_side(found)), nl=False)
        told = indicator_lines([row.as_dict() for row in found.scorecard])
        lines = (*left_out_lines(found), *growth_lines(found), *repeated_lines(found), *told)
        for line in lines:
            click.echo(line)
        made = "" if lacking is None else f" of {count_of(len(runs), 'run')}, and no more were made"
        click.echo(f"verdict: {found.verdict}{made}; side by side in {path} and {beside}")
    verdicts = [verdict for _, verdict in runs]
    write_junit(
        junit,
        lambda: sweep_junit(found, verdicts, scenario=asked.name, complete=lacking is None),
    )
    codes = [int(verdict["exit_code"]) for _, verdict in runs]
    if lacking is not None:
        codes.append(int(counted(lacking, on_inconclusive, is_open=False)))
    codes.append(_code_of_growth(found.on_growth, on_inconclusive))
    order = [ExitCode.INTERRUPTED, ExitCode.FAULT, ExitCode.USAGE, ExitCode.INVALID]
    order += [ExitCode.FAILED, ExitCode.INCONCLUSIVE]
    return next((int(code) for code in order if code in codes), int(ExitCode.PASSED))


def _code_of_growth(verdict: Verdict, on_inconclusive: str | None) -> int:
    """Give the exit code of what a scenario states of growth."""
    codes = {
        Verdict.INCONCLUSIVE: counted(ExitCode.INCONCLUSIVE, on_inconclusive),
        Verdict.FAILED: ExitCode.FAILED,
    }
    return int(codes.get(verdict, ExitCode.PASSED))


@click.command(epilog="Example:  trueload check last --budgets stricter.toml")
@run_argument
@click.option(
    "--budgets",
    type=click.Path(path_type=Path),
    help="TOML with [budgets] to judge by instead of the scenario's own.",
)
@inconclusive_option
@json_option
@click.pass_context
def check(
    context: click.Context, run: Path, budgets: Path | None, inconclusive: str | None, as_json: bool
) -> None:
    """Judge a recorded run again; also one that was cut off.

    Its verdict.json, reports and junit.xml are written anew, by the budgets that are asked for.
    """
    from analysis.finish import finish  # noqa: PLC0415 - pandas takes its time
    from analysis.recording.manifest import (  # noqa: PLC0415 - the same
        read_manifest,
        recorded_scenario,
    )

    folder, own = find_run(run), None
    if budgets is not None:
        recorded = recorded_scenario(folder, read_manifest(folder))
        own = read_budgets(budgets, timeout_s=recorded.load.timeout_s)
    verdict = finish(folder, budgets=own, on_inconclusive=inconclusive)
    context.exit(tell(verdict, folder, as_json=as_json))


@click.command(epilog="Example:  trueload report last")
@run_argument
def report(run: Path) -> None:
    """Render the reports of a recorded run again."""
    from analysis.finish import report_again  # noqa: PLC0415 - pandas takes its time

    folder = find_run(run)
    report_again(folder)
    click.echo(folder / "report.html")


@click.command(epilog="Example:  trueload runs")
@out_option
def runs(out: Path) -> None:
    """List the runs there are, the newest last; those of a duel below it."""
    for line in listing(out) or [f"no runs in {out}"]:
        click.echo(line)
