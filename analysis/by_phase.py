"""A hold taken apart: what it measured in quiet, under a fault, and in recovery.

::

    hold      |   quiet   |  fault  | recovery |   quiet   |
    open         ---    -----          ---  ---    ---
    belongs to  quiet   fault      recovery recovery quiet

A request that was open in a fault belongs to it, whenever it was intended: what was
under way when a server froze was not answered in quiet. So it is with a recovery.

A hold's own figures, and what is decided on them, are of all of its parts. Where
something disturbed it they say how it went, not how it goes; the parts say both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.failures import error_ratio
from analysis.phases import Label, Spell
from analysis.recording.format import Outcome
from analysis.summary import counts, times
from analysis.windows import Hold, Window, open_until_s

PARTS = (Label.HOLD, Label.FAULT, Label.RECOVERY)
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    label: Label
    start_s: float
    end_s: float


def by_phase(hold: Hold, spells: Iterable[Spell]) -> list[dict[str, Any]]:
    """Describe the parts of a hold that a fault or a recovery touches.

    Parameters
    ----------
    hold : Hold
        The window and its requests.
    spells : iterable of Spell
        Of the whole run, in order and without gaps.

    Returns
    -------
    list of dict
        One a phase that lies in the hold: its length, counts, error ratio and latency,
        by the quantiles and intervals of a hold; the series of a phase that comes in
        several stretches is closed up. Empty where nothing disturbed the hold.
    """
    stretches = _stretches(hold.window, spells)
    if all(each.label is Label.HOLD for each in stretches):
        return []
    labels = _labels(hold.samples, stretches)
    return [
        {
            "phase": str(part),
            "length_s": sum(each.end_s - each.start_s for each in stretches if each.label is part),
            **_described(hold.samples[labels == str(part)]),
        }
        for part in PARTS
        if any(each.label is part for each in stretches)
    ]


def _stretches(window: Window, spells: Iterable[Spell]) -> list[_Stretch]:
    """Cut the spells of a run to a hold."""
    cut = [
        _Stretch(each.label, max(each.start_s, window.start_s), min(each.end_s, window.end_s))
        for each in spells
        if each.stage == window.stage
    ]
    return [each for each in cut if each.end_s > each.start_s]


def _labels(samples: pd.DataFrame, stretches: list[_Stretch]) -> npt.NDArray[np.str_]:
    """Label each request by the worst that it was open in: a fault, else a recovery."""
    begin_s, until_s = samples["intended_s"].to_numpy(dtype=float), open_until_s(samples)
    labels = np.full(len(samples), str(Label.HOLD), dtype="U8")
    for label in (Label.RECOVERY, Label.FAULT):
        for each in stretches:
            if each.label is label:
                labels[(begin_s < each.end_s) & (until_s > each.start_s)] = str(label)
    return labels


def _described(samples: pd.DataFrame) -> dict[str, Any]:
    cancelled = (samples["outcome"] == Outcome.CANCELLED.label).to_numpy()
    return {
        **counts(samples),
        "error_ratio": error_ratio(samples["bad"].to_numpy(), ~cancelled).as_dict(),
        "latency": times(samples, "latency_ms"),
    }
