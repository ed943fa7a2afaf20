"""Scalability of a run: its levels, what is fitted to them, and the capacity that it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.capacity import Capacity
from analysis.demand import cpu_of, demand_at, utilisation_law
from analysis.ran_on import ran_on
from analysis.recording.reader import Recording
from analysis.scalability import Level, scalability
from analysis.summary import in_flight_of, throughput_of
from analysis.windows import Hold


def scaling_of(
    recording: Recording,
    holds: Sequence[Hold],
    stages: Sequence[Mapping[str, Any]],
    capacity: Capacity,
) -> dict[str, Any]:
    """Describe how throughput grew with load.

    Parameters
    ----------
    recording : Recording
        The run, for what its target used.
    holds : sequence of Hold
        Every stage's.
    stages : sequence of mapping
        The same stages as verdict.json has them.
    capacity : Capacity
        Of the run.

    Returns
    -------
    dict
        ``scalability`` of verdict.json.
    """
    levels = [
        Level(
            level=hold.window.level,
            in_flight=in_flight_of(hold),
            throughput=throughput_of(hold),
            valid=stage["valid"] and stage["complete"],
        )
        for hold, stage in zip(holds, stages, strict=True)
    ]
    used = [hold for hold, level in zip(holds, levels, strict=True) if level.valid]
    return {
        **scalability(levels).as_dict(),
        "capacity": capacity.as_dict(),
        "demand": _demand(recording, sorted(used, key=lambda hold: hold.window.level)),
    }


def _demand(recording: Recording, holds: Sequence[Hold]) -> dict[str, Any]:
    cpu = cpu_of(recording.resources)
    cores = ran_on(recording.manifest)["target"]
    workers = (recording.manifest.get("target") or {}).get("workers")
    return utilisation_law(
        [
            demand_at(
                hold.window.level,
                cpu,
                hold.open["end_s"][hold.open["done_us"].notna().to_numpy()].to_numpy(),
                hold.window.start_s,
                hold.window.end_s,
            )
            for hold in holds
        ],
        cores=len(cores) if isinstance(cores, list) else None,
        workers=int(workers) if workers else None,
    )
