"""A forest plot: how far each subject moved, with its interval, against the tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.figures import drawing as d

ROW = 25
"""Height of a row in pixels."""

_ABOVE = (1.01, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0, 1000.0)
_BELOW = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1, 0.01)
_MOST_TICKS = 5
_CHARACTER = 6.7  # width of a letter of 11.5 pixels, about


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A subject and how it moved.

    Attributes
    ----------
    name : str
        Ready to print.
    ratio : float
        After / before.
    low, high : float or None
        Ends of its interval; None where one is missing.
    alarm : bool
        Whether it raised the alarm.
    """

    name: str
    ratio: float
    low: float | None
    high: float | None
    alarm: bool = False


def forest(
    moved: Sequence[Moved],
    *,
    tolerance: float,
    lower_is_better: bool = True,
    what: str = "change",
    size: d.Size = d.WIDE,
) -> Figure:
    """Draw the ratios of subjects below each other, on a logarithmic axis.

    Parameters
    ----------
    moved : sequence of Moved
        At least one, from the top.
    tolerance : float
        Change for the worse that does not matter: the band.
    lower_is_better : bool
        Which side of the band is worse.
    what : str
        What changed, for the axis.
    size : Size
        Its width counts; the height follows from the rows.

    Returns
    -------
    Figure
        A row a subject: a point with its interval, an arrow where an end is missing.
    """
    left = min(0.46 * size.width, 16 + _CHARACTER * max(len(each.name) for each in moved))
    height = 84 + ROW * len(moved)
    with d.style():
        figure = d.paper(d.Size(size.width, height))
        axes = figure.add_subplot()
        low, high = _ends(moved, tolerance)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(len(moved) - 0.4, -0.6)
        axes.axvspan(1 / (1 + tolerance), 1 + tolerance, color=d.REQUIRED_BAND, zorder=0)
        axes.axvline(1.0, color=d.MUTED, linewidth=1.0, zorder=1)
        for place, each in enumerate(moved):
            _draw(axes, place, each)
        axes.set_yticks(range(len(moved)), [each.name for each in moved], fontsize=11.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        ticks = _ticks(low, high, most=_MOST_TICKS if size.width > d.NARROW.width else 3)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_percent))
        axes.set_xlabel(what, loc="right")
        worse, better = ("worse →", "← better") if lower_is_better else ("better →", "← worse")
        for text, at, side in ((better, 0.0, "left"), (worse, 1.0, "right")):
            axes.annotate(
                text,
                (at, 1.0),
                xycoords="axes fraction",
                xytext=(0, 5),
                textcoords="offset points",
                ha=side,
                fontsize=11,
                color=d.MUTED,
            )
        d.place(figure, left=left, right=18, top=24, bottom=44)
        return figure


def _draw(axes: Axes, place: int, each: Moved) -> None:
    """Draw one row; an interval that leaves the axis is cut at its end by the axes."""
    colour = d.BAD if each.alarm else d.INK
    low = each.ratio if each.low is None else each.low
    high = each.ratio if each.high is None else each.high
    axes.add_line(Line2D([low, high], [place, place], color=colour, linewidth=2.0, zorder=2))
    marker = "D" if each.alarm else "o"
    axes.plot(each.ratio, place, marker, color=colour, markersize=6.5, zorder=3)
    if each.high is None and each.low is not None:
        axes.annotate(
            "",
            (each.ratio, place),
            xytext=(26, 0),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": colour, "linewidth": 1.6},
        )


def _ends(moved: Sequence[Moved], tolerance: float) -> tuple[float, float]:
    """Choose the ends of the axis: everything is seen, no change and the band included."""
    numbers = [n for each in moved for n in (each.ratio, each.low, each.high) if n]
    farthest = max(abs(math.log(number)) for number in (*numbers, 1 + 1.6 * tolerance))
    below = max(0.0, -math.log(min(numbers, default=1.0)))
    above = max(0.0, math.log(max(numbers, default=1.0)))
    least = max(math.log(1 + 1.6 * tolerance), 0.2 * farthest)
    return math.exp(-max(below, least) * 1.08), math.exp(max(above, least) * 1.08)


def _ticks(low: float, high: float, *, most: int) -> list[float]:
    """Choose round changes inside the ends, 1 among them, not closer than can be read."""
    found = [1.0]
    apart = (math.log(high) - math.log(low)) / (most + 2)
    for side in (_ABOVE, _BELOW):
        last = 0.0
        for tick in side:
            if low <= tick <= high and abs(math.log(tick) - last) >= apart:
                found.append(tick)
                last = math.log(tick)
    return sorted(found)


def _percent(ratio: float, _position: object = None) -> str:
    """Write a tick: from three times on as a multiple."""
    if ratio >= 3 - 1e-9:
        return f"x {ratio:.6g}"
    percent = round((ratio - 1) * 100, 1)
    return "0" if percent == 0 else f"{percent:+.3g} %"
