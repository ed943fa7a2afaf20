"""Figures over load: latency by users, and latency at one load."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.figures import drawing as d
from analysis.figures.latency import (
    LINES,
    PERCENTILES,
    Limit,
    latency_axis,
    limit_lines,
    some,
    wants_log,
)
from analysis.figures.scaling import ends, has
from analysis.series import Tail

_MARKERS = {0.5: "o", 0.95: "s", 0.99: "^"}


def _is_bound(estimate: Mapping[str, Any]) -> bool:
    return estimate.get("high") is None and estimate.get("low") == estimate.get("value")


def percentiles_by_users(
    stages: Sequence[Mapping[str, Any]],
    limits: Sequence[Limit],
    *,
    users: str = "users",
    size: d.Size = d.COLUMN,
) -> Figure:
    """Latency percentiles of each hold against its users.

    Parameters
    ----------
    stages : sequence of mapping
        As verdict.json holds them.
    limits : sequence of Limit
        Budget limits.
    users : str
        What users are called.
    size : Size
        Of the figure.

    Returns
    -------
    Figure
        A line a percentile; an upward arrow where the value is a lower bound. Stages
        stand in order, equally spaced, where their users do not rise.
    """
    with d.style():
        figure = d.paper(size)
        axes = figure.add_subplot()
        loads = [float(stage["level"]) for stage in stages]
        rising = all(a < b for a, b in itertools.pairwise(loads))
        at = np.array(loads, dtype=float) if rising else np.arange(1, len(loads) + 1.0)
        everything = [limit.latency_ms for limit in limits]
        for level, name in PERCENTILES.items():
            everything += _percentile_line(axes, at, stages, level, name)
        latency_axis(axes, np.array(everything or [math.nan]))
        _users_axis(axes, at, loads, users, rising=rising)
        limit_lines(axes, limits)
        d.place(figure, left=58, right=16, top=14, bottom=62)
        d.legend(figure, [axes])
        return figure


def _percentile_line(
    axes: Axes, at: Any, stages: Sequence[Mapping[str, Any]], level: float, name: str
) -> list[float]:
    estimates = [stage.get("latency", {}).get(name) for stage in stages]
    values = np.array([e["value"] if has(e) else math.nan for e in estimates], dtype=float)
    if not some(values):
        return []
    look = dict(LINES[level])
    axes.plot(at, values, label=name, marker=_MARKERS[level], markersize=5, **look)
    for x, estimate in zip(at, estimates, strict=True):
        if not has(estimate):
            continue
        below, above = ends(estimate)
        if _is_bound(estimate):
            axes.annotate(
                "",
                (x, estimate["value"]),
                xytext=(0, 20),
                textcoords="offset points",
                arrowprops={"arrowstyle": "<-", "color": look["color"], "linewidth": 1.6},
            )
        elif below or above:
            axes.errorbar(
                x, estimate["value"], yerr=[[below], [above]], color=look["color"], elinewidth=1.2
            )
    outer = [end for e in estimates if has(e) for end in (e.get("low"), e.get("high"))]
    outer += [1.7 * e["value"] for e in estimates if has(e) and _is_bound(e)]  # for the arrow
    return [*values.tolist(), *(float(end) for end in outer if end is not None)]


def _users_axis(axes: Axes, at: Any, loads: list[float], users: str, *, rising: bool) -> None:
    low, high = (float(at.min()), float(at.max())) if len(at) else (1.0, 1.0)
    if rising and low > 0 and high / low > 8:  # noqa: PLR2004 - from there on they crowd
        axes.set_xscale("log")
        axes.set_xlim(low / 1.3, high * 1.3)
    else:
        room = max(0.5, (high - low) * 0.06)
        axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(FixedLocator(at.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    names = [f"{load:,.10g}" for load in loads]
    axes.xaxis.set_major_formatter(FuncFormatter(lambda _, index: names[index or 0]))
    axes.set_xlabel(users if rising else f"{users}, stage by stage")


def latency_tails(
    tails: Sequence[Tail],
    limits: Sequence[Limit],
    *,
    size: d.Size = d.COLUMN,
) -> Figure:
    """Share of requests that took longer, by endpoint, in a scale that shows tails.

    Parameters
    ----------
    tails : sequence of Tail
        Distributions, with names ready to print.
    limits : sequence of Limit
        Budget limits.
    size : Size
        Of the figure.

    Returns
    -------
    Figure
        A line an endpoint.
    """
    with d.style():
        rows = max(1, len(tails))
        figure = d.paper(d.Size(size.width, size.height + 16 * (rows - 1)))
        axes = figure.add_subplot()
        for index, tail in enumerate(tails):
            axes.plot(
                tail.latency_ms,
                tail.share_slower * 100,
                color=d.KINDS[index % len(d.KINDS)],
                linestyle=d.STYLES[index % len(d.STYLES)],
                linewidth=1.8,
                label=tail.name,
            )
        values = np.concatenate([[limit.latency_ms for limit in limits], *_latencies(tails)])
        above = values[values > 0]
        low, high = (above.min(), above.max()) if len(above) else (1.0, 10.0)
        log = wants_log(values)
        d.scale_axis(axes, "x", float(low), float(high), log=log, most=7)
        least = min([float(tail.share_slower.min()) for tail in tails], default=0.01) * 100
        d.scale_axis(axes, "y", least, 100, log=True, most=7)
        axes.grid(visible=True, axis="both")
        axes.set_xlabel("latency, ms (log scale)" if log else "latency, ms")
        axes.set_ylabel("requests that took longer, % (log scale)")
        limit_lines(axes, limits, vertical=True)
        d.place(figure, left=58, right=16, top=26, bottom=50 + 16.5 * rows)
        d.legend(figure, [axes], columns=1)
        return figure


def _latencies(tails: Sequence[Tail]) -> list[Any]:
    return [tail.latency_ms for tail in tails]
