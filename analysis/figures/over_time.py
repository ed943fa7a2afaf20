"""Figures over run time: latency, and what was asked, open, answered and bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from analysis.figures.run_axis import Band, Mark, head_px, name_stages, over_run
from analysis.series import Arrivals, Series

HATCHES = ("", "///", "|||", "\\\\\\", "---")  # straight lines: a circle takes a page of SVG


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """How high p95 lies while nothing disturbs, where that was asked; seconds of run time."""

    start_s: float
    end_s: float
    p95_ms: float


def latency_over_time(
    series: Series,
    bands: Sequence[Band],
    limits: Sequence[Limit],
    *,
    marks: Sequence[Mark] = (),
    healthy: Sequence[Healthy] = (),
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
    marks : sequence of Mark
        What happened.
    healthy : sequence of Healthy
        Where p95 lies while nothing disturbs.
    users : str
        What levels count.
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
        for index, each in enumerate(healthy):
            axes.fill_between(
                [each.start_s, each.end_s],
                axes.get_ylim()[0],
                each.p95_ms,
                color=d.SERIES[1],
                alpha=0.16,
                linewidth=0,
                label="healthy p95" if index == 0 else None,
                zorder=0.7,
            )
        over_run(axes, end_s=series.end_s, bands=bands, marks=marks)
        name_stages(axes, bands, marks, users)
        limit_lines(axes, limits)
        d.place(figure, left=58, right=14, top=head_px(marks), bottom=62)
        d.legend(figure, [axes])
        return figure


def throughput_over_time(
    series: Series,
    bands: Sequence[Band],
    *,
    marks: Sequence[Mark] = (),
    outages: Sequence[tuple[float, float]] = (),
    users: str = "users",
    outcomes: Mapping[str, str] | None = None,
    size: d.Size = d.WIDE,
) -> Figure:
    """Good requests per second; bad ones where there were any; the load; requests open.

    Parameters
    ----------
    series : Series
        The run.
    bands : sequence of Band
        Its stages.
    marks : sequence of Mark
        What happened.
    outages : sequence of (float, float)
        When nothing was answered well, from and until.
    users : str
        What levels count.
    outcomes : mapping of str to str, optional
        How outcomes are called.
    size : Size
        Of the figure for one panel; each further one adds half of its height.

    Returns
    -------
    Figure
        Two to four panels over one time: a few errors would drown in the scale of the
        good requests, so they have their own; and so have arrivals, which are per second.
    """
    with d.style():
        panels = 2 + bool(series.bad_rps) + (series.arrivals is not None)
        figure = d.paper(d.Size(size.width, round(size.height * (0.5 + 0.5 * panels))))
        every = list(figure.subplots(panels, 1, sharex=True))
        good, *between, last = every
        _good_panel(good, series, outages)
        if series.bad_rps:
            _bad_panel(between.pop(0), series, outcomes or {})
        if series.arrivals is not None:
            _arrivals_panel(between[0], series, series.arrivals)
        _open_panel(last, series)
        for axes in every:
            over_run(axes, end_s=series.end_s, bands=bands, marks=marks)
        for axes in every[:-1]:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
        name_stages(every[0], bands, marks, users)
        figure.align_ylabels(every)
        rows = d.legend(figure, [good, *between, last])  # bad ones are named in their panel
        d.place(
            figure, left=62, right=14, top=head_px(marks), bottom=45 + d.LEGEND_ROW * rows, gap=16
        )
        return figure


def _good_panel(axes: Axes, series: Series, outages: Sequence[tuple[float, float]]) -> None:
    axes.plot(series.middle_s, series.ok_rps, color=d.SERIES[1], linewidth=2)
    d.scale_axis(axes, "y", 0, most_of(series.ok_rps), log=False, most=6)
    axes.set_ylabel("ok requests/s")
    for index, (start_s, end_s) in enumerate(outages):
        axes.plot(
            [start_s, end_s],
            [0, 0],
            color=d.BAD,
            linewidth=6,
            solid_capstyle="butt",
            label="down" if index == 0 else None,
            zorder=4,
        )


def _bad_panel(axes: Axes, series: Series, outcomes: Mapping[str, str]) -> None:
    """Stacked steps, for errors come in bursts; hatched, for ink knows no colours."""
    below = np.zeros_like(series.start_s)
    for index, (label, values) in enumerate(series.bad_rps.items()):
        _steps(
            axes,
            series,
            values,
            below=below,
            color=(d.BAD, *d.KINDS[1:])[index % len(d.KINDS)],
            hatch=HATCHES[index % len(HATCHES)],
            label=outcomes.get(label, label.replace("_", " ")),
        )
        below = below + values
    d.scale_axis(axes, "y", 0, most_of(below) * 1.4, log=False, most=5)
    axes.set_ylabel("bad requests/s")
    columns = 2 if axes.bbox.width < d.WIDE.width / 2 else 5
    axes.legend(loc="upper left", ncols=columns, fontsize=11, borderaxespad=0.1, handlelength=1.4)


def _steps(
    axes: Axes,
    series: Series,
    values: d.Floats,
    *,
    below: d.Floats,
    color: str,
    hatch: str,
    label: str,
) -> None:
    axes.stairs(
        below + values,
        np.append(series.start_s, series.end_s),
        baseline=below,
        fill=True,
        color=color,
        edgecolor=d.PAPER,
        linewidth=0,
        hatch=hatch,
        label=label,
    )


def _arrivals_panel(axes: Axes, series: Series, arrivals: Arrivals) -> None:
    """Clicks are to come as asked: those that had to wait, and of these those that never came."""
    nothing = np.zeros_like(series.start_s)
    for values, color, hatch, label in (
        (np.nan_to_num(arrivals.late), d.KINDS[1], "///", "no user was free"),
        (arrivals.missed, d.BAD, "", "missed"),
    ):
        if values.any():
            _steps(axes, series, values, below=nothing, color=color, hatch=hatch, label=label)
    axes.plot(
        series.middle_s,
        series.asked,
        color=d.MUTED,
        linewidth=1.2,
        linestyle="--",
        label="arrivals asked for",
        drawstyle="steps-mid",
    )
    axes.plot(
        series.middle_s,
        arrivals.begun,
        color=d.INK,
        linewidth=1.4,
        label="clicks begun",
        drawstyle="steps-mid",
    )
    most = max(map(most_of, (series.asked, arrivals.begun, arrivals.late, arrivals.missed)))
    d.scale_axis(axes, "y", 0, most, log=False, most=6)
    axes.set_ylabel("clicks/s")


def _open_panel(axes: Axes, series: Series) -> None:
    if series.arrivals is None:
        _users(axes, series)
    axes.plot(
        series.middle_s, series.in_flight, color=d.KINDS[1], linewidth=2, label="requests open"
    )
    most = most_of(series.in_flight)
    if series.arrivals is None:
        most = max(most, most_of(series.asked), most_of(series.users_running))
    d.scale_axis(axes, "y", 0, most, log=False, most=6)
    axes.set_ylabel("at a time")


def _users(axes: Axes, series: Series) -> None:
    axes.plot(
        series.middle_s,
        series.asked,
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
        )
