"""How long runs will take, as far as it can be told before the first of them."""

from __future__ import annotations

from scenarios.counting import count_of
from scenarios.model import Scenario
from scenarios.schedule import plan
from scenarios.units import how_long

AROUND_S = 15.0
"""Seconds allowed for what lies around the load of a run when several are planned: starting
the CRM on its copy of the data and the generators, asking what was stored, judging."""


def longest_run_s(scenario: Scenario) -> float:
    """Tell how long a run takes, held on as long as it may be.

    Parameters
    ----------
    scenario : Scenario
        What is run.

    Returns
    -------
    float
        Seconds: warm-up, ramps, settling, holds, what follows open requests, and what lies
        around the load. Data that are made for the first time are not in it.
    """
    return plan(scenario).end_s + scenario.load.extend_s + scenario.drain_s + AROUND_S


def runs_words(scenarios: list[Scenario]) -> str:
    """Say how long several runs will take, one after the other.

    Parameters
    ----------
    scenarios : list of Scenario
        What is run.

    Returns
    -------
    str
        For example ``"3 runs, about 4.9 min at most"``.
    """
    seconds = sum(longest_run_s(scenario) for scenario in scenarios)
    ours = any(scenario.target.app for scenario in scenarios)
    new = ", beside data that are made for the first time" if ours else ""
    return f"{count_of(len(scenarios), 'run')}, about {how_long(seconds)} at most{new}"
