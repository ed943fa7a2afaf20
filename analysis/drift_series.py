"""The series of a hold in which drift is looked for: latency, throughput, memory, files.

Equal bins of the hold, the last broken one left out, and those that a fault or a
recovery touches. A second a bin in short holds, more in long ones; a percentile takes
bins wide enough for nine tenths of them to have the requests that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.autocorrelation import QUANTILE_METHOD, FloatArray
from analysis.phases import Stretch, undisturbed
from analysis.recording.reader import Recording
from analysis.series import WIDTHS_S, bin_width_s
from analysis.trend import MIN_BINS
from analysis.windows import Hold
from scenarios.assertions import RESOURCE_SERIES, Metric, parse_assertion
from scenarios.counting import agreeing, count_of

MOST_BINS: Final = 360
SHORTEST_HOLD_S: Final = MIN_BINS * WIDTHS_S[0]
"""In which there are bins enough for a trend, if each has requests enough."""

ENOUGH: Final = 0.9
"""Share of the bins that must have enough requests for a percentile."""

_MIB = 2**20
_UNITS: Final[Mapping[str, str]] = {
    "throughput": "1/s",
    "memory": "MiB",
    "files": "files",
    "connections": "connections",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSeries:
    """One series of a hold.

    Attributes
    ----------
    metric : str
        As budgets name series.
    subject : str
        Endpoint or ``"all"``.
    unit : str
        Of the values.
    start_s : ndarray, shape (n,)
        Where each bin begins, in seconds of run time.
    values : ndarray, shape (n,)
        What was seen in it.
    width_s : float
        Length of a bin in seconds.
    headroom : float or None
        What is left at the end of the hold until the resource is used up, where that is known.
    nearest : ndarray, shape (n,), or None
        What the one process had that `headroom` is of, NaN where it was not seen; None where
        it is that of all processes together.
    why : str or None
        Why there are no values at all.
    """

    metric: str
    subject: str
    unit: str
    start_s: FloatArray
    values: FloatArray
    width_s: float
    headroom: float | None = None
    nearest: FloatArray | None = None
    why: str | None = None


def level_of(metric: str) -> float | None:
    """Tell which percentile a series is of.

    Parameters
    ----------
    metric : str
        As budgets name series.

    Returns
    -------
    float or None
        0..1; None where it is no percentile.
    """
    if metric == "med" or metric.startswith("p("):
        return parse_assertion(f"{metric} < 1").level
    return None


def requests_a_bin(level: float | None) -> int:
    """Count the requests that a bin must have for a percentile, or a mean, of its own.

    Parameters
    ----------
    level : float or None
        0..1, as :func:`level_of` tells it; None for a mean.

    Returns
    -------
    int
        So many that one of them lies beyond the percentile.
    """
    return 1 if level is None else int(np.ceil(1 / (1 - level) - 1e-9))


def series_in(
    recording: Recording,
    hold: Hold,
    *,
    metric: str,
    subject: str = "all",
    disturbed: Sequence[Stretch] = (),
) -> DriftSeries:
    """Cut one measure of a hold into bins.

    Parameters
    ----------
    recording : Recording
        The run.
    hold : Hold
        Of all requests.
    metric : str
        As budgets name series.
    subject : str
        Endpoint or ``"all"``.
    disturbed : sequence of (Label, float, float)
        What of the run was under a fault or in recovery.

    Returns
    -------
    DriftSeries
        Without values, and with the reason, where nobody looked.
    """
    window = hold.window
    if not window.was_run:
        return _empty(metric, subject, "the required stage was not run")
    base_s = bin_width_s(window.length_s, most=MOST_BINS)
    if metric in RESOURCE_SERIES:
        return _resource(recording, (window.start_s, window.end_s), metric, base_s, disturbed)
    about = hold.about(subject)
    if metric == "throughput":
        opened = about.opened("end_s", "good")
        done_s = opened["end_s"].to_numpy(dtype=float)[opened["good"].to_numpy(dtype=bool)]
        edges = _edges(window.start_s, window.end_s, base_s)
        values = np.histogram(done_s, edges)[0] / base_s
        return _cut(metric, subject, edges, values, disturbed)
    return _latency(about, metric, subject, base_s, disturbed)


def _empty(metric: str, subject: str, why: str) -> DriftSeries:
    nothing = np.empty(0)
    return DriftSeries(
        metric=metric,
        subject=subject,
        unit=_UNITS.get(metric, "ms"),
        start_s=nothing,
        values=nothing,
        width_s=1.0,
        why=why,
    )


def _edges(start_s: float, end_s: float, width_s: float) -> FloatArray:
    # a thousandth of a second is forgiven: holds are differences of floats
    whole = int((end_s - start_s + 1e-3) / width_s)
    return np.asarray(start_s + np.arange(whole + 1) * width_s, dtype=np.float64)


def _cut(
    metric: str,
    subject: str,
    edges: FloatArray,
    values: npt.NDArray[np.floating[Any]],
    disturbed: Sequence[Stretch],
    headroom: float | None = None,
    nearest: FloatArray | None = None,
) -> DriftSeries:
    """Leave out the bins that have no value, or that something was done in."""
    width_s = float(edges[1] - edges[0]) if len(edges) > 1 else 1.0
    kept = undisturbed(edges[:-1], width_s, disturbed) & np.isfinite(values)
    return DriftSeries(
        metric=metric,
        subject=subject,
        unit=_UNITS.get(metric, "ms"),
        start_s=edges[:-1][kept],
        values=np.asarray(values, dtype=np.float64)[kept],
        width_s=width_s,
        headroom=headroom,
        nearest=None if nearest is None else nearest[kept],
    )


def _latency(
    hold: Hold, metric: str, subject: str, base_s: float, disturbed: Sequence[Stretch]
) -> DriftSeries:
    window = hold.window
    among = (hold.samples["good"] | hold.samples["censored"]).to_numpy(dtype=bool)
    at_s = hold.samples["intended_s"].to_numpy(dtype=float)
    among = among & (at_s >= window.start_s)
    at_s, latency = at_s[among], hold.samples["latency_ms"].to_numpy(dtype=float)[among]
    level = level_of(metric)
    needed = requests_a_bin(level)
    if len(at_s) == 0:
        return _empty(metric, subject, "no request was answered well, and none is open")
    for width_s in (width for width in WIDTHS_S if width >= base_s):
        edges = _edges(window.start_s, window.end_s, width_s)
        cuts = np.searchsorted(at_s, edges)  # samples of a hold lie in intended order
        if len(edges) > 1 and np.mean(np.diff(cuts) >= needed) >= ENOUGH:
            return _cut(metric, subject, edges, _binned(latency, cuts, needed, level), disturbed)
    found, lacking = count_of(len(at_s), "request"), f"{needed:,} {agreeing(needed, 'are')} needed"
    why = f"not enough data: {found}, and {lacking} in nearly every bin"
    return _empty(metric, subject, why)


def _binned(
    latency: FloatArray, cuts: npt.NDArray[np.intp], needed: int, level: float | None
) -> FloatArray:
    def of(part: FloatArray) -> float:
        if len(part) < needed:
            return float("nan")
        if level is None:
            return float(part.mean())
        return float(np.quantile(part, level, method=QUANTILE_METHOD))

    return np.array([of(latency[a:b]) for a, b in pairwise(cuts)])


def _resource(
    recording: Recording,
    span: tuple[float, float],
    metric: str,
    base_s: float,
    disturbed: Sequence[Stretch],
) -> DriftSeries:
    role, column = ("crm", "pool_used") if metric == "connections" else ("target", _COLUMNS[metric])
    lines = pd.DataFrame(
        [
            line
            for line in recording.resources
            if line.get("role") == role
            and line.get(column) is not None
            and span[0] <= float(line.get("t_s", -1.0)) < span[1]
        ]
    )
    if lines.empty:
        return _empty(metric, "all", f"nobody saw the {metric} of the target")
    edges = _edges(*span, base_s)
    values = _looks(lines, column, edges) / (_MIB if metric == "memory" else 1)
    headroom, whose = _HEADROOM[metric](recording, lines)
    nearest = None if whose is None else _looks(whose, column, edges)
    return _cut(metric, "all", edges, values, disturbed, headroom, nearest)


def _looks(lines: pd.DataFrame, column: str, edges: FloatArray) -> FloatArray:
    """Average in bins what all processes of a look, whose lines have one time, had together."""
    looks = pd.to_numeric(lines[column]).groupby(lines["t_s"].astype(float)).sum()
    at_s, seen = looks.index.to_numpy(dtype=float), looks.to_numpy(dtype=float)
    counts = np.histogram(at_s, edges)[0]
    sums = np.histogram(at_s, edges, weights=seen)[0]
    means: FloatArray = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


_COLUMNS: Final = {"memory": "rss", "files": "files"}


_Left = tuple[float | None, pd.DataFrame | None]
"""How much there is, and the lines of the one process that has it (None: of all together)."""


def _memory_left(recording: Recording, lines: pd.DataFrame) -> _Left:
    """Memory of the machine, or of its control group, less what the target has."""
    environment = recording.manifest.get("environment") or {}
    known = [environment.get("memory_bytes"), environment.get("memory_limit_bytes")]
    limits = [float(limit) for limit in known if limit is not None]
    if not limits:
        return None, None
    last = lines[lines["t_s"] == lines["t_s"].max()]
    return max(0.0, (min(limits) - float(last["rss"].sum())) / _MIB), None


def _files_left(recording: Recording, lines: pd.DataFrame) -> _Left:
    """Files that the process nearest to its limit may still open, and how it came there."""
    limits = {
        line["pid"]: float(line["files_limit"])
        for line in recording.resources
        if line.get("files_limit") is not None
    }
    last = lines[lines["t_s"] == lines["t_s"].max()]
    left = {
        pid: limits[pid] - float(files)
        for pid, files in zip(last["pid"], last["files"], strict=True)
        if pid in limits
    }
    if not left:
        return None, None
    nearest = min(left, key=lambda pid: left[pid])
    return max(0.0, left[nearest]), lines[lines["pid"] == nearest]


def _connections_left(_: Recording, lines: pd.DataFrame) -> _Left:
    last = lines[lines["t_s"] == lines["t_s"].max()]
    if "pool_size" not in last or last["pool_size"].isna().any():
        return None, None
    return max(0.0, float((last["pool_size"] - last["pool_used"]).sum())), None


_HEADROOM: Final[Mapping[str, Callable[[Recording, pd.DataFrame], _Left]]] = {
    "memory": _memory_left,
    "files": _files_left,
    "connections": _connections_left,
}

FALLS: Final = frozenset({str(Metric.THROUGHPUT)})
"""Series that get worse as they fall."""
