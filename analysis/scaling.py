"""Scalability of a run: its levels, what is fitted to them, and the capacity that it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

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
    *,
    spoiled: str | None = None,
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
    spoiled : str, optional
        Why the whole run is invalid: where that hit nobody knows, so no stage is a level.

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
        **scalability(levels, spoiled=spoiled).as_dict(),
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
                _answered_s(hold),
                hold.window.start_s,
                hold.window.end_s,
            )
            for hold in holds
        ],
        cores=len(cores) if isinstance(cores, list) else None,
        workers=int(workers) if workers else None,
    )


def _answered_s(hold: Hold) -> npt.NDArray[np.float64]:
    """When requests ended whose end was seen, right or wrong."""
    opened = hold.opened("end_s", "good", "bad", "censored")
    ended = (opened["good"] | opened["bad"]) & ~opened["censored"]
    return opened["end_s"].to_numpy(dtype=np.float64)[ended.to_numpy()]
