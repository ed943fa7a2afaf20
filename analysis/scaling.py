"""Scalability of a run: its levels, what is fitted to them, and the capacity that it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.capacity import Capacity
from analysis.scalability import Level, scalability
from analysis.summary import in_flight_of, throughput_of
from analysis.windows import Hold


def scaling_of(
    holds: Sequence[Hold], stages: Sequence[Mapping[str, Any]], capacity: Capacity
) -> dict[str, Any]:
    """Describe how throughput grew with load.

    Parameters
    ----------
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
    return {**scalability(levels).as_dict(), "capacity": capacity.as_dict()}
