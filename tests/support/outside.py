"""What is true of a fault from outside: the supervisor's events, and the answers themselves.

Nothing of the analysis is used. A server that is frozen or dead answers nobody, so that the
longest time without a right answer beside a fault is what it did: answers *stopped* where that
begins, and *resumed* where it ends. A server that was started anew is slow at first: it has
*settled* when the answers, one after the other, are no slower than all were before the fault.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float64]

CALM_S = 2.5
"""So long before a fault nothing else disturbs, in the runs that are looked at here."""

FOLLOWS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FromOutside:
    """A fault as the supervisor noted it, and the gap in the answers that it made.

    Attributes
    ----------
    name : str
        ``"freeze of the server"``.
    injected_s, cleared_s : float
        As the events say, in seconds of run time.
    stopped_s, resumed_s : float
        The last right answer before the gap, and the first after it.
    settled_s : float
        The last of the slow answers that follow on it.
    """

    name: str
    injected_s: float
    cleared_s: float
    stopped_s: float
    resumed_s: float
    settled_s: float

    def off_s(self, recovered_s: float) -> float:
        """Say how far a moment lies outside of the span in which service came back."""
        return recovered_s - min(max(recovered_s, self.resumed_s), self.settled_s)


def events_of(run: Path, *kinds: str) -> list[dict[str, Any]]:
    """Events of some kinds, in the order of time."""
    lines = (run / "events.jsonl").read_text().splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [event for event in found if event["kind"] in kinds]


def samples_of(run: Path) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """When requests were intended and when they ended, in seconds of run time; which were right."""
    columns = ["intended_us", "done_us", "seen_us", "outcome"]
    table = pq.read_table(run / "samples.parquet", columns=columns).to_pandas()
    intended, done, seen = (table[name].to_numpy(dtype=np.float64) / 1e6 for name in columns[:3])
    right = np.asarray(table["outcome"] == "ok", dtype=np.bool_)
    return intended, np.where(np.isnan(done), seen, done), right


def gap(right_s: Floats, start_s: float, end_s: float) -> tuple[float, float]:
    """Find the longest time without an answer that overlaps a span.

    Parameters
    ----------
    right_s : ndarray, shape (n,)
        When right answers came, in seconds of run time.
    start_s, end_s : float
        The span.

    Returns
    -------
    tuple of (float, float)
        The answers at its ends.

    Raises
    ------
    ValueError
        When there is none before the span or after it.
    """
    ordered = np.sort(right_s)
    if len(ordered) == 0 or not ordered[0] < start_s <= end_s < ordered[-1]:
        raise ValueError(f"no right answer before {start_s:.3f} s, or after {end_s:.3f} s")
    before, after = ordered[:-1], ordered[1:]
    length = np.where((before < end_s) & (after > start_s), after - before, -1.0)
    longest = int(np.argmax(length))
    return float(before[longest]), float(after[longest])


def settled_s(
    intended_s: Floats, done_s: Floats, resumed_s: float, before: tuple[float, float]
) -> float:
    """Find the last of the answers after a gap that are slower than all of a calm time.

    Parameters
    ----------
    intended_s, done_s : ndarray, shape (n,)
        When requests were intended and when they ended, in seconds of run time.
    resumed_s : float
        The first answer after the gap.
    before : tuple of (float, float)
        From and until of the calm time.

    Returns
    -------
    float
        Seconds of run time: slow answers follow each other up to there, none a second
        after the one before.
    """
    latency_s = done_s - intended_s
    calm = (intended_s >= before[0]) & (done_s < before[1])
    slow_s = np.sort(done_s[(latency_s > latency_s[calm].max()) & (done_s >= resumed_s)])
    last_s = resumed_s
    for slow in slow_s:
        if slow - last_s > FOLLOWS_S:
            break
        last_s = float(slow)
    return last_s


def faults_from_outside(run: Path) -> list[FromOutside]:
    """Say what is true of every fault of a run.

    Parameters
    ----------
    run : Path
        Its folder.

    Returns
    -------
    list of FromOutside
        Those that were cleared, in the order of their injection.
    """
    cleared = {event["fault"]: event["t_s"] for event in events_of(run, "fault_cleared")}
    intended_s, done_s, right = samples_of(run)
    found = []
    for event in events_of(run, "fault_injected"):
        if event["fault"] not in cleared:
            continue
        injected_s, cleared_s = float(event["t_s"]), float(cleared[event["fault"]])
        stopped_s, resumed_s = gap(done_s[right], injected_s, cleared_s)
        found.append(
            FromOutside(
                name=f"{event['what']} of the {event['process']}",
                injected_s=injected_s,
                cleared_s=cleared_s,
                stopped_s=stopped_s,
                resumed_s=resumed_s,
                settled_s=settled_s(
                    intended_s, done_s, resumed_s, (injected_s - CALM_S, injected_s)
                ),
            )
        )
    return found


def emptied_s(
    intended_s: Floats, done_s: Floats, since_s: float, before: tuple[float, float]
) -> float:
    """Say when a backlog was gone: as few requests were open as half of the time before it.

    Parameters
    ----------
    intended_s, done_s : ndarray, shape (n,)
        When requests were intended and when they ended, in seconds of run time.
    since_s : float
        From when to look.
    before : tuple of (float, float)
        From and until of a time without a backlog.

    Returns
    -------
    float
        Seconds of run time; infinite where it never was.
    """
    times = np.concatenate([intended_s, done_s])
    steps = np.concatenate([np.ones(len(intended_s)), -np.ones(len(done_s))])
    order = np.argsort(times, kind="stable")
    times, open_now = times[order], np.cumsum(steps[order])
    usual = np.median(open_now[(times >= before[0]) & (times < before[1])])
    back = np.flatnonzero((times >= since_s) & (open_now <= usual))
    return float(times[back[0]]) if len(back) else float("inf")
