"""The command that runs two systems against each other: ``trueload duel``."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.status import Status
from rich.text import Text

from analysis.compare_cli import Share
from analysis.duel import Question
from analysis.duel_reading import Metric
from analysis.gate import check_junit, junit_option, tell_not_counted, write_junit
from analysis.out_folder import check_parent
from analysis.report.duel import as_text, plain, subject_words
from analysis.report.junit_change import duel_junit
from analysis.report.typography import clean
from analysis.sequential import FALSE_ALARM, MISS, PAIRS, Rules
from loadtests.duel import DOCUMENT, REPORT, SAME, Duel
from loadtests.duration import longest_run_s
from loadtests.folder import group_folder
from loadtests.one_run import import_analysis, run_and_judge
from loadtests.options import RunOptions, run_options_but
from loadtests.sides import AS_IS, Role, Side, prepare, read_spec, same_system
from scenarios.counting import count_of
from scenarios.errors import UsageError
from scenarios.model import Scenario
from scenarios.schedule import Schedule
from scenarios.units import how_long

_SEEDS = 2**32


class Quiet:
    """Progress of one run among many: a line that goes, on a terminal; nothing elsewhere."""

    def __init__(self, console: Console, words: str) -> None:
        self._words = words
        self._status = (
            # no oftener than its words change: what draws it shares the cores of the run
            Status(Text(words), console=console, refresh_per_second=2)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Quiet:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """Say what is being prepared."""
        if self._status is not None:
            self._status.update(Text(f"{self._words}: {clean(text)}"))

    def begin(self, scenario: Scenario, schedule: Schedule, folder: Path) -> None:
        """Load begins."""

    def second(self, line: dict[str, Any], schedule: Schedule) -> None:
        """Tell how much is left."""
        left_s = max(schedule.end_s - float(line["t_s"]), 0.0)
        self.say(f"{left_s:.0f} s of load left")

    def end(self) -> None:
        """Load has ended."""
        self.say("judging")


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload duel duel --candidate 'target.options.cache=\"ttl\"'\n"
        "  trueload duel duel --base target.workers=2 --candidate 'target.workers=2;"
        "target.options.n_plus_one=true'\n"
        "  trueload duel smoke --locustfile mine.py --base http://127.0.0.1:8000 "
        "--candidate http://127.0.0.1:8001\n\n"
        "\b\nExit codes:\n"
        "  0 not regressed, 98 regressed, 97 inconclusive (99 or 0 with --inconclusive),\n"
        "  96 no pair of valid runs, 2 bad usage (nothing was sent), 130 interrupted"
    ),
)
@click.argument("scenario")
@click.option(
    "--base",
    multiple=True,
    default=(AS_IS,),
    metavar="SPEC",
    help="What was before: settings of the CRM, or a URL (default: the scenario as it is).",
)
@click.option(
    "--candidate",
    multiple=True,
    required=True,
    metavar="SPEC",
    help='What may be worse: the same, or "as-is".',
)
@click.option(
    "--metric",
    type=click.Choice([str(metric) for metric in Metric]),
    default=str(Metric.P95),
    show_default=True,
    help="What decides.",
)
@click.option("--endpoint", default="all", metavar="NAME", help="Of which requests (default: all).")
@click.option(
    "--tolerance",
    type=Share(),
    default=0.05,
    help="A change for the worse that does not matter (default: 5%).",
)
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    default=PAIRS,
    show_default=True,
    metavar="N",
    help="At most so many pairs of runs.",
)
@click.option(
    "--false-alarm",
    type=Share(),
    default=FALSE_ALARM,
    help='Chance of "regressed" for a candidate worse by exactly the tolerance (default: 5%).',
)
@click.option(
    "--miss",
    type=Share(),
    default=MISS,
    help='Chance of "not regressed" for the same (default: 10%).',
)
@click.option(
    "--seed",
    type=click.IntRange(0, _SEEDS - 1),
    help="Of the randomisation of the order in each pair (default: a new one).",
)
@junit_option
@run_options_but("url", "no_report")
@click.pass_context
def duel(
    context: click.Context,
    /,
    scenario: str,
    base: tuple[str, ...],
    candidate: tuple[str, ...],
    metric: str,
    endpoint: str,
    tolerance: float,
    pairs: int,
    false_alarm: float,
    miss: float,
    seed: int | None,
    junit: Path | None,
    inconclusive: str | None,
    **options: Any,
) -> None:
    """Run two systems in pairs, in randomised order, until it is known which is worse."""
    rules = _rules(pairs=pairs, tolerance=tolerance, false_alarm=false_alarm, miss=miss)
    question = Question(metric=Metric(metric), subject=endpoint, rules=rules)
    asked = RunOptions(**options, url=None, inconclusive=None, no_report=True)
    specs = read_spec(base, "--base"), read_spec(candidate, "--candidate")
    sides = dict(zip(Role, prepare(scenario, asked, *specs), strict=True))
    check_parent(asked.out)
    check_junit(junit)
    console = Console(stderr=True)
    seed = secrets.randbelow(_SEEDS) if seed is None else seed
    say = _speaker(console)
    for line in _plan(sides, question, seed):
        say(line)
    folder = group_folder(asked.out.absolute(), "duel", scenario=sides[Role.BASE].scenario.name)
    fought = Duel(
        sides=sides,
        question=question,
        seed=seed,
        folder=folder,
        run_one=_runner(scenario, folder, console),
        say=say,
        on_inconclusive=inconclusive,
    ).fight()
    _tell(fought, folder, as_json=asked.as_json)
    write_junit(junit, lambda: duel_junit(fought))
    tell_not_counted(fought["exit_code"], inconclusive)
    context.exit(int(fought["exit_code"]))


def _rules(**rules: Any) -> Rules:
    """Declare the rules.

    Raises
    ------
    UsageError
        When nothing could be answered by them.
    """
    try:
        return Rules(**rules)
    except ValueError as error:
        raise UsageError(f"the rules of the duel: found {error}. Nothing was sent") from error


def _speaker(console: Console) -> Any:
    return lambda line: console.print(Text(clean(line)), soft_wrap=True)


def _plan(sides: dict[Role, Side], question: Question, seed: int) -> list[str]:
    """Say what will be done, and how long it will take at most."""
    rules = question.rules
    longest_s = sum(longest_run_s(side.scenario) for side in sides.values())
    return [
        f"duel on {subject_words(question.metric, question.subject)}: is the candidate worse by "
        f"more than {plain(rules.tolerance)}?",
        *(f"{role:<9}  {side.spec.words}" for role, side in sides.items()),
        *([SAME] if same_system(*sides.values()) else []),
        f"at most {count_of(rules.pairs, 'pair')} of runs, about "
        f"{how_long(rules.pairs * longest_s)} at most; "
        f"the order in each pair is randomised with seed {seed}",
    ]


def _runner(scenario: str, parent: Path, console: Console) -> Any:
    """Make what runs one side once."""
    import_analysis()  # not beside the load of whichever run comes first

    def run_one(side: Side, load_seed: int) -> tuple[Path, dict[str, Any]]:
        settings = (*side.options.settings, f"load.seed={load_seed}")
        own = replace(side.options, settings=settings, out=parent)
        seeded = own.load(scenario, {})[0].scenario
        with Quiet(console, str(side.role)) as progress:
            return run_and_judge(
                seeded, scenario=scenario, asked=own, hosts=side.hosts, progress=progress
            )

    return run_one


def _tell(document: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the answer."""
    if as_json:
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        return
    click.echo(as_text(document), nl=False)
    click.echo(f"written to {folder / DOCUMENT} and {folder / REPORT}")
