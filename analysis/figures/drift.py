"""Series that drifted over a hold: the bins as they were, and the line through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import drawing as d

Floats = npt.NDArray[np.float64]
_PANEL_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A series and its line.

    Attributes
    ----------
    name : str
        In words, with its unit: ``"p95 latency, ms"``.
    at_min : ndarray, shape (n,)
        Middle of each bin, in minutes of run time.
    values : ndarray, shape (n,)
        What was seen in it.
    line : tuple of (float, float)
        Where the line begins and ends.
    """

    name: str
    at_min: Floats
    values: Floats
    line: tuple[float, float]


def drifting(series: Sequence[Moved], *, size: d.Size = d.WIDE) -> Figure:
    """Draw what moved, a panel each.

    Parameters
    ----------
    series : sequence of Moved
        At least one.
    size : Size
        Of a figure of one panel.

    Returns
    -------
    Figure
        With one axis of run time.
    """
    with d.style():
        height = round(size.height * (0.25 + _PANEL_SHARE * len(series)))
        figure = d.paper(d.Size(size.width, height))
        every = list(figure.subplots(len(series), 1, sharex=True, squeeze=False)[:, 0])
        for moved, axes in zip(series, every, strict=True):
            _panel(moved, axes)
        every[-1].set_xlabel("run time, min")
        figure.align_ylabels(every)
        rows = d.legend(figure, every[:1])
        d.place(figure, left=70, right=14, top=12, bottom=45 + d.LEGEND_ROW * rows, gap=16)
        return figure


def _panel(moved: Moved, axes: Axes) -> None:
    axes.plot(
        moved.at_min,
        moved.values,
        linestyle="",
        marker=".",
        markersize=3,
        color=d.SERIES[1],
        label="a bin",
    )
    ends = [float(moved.at_min[0]), float(moved.at_min[-1])]
    axes.plot(ends, list(moved.line), color=d.KINDS[3], linewidth=2, label="Theil-Sen line")
    d.scale_axis(axes, "y", 0, float(max(moved.values.max(), *moved.line)), log=False, most=5)
    axes.set_ylabel(moved.name)
