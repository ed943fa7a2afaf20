"""In which order two systems were run: whether the machine's drift may pass for a change.

A machine drifts: it warms up, its neighbours come and go. Runs of one system after all
runs of the other hand that drift to the comparison as a difference. Runs that alternate
share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

BASE, CANDIDATE = "base", "candidate"

MOST_APART = 0.3
"""How far the mean places of two sides may lie apart, as a share of half of the runs;
blocks are at 1. Measured on a drifting machine: below this, and where the role changes as
often as by chance, alarms are as rare as asked for (``make accuracy``)."""


class Order(StrEnum):
    """How the runs of two systems follow each other."""

    PAIRS = "pairs"
    MIXED = "mixed"
    BLOCKS = "blocks"
    OVERLAPPING = "overlapping"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When a run began and ended, in seconds of any one clock; None where nobody wrote it."""

    start_s: float | None
    end_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How runs were laid out in time.

    Attributes
    ----------
    order : Order
        Pairs (neighbours in time, one of each side), mixed (alternating, but not in
        pairs), blocks (drift may pass for a change), overlapping, or unknown.
    text : str
        Sides in the order of time, ``"ABBA"``; A is the base. Empty when unknown.
    pairs : tuple of (int, int)
        Index of the base's and of the candidate's run, where the order is pairs.
    why : str
        What is wrong with the order; empty when nothing is.
    """

    order: Order
    text: str = ""
    pairs: tuple[tuple[int, int], ...] = ()
    why: str = ""

    @property
    def interleaved(self) -> bool:
        """Whether the machine's drift falls on both sides alike."""
        return self.order in {Order.PAIRS, Order.MIXED}

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "order": str(self.order),
            "runs": self.text,
            "pairs": len(self.pairs),
            "interleaved": self.interleaved,
            "why": self.why or None,
        }


def design_of(base: Sequence[When], candidate: Sequence[When]) -> Design:
    """Judge the order of runs by when they began.

    Parameters
    ----------
    base, candidate : sequence of When
        Of each run, in any order; at least one a side.

    Returns
    -------
    Design
        Pairs where each two neighbours in time, from the first on, are one of each
        side: ABAB, ABBA, or drawn at random in each pair. Mixed where the side changes
        at least as often as in a random order and neither lies earlier on the whole.
    """
    runs = [(when, BASE, index) for index, when in enumerate(base)]
    runs += [(when, CANDIDATE, index) for index, when in enumerate(candidate)]
    if any(when.start_s is None for when, _, _ in runs):
        return Design(order=Order.UNKNOWN, why="nobody wrote when the runs began")
    runs.sort(key=lambda run: run[0].start_s or 0.0)
    text = "".join("A" if side == BASE else "B" for _, side, _ in runs)
    ends = [when.end_s for when, _, _ in runs[:-1]]
    starts = [when.start_s for when, _, _ in runs[1:]]
    if any(e is not None and s is not None and s < e for e, s in zip(ends, starts, strict=True)):
        why = "runs were made at the same time, and may have disturbed each other"
        return Design(order=Order.OVERLAPPING, text=text, why=why)
    neighbours = [text[at : at + 2] for at in range(0, len(text), 2)]
    if all(pair in {"AB", "BA"} for pair in neighbours):
        places = [
            sorted(runs[at : at + 2], key=lambda run: run[1]) for at in range(0, len(text), 2)
        ]
        pairs = tuple((first[2], second[2]) for first, second in places)
        return Design(order=Order.PAIRS, text=text, pairs=pairs)
    if _mixed(text):
        return Design(order=Order.MIXED, text=text)
    why = (
        f"the runs were made in the order {text} (A is the base): what changed on the machine "
        "meanwhile cannot be told from what changed in the system"
    )
    return Design(order=Order.BLOCKS, text=text, why=why)


def _mixed(text: str) -> bool:
    places = {side: [at for at, found in enumerate(text) if found == side] for side in "AB"}
    means = {side: sum(found) / len(found) for side, found in places.items()}
    changes = sum(left != right for left, right in pairwise(text))
    by_chance = 2 * len(places["A"]) * len(places["B"]) / len(text)
    apart = abs(means["A"] - means["B"]) / (len(text) / 2)
    return changes >= by_chance and apart <= MOST_APART


def always_second(text: str) -> str | None:
    """Find the side that ran second in every one of several pairs.

    Parameters
    ----------
    text : str
        Sides in the order of time, in pairs.

    Returns
    -------
    str or None
        ``"base"`` or ``"candidate"``; None when both did, or there is one pair.
    """
    seconds = set(text[1::2])
    if len(text) <= 2 or len(seconds) != 1:  # noqa: PLR2004 - one pair has one order
        return None
    return BASE if seconds == {"A"} else CANDIDATE
