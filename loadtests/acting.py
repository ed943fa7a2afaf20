"""Those who act on a run as its scenario asks, or look closer at a CRM."""

from __future__ import annotations

from pathlib import Path

from loadtests.crm import CrmTarget
from loadtests.extension import Extension
from loadtests.faults import Faults
from loadtests.gauges import Gauges
from loadtests.permission import headers_of
from loadtests.run_watch import Watcher
from loadtests.stopping import Stopping, StopsLoad
from loadtests.target import Target
from loadtests.workers import Workers
from scenarios.model import Scenario


def acting(scenario: Scenario, target: Target, folder: Path, processes: int) -> list[Watcher]:
    """List the watchers of one scenario, those that must be exact first.

    Parameters
    ----------
    scenario : Scenario
        What is run.
    target : Target
        What is loaded.
    folder : Path
        The run folder.
    processes : int
        Generator processes that write the timeline.

    Returns
    -------
    list of Watcher
        Faults, workers, gauges, the stop rule, the extension: those that there is
        something to do for.
    """
    watchers: list[Watcher] = []
    faults = None
    if isinstance(target, CrmTarget):
        if scenario.faults:
            faults = Faults(scenario.faults, target, scenario.target.seed)
            watchers.append(faults)
        watchers.append(Workers(target))
    if scenario.load.mix:  # only a CRM is loaded by personas
        headers, ca = headers_of(scenario), scenario.target.ca
        watchers.append(Gauges(target.base_url, folder, headers, ca=ca))
    if scenario.stop is not None:
        stopping = Stopping(scenario.stop, patience_s=scenario.drain_s, processes=processes)
        excused = faults.explain if faults is not None else _never
        watchers.append(StopsLoad(scenario.stop, stopping, excused))
    if scenario.load.extend_s > 0:
        watchers.append(Extension(scenario))
    return watchers


def _never(_t_s: float) -> bool:
    return False


def acts(scenario: Scenario) -> list[str]:
    """Say what a scenario asks to be done while its load is on.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.

    Returns
    -------
    list of str
        Faults in the order of their times, the stop rule, how long it may be held on.
    """
    said = []
    for fault in scenario.faults:
        lasting = f", for {fault.lasts_s:g} s" if fault.lasts_s else ""
        said.append(f"fault: {fault.kind} the {fault.process} at {fault.at_s:g} s{lasting}")
    if scenario.stop is not None:
        said.append(f"the load ends early when {scenario.stop.text}")
    if scenario.load.extend_s > 0:
        level, most_s = scenario.load.named(scenario.load.required), scenario.load.extend_s
        said.append(f"{level}: held on for up to {most_s:g} s more while a budget is undecided")
    return said
