"""The front door: ``trueload``."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import click
from rich.console import Console
from rich.text import Text

from analysis.gate import check_junit, junit_option
from loadtests.duration import runs_words
from loadtests.one_run import run_and_judge
from loadtests.options import RunOptions, run_options, run_options_but
from loadtests.output import unfailing
from loadtests.processes import python
from loadtests.progress import ConsoleProgress
from loadtests.sweep import Group, run_all
from scenarios.errors import ExitCode, ScenarioError, TrueloadError, UsageError
from scenarios.loading import builtin_scenarios, load_scenario
from scenarios.variation import Variant, read_variations, varied_by

_NOTHING = "nothing to vary"


class LazyGroup(click.Group):
    """Commands that read runs are imported when they are asked for: pandas takes its time."""

    _LAZY: ClassVar[Mapping[str, str]] = {
        "capacity": "loadtests.capacity_cli",
        "check": "analysis.cli",
        "compare": "analysis.compare_cli",
        "duel": "loadtests.duel_cli",
        "fit": "analysis.fit_cli",
        "percentiles": "analysis.percentiles_cli",
        "report": "analysis.cli",
        "runs": "analysis.cli",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands, those of other modules included."""
        return sorted([*super().list_commands(ctx), *self._LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command; import the module that has it."""
        if cmd_name in self._LAZY:
            module = importlib.import_module(self._LAZY[cmd_name])
            command: click.Command = getattr(module, cmd_name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "\b\nExamples:\n"
        "  trueload run demo\n"
        "  trueload run smoke --url http://127.0.0.1:8000 --locustfile mine.py\n"
        "  trueload sweep smoke --vary target.workers=1,2\n"
        "  trueload capacity breakpoint --low 20\n"
        "  trueload check last --budgets stricter.toml\n"
        "  trueload compare --base A B C --candidate D E F\n"
        "  trueload duel duel --candidate target.threads=2\n"
        "  trueload fit levels.csv\n\n"
        "\b\nExit codes:\n"
        "  0 passed, 1 Trueload failed, 2 bad usage (nothing was sent), 96 invalid run,\n"
        "  97 inconclusive, 98 regressed, 99 failed (a budget is broken, a write is lost),\n"
        "  130 interrupted"
    ),
)
@click.version_option(package_name="trueload")
def trueload() -> None:
    """Load a system, and say what holds: performance, stability, scalability."""


@trueload.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload run demo\n"
        "  trueload run growth --set target.customers=100000 --processes 2\n"
        "  trueload run smoke --database postgres --set target.options.cache='\"ttl\"'\n"
        "  trueload run smoke --url http://127.0.0.1:8000 --locustfile mine.py\n"
        "  trueload run smoke --set 'budgets.all=[\"p(95) < 200ms\"]'"
    )
)
@click.argument("scenario")
@run_options
@click.pass_context
def run(context: click.Context, /, scenario: str, **options: Any) -> None:
    """Run a scenario, judge it, report; exit by the verdict."""
    asked = RunOptions(**options)
    variants = asked.load(scenario)
    _tell_what_is_not_varied(scenario, variants)
    context.exit(_run(scenario, variants, asked))


@trueload.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload sweep smoke --vary target.workers=1,2\n"
        "  trueload sweep smoke --vary target.seed=1,2,3     repeated: intervals over runs\n"
        "  trueload sweep data_growth                        as its table [vary] says\n"
        "  trueload sweep growth --vary target.customers=10000,100000 "
        '--vary target.database=\'"sqlite","postgres"\''
    )
)
@click.argument("scenario")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=V1,V2",
    help="A setting and its values; several make a matrix (default: the scenario's [vary]).",
)
@junit_option
@run_options
@click.pass_context
def sweep(
    context: click.Context,
    /,
    scenario: str,
    vary: tuple[str, ...],
    junit: Path | None,
    **options: Any,
) -> None:
    """Run a scenario for each value of a setting, side by side."""
    asked = RunOptions(**options)
    check_junit(junit)
    context.exit(_run(scenario, _varied(scenario, vary, asked), asked, junit=junit))


def _varied(scenario: str, vary: tuple[str, ...], asked: RunOptions) -> list[Variant]:
    """Load a scenario once for each combination of what is varied.

    Raises
    ------
    UsageError
        When neither the command line nor the scenario varies anything that is left to vary.
    """
    variants = asked.load(scenario, read_variations(vary, asked.taken()) or None)
    if any(variant.settings for variant in variants):
        if not vary:
            _tell_what_is_not_varied(scenario, variants)
        return variants
    own = ", ".join(varied_by(scenario))
    found = f"nothing left to vary: the command line sets or replaces {own}" if own else _NOTHING
    raise UsageError(
        f"{scenario}: found {found}; allowed: --vary KEY=V1,V2, or a scenario with a "
        "table [vary]. Nothing was sent"
    )


def _tell_what_is_not_varied(scenario: str, variants: list[Variant]) -> None:
    """Say which keys of the table [vary] the command line takes away from it."""
    left_out = [key for key in varied_by(scenario) if key not in variants[0].settings]
    if left_out:
        said = f"not varied: {', '.join(left_out)}: the command line sets or replaces it"
        click.echo(said, err=True)


def _run(
    scenario: str, variants: list[Variant], asked: RunOptions, *, junit: Path | None = None
) -> int:
    """Run a scenario, or each of its variants; gives the exit code.

    Raises
    ------
    TrueloadError
        When the first run could not be made; when a later one could not for a reason that
        is neither the target's nor of the configuration: the runs before it are told first.
    """
    # before the first is run; variants of the same words are the same
    hosts = {variant.words: asked.check(variant.scenario) for variant in variants}
    console = Console(stderr=True)

    def run_one(variant: Variant) -> tuple[Path, dict[str, Any]]:
        return run_and_judge(
            variant.scenario,
            scenario=scenario,
            asked=asked,
            hosts=hosts[variant.words],
            progress=ConsoleProgress(console),
        )

    def say(text: str) -> None:
        console.print(Text(text, style="bold"), soft_wrap=True)

    if len(variants) == 1 and not variants[0].settings:
        folder, verdict = run_one(variants[0])
        from analysis.cli import tell  # noqa: PLC0415 - the same

        return tell(verdict, folder, as_json=asked.as_json)
    say(runs_words([variant.scenario for variant in variants]))
    group = run_all(variants, run_one, say=say)
    from analysis.cli import tell_side_by_side  # noqa: PLC0415 - the same

    code = tell_side_by_side(
        [(member.variant.settings, member.verdict) for member in group.members],
        asked.out / f"group_{group.name}.json",
        asked=variants[0].scenario,
        lacking=_lacking(group, len(variants)),
        as_json=asked.as_json,
        on_inconclusive=asked.inconclusive,
        junit=junit,
    )
    if group.error is None:
        return code
    if not isinstance(group.error, UsageError):  # bad usage is what nothing was sent for
        raise group.error
    for line in filter(None, (f"trueload: {group.error.message}", group.error.hint)):
        click.echo(line, err=True)
    return code


def _lacking(group: Group, asked: int) -> ExitCode | None:
    """Tell what it counts as that not every run of a group was made; None when all were."""
    if len(group.members) == asked:
        return None
    if group.error is None:
        return ExitCode.INTERRUPTED
    return ExitCode.INCONCLUSIVE if isinstance(group.error, UsageError) else ExitCode.FAULT


@trueload.command()
def scenarios() -> None:
    """List the scenarios that come with Trueload."""
    for name in builtin_scenarios():
        loaded = load_scenario(name)
        click.echo(f"{name:12} {loaded.question or loaded.title}")


@trueload.command(
    epilog=(
        "\b\nExamples:\n"
        "  trueload validate growth\n"
        "  trueload validate smoke --url http://127.0.0.1:8000 --locustfile mine.py --json"
    )
)
@click.argument("scenario")
@run_options_but("out", "allow", "processes", "inconclusive", "no_report")
@click.pass_context
def validate(context: click.Context, /, scenario: str, **options: Any) -> None:
    """Check a scenario with the flags of a run; say what it does, and what each budget needs.

    Hosts that load may go to, and secrets, are checked by the run.
    """
    asked = RunOptions(**options)
    if asked.as_json:
        context.exit(_print_validated(scenario, asked))
    from loadtests.validating import told  # noqa: PLC0415 - scipy takes its time

    variants = asked.load(scenario)
    _tell_what_is_not_varied(scenario, variants)
    for line in told(variants):
        click.echo(line)


def _print_validated(scenario: str, asked: RunOptions) -> int:
    """Print a scenario, or its mistakes, for machines; gives the exit code."""
    from loadtests.validated import not_valid, validated  # noqa: PLC0415 - scipy takes its time

    code = ExitCode.PASSED
    try:
        document = validated(asked.load(scenario))
    except ScenarioError as error:
        document, code = not_valid(error.mistakes), error.exit_code
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
    return int(code)


@trueload.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="Examples:  trueload app seed --customers 20000;  trueload app serve --help",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def app(arguments: tuple[str, ...]) -> None:
    """Start the reference CRM by itself: serve, seed, reset."""
    command = python("-m", "target_app", *arguments)
    os.execv(command[0], command)  # noqa: S606 - it becomes the CRM


def main() -> None:
    """Run the command line; every error of ours becomes a message and its exit code."""
    sys.stdout = unfailing(sys.stdout, errors="replace")
    sys.stderr = unfailing(sys.stderr)
    try:
        code = trueload.main(standalone_mode=False)
    except TrueloadError as error:
        click.echo(f"trueload: {error.message}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("trueload: interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except OSError as error:
        with contextlib.suppress(OSError):  # it may be the terminal that is gone
            click.echo(f"trueload: {error}; what was recorded before is kept", err=True)
        code = ExitCode.FAULT
    sys.exit(int(code or 0))


if __name__ == "__main__":
    main()
