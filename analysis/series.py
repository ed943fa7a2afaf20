"""A run as time series: what figures are drawn from, in equal bins of run time.

Two clocks on purpose, each the one that verdicts use. Latency stands in the bin of
the *intended start*, so that the requests under a shaded hold are those that its
percentiles are made of, and a hang shows where it began instead of where it let go.
Throughput and errors stand in the bin in which the request *ended*.

Figures show; nothing is decided from a series. A percentile of a bin takes a
censored request (timeout, unfinished, missed, open) at its age, which is a lower
bound, and is left out (NaN) where fewer than ``1 / (1 - level)`` requests made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.recording.format import Outcome
from analysis.recording.reader import Recording
from analysis.windows import columns_of, rows_by_name
from scenarios.schedule import Schedule

WIDTHS_S = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
MOST_BINS = 400
LEVELS = (0.5, 0.95, 0.99)
_HALF_A_LINE_S = 0.5
"""A line of the timeline tells of the second before it: this is its middle."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What became of the arrivals of the open model, per second.

    Attributes
    ----------
    begun : ndarray, shape (n,)
        Clicks that were begun in the bin, NaN where nobody wrote it down.
    late : ndarray, shape (n,)
        Arrivals that were due in the bin and found no virtual user free, NaN as above.
    missed : ndarray, shape (n,)
        Arrivals that were due in the bin and never begun.
    """

    begun: Floats
    late: Floats
    missed: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A run in equal bins of run time.

    Attributes
    ----------
    width_s : float
        Length of a bin in seconds.
    start_s : ndarray, shape (n,)
        Where each bin begins, in seconds of run time.
    ok_rps : ndarray, shape (n,)
        Good requests that ended in the bin, per second.
    bad_rps : dict of str to ndarray, shape (n,)
        Bad ones by outcome, per second; only outcomes that occurred.
    latency_ms : dict of float to ndarray, shape (n,)
        Percentiles by level (0..1) over the requests intended in the bin.
    in_flight : ndarray, shape (n,)
        Mean number of requests sent and not yet ended.
    asked : ndarray, shape (n,)
        The level asked for at the middle of the bin: virtual users, or arrivals per second;
        NaN after the end of the load.
    users_running : ndarray, shape (n,)
        Virtual users that ran at the middle of the bin, NaN where nobody wrote it down.
    arrivals : Arrivals or None
        What became of arrivals; None in the closed model.
    """

    width_s: float
    start_s: Floats
    ok_rps: Floats
    bad_rps: dict[str, Floats]
    latency_ms: dict[float, Floats]
    in_flight: Floats
    asked: Floats
    users_running: Floats
    arrivals: Arrivals | None = None

    @property
    def middle_s(self) -> Floats:
        """Middle of each bin in seconds of run time, shape (n,)."""
        return self.start_s + self.width_s / 2

    @property
    def end_s(self) -> float:
        """End of the last bin in seconds of run time."""
        return float(self.start_s[-1] + self.width_s)


def bin_width_s(length_s: float, *, most: int = MOST_BINS) -> float:
    """Choose the bins of a run: 1 s, or the round width that needs no more than `most`.

    Parameters
    ----------
    length_s : float
        Length of the run in seconds.
    most : int
        Bins that a figure can show.

    Returns
    -------
    float
        Seconds.
    """
    return next((width for width in WIDTHS_S if length_s <= width * most), WIDTHS_S[-1])


def series_of(recording: Recording, *, width_s: float = 1.0) -> Series:
    """Cut a run into bins.

    Parameters
    ----------
    recording : Recording
        Any run, also one without samples.
    width_s : float
        Length of a bin in seconds.

    Returns
    -------
    Series
        From the start of the run to the end of its last request.
    """
    samples = recording.samples
    last_s = float(samples["end_s"].max()) if len(samples) else 0.0
    bins = max(1, int(np.ceil(max(recording.ended_s, last_s) / width_s)))
    start_s = np.arange(bins, dtype=np.float64) * np.float64(width_s)
    ended = _bin_of(samples["end_s"].to_numpy(), width_s, bins)
    good, bad = samples["good"].to_numpy(), samples["bad"].to_numpy()
    outcome = samples["outcome"].astype("category").cat
    kinds, kind = [str(name) for name in outcome.categories], outcome.codes.to_numpy()
    return Series(
        width_s=width_s,
        start_s=start_s,
        ok_rps=np.bincount(ended[good], minlength=bins) / width_s,
        bad_rps={
            kinds[code]: np.bincount(ended[bad & (kind == code)], minlength=bins) / width_s
            for code in sorted(set(kind[bad]), key=lambda code: kinds[code])
        },
        latency_ms=_latency(samples, width_s, bins),
        in_flight=_mean_open(samples, width_s, bins),
        asked=_asked(recording.schedule, start_s + width_s / 2, recording.ended_s),
        users_running=_running(recording.timeline, width_s, bins),
        arrivals=_arrivals(recording, width_s, bins) if recording.scenario.load.is_open else None,
    )


def _bin_of(times_s: Floats, width_s: float, bins: int) -> npt.NDArray[np.int64]:
    index = np.floor(times_s / width_s).astype(np.int64)
    return np.clip(index, 0, bins - 1)


def _latency(samples: pd.DataFrame, width_s: float, bins: int) -> dict[float, Floats]:
    counted = samples["good"].to_numpy() | samples["censored"].to_numpy()
    where = _bin_of(samples["intended_s"].to_numpy()[counted], width_s, bins)
    latency_ms = samples["latency_ms"].to_numpy()[counted]
    return binned_percentiles(where, latency_ms, bins, LEVELS)


def binned_percentiles(
    where: npt.NDArray[np.int64], latency_ms: Floats, bins: int, levels: Sequence[float]
) -> dict[float, Floats]:
    """Percentiles (numpy's ``linear``) of every bin in one sort.

    Parameters
    ----------
    where : ndarray of int, shape (n,)
        Bin of each request, 0..bins - 1.
    latency_ms : ndarray, shape (n,)
        Latencies, exact to the microsecond.
    bins : int
        Number of bins.
    levels : sequence of float
        Levels, 0..1.

    Returns
    -------
    dict of float to ndarray, shape (bins,)
        NaN where a bin holds fewer than ``1 / (1 - level)`` requests.
    """
    # Bin and latency in one whole number: a single sort orders every bin, and exactly.
    ordered = np.maximum(np.rint(latency_ms * 1000), 0).astype(np.int64)
    base = int(ordered.max(initial=0)) + 1
    ordered += where * base
    ordered.sort()
    ordered %= base
    count = np.bincount(where, minlength=bins)
    first = np.cumsum(count) - count
    found = {}
    for level in levels:
        position = (count - 1) * level
        below = np.floor(np.maximum(position, 0)).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        values = np.full(bins, np.nan)
        enough = count * (1 - level) >= 1 - 1e-9
        low = ordered[(first + below)[enough]] / 1000
        high = ordered[(first + above)[enough]] / 1000
        values[enough] = low + (high - low) * (position - below)[enough]
        found[level] = values
    return found


def _mean_open(samples: pd.DataFrame, width_s: float, bins: int) -> Floats:
    sent = samples["sent_us"].to_numpy(dtype=float)
    was_sent = ~np.isnan(sent)
    begun = _elapsed(sent[was_sent] / 1e6, width_s, bins)
    done = _elapsed(samples["end_s"].to_numpy()[was_sent], width_s, bins)
    return np.maximum(begun - done, 0.0) / width_s


def _elapsed(times_s: Floats, width_s: float, bins: int) -> Floats:
    """Seconds, summed over all times, that lie in each bin after the time."""
    index = np.clip(np.floor(times_s / width_s).astype(np.int64), 0, bins - 1)
    inside = np.bincount(index, weights=(index + 1) * width_s - times_s, minlength=bins)
    before = np.cumsum(np.bincount(index, minlength=bins)) - np.bincount(index, minlength=bins)
    return np.asarray(inside + before * width_s)


def _asked(schedule: Schedule, at_s: Floats, ended_s: float) -> Floats:
    levels = np.array([schedule.at(float(t_s)).level for t_s in at_s], dtype=float)
    return np.where(at_s < ended_s, levels, np.nan)


def _running(timeline: Sequence[Mapping[str, Any]], width_s: float, bins: int) -> Floats:
    """Add up the users that ran at the middle of each bin; between lines in proportion."""
    written: dict[int, list[tuple[float, float]]] = {}
    for line in timeline:
        if line.get("running") is not None and line.get("t_s") is not None:
            moment = (float(line["t_s"]), float(line["running"]))
            written.setdefault(int(line.get("process", 0)), []).append(moment)
    middle_s = (np.arange(bins) + 0.5) * width_s
    total = np.full(bins, np.nan)
    for moments in written.values():
        t_s, running = np.array(sorted(moments)).T
        spoken = (middle_s >= t_s[0] - width_s) & (middle_s <= t_s[-1] + width_s)
        values = np.where(spoken, np.interp(middle_s, t_s, running), np.nan)
        total = np.where(np.isnan(total), values, total + np.nan_to_num(values))
    return total


def _arrivals(recording: Recording, width_s: float, bins: int) -> Arrivals:
    samples = recording.samples
    missed = (samples["outcome"] == Outcome.MISSED.label).to_numpy()
    due = _bin_of(samples["intended_s"].to_numpy()[missed], width_s, bins)
    return Arrivals(
        begun=_counted(recording.timeline, "clicks", width_s, bins),
        late=_counted(recording.timeline, "late", width_s, bins),
        missed=np.bincount(due, minlength=bins) / width_s,
    )


def _counted(timeline: Sequence[Mapping[str, Any]], key: str, width_s: float, bins: int) -> Floats:
    """Bin what processes counted in the second before each line, per second."""
    lines = [line for line in timeline if line.get(key) is not None and "t_s" in line]
    if not lines:
        return np.full(bins, np.nan)
    ended_s = np.array([float(line["t_s"]) for line in lines])
    counts = np.array([float(line[key]) for line in lines])
    where = _bin_of(ended_s - _HALF_A_LINE_S, width_s, bins)
    return np.bincount(where, weights=counts, minlength=bins) / width_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """How one endpoint's latency is distributed in one hold.

    Attributes
    ----------
    name : str
        The endpoint.
    latency_ms : ndarray, shape (k,)
        Rising; thinned to what a figure can show, dense in the tail.
    share_slower : ndarray, shape (k,)
        Share of its requests that took at least so long, 0..1.
    n : int
        Requests it was made of.
    censored : int
        Those of which only a least age is known.
    """

    name: str
    latency_ms: Floats
    share_slower: Floats
    n: int
    censored: int


def tails_of(recording: Recording, *, stage: int, most: int = 6) -> list[Tail]:
    """Latency distributions of the endpoints with most requests in a hold.

    Parameters
    ----------
    recording : Recording
        The run.
    stage : int
        Number of the stage.
    most : int
        Endpoints to give.

    Returns
    -------
    list of Tail
        Most requested first; empty when the hold has no requests.
    """
    span = recording.schedule.spans[stage]
    samples = recording.samples
    at_s = samples["intended_s"].to_numpy()
    inside = (at_s >= span.hold_s) & (at_s < span.end_s)
    inside &= samples["good"].to_numpy() | samples["censored"].to_numpy()
    counted = columns_of(samples, "name", "latency_ms", "censored")[inside]
    rows = rows_by_name(counted)
    names = counted["name"].value_counts()
    return [
        _tail(str(name), counted.iloc[rows[str(name)]]) for name in names[names > 0].index[:most]
    ]


def _tail(name: str, samples: pd.DataFrame) -> Tail:
    latency = np.sort(samples["latency_ms"].to_numpy(dtype=float))
    n = len(latency)
    # Ranks from the slowest, in equal steps of the logarithm: the tail whole, the rest thinned.
    ranks = np.unique(np.rint(np.geomspace(1, n, 120)).astype(np.int64))[::-1]
    return Tail(
        name=name,
        latency_ms=latency[n - ranks],
        share_slower=ranks / n,
        n=n,
        censored=int(samples["censored"].sum()),
    )
