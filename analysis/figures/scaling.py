"""Throughput against load: the levels, the fitted law with its band, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import drawing as d
from analysis.figures.latency import LIMIT_LINE, most_of, wants_log
from analysis.scaling_models import USL, curve_of

CURVES = {
    "linear": "line",
    "amdahl": "Amdahl's law",
    "asymptotes": "bounds of a queue",
    USL: "fitted law",
}
_CROWD = 30
"""Points that can have a name each."""


def has(estimate: Mapping[str, Any] | None) -> bool:
    """Whether there is a value to draw.

    Parameters
    ----------
    estimate : mapping or None
        As verdict.json holds it.

    Returns
    -------
    bool
        False for None, and for an estimate without a value.
    """
    return bool(estimate) and estimate is not None and estimate.get("value") is not None


def ends(estimate: Mapping[str, Any]) -> tuple[float, float]:
    """Measure how far the ends of an interval are from its value.

    Parameters
    ----------
    estimate : mapping
        With a value.

    Returns
    -------
    tuple of (float, float)
        Below and above, in the estimate's unit; 0 where an end is missing.
    """
    value = float(estimate["value"])
    low, high = estimate.get("low"), estimate.get("high")
    return (
        0.0 if low is None else max(0.0, value - low),
        0.0 if high is None else max(0.0, high - value),
    )


def scalability(
    stages: Sequence[Mapping[str, Any]],
    fit: Mapping[str, Any],
    *,
    users: str | None = "users",
    load: str = "mean requests in flight",
    throughput: str = "ok requests per second",
    size: d.Size = d.COLUMN,
) -> Figure:
    """Throughput against load, with the fitted law.

    Parameters
    ----------
    stages : sequence of mapping
        As verdict.json holds them.
    fit : mapping
        Its part ``scalability``; curves are drawn where it was not refused.
    users : str or None
        What users are called; None where points need no names.
    load, throughput : str
        What the axes are called.
    size : Size
        Of the figure.

    Returns
    -------
    Figure
        A point a stage, labelled with its users; stages that left the fit are hollow.
    """
    with d.style():
        figure = d.paper(size)
        axes = figure.add_subplot()
        levels = [s for s in stages if has(s.get("throughput")) and has(s.get("in_flight"))]
        numbers = np.array([s["in_flight"]["value"] for s in levels], dtype=float)
        rates = np.array([s["throughput"]["value"] for s in levels], dtype=float)
        log = wants_log(numbers)
        low, high = (numbers[numbers > 0].min(), numbers.max()) if most_of(numbers) else (0.1, 1.0)
        d.scale_axis(axes, "x", float(low), float(high), log=log, most=6, room=1.8)
        tops = [rate + ends(s["throughput"])[1] for rate, s in zip(rates, levels, strict=True)]
        saturation = fit.get("saturation")
        if has(saturation) and saturation is not None and saturation.get("unit") == "1/s":
            tops.append(float(saturation["value"]))
        most = max(tops, default=1.0)
        _curves(axes, fit, log=log, most=most)
        _marks(axes, fit, load=users is None)
        for level, number, rate in zip(levels, numbers, rates, strict=True):
            axes.errorbar(
                number,
                rate,
                xerr=np.array(ends(level["in_flight"]))[:, None],
                yerr=np.array(ends(level["throughput"]))[:, None],
                fmt="o",
                markersize=6,
                color=d.INK,
                ecolor=d.MUTED,
                elinewidth=1.4,
                markerfacecolor=d.INK if level.get("valid", True) else d.PAPER,
                zorder=3,
            )
        d.scale_axis(axes, "y", 0, most * 1.06, log=False, most=7)
        axes.set_ylabel(throughput)
        axes.set_xlabel(load + (" (log scale)" if log else ""))
        if users is not None and len(levels) <= _CROWD:
            _name_levels(axes, levels, numbers, rates)
            axes.set_title(f"labels: {users}", fontsize=11, color=d.MUTED, loc="left")
        rows = d.legend(figure, [axes])
        d.place(figure, left=58, right=16, top=30, bottom=45 + d.LEGEND_ROW * rows)
        return figure


def _name_levels(axes: Axes, levels: Any, numbers: Any, rates: Any) -> None:
    for index, (level, number, rate) in enumerate(zip(levels, numbers, rates, strict=True)):
        above = index % 2 == 0
        axes.annotate(
            f"{level['level']:,.10g}",
            (number, rate),
            xytext=(-7, 6) if above else (7, -14),
            ha="right" if above else "left",
            textcoords="offset points",
            fontsize=11,
        )


def _curves(axes: Axes, fit: Mapping[str, Any], *, log: bool, most: float) -> None:
    models = {model["name"]: model for model in fit.get("models") or ()}
    if fit.get("refused") or not models:
        return
    low, high = axes.get_xlim()
    load = np.geomspace(low, high, 200) if log else np.linspace(0, high, 200)[1:]
    band = fit.get("band")
    if band:
        above = np.minimum(band["high"], most * 1.5)  # beyond the paper it needs no path
        axes.fill_between(
            band["load"],
            band["low"],
            above,
            color=d.REQUIRED_BAND,
            linewidth=0,
            label="95 % of the law",
        )
    chosen = str(fit.get("chosen"))
    asymptotes = curve_of(models["asymptotes"])
    best = chosen == "asymptotes"
    axes.plot(
        load,
        asymptotes.throughput(load),
        color=d.KINDS[1] if best else d.MUTED,
        linewidth=1.6 if best else 1.2,
        linestyle=(0, (1.2, 1.6)),
        label=CURVES["asymptotes"],
    )
    axes.plot(
        load, curve_of(models[USL]).throughput(load), color=d.SERIES[1], linewidth=2,
        label=CURVES[USL],
    )  # fmt: skip
    if chosen in models and chosen not in {USL, "asymptotes"}:
        axes.plot(
            load,
            curve_of(models[chosen]).throughput(load),
            color=d.KINDS[1],
            linewidth=1.6,
            linestyle="--",
            label=CURVES[chosen],
        )


def _marks(axes: Axes, fit: Mapping[str, Any], *, load: bool) -> None:
    for name, word in (("saturation", "saturates at"), ("peak", "peak")):
        mark = fit.get(name)
        if not has(mark) or mark is None:
            continue
        value = float(mark["value"])
        said = d.plain(float(f"{value:.3g}"))
        if mark.get("unit") == "1/s":
            axes.axhline(value, label=f"{word} {said}/s", **LIMIT_LINE)
        else:
            place = "" if load else " in flight"
            axes.axvline(value, label=f"{word} at {said}{place}", **LIMIT_LINE)
