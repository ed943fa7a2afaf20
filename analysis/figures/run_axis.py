"""The time axis of a run: its stages, and what happened, under whatever is drawn over it.

::

    users in each stage
          10            20             what each stage asked for; the required one is bold
              freeze                   what happened: a fault is shaded, a moment is a line
    |   [ hold ]  ▒▒▒ [  hold  ]
    +----------------------------->  run time
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from analysis.figures import drawing as d

_CHARACTER_PX = 7.2
_SMALL_CHARACTER_PX = 6.6
_HEAD_PX = 48
_LANE_PX = 15
_MINUTES_FROM_S = 1200
_SLIVER = 200
"""What lasts for less than this part of a run is drawn as a line: nobody saw the span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stage as figures over time show it; seconds of run time."""

    level: float
    start_s: float
    hold_s: float
    end_s: float
    required: bool = False

    @property
    def middle_s(self) -> float:
        """Middle of its hold."""
        return (self.hold_s + self.end_s) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, as figures over time show it; seconds of run time.

    Attributes
    ----------
    start_s : float
        When it began.
    end_s : float or None
        When it was over; None for what happened at a moment.
    label : str
        A word or two.
    """

    start_s: float
    end_s: float | None
    label: str

    @property
    def middle_s(self) -> float:
        """Where its label stands."""
        return self.start_s if self.end_s is None else (self.start_s + self.end_s) / 2


def head_px(marks: Sequence[Mark]) -> int:
    """Give the pixels above the axes that :func:`name_stages` needs."""
    return _HEAD_PX + (_LANE_PX if marks else 0)


def over_run(
    axes: Axes, *, end_s: float, bands: Sequence[Band], marks: Sequence[Mark] = ()
) -> None:
    """Shade holds and what happened, and count time below.

    Parameters
    ----------
    axes : Axes
        Whose horizontal axis is run time.
    end_s : float
        End of the run in seconds.
    bands : sequence of Band
        Its stages.
    marks : sequence of Mark
        What happened.
    """
    axes.set_xlim(0, end_s)
    axes.set_xlabel("run time, s" if end_s <= _MINUTES_FROM_S else "run time, min")
    if end_s > _MINUTES_FROM_S:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t_s, _: d.plain(t_s / 60)))
        step_s = max(60, 60 * math.ceil(end_s / 60 / 10))
        axes.xaxis.set_major_locator(FixedLocator(list(np.arange(0, end_s + 1, step_s))))
    for band in bands:
        colour = d.REQUIRED_BAND if band.required else d.BAND
        axes.axvspan(band.hold_s, min(band.end_s, end_s), color=colour, zorder=0, linewidth=0)
    for mark in marks:
        if mark.end_s is None:
            axes.axvline(
                mark.start_s, color=d.MUTED, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1.4
            )
            continue
        span = (mark.start_s, min(mark.end_s, end_s))
        axes.axvspan(*span, color=d.FAULT, zorder=0.5, linewidth=0)
        if mark.end_s - mark.start_s < end_s / _SLIVER:  # a kill may last for milliseconds
            axes.axvline(mark.start_s, color=d.LIMIT, linewidth=1.4, zorder=1.4)


def name_stages(axes: Axes, bands: Sequence[Band], marks: Sequence[Mark], users: str) -> None:
    """Write above the axes what each stage asked for, and what happened.

    Parameters
    ----------
    axes : Axes
        The uppermost, with its ends set by :func:`over_run`.
    bands : sequence of Band
        Stages.
    marks : sequence of Mark
        What happened; a label that has no room is left out.
    users : str
        What levels count.
    """
    end_s = float(axes.get_xlim()[1])
    s_per_px = end_s / axes.get_window_extent().width
    lane = _LANE_PX if marks else 0
    top = axes.secondary_xaxis("top")
    named = _named_bands([band for band in bands if band.hold_s < end_s], s_per_px)
    middles = [(band.hold_s + min(band.end_s, end_s)) / 2 for band in named]
    top.set_ticks(middles, labels=[f"{band.level:,.10g}" for band in named])
    top.spines["top"].set_visible(False)
    top.tick_params(length=0, pad=1 + lane)
    for label, band in zip(top.get_xticklabels(), named, strict=True):
        label.set_fontweight("bold" if band.required else "normal")
    _above(axes, 0.0, f"{users} in each stage", up=20 + lane, at="left", colour=d.MUTED)
    for mark, at_s, side in _named_marks(marks, end_s, s_per_px):
        _above(axes, at_s / end_s, mark.label, up=4, at=side, colour=d.LIMIT)


def _above(axes: Axes, x: float, text: str, *, up: float, at: str, colour: str) -> None:
    axes.annotate(
        text,
        (x, 1),
        xycoords="axes fraction",
        xytext=(0, up),
        textcoords="offset points",
        color=colour,
        fontsize=11 if colour == d.MUTED else 10.5,
        ha=at,
    )


def _named_bands(bands: Sequence[Band], s_per_px: float) -> list[Band]:
    """Those whose label has room beside the one before; the required one always has."""
    named: list[Band] = []
    for band in sorted(bands, key=lambda band: (not band.required, band.start_s)):
        room = (len(f"{band.level:,.10g}") + 1) * _CHARACTER_PX * s_per_px
        if all(abs(band.middle_s - other.middle_s) >= room for other in named):
            named.append(band)
    return sorted(named, key=lambda band: band.start_s)


def _named_marks(
    marks: Sequence[Mark], end_s: float, s_per_px: float
) -> list[tuple[Mark, float, str]]:
    """Those whose label has room, what lasted first: each with its place and side."""
    taken: list[tuple[float, float]] = []
    named = []
    for mark in sorted(marks, key=lambda mark: (mark.end_s is None, mark.start_s)):
        if mark.start_s > end_s:
            continue
        half = (len(mark.label) + 1) * _SMALL_CHARACTER_PX * s_per_px / 2
        at_s, side = min(mark.middle_s, end_s), "center"
        low, high = at_s - half, at_s + half
        if low < 0:
            at_s, side, low, high = 0.0, "left", 0.0, 2 * half
        elif high > end_s:
            at_s, side, low, high = end_s, "right", end_s - 2 * half, end_s
        if all(high <= first or low >= last for first, last in taken):
            taken.append((low, high))
            named.append((mark, at_s, side))
    return named
