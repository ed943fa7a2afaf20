"""Figures over run time: latency, and what was asked, open, answered and bad."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from analysis.figures import drawing as d
from analysis.figures.latency import (
    LINES,
    PERCENTILES,
    Limit,
    latency_axis,
    limit_lines,
    most_of,
    some,
)
from analysis.series import Series

_CHARACTER_PX = 7.2
HATCHES = ("", "///", "|||", "\\\\\\", "---")  # straight lines: a circle takes a page of SVG


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stage as figures over time show it; seconds of run time."""

    level: float
    start_s: float
    hold_s: float
    end_s: float
    required: bool = False


def latency_over_time(
    series: Series,
    bands: Sequence[Band],
    limits: Sequence[Limit],
    *,
    users: str = "users",
    size: d.Size = d.WIDE,
) -> Figure:
    """Percentiles of latency in each bin of run time, over the stages.

    Parameters
    ----------
    series : Series
        The run.
    bands : sequence of Band
        Its stages; holds are shaded, the required one darker.
    limits : sequence of Limit
        Budget limits.
    users : str
        What users are called.
    size : Size
        Of the figure.

    Returns
    -------
    Figure
        One line a percentile.
    """
    with d.style():
        figure = d.paper(size)
        axes = figure.add_subplot()
        shown = {level: values for level, values in series.latency_ms.items() if some(values)}
        for level, values in shown.items():
            axes.plot(series.middle_s, values, label=PERCENTILES[level], **LINES[level])
        values = np.concatenate([*shown.values(), [limit.latency_ms for limit in limits]])
        latency_axis(axes, values)
        _over_time(axes, series, bands, users)
        limit_lines(axes, limits)
        d.place(figure, left=58, right=14, top=48, bottom=62)
        d.legend(figure, axes)
        return figure


def throughput_over_time(
    series: Series,
    bands: Sequence[Band],
    *,
    users: str = "users",
    outcomes: Mapping[str, str] | None = None,
    size: d.Size = d.WIDE,
) -> Figure:
    """Good requests per second; bad ones where there were any; users and requests open.

    Parameters
    ----------
    series : Series
        The run.
    bands : sequence of Band
        Its stages.
    users : str
        What users are called.
    outcomes : mapping of str to str, optional
        How outcomes are called.
    size : Size
        Of the figure for one panel; each further one adds half of its height.

    Returns
    -------
    Figure
        Two or three panels over one time: a few errors would drown in the scale of
        the good requests, so they have their own.
    """
    with d.style():
        panels = 3 if series.bad_rps else 2
        figure = d.paper(d.Size(size.width, round(size.height * (0.5 + 0.5 * panels))))
        every = list(figure.subplots(panels, 1, sharex=True))
        _good_panel(every[0], series)
        if series.bad_rps:
            _bad_panel(every[1], series, outcomes or {})
        _open_panel(every[-1], series)
        for index, axes in enumerate(every):
            _over_time(axes, series, bands, users if index == 0 else None)
            if index < panels - 1:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
        figure.align_ylabels(every)
        d.place(figure, left=62, right=14, top=48, bottom=62, gap=16)
        d.legend(figure, every[-1])
        return figure


def _good_panel(axes: Axes, series: Series) -> None:
    axes.plot(series.middle_s, series.ok_rps, color=d.SERIES[1], linewidth=2, label="ok")
    d.scale_axis(axes, "y", 0, most_of(series.ok_rps), log=False, most=6)
    axes.set_ylabel("ok requests/s")


def _bad_panel(axes: Axes, series: Series, outcomes: Mapping[str, str]) -> None:
    """Stacked steps, for errors come in bursts; hatched, for ink knows no colours."""
    below = np.zeros_like(series.start_s)
    for index, (label, values) in enumerate(series.bad_rps.items()):
        axes.stairs(
            below + values,
            np.append(series.start_s, series.start_s[-1] + series.width_s),
            baseline=below,
            fill=True,
            color=(d.BAD, *d.KINDS[1:])[index % len(d.KINDS)],
            edgecolor=d.PAPER,
            linewidth=0,
            hatch=HATCHES[index % len(HATCHES)],
            label=outcomes.get(label, label.replace("_", " ")),
        )
        below = below + values
    d.scale_axis(axes, "y", 0, most_of(below) * 1.4, log=False, most=5)
    axes.set_ylabel("bad requests/s")
    columns = 2 if axes.bbox.width < d.WIDE.width / 2 else 5
    axes.legend(loc="upper left", ncols=columns, fontsize=11, borderaxespad=0.1, handlelength=1.4)


def _open_panel(axes: Axes, series: Series) -> None:
    axes.plot(
        series.middle_s,
        series.users_asked,
        color=d.MUTED,
        linewidth=1.2,
        linestyle="--",
        label="users asked for",
        drawstyle="steps-mid",
    )
    if some(series.users_running):
        axes.plot(
            series.middle_s,
            series.users_running,
            color=d.INK,
            linewidth=1.4,
            label="users running",
            drawstyle="steps-mid",
        )
    axes.plot(
        series.middle_s, series.in_flight, color=d.KINDS[1], linewidth=2, label="requests open"
    )
    most = max(
        most_of(series.users_asked), most_of(series.users_running), most_of(series.in_flight)
    )
    d.scale_axis(axes, "y", 0, most, log=False, most=6)
    axes.set_ylabel("at a time")


def _over_time(axes: Axes, series: Series, bands: Sequence[Band], users: str | None) -> None:
    """Shade the holds, name the users above them, count time below."""
    end_s = float(series.start_s[-1] + series.width_s)
    axes.set_xlim(0, end_s)
    axes.set_xlabel("run time, s" if end_s <= 1200 else "run time, min")  # noqa: PLR2004 - 20 min
    if end_s > 1200:  # noqa: PLR2004 - 20 min
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t_s, _: d.plain(t_s / 60)))
        step_s = max(60, 60 * math.ceil(end_s / 60 / 10))
        axes.xaxis.set_major_locator(FixedLocator(list(np.arange(0, end_s + 1, step_s))))
    for band in bands:
        colour = d.REQUIRED_BAND if band.required else d.BAND
        axes.axvspan(band.hold_s, min(band.end_s, end_s), color=colour, zorder=0, linewidth=0)
    if users is None:
        return
    width_px = axes.get_window_extent().width
    top = axes.secondary_xaxis("top")
    named = _named_bands([band for band in bands if band.hold_s < end_s], end_s / width_px)
    middles = [(band.hold_s + min(band.end_s, end_s)) / 2 for band in named]
    top.set_ticks(middles, labels=[f"{band.level:,.10g}" for band in named])
    top.spines["top"].set_visible(False)
    top.tick_params(length=0, pad=1)
    for label, band in zip(top.get_xticklabels(), named, strict=True):
        label.set_fontweight("bold" if band.required else "normal")
    axes.annotate(
        f"{users} in each stage",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 20),
        textcoords="offset points",
        color=d.MUTED,
        fontsize=11,
    )


def _named_bands(bands: Sequence[Band], s_per_px: float) -> list[Band]:
    """Those whose label has room beside the one before; the required one always has."""
    named: list[Band] = []
    for band in sorted(bands, key=lambda band: (not band.required, band.start_s)):
        middle = (band.hold_s + band.end_s) / 2
        room = (len(f"{band.level:,.10g}") + 1) * _CHARACTER_PX * s_per_px
        if all(abs(middle - (other.hold_s + other.end_s) / 2) >= room for other in named):
            named.append(band)
    return sorted(named, key=lambda band: band.start_s)
