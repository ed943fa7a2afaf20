"""What each moment of a run was: warm-up, ramp, settle, hold, fault, recovery, drain.

::

    planned   | warm-up | ramp | settle |          hold                     |
    done to it                               |fault |
    seen                                            | recovery |
    labelled  | warm-up | ramp | settle | hold |fault | recovery | hold     | drain

A fault stands over what was planned, a recovery over what was planned and under the
next fault. Every statistic of a hold says which part of it it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.faults import FaultSpan
from analysis.recovery import Recovery
from scenarios.schedule import Schedule


class Label(StrEnum):
    """What a moment of a run was."""

    WARMUP = "warm-up"
    RAMP = "ramp"
    SETTLE = "settle"
    HOLD = "hold"
    FAULT = "fault"
    RECOVERY = "recovery"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of a run that was one thing.

    Attributes
    ----------
    label : Label
        What.
    stage : int or None
        Index of the stage, where it lies in one.
    start_s, end_s : float
        Seconds of run time.
    """

    label: Label
    stage: int | None
    start_s: float
    end_s: float

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "phase": str(self.label),
            "stage": self.stage,
            "start_s": self.start_s,
            "end_s": self.end_s,
        }


Stretch = tuple[Label, float, float]


def phases(
    schedule: Schedule,
    *,
    ended_s: float,
    last_s: float,
    disturbed: Iterable[Stretch] = (),
) -> tuple[Spell, ...]:
    """Label a run.

    Parameters
    ----------
    schedule : Schedule
        As it was run.
    ended_s : float
        When the load ended, in seconds of run time.
    last_s : float
        When the last request ended.
    disturbed : iterable of (Label, float, float)
        Faults and recoveries with their beginnings and ends.

    Returns
    -------
    tuple of Spell
        One after the other, without gaps, from 0 to the end of the last request.
    """
    planned = [*_planned(schedule, ended_s), (Label.DRAIN, None, ended_s, max(ended_s, last_s))]
    over = [each for each in disturbed if each[2] > each[1]]
    cuts = {edge for _, _, start_s, end_s in planned for edge in (start_s, end_s)}
    cuts |= {edge for _, start_s, end_s in over for edge in (start_s, end_s)}
    edges = sorted(edge for edge in cuts if 0 <= edge <= planned[-1][3])
    found: list[Spell] = []
    for start_s, end_s in pairwise(edges):
        label, stage = _what(planned, over, (start_s + end_s) / 2)
        if found and (found[-1].label, found[-1].stage) == (label, stage):
            start_s = found.pop().start_s  # noqa: PLW2901 - the spell goes on
        found.append(Spell(label=label, stage=stage, start_s=start_s, end_s=end_s))
    return tuple(found)


def _planned(schedule: Schedule, ended_s: float) -> list[tuple[Label, int | None, float, float]]:
    parts: list[tuple[Label, int | None, float, float]] = [
        (Label.WARMUP, None, 0.0, schedule.warmup_s)
    ]
    for span in schedule.spans:
        parts += [
            (Label.RAMP, span.stage, span.start_s, span.ramped_s),
            (Label.SETTLE, span.stage, span.ramped_s, span.hold_s),
            (Label.HOLD, span.stage, span.hold_s, span.end_s),
        ]
    cut = [(label, stage, begin, min(end, ended_s)) for label, stage, begin, end in parts]
    return [part for part in cut if part[3] > part[2]]


def _what(
    planned: Sequence[tuple[Label, int | None, float, float]],
    disturbed: Sequence[Stretch],
    at_s: float,
) -> tuple[Label, int | None]:
    label, stage = next(
        ((label, stage) for label, stage, begin, end in planned if begin <= at_s < end),
        (Label.DRAIN, None),
    )
    if label is Label.DRAIN:
        return label, stage
    over = {what for what, begin, end in disturbed if begin <= at_s < end}
    return next((what for what in (Label.FAULT, Label.RECOVERY) if what in over), label), stage


def disturbed_stretches(
    faults: Iterable[FaultSpan], recoveries: Iterable[Recovery], *, ended_s: float
) -> tuple[Stretch, ...]:
    """Say what of a run was under a fault or in recovery.

    Parameters
    ----------
    faults : iterable of FaultSpan
        As they were injected.
    recoveries : iterable of Recovery
        What followed them, outages and spikes; one that was not seen to be over lasts as
        long as it was looked at.
    ended_s : float
        When the load ended, in seconds of run time.

    Returns
    -------
    tuple of (Label, float, float)
        As :func:`phases` takes them.
    """
    found: list[Stretch] = [
        (Label.FAULT, each.start_s, ended_s if each.end_s is None else each.end_s)
        for each in faults
    ]
    for each in recoveries:
        what, until_s = each.disturbance, each.disturbed_until_s
        if each.window_s is None and what.end_s is None:  # nobody looked, and it was not over
            until_s = ended_s
        found.append((Label.RECOVERY, what.since_s, until_s))
    return tuple(found)


def per_second(spells: Sequence[Spell]) -> list[Label]:
    """Label each second of a run.

    Parameters
    ----------
    spells : sequence of Spell
        Of :func:`phases`.

    Returns
    -------
    list of Label
        One for each begun second: what most of it was, a fault in any part of it first.
    """
    seconds = int(np.ceil(spells[-1].end_s)) if spells else 0
    labels = []
    for second in range(seconds):
        share: dict[Label, float] = {}
        for spell in spells:
            inside = min(spell.end_s, second + 1.0) - max(spell.start_s, float(second))
            if inside > 0:
                share[spell.label] = share.get(spell.label, 0.0) + inside
        most = max(share, key=lambda label: share[label])
        labels.append(Label.FAULT if Label.FAULT in share else most)
    return labels


def undisturbed(
    start_s: npt.ArrayLike, width_s: float, disturbed: Iterable[Stretch]
) -> npt.NDArray[np.bool_]:
    """Tell which bins no fault and no recovery touches.

    Parameters
    ----------
    start_s : array_like, shape (n,)
        Where each bin begins, in seconds of run time.
    width_s : float
        Length of a bin in seconds.
    disturbed : iterable of (Label, float, float)
        Of :func:`disturbed_stretches`.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for the others.
    """
    begin = np.asarray(start_s, dtype=np.float64)
    quiet = np.ones(len(begin), dtype=np.bool_)
    for _, from_s, until_s in disturbed:
        quiet &= (begin + width_s <= from_s) | (begin >= until_s)
    return quiet
