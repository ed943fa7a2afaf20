"""What the processes of a run used, over run time: small panels, each in its own unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import drawing as d
from analysis.figures.latency import most_of, some
from analysis.figures.run_axis import Band, Mark, head_px, name_stages, over_run
from analysis.usage import Usage

LOOKS: Mapping[str, dict[str, Any]] = {
    "target": {"label": "target", "color": d.SERIES[1], "linewidth": 2.0},
    "database": {"label": "database", "color": d.KINDS[2], "linewidth": 1.6, "linestyle": "--"},
    "generator": {
        "label": "generator",
        "color": d.KINDS[1],
        "linewidth": 1.4,
        "linestyle": (0, (5, 1, 1, 1)),
    },
    "master": {
        "label": "generators' master",
        "color": d.MUTED,
        "linewidth": 1.2,
        "linestyle": ":",
    },
}
_PANEL_SHARE = 0.45


def resources_over_time(
    usage: Usage,
    bands: Sequence[Band],
    *,
    marks: Sequence[Mark] = (),
    users: str = "users",
    size: d.Size = d.WIDE,
) -> Figure:
    """CPU by role, memory of the target and its database, and the CRM's own gauges.

    Parameters
    ----------
    usage : Usage
        Of at least one role.
    bands : sequence of Band
        Stages.
    marks : sequence of Mark
        What happened.
    users : str
        What levels count.
    size : Size
        Of a figure of one panel.

    Returns
    -------
    Figure
        Two panels, or three where the CRM told how many of its connections are in use.
    """
    with d.style():
        panels: list[Callable[[Axes], None]] = [partial(_cpu, usage), partial(_memory, usage)]
        if some(usage.pool_used):
            panels.append(partial(_gauges, usage))
        height = round(size.height * (0.25 + _PANEL_SHARE * len(panels)))
        figure = d.paper(d.Size(size.width, height))
        every = list(figure.subplots(len(panels), 1, sharex=True))
        end_s = float(usage.start_s[-1] + usage.width_s)
        for draw, axes in zip(panels, every, strict=True):
            draw(axes)
            over_run(axes, end_s=end_s, bands=bands, marks=marks)
        for axes in every[:-1]:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
        name_stages(every[0], bands, marks, users)
        figure.align_ylabels(every)
        rows = d.legend(figure, every)
        d.place(
            figure, left=62, right=14, top=head_px(marks), bottom=45 + d.LEGEND_ROW * rows, gap=16
        )
        return figure


def _cpu(usage: Usage, axes: Axes) -> None:
    for role, values in usage.cpu_cores.items():
        axes.plot(usage.middle_s, values, **LOOKS[role])
    d.scale_axis(axes, "y", 0, _most(usage.cpu_cores.values()), log=False, most=5)
    axes.set_ylabel("CPU, cores")


def _memory(usage: Usage, axes: Axes) -> None:
    shown: list[str] = [role for role in ("target", "database") if role in usage.memory_mib]
    for role in shown or list(usage.memory_mib):  # a target elsewhere: its memory is not seen
        # every role stands in the legend once, with its CPU
        axes.plot(usage.middle_s, usage.memory_mib[role], **{**LOOKS[role], "label": None})
    most = _most(usage.memory_mib[role] for role in shown or usage.memory_mib)
    d.scale_axis(axes, "y", 0, most, log=False, most=5)
    axes.set_ylabel("memory, MiB")


def _gauges(usage: Usage, axes: Axes) -> None:
    for values, label, look in (
        (usage.in_service, "requests in the CRM", {"color": d.SERIES[2], "linewidth": 1.2}),
        (usage.pool_used, "its connections in use", {"color": d.KINDS[3], "linewidth": 2}),
        (
            usage.pool_size,
            "those it may have",
            {"color": d.KINDS[3], "linewidth": 1.1, "linestyle": "--"},
        ),
    ):
        drawn: dict[str, Any] = {"drawstyle": "steps-mid", "label": label, **look}
        axes.plot(usage.middle_s, values, **drawn)
    most = _most((usage.in_service, usage.pool_used, usage.pool_size))
    d.scale_axis(axes, "y", 0, most, log=False, most=5)
    axes.set_ylabel("at a time")


def _most(every: Any) -> float:
    found = [most_of(np.asarray(values)) for values in every]
    return max(found, default=0.0)
