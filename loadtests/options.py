"""What the command line says about how to run: options of all commands that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from loadtests.databases import check_database, database_of
from loadtests.permission import allowed_hosts, check_locustfile, check_secrets
from loadtests.supervisor import MOST_PROCESSES
from scenarios.model import Scenario
from scenarios.target_fields import OF_THE_CRM
from scenarios.variation import Values, Variant, load_variants


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of everything that runs scenarios.

    Parameters
    ----------
    command : callable
        Takes them by the names of :class:`RunOptions`.

    Returns
    -------
    callable
        The command with its options.
    """
    return run_options_but()(command)


def run_options_but(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of everything that runs scenarios, some left out.

    Parameters
    ----------
    *names : str
        Of the options that it has not, as :class:`RunOptions` calls them.

    Returns
    -------
    callable
        Gives a command its options.
    """

    def give(command: Callable[..., None]) -> Callable[..., None]:
        for name, option in reversed(_OPTIONS.items()):
            if name not in names:
                command = option(command)
        return command

    return give


_OPTIONS = {
    "url": click.option("--url", help="Load a system that is already running."),
    "database": click.option(
        "--database",
        metavar="KIND|URL",
        help="Database of the CRM: sqlite, postgres (a server of our own), or postgresql://...",
    ),
    "accounts": click.option(
        "--accounts",
        type=click.Path(path_type=Path),
        help="With --url and personas: who may sign in at the CRM there (accounts.jsonl).",
    ),
    "settings": click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting."
    ),
    "out": click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("runs"),
        show_default=True,
        help="Folder that gets the run folder.",
    ),
    "locustfile": click.option(
        "--locustfile",
        type=click.Path(path_type=Path),
        help="Anybody's Locust users instead of the scenario's personas.",
    ),
    "allow": click.option(
        "--allow",
        multiple=True,
        metavar="HOST",
        help="A host beside loopback that load may go to; the scenario must name it too.",
    ),
    "processes": click.option(
        "--processes",
        type=click.IntRange(1, MOST_PROCESSES),
        default=1,
        show_default=True,
        metavar="N",
        help="Generator processes that share the load.",
    ),
    "inconclusive": click.option(
        "--inconclusive",
        type=click.Choice(("fail", "pass")),
        help="Count an inconclusive run as failed or as passed (default: exit 97).",
    ),
    "no_report": click.option("--no-report", is_flag=True, help="Judge, but render no reports."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says about how to run."""

    url: str | None
    database: str | None
    accounts: Path | None
    settings: tuple[str, ...]
    out: Path
    locustfile: Path | None
    allow: tuple[str, ...]
    processes: int
    inconclusive: str | None
    no_report: bool
    as_json: bool

    def load(
        self,
        scenario: str,
        vary: Values | None = None,
        *,
        also: Mapping[str, object] | None = None,
    ) -> list[Variant]:
        """Load a scenario with what the flags stand for.

        Parameters
        ----------
        scenario : str
            Name or path.
        vary : mapping of str to sequence, optional
            Instead of what the scenario varies itself.
        also : mapping of str to object, optional
            What the command sets itself, by dotted key; it wins over ``--set``.

        Returns
        -------
        list of Variant
            One for each run.
        """
        overrides: dict[str, object] = {}
        removed: list[str] = []
        if self.url is not None:
            overrides["target.url"] = self.url
            removed += ["target.app", *(f"target.{key}" for key in OF_THE_CRM)]
        if self.database is not None:
            overrides["target.database"] = self.database
        if self.accounts is not None:
            overrides["target.accounts"] = str(self.accounts.absolute())
        if self.locustfile is not None:
            overrides["load.locustfile"] = str(self.locustfile.absolute())
            removed += ["load.mix", "load.think_scale", "title", "question"]
        overrides |= dict(also or {})
        return load_variants(
            scenario, vary=vary, settings=self.settings, overrides=overrides, removed=removed
        )

    def check(self, loaded: Scenario) -> tuple[str, ...]:
        """Check what may be refused before anything is started.

        Parameters
        ----------
        loaded : Scenario
            What is to be run.

        Returns
        -------
        tuple of str
            Hosts beside loopback that load may go to.
        """
        on_line = (*self.allow, urlsplit(self.url).hostname or "") if self.url else self.allow
        hosts = allowed_hosts(loaded, on_line)
        named = database_of(loaded.target).hosts if self.database else ()
        check_database(loaded.target, (*on_line, *named))
        check_secrets(loaded)
        check_locustfile(loaded.load.locustfile)
        return hosts
