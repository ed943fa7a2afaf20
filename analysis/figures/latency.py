"""What figures of latency share: percentiles, limits, and the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from analysis.figures import drawing as d

PERCENTILES = {0.5: "p50", 0.95: "p95", 0.99: "p99"}
LINES: Mapping[float, dict[str, Any]] = {
    0.5: {"color": d.SERIES[0], "linewidth": 1.6},
    0.95: {"color": d.SERIES[1], "linewidth": 2.2},
    0.99: {"color": d.SERIES[2], "linewidth": 1.3, "linestyle": (0, (1.2, 1.6))},
}
_LOG_FROM = 30.0  # beyond this ratio of largest to smallest, a linear axis hides the small


LIMIT_LINE: Mapping[str, Any] = {
    "color": d.LIMIT,
    "linewidth": 1.2,
    "linestyle": (0, (5, 3)),
    "zorder": 1.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A latency limit: where it lies, and how it is called."""

    latency_ms: float
    label: str


def some(values: Any) -> bool:
    """Whether there is any number to show."""
    return bool(np.isfinite(values).any())


def most_of(values: Any) -> float:
    """Give the largest number, 0 where there is none."""
    return float(np.nanmax(values)) if some(values) else 0.0


def wants_log(values: Any) -> bool:
    """Whether a linear axis would hide the small ones."""
    above = values[np.isfinite(values) & (values > 0)]
    return len(above) > 0 and above.max() / above.min() > _LOG_FROM


def latency_axis(axes: Axes, values: Any) -> None:
    """Scale the vertical axis for latencies, and say how."""
    finite = values[np.isfinite(values) & (values > 0)]
    log = wants_log(values)
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (1.0, 1.0)
    d.scale_axis(axes, "y", low, high, log=log, most=8)
    axes.set_ylabel("latency, ms (log scale)" if log else "latency, ms")


def limit_lines(axes: Axes, limits: Sequence[Limit], *, vertical: bool = False) -> None:
    """Dashed lines; where several share a value, their names share a line."""
    by_value: dict[float, list[str]] = {}
    for limit in limits:
        names = by_value.setdefault(limit.latency_ms, [])
        if limit.label not in names:
            names.append(limit.label)
    for value, names in by_value.items():
        (axes.axvline if vertical else axes.axhline)(value, **LIMIT_LINE)
        axes.annotate(
            ", ".join(names),
            (value, 1) if vertical else (0, value),
            xycoords=("data", "axes fraction") if vertical else ("axes fraction", "data"),
            xytext=(0, 4) if vertical else (4, -3),
            textcoords="offset points",
            color=d.LIMIT,
            fontsize=10.5,
            ha="right" if vertical else "left",  # a limit often lies at the right end
            va="bottom" if vertical else "top",  # above it stand the stages' users
        )
