"""Delivery of the load: was what was asked for there, and did the generator keep up.

Users and the generator's health are read from the timeline: a line a second and generator
process. A hold for which nobody wrote one is not fine: nobody saw whether its load was
there. Arrivals are held against the schedule of the run's seed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.arrivals import (
    BUSY_SHARE,
    due_in,
    missed_by_generator,
    recorded_in,
    waited_for_target,
)
from analysis.reasons import Finding, Reason
from analysis.recording.reader import Recording
from analysis.records import lost_at_s
from analysis.windows import Hold, Window
from scenarios.model import named

SHORT_S = 1.0
"""Users may be short for so long in a hold, or the arrivals of so long not begun."""

STALE_S = 2.5
"""A line speaks for the time up to the next, but no longer than this: lines come every second."""

LINE_S = 1.0

STOOD_S = 0.5
"""A line may come so late, or by 1 % of a hold if that is more; a shorter stop of the loop is seen
in what the loop itself measured."""

STEP_S = 0.1

CPU_SHARE = 0.85
LAG_FLOOR_S = 0.005
LAG_SHARE = 0.05
"""A lag may reach 5 ms, or this share of the tightest latency limit if that is more."""

LATE_LEVEL = 0.99

_WHOLE_FROM_S = 0.1

_OF_AN_ARRIVAL = ("process", "persona", "step", "intended_s")


def load_delivered(recording: Recording, hold: Hold) -> Finding:
    """Compare the users that ran, or the arrivals that were begun, with those asked for.

    Parameters
    ----------
    recording : Recording
        The run.
    hold : Hold
        A hold that was run.

    Returns
    -------
    Finding
        ``load_not_delivered`` when users were short, or unseen, for more than a second of
        the hold, or more arrivals than come in a second were not begun for a reason on
        the generator's side.
    """
    load = recording.scenario.load
    if not load.is_open:
        return _users_ran(recording, hold.window, hold.window.level)
    users = _users_ran(recording, hold.window, load.max_users)
    return users if users.reasons else _arrivals_begun(recording, hold)


def _users_ran(recording: Recording, window: Window, asked: float) -> Finding:
    lines = _lines(_without_starting(recording.timeline), "running")
    steps = max(1, round(window.length_s / STEP_S))
    times = window.start_s + (np.arange(steps) + 0.5) * window.length_s / steps
    every, lost = {**dict.fromkeys(_processes(recording), ()), **lines}, lost_at_s(recording)
    running = _sum_at(times, every, lost)
    is_open = recording.scenario.load.is_open
    asked_words = f"{asked:g} virtual users" if is_open else named(asked, "users")
    if np.isnan(running).all():
        message = (
            f"stage {window.stage + 1}: the timeline has no line of this hold, or not of "
            f"every generator, so nobody saw whether {asked_words} ran"
        )
        return _short(window, message, measured=0.0, limit=asked)
    # Against the schedule, not the driver's word: who asks for less does not deliver.
    short = running < asked
    short_s = float(short.mean()) * window.length_s
    unseen_s = float(np.isnan(running).mean()) * window.length_s
    # The one line of a hold of a second comes while its users start, the next one at its end.
    at_end = float(_sum_at(np.array([window.end_s + STOOD_S]), every, lost)[0])
    if short_s > SHORT_S or (short.all() and window.complete and not at_end >= asked):
        fewest = float(np.nanmin(running))
        message = (
            f"stage {window.stage + 1}: {asked_words} were asked for, and for "
            f"{short_s:.3g} s of the hold fewer ran, at the least {fewest:.0f}; "
            f"allowed: {SHORT_S:g} s"
        )
        return _short(window, message, measured=fewest, limit=asked)
    if unseen_s > SHORT_S:
        message = (
            f"stage {window.stage + 1}: for {unseen_s:.3g} s of the hold no generator, or not "
            f"every one, wrote how many users ran; allowed: {SHORT_S:g} s"
        )
        return _short(window, message, measured=0.0, limit=asked)
    return Finding()


def _without_starting(timeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take those for no load that the engine counts and that have not come to a task yet."""
    return [
        {**line, "running": line["running"] - (line.get("starting") or 0)}
        for line in timeline
        if line.get("running") is not None
    ]


def _arrivals_begun(recording: Recording, hold: Hold) -> Finding:
    """Count the arrivals that were not begun, but for those that waited for the target.

    What a locustfile's tasks do with their arrivals is theirs: they may send nothing.
    """
    window = hold.window
    due = due_in(recording, window)
    gone = 0
    if recording.scenario.load.mix:
        gone = max(due - recorded_in(hold.samples, window), 0)
    missed = missed_by_generator(recording, hold.samples)
    allowed = window.level * SHORT_S
    if gone + missed <= allowed:
        return Finding()
    message = (
        f"stage {window.stage + 1}: {due:,} arrivals came due, and {gone + missed:,} of them were "
        f"not begun although virtual users were not all waiting for the target; "
        f"allowed: {allowed:g}, those of a second"
    )
    return _short(window, message, measured=float(gone + missed), limit=allowed)


def _short(window: Window, message: str, *, measured: float, limit: float) -> Finding:
    reason = Reason(
        code="load_not_delivered",
        stage=window.stage,
        message=message,
        measured=measured,
        limit=float(limit),
        advice="look in generator.log why users did not start, or ended",
    )
    return Finding(reasons=(reason,))


def _lines(timeline: list[dict[str, Any]], key: str) -> dict[int, list[tuple[float, Any]]]:
    """Collect what each process wrote under a key: moments and values, in order."""
    written: dict[int, list[tuple[float, Any]]] = defaultdict(list)
    for line in timeline:
        if line.get(key) is not None and line.get("t_s") is not None:
            written[int(line.get("process", 0))].append((float(line["t_s"]), line[key]))
    return {process: sorted(lines, key=lambda line: line[0]) for process, lines in written.items()}


def _processes(recording: Recording) -> list[int]:
    """Numbers of the generator processes that were started, whether or not they wrote a line."""
    return [int(each["process"]) for each in recording.manifest.get("generators", [])]


def _sum_at(
    times: npt.NDArray[np.float64],
    lines: Mapping[int, Sequence[tuple[float, Any]]],
    lost: Mapping[int, float],
) -> npt.NDArray[np.float64]:
    """Sum over processes of the last value written before each moment; NaN where one is silent."""
    if not any(lines.values()):
        return np.full(len(times), np.nan)
    total = np.zeros(len(times))
    for process, written in lines.items():
        at = np.array([-np.inf, *(t_s for t_s, _ in written)])
        gone = times >= max(lost.get(process, np.inf), at[-1])
        values = np.array([np.nan, *(float(value) for _, value in written)])
        # A hold may begin just before its first line: that line then speaks for it.
        last = np.maximum(np.searchsorted(at, times, side="right") - 1, min(1, len(written)))
        fresh = np.abs(times - at[last]) <= STALE_S
        total += np.where(gone, 0.0, np.where(fresh, values[last], np.nan))
    return total


def not_saturated(recording: Recording, hold: Hold) -> Finding:
    """Look whether the generator kept up with its own work.

    Parameters
    ----------
    recording : Recording
        The run.
    hold : Hold
        A hold that was run.

    Returns
    -------
    Finding
        ``generator_saturated`` when a process used over 85 % of its core, or when its
        event loop or its sends were late; a note for each that nobody wrote down.
    """
    window = hold.window
    tightest_s = recording.scenario.tightest_latency_limit_s or 0.0
    limit_s = max(LAG_FLOOR_S, LAG_SHARE * tightest_s)
    cpu = {p: float(np.mean(v)) for p, v in _during(recording, window, "cpu").items()}
    lag = {p: np.asarray(v) / 1e6 for p, v in _during(recording, window, "loop_lag_us").items()}
    reasons, notes = [], []
    for what, seen in (("CPU", cpu), ("event loop", lag)):
        if not seen:
            notes.append(
                f"stage {window.stage + 1} ({window.named}): the generator's {what} was not "
                f"assessed: the timeline does not have it"
            )
    busiest = max(cpu.values(), default=0.0)
    if busiest > CPU_SHARE:
        message = f"a process used {busiest:.0%} of its core; allowed: {CPU_SHARE:.0%}"
        reasons.append(_saturated(window, message, busiest, CPU_SHARE))
    stood_s = _stood_still_s(recording, window)
    allowed_s = max(STOOD_S, (1 - LATE_LEVEL) * window.length_s)
    if stood_s > allowed_s:
        message = (
            f"a process wrote nothing for {stood_s:.3g} s after its line was due; "
            f"allowed: {allowed_s:.3g} s"
        )
        reasons.append(_saturated(window, message, stood_s * 1e3, allowed_s * 1e3))
    for what, late in (
        ("its event loop was", lag),
        ("requests were sent", {0: generator_lag_s(recording, hold)}),
    ):
        p99_s = max((_p99(values, limit_s) for values in late.values()), default=0.0)
        if p99_s > limit_s:
            message = f"{what} late by {_ms(p99_s)} (p99 of the hold); allowed: {_ms(limit_s)}"
            reasons.append(_saturated(window, message, p99_s * 1e3, limit_s * 1e3))
    return Finding(reasons=tuple(reasons), notes=tuple(notes))


def _ms(seconds: float) -> str:
    """Write milliseconds with three digits or more, never with an exponent."""
    return f"{seconds * 1e3:,.0f} ms" if seconds >= _WHOLE_FROM_S else f"{seconds * 1e3:.3g} ms"


def _stood_still_s(recording: Recording, window: Window) -> float:
    """Find out for how long of a hold a process was late with its line of the timeline.

    One whose loop stands still writes what it measured of that only afterwards, when the
    hold may be over.
    """
    longest_s = 0.0
    for written in _lines(recording.timeline, "running").values():
        at = np.array([t_s for t_s, _ in written])
        due = at[:-1] + LINE_S
        within = np.minimum(at[1:], window.end_s) - np.maximum(due, window.start_s)
        longest_s = max(longest_s, float(within.max(initial=0.0)))
    return longest_s


def _saturated(window: Window, message: str, measured: float, limit: float) -> Reason:
    return Reason(
        code="generator_saturated",
        stage=window.stage,
        message=f"stage {window.stage + 1}: the generator did not keep up: {message}",
        measured=measured,
        limit=limit,
        advice="give the generator more processes or cores of its own, or ask for less load",
    )


def _during(recording: Recording, window: Window, key: str) -> dict[int, list[float]]:
    """All numbers that each process wrote under a key in the hold."""
    found = {}
    for process, lines in _lines(recording.timeline, key).items():
        values = [value for t_s, value in lines if window.start_s <= t_s <= window.end_s]
        if values:
            found[process] = [float(v) for value in values for v in np.atleast_1d(value)]
    return {process: values for process, values in found.items() if values}


def _p99(values: npt.NDArray[np.float64], limit: float) -> float:
    """Find p99, but 0 where a single value exceeds the limit: one of a few is not 1 %."""
    if (values > limit).sum() <= 1:
        return 0.0
    return float(np.quantile(values, LATE_LEVEL))


def send_lag_s(hold: Hold) -> npt.NDArray[np.float64]:
    """Measure how late requests were sent although their user was free to send them.

    Parameters
    ----------
    hold : Hold
        A hold that was run.

    Returns
    -------
    ndarray, shape (n,)
        Seconds from the intended start, or from the end of the same user's request
        before if that came later (until then the user waited for the target), to the
        send. Requests that were never sent, or were intended before the hold, are
        left out.
    """
    sends = _sends(hold)
    return sends.sent_s - sends.free_s


def generator_lag_s(recording: Recording, hold: Hold) -> npt.NDArray[np.float64]:
    """Measure how late requests were sent for a reason on the generator's side.

    Parameters
    ----------
    recording : Recording
        The run.
    hold : Hold
        A hold that was run.

    Returns
    -------
    ndarray, shape (n,)
        As :func:`send_lag_s`; but in the open model an arrival that nobody took because
        its pool did anything but wait for the target was late from its intended start.
    """
    sends = _sends(hold)
    lag_s = sends.sent_s - sends.free_s
    if not recording.scenario.load.is_open:
        return lag_s
    sent, free_s = hold.opened(*_OF_AN_ARRIVAL).iloc[sends.rows], sends.free_s
    intended_s = sent["intended_s"].to_numpy(dtype=float)
    waited = np.flatnonzero((sent["step"] == 0).to_numpy() & (free_s > intended_s))
    busy = waited_for_target(recording, sent.iloc[waited], free_s[waited])
    ours = waited[~(busy >= BUSY_SHARE)]
    lag_s[ours] += free_s[ours] - intended_s[ours]
    return lag_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sends:
    """The requests sent of those intended in a hold, in the order of their sends.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Which of the requests that were open in the hold.
    sent_s, free_s : ndarray, shape (n,)
        When each was sent, and since when it could be.
    """

    rows: npt.NDArray[np.intp]
    sent_s: npt.NDArray[np.float64]
    free_s: npt.NDArray[np.float64]


def _sends(hold: Hold) -> _Sends:
    opened = hold.opened("process", "user", "outcome", "intended_s", "sent_us", "end_s")
    sent_s = opened["sent_us"].to_numpy(dtype=float) / 1e6
    rows = np.argsort(sent_s, kind="stable")  # what was never sent comes last
    rows = rows[: len(rows) - int(np.isnan(sent_s).sum())]
    before, after = _one_after_the_other(opened, rows)
    intended_s = opened["intended_s"].to_numpy(dtype=float)
    free_s = intended_s.copy()
    free_s[after] = np.fmax(free_s[after], opened["end_s"].to_numpy(dtype=float)[before])
    rows = rows[intended_s[rows] >= hold.window.start_s]
    return _Sends(rows=rows, sent_s=sent_s[rows], free_s=free_s[rows])


def _one_after_the_other(
    requests: pd.DataFrame, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Find the rows of which the second is the next one of the same user."""
    user = requests["user"].to_numpy()[rows]
    if user.dtype.kind == "f":
        known = ~np.isnan(user)
        rows, user = rows[known], user[known]
    number = user.astype(np.int64)
    number += requests["process"].to_numpy()[rows].astype(np.int64) * (number.max(initial=0) + 1)
    # NumPy sorts 16 bits by counting: ten times as fast.
    kind = np.uint16 if number.max(initial=0) <= np.iinfo(np.uint16).max else np.int64
    number = number.astype(kind)
    order = np.argsort(number, kind="stable")
    number, rows = number[order], rows[order]
    same = number[1:] == number[:-1]
    return rows[:-1][same], rows[1:][same]
