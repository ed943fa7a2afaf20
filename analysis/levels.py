"""Levels of load: what each gave, and what repetitions of one say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.claims import Point
from analysis.estimate import Estimate
from analysis.intervals import student_t
from analysis.law import FloatArray
from analysis.usl import CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one level of load gave.

    Attributes
    ----------
    level : float
        Users, or arrivals per second, asked for: its name. Levels of one name are
        repetitions.
    in_flight, throughput : Estimate
        Mean number of requests in flight, and requests per second.
    valid : bool
        An invalid level leaves the fit.
    """

    level: float
    in_flight: Estimate
    throughput: Estimate
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The levels that have numbers.

    Attributes
    ----------
    load, throughput : ndarray, shape (rows,)
        Requests in flight, and per second: a row a measurement.
    points : tuple of Point
        Each level once, by load, with its interval where it has one.
    covers : str
        What intervals made of them speak of: ``"runs"`` or ``"this run"``.
    """

    load: FloatArray
    throughput: FloatArray
    points: tuple[Point, ...]
    covers: str

    @property
    def means(self) -> tuple[FloatArray, FloatArray]:
        """Load and throughput of each level once, shape (levels,) each."""
        return (
            np.array([point.load for point in self.points]),
            np.array([point.throughput for point in self.points]),
        )


def measured(levels: Sequence[Level], *, across_runs: bool) -> Measured:
    """Bring levels into order.

    Parameters
    ----------
    levels : sequence of Level
        In any order; those without numbers, or with nothing in flight, have no place.
    across_runs : bool
        Whether repetitions of a level come from different runs.

    Returns
    -------
    Measured
        Where levels are repeated across runs, the interval of each is Student's t on the
        spread of all repetitions relative to their level, for noise mostly grows with
        throughput. Repetitions that are all equal do not show how runs differ: each level
        then counts once. Stages of one run that share a level differ by less than runs do:
        from them a level has all their own intervals together.
    """
    groups: dict[float, list[Level]] = {}
    for level in levels:
        if level.in_flight.value and level.throughput.value is not None:
            groups.setdefault(level.level, []).append(level)
    repeated = across_runs and any(len(group) > 1 for group in groups.values())
    half = _relative_half_width(list(groups.values())) if repeated else None
    if repeated and half is None:
        repeated, groups = False, {name: group[:1] for name, group in groups.items()}
    points = [_point(group, half) for group in groups.values()]
    rows = sorted(
        (level.in_flight.value or 0.0, level.throughput.value or 0.0)
        for group in groups.values()
        for level in group
    )
    return Measured(
        load=np.array([load for load, _ in rows]),
        throughput=np.array([x for _, x in rows]),
        points=tuple(sorted(points, key=lambda point: point.load)),
        covers="runs" if repeated else "this run",
    )


def _values(group: Sequence[Level]) -> FloatArray:
    return np.array([level.throughput.value for level in group], dtype=np.float64)


def _relative_half_width(groups: Sequence[Sequence[Level]]) -> float | None:
    """Half of the interval of one measurement, relative to its level's mean; None if all agree."""
    squares, freedom, differ = 0.0, 0, False
    for group in groups:
        x = _values(group)
        differ = differ or bool(x.min() < x.max())
        if x.mean() > 0:
            squares += float(((x / x.mean() - 1) ** 2).sum())
            freedom += len(x) - 1
    return student_t(CONFIDENCE, freedom) * math.sqrt(squares / freedom) if differ else None


def _point(group: Sequence[Level], half: float | None) -> Point:
    x = float(_values(group).mean())
    load = float(np.mean([level.in_flight.value for level in group]))
    if half is None:
        lows = [level.throughput.low for level in group if level.throughput.low is not None]
        highs = [level.throughput.high for level in group if level.throughput.high is not None]
        every = len(lows) == len(highs) == len(group)
        return Point(
            load=load,
            throughput=x,
            low=min(lows) if every else None,
            high=max(highs) if every else None,
        )
    each = half / math.sqrt(len(group))
    return Point(load=load, throughput=x, low=max(0.0, x * (1 - each)), high=x * (1 + each))
