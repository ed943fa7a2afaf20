"""What the command line says about how to run: options of all commands that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from analysis.gate import inconclusive_option
from loadtests.databases import check_database, database_of
from loadtests.permission import allowed_hosts, check_locustfile, check_secrets
from loadtests.supervisor import MOST_PROCESSES
from scenarios.errors import Mistake, ScenarioError
from scenarios.model import Scenario
from scenarios.settings import Key, dotted, key_of, lies_in
from scenarios.target_fields import OF_THE_CRM
from scenarios.variation import Values, Variant, hint_for, load_variants


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
    "inconclusive": inconclusive_option,
    "no_report": click.option("--no-report", is_flag=True, help="Judge, but render no reports."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says about how to run; by default nothing."""

    url: str | None = None
    database: str | None = None
    accounts: Path | None = None
    settings: tuple[str, ...] = ()
    out: Path = Path("runs")
    locustfile: Path | None = None
    allow: tuple[str, ...] = ()
    processes: int = 1
    inconclusive: str | None = None
    no_report: bool = False
    as_json: bool = False

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

        Raises
        ------
        ScenarioError
            With every mistake, each under the flag that made it.
        """
        flags = self._flags()
        overrides = {key: value for key, (_, value) in flags.items()} | dict(also or {})
        mistakes = self.set_twice(self.settings, "--set")
        variants: list[Variant] = []
        try:
            variants = load_variants(
                scenario,
                vary=vary,
                settings=self.settings,
                overrides=overrides,
                removed=self._removed(),
            )
        except ScenarioError as error:
            mistakes += [
                replace(m, where=flags[m.key][0]) if m.key in flags else m for m in error.mistakes
            ]
        if mistakes:
            raise ScenarioError(scenario, mistakes, hint=hint_for(scenario))
        return variants

    def set_twice(self, settings: Sequence[str], where: str) -> list[Mistake]:
        """Find settings that another flag would override.

        Parameters
        ----------
        settings : sequence of str
            Each ``key=value``.
        where : str
            The flag that they stand after.

        Returns
        -------
        list of Mistake
            One for each of them that sets what another flag sets.
        """
        return [
            Mistake(
                where=where,
                key=key,
                found=f"{flag} beside it",
                allowed=f"one of {where} and {flag}",
            )
            for setting in settings
            for key, (flag, _) in self._flags().items()
            if lies_in(key_of(setting), dotted(key))
        ]

    def taken(self) -> dict[Key, str]:
        """Say what the command line sets or replaces, and by which flag.

        Returns
        -------
        dict of tuple of str to str
            Flags by the parts of a dotted key.
        """
        by = {key_of(setting): "--set" for setting in self.settings}
        by |= {dotted(key): flag for key, flag in self._removed().items()}
        by |= {dotted(key): flag for key, (flag, _) in self._flags().items()}
        return {key: flag for key, flag in by.items() if key}

    def _flags(self) -> dict[str, tuple[str, object]]:
        """Give the dotted keys that flags set, each with its flag and value."""
        found: dict[str, tuple[str, object]] = {}
        if self.url is not None:
            found["target.url"] = ("--url", self.url)
        if self.database is not None:
            found["target.database"] = ("--database", self.database)
        if self.accounts is not None:
            found["target.accounts"] = ("--accounts", str(self.accounts.absolute()))
        if self.locustfile is not None:
            found["load.locustfile"] = ("--locustfile", str(self.locustfile.absolute()))
        return found

    def _removed(self) -> dict[str, str]:
        """Give the dotted keys of the file that flags replace, each with its flag."""
        removed: dict[str, str] = {}
        if self.url is not None:
            removed |= dict.fromkeys(("target.app", *(f"target.{k}" for k in OF_THE_CRM)), "--url")
        if self.locustfile is not None:
            of_the_mix = ("load.mix", "load.think_scale", "title", "question")
            removed |= dict.fromkeys(of_the_mix, "--locustfile")
        return removed

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
