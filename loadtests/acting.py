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
        watchers.append(Gauges(target.base_url, folder, headers_of(scenario)))
    if scenario.stop is not None:
        stopping = Stopping(scenario.stop, patience_s=scenario.drain_s, processes=processes)
        excused = faults.explain if faults is not None else _never
        watchers.append(StopsLoad(scenario.stop, stopping, excused))
    if scenario.load.extend_s > 0:
        watchers.append(Extension(scenario))
    return watchers


def _never(_t_s: float) -> bool:
    return False
