"""The supervisor's plan for a generator process, and the users that come of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from locust import User

from loadtests.generator.locustfile import default_options, load_users
from loadtests.generator.personas import persona_users
from scenarios.loading import parse_scenario
from scenarios.model import Scenario


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a generator process is told at its start.

    Attributes
    ----------
    process : int or None
        Its number; None for the master.
    processes : int
        How many send load.
    run : str
        Short id of the run.
    folder : Path
        The run folder.
    scenario : dict
        As parsed from TOML.
    scenario_name, scenario_folder : str
        For messages, and where relative locustfiles are looked for.
    base_url : str
        Of the target.
    allow : list of str
        Hosts beside loopback that load may go to.
    rows : dict of str to int
        Sizes of the target's tables.
    accounts : str or None
        File of those who may sign in.
    alone : bool
        Whether its cores are not the target's.
    """

    process: int | None
    processes: int
    run: str
    folder: Path
    scenario: dict[str, Any]
    scenario_name: str
    scenario_folder: str
    base_url: str
    allow: list[str]
    rows: dict[str, int]
    accounts: str | None
    alone: bool = False

    @classmethod
    def of(cls, message: dict[str, Any]) -> Plan:
        """Read it from the supervisor's message."""
        fields = {name: value for name, value in message.items() if name != "kind"}
        return cls(**{**fields, "folder": Path(fields["folder"])})

    @cached_property
    def asked(self) -> Scenario:
        """The scenario."""
        folder = Path(self.scenario_folder)
        return parse_scenario(self.scenario, name=self.scenario_name, folder=folder)

    def users(self, warn: Callable[[str, str], None]) -> tuple[list[type[User]], Namespace | None]:
        """Load the engine's users.

        The master's are told apart by their names and weights alone: they never run.

        Parameters
        ----------
        warn : callable
            Called with a warning's kind and its text.

        Returns
        -------
        tuple of (list of type, Namespace or None)
            The classes, and the options of a locustfile.
        """
        if self.asked.load.locustfile is None:
            return list(
                persona_users(
                    self.asked,
                    process=self.process or 0,
                    processes=self.processes,
                    run=self.run,
                    accounts=Path(self.accounts or ""),
                    rows=self.rows,
                )
            ), None
        classes, has_shape = load_users(self.asked.load.locustfile)
        if has_shape and not self.process:  # one of them is enough to say so
            warn("shape_not_used", "the locustfile's load shape is not used: stages are")
        return classes, default_options(self.base_url)
