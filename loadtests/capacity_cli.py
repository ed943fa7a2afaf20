"""``trueload capacity``: the highest load that still meets the budgets, as an interval."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from analysis.capacity_levels import Ending, SearchPlan
from analysis.counted import counted
from analysis.gate import check_junit, junit_option, tell_not_counted, write_junit
from loadtests.capacity import (
    HIGH,
    Campaign,
    RunLevel,
    check,
    default_hold_s,
    left_aside,
    level_settings,
    search_words,
)
from loadtests.one_run import run_and_judge
from loadtests.options import RunOptions, run_options
from loadtests.progress import ConsoleProgress
from loadtests.supervisor import Interrupted
from scenarios.errors import ExitCode, ScenarioError, TrueloadError, UsageError
from scenarios.load_fields import MAX_RATE, MAX_USERS
from scenarios.model import Scenario
from scenarios.units import parse_duration, parse_ratio

_EXIT: Mapping[Ending, ExitCode] = {
    Ending.FOUND: ExitCode.PASSED,
    Ending.INVALID: ExitCode.INVALID,
}
"""Whatever else it ended with: the capacity was not found, 97."""

LONGEST_HOLD_S = 3600.0

NARROWEST = 0.03
"""Two loads nearer to each other than this are not told apart in minutes."""


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload capacity capacity --width 25%\n"
        "  trueload capacity breakpoint --low 20 --set target.workers=2\n"
        "  trueload capacity mine.toml --url http://127.0.0.1:8000 --locustfile mine.py\n\n"
        "\b\nExit codes:\n"
        "  0 found, 97 not found or not as narrow as asked (99 or 0 with --inconclusive),\n"
        "  96 its runs are invalid, 2 bad usage (nothing was sent), 130 interrupted"
    )
)
@click.argument("scenario")
@click.option("--low", type=float, help="First load, users or arrivals/s (default: lowest stage).")
@click.option("--high", type=float, help="Highest load that may be tried (default: 64 x low).")
@click.option(
    "--width",
    default="10%",
    show_default=True,
    metavar="PERCENT",
    help="How much higher than the last load that passed the first that failed may be.",
)
@click.option(
    "--repetitions",
    type=click.IntRange(1, 6),
    default=3,
    show_default=True,
    metavar="K",
    help="Runs at one undecided load at most, each twice as long as the one before.",
)
@click.option(
    "--hold", metavar="TIME", help="Of the first run at a load (default: shortest stage)."
)
@click.option(
    "--factor",
    type=click.FloatRange(1.2, 10),
    default=2.0,
    show_default=True,
    help="Step of the ramp.",
)
@click.option(
    "--runs",
    type=click.IntRange(2, 200),
    default=40,
    show_default=True,
    help="Runs of the whole search at most.",
)
@junit_option
@run_options
@click.pass_context
def capacity(
    context: click.Context,
    /,
    scenario: str,
    low: float | None,
    high: float | None,
    width: str,
    repetitions: int,
    hold: str | None,
    factor: float,
    runs: int,
    junit: Path | None,
    inconclusive: str | None,
    **options: Any,
) -> None:
    """Search for the highest load that still meets the budgets; the answer is an interval."""
    asked = RunOptions(**options, inconclusive=None)
    (variant,) = asked.load(scenario, {})
    loaded = variant.scenario
    check(loaded)
    hosts = asked.check(loaded)
    check_junit(junit)
    plan = _plan(loaded, low, high, width, repetitions=repetitions, factor=factor, runs=runs)
    campaign = Campaign(
        scenario=loaded,
        plan=plan,
        hold_s=default_hold_s(loaded.load.stages) if hold is None else _hold_s(hold),
        parent=asked.out.absolute(),
    )
    _check_highest(campaign, lambda settings: asked.load(scenario, {}, also=settings))
    console = Console(stderr=True)

    def run_level(settings: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        (at_level,) = asked.load(scenario, {}, also=settings)
        return run_and_judge(
            at_level.scenario,
            scenario=scenario,
            asked=asked,
            hosts=hosts,
            progress=ConsoleProgress(console),
        )

    def say(text: str) -> None:
        console.print(Text(text, style="bold"))

    say(search_words(loaded, plan, campaign.hold_s))
    if aside := left_aside(loaded):
        say(f"left aside, for no load fails by them: {'; '.join(aside)}")
    tell = partial(_tell, as_json=asked.as_json, inconclusive=inconclusive, junit=junit)
    context.exit(_search(campaign, run_level, say=say, tell=tell))


def _check_highest(campaign: Campaign, load: Callable[[Mapping[str, Any]], object]) -> None:
    """Refuse settings that the highest load would not go with, before minutes of lower ones.

    Raises
    ------
    UsageError
        With the mistakes that a run at the highest load would have.
    """
    plan, scenario = campaign.plan, campaign.scenario
    settings = level_settings(scenario, plan.high, hold_s=campaign.hold_s, number=1)
    try:
        load(settings)
    except ScenarioError as error:
        mistakes = "; ".join(str(mistake) for mistake in error.mistakes)
        raise UsageError(
            f"{mistakes} (at {scenario.load.named(plan.high)}, the highest load of the search)",
            hint="search up to a lower one with --high, or allow more users: --set load.max_users=",
        ) from error


def _search(
    campaign: Campaign,
    run_level: RunLevel,
    *,
    say: Callable[[str], None],
    tell: Callable[[Campaign], int],
) -> int:
    """Search, and tell what was found, also where the search could not go on.

    Raises
    ------
    TrueloadError
        When the first run could not be made; when a later one could not for a reason
        that is neither the target's nor of the configuration.
    """
    try:
        campaign.run(run_level, say=say)
    except Interrupted:  # before or after the load of a run: what was found before it stands
        campaign.interrupted = True
    except TrueloadError as error:
        if not campaign.runs:
            raise
        campaign.error = error
        say(f"  {error.message}")
        code = tell(campaign)
        if not isinstance(error, UsageError):
            raise
        return code
    return tell(campaign)


def _tell(
    campaign: Campaign, *, as_json: bool, inconclusive: str | None, junit: Path | None
) -> int:
    """Print what was found; gives the exit code."""
    from analysis.report.capacity import as_markdown, as_text  # noqa: PLC0415 - at the end alone
    from analysis.report.junit_group import capacity_junit  # noqa: PLC0415 - the same

    document = campaign.write()
    report = campaign.path.with_suffix(".md")
    report.write_text(as_markdown(document), encoding="utf-8")
    if as_json:
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        click.echo(as_text(document), nl=False)
        click.echo(f"report: {report}")
    code = _exit_code(campaign, inconclusive)
    write_junit(junit, lambda: capacity_junit(document, exit_code=code))
    tell_not_counted(code, inconclusive)
    return code


def _exit_code(campaign: Campaign, inconclusive: str | None) -> int:
    """Give the exit code; a search in which no load passed is never counted as passed."""
    if campaign.interrupted:
        return int(ExitCode.INTERRUPTED)
    if campaign.error is not None:
        its = campaign.error.exit_code
        code = ExitCode.INCONCLUSIVE if isinstance(campaign.error, UsageError) else its
        return int(counted(code, inconclusive, is_open=False))
    found = campaign.search.found()
    code = _EXIT.get(found.ending, ExitCode.INCONCLUSIVE)
    return int(counted(code, inconclusive, is_open=found.last_pass is not None))


def _plan(
    loaded: Scenario,
    low: float | None,
    high: float | None,
    width: str,
    *,
    repetitions: int,
    factor: float,
    runs: int,
) -> SearchPlan:
    """Make the plan of a search, all of its mistakes at once.

    Raises
    ------
    UsageError
        With what is allowed.
    """
    load = loaded.load
    first = min(stage.level for stage in load.stages) if low is None else low
    least, most = (1e-3, MAX_RATE) if load.is_open else (1.0, float(MAX_USERS))
    last = min(first * HIGH, most) if high is None else high
    mistakes = []
    if not least <= first <= most:
        mistakes.append(f"--low: found {first:g}; allowed: {least:g} to {most:g} {load.unit}")
    elif not first < last <= most:
        mistakes.append(f"--high: found {last:g}; allowed: more than {first:g}, up to {most:g}")
    if not load.is_open and any(each is not None and each % 1 for each in (low, high)):
        mistakes.append("--low, --high: found a part of a user; allowed: whole numbers")
    share = _share(width)
    if not NARROWEST <= share <= 1:
        mistakes.append(f"--width: found {width!r}; allowed: {NARROWEST:.0%} to 100%")
    if mistakes:
        raise UsageError("; ".join(mistakes), hint="see: trueload capacity --help")
    return SearchPlan(
        low=first,
        high=last,
        width=share,
        repetitions=repetitions,
        factor=factor,
        most_runs=runs,
        whole=not load.is_open,
    )


def _share(width: str) -> float:
    try:
        return parse_ratio(width)
    except ValueError:
        return 0.0


def _hold_s(hold: str) -> float:
    """Read a time.

    Raises
    ------
    UsageError
        When it is none, or shorter than a second.
    """
    try:
        seconds = parse_duration(hold)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= LONGEST_HOLD_S:
        raise UsageError(
            f"--hold: found {hold!r}; allowed: a time with a unit, as in 30s or 2m, from 1 s to 1 h"
        )
    return seconds
