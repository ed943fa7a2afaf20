"""One run of a scenario, from load to verdict: what ``run``, ``sweep`` and searches are made of."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from loadtests.options import RunOptions
from loadtests.supervisor import Interrupted, Order, Progress, Supervisor
from scenarios.loading import find
from scenarios.model import Scenario


def run_and_judge(
    loaded: Scenario,
    *,
    scenario: str,
    asked: RunOptions,
    hosts: tuple[str, ...],
    progress: Progress,
) -> tuple[Path, dict[str, Any]]:
    """Run a scenario once, and judge it.

    Parameters
    ----------
    loaded : Scenario
        What to run.
    scenario : str
        Name or path that it was loaded by.
    asked : RunOptions
        What the command line says about how to run.
    hosts : tuple of str
        Where load may go beside loopback; as :meth:`RunOptions.check` has found.
    progress : Progress
        Shows it.

    Returns
    -------
    tuple of (Path, dict)
        The run folder, and its verdict.

    Raises
    ------
    Interrupted
        When Ctrl-C is pressed while it is judged.
    """
    order = Order(
        parent=asked.out.absolute(),
        allow=hosts,
        folder=find(scenario).resolve().parent,
        meanwhile=import_analysis,
        processes=asked.processes,
    )
    folder = Supervisor(loaded, order, progress).run()
    from analysis.finish import finish  # noqa: PLC0415 - pandas is not needed while load runs

    try:
        verdict = finish(folder, on_inconclusive=asked.inconclusive, report=not asked.no_report)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted while the run was judged",
            hint=f"judge it with: trueload check {folder}",
        ) from None
    return folder, verdict


def import_analysis() -> None:
    """Import what judges and reports: it takes a second that the run need not wait for."""
    for module in ("analysis.finish", "matplotlib.backends.backend_svg", "scipy.optimize"):
        importlib.import_module(module)
