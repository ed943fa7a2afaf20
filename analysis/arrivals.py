"""Arrivals of the open model: did they come as asked, and whose fault is it when they waited.

An arrival that finds every virtual user of its pool in a request waits for the target:
there are as many users as the load needs at its latency limit (``load.max_users`` is
checked against it), so that a pool is exhausted only by a target that is slower. What
was sent late then is latency, and what was missed is bad. An arrival that waits while
users are free, or busy with anything but requests, waits for the harness.

::

    users of the pool in requests      who is to blame
      | N  ________________
      |   |                |___         busy for 90 % of the wait and more: the target
      |___|                    |____    less: the generator (stopped, starved, users gone)
      +-----------------------------> run time
           |---- waits ----|
        intended         taken
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.recording.format import Outcome
from analysis.recording.reader import Recording
from analysis.windows import Window, open_until_s
from scenarios.arrivals import arrival_times, click_shares, pool_sizes
from scenarios.schedule import Schedule

Seconds = npt.NDArray[np.float64]

BUSY_SHARE = 0.9
"""A pool waits for the target while so many of its users are in requests. Not all: between
two requests a user looks at the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The virtual users of one process that wait for the same arrivals.

    Attributes
    ----------
    process : int
        Number of the generator process.
    persona : str or None
        Whose clicks arrive; None where all users are a locustfile's.
    users : int
        How many there are.
    """

    process: int
    persona: str | None
    users: int

    def of(self, samples: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Flag the samples of this pool.

        Parameters
        ----------
        samples : DataFrame
            Samples of a recording.

        Returns
        -------
        ndarray
            A locustfile's users have class names for personas, all in one pool.
        """
        flags: npt.NDArray[np.bool_] = (samples["process"] == self.process).to_numpy(dtype=bool)
        if self.persona is not None:
            flags = flags & (samples["persona"] == self.persona).to_numpy(dtype=bool)
        return flags


def pools_of(recording: Recording) -> Iterator[Pool]:
    """Tell which virtual users waited for which arrivals.

    Parameters
    ----------
    recording : Recording
        Of the open model.

    Yields
    ------
    Pool
        Of each generator process.
    """
    scenario = recording.scenario
    shares = click_shares(scenario)
    generators = recording.manifest.get("generators", [])
    numbers = [one["process"] for one in generators if one.get("process") is not None]
    for process in sorted(numbers):
        sizes = pool_sizes(scenario.load, shares, process=process, processes=len(numbers))
        for persona, users in sizes.items():
            yield Pool(process=process, persona=persona, users=users)


def waited_for_target(recording: Recording, arrivals: pd.DataFrame, until_s: Seconds) -> Seconds:
    """Tell how far each arrival's pool was waiting for the target while the arrival waited.

    Parameters
    ----------
    recording : Recording
        Of the open model.
    arrivals : DataFrame, shape (n, columns)
        Samples: first requests of clicks, or missed arrivals.
    until_s : ndarray, shape (n,)
        Until when each waited, in seconds of run time.

    Returns
    -------
    ndarray, shape (n,)
        Mean share of the pool's users in requests while it waited; 1 where it did not
        wait, NaN where nobody knows of its pool.
    """
    shares = np.full(len(arrivals), np.nan)
    intended_s = arrivals["intended_s"].to_numpy(dtype=float)
    shares[until_s <= intended_s] = 1.0
    for pool in pools_of(recording):
        chosen = pool.of(arrivals) & (until_s > intended_s)
        if not chosen.any():
            continue
        samples = recording.samples
        requests = samples[pool.of(samples) & samples["sent_us"].notna().to_numpy()]
        start_s = np.sort(requests["sent_us"].to_numpy(dtype=float) / 1e6)
        end_s = np.sort(open_until_s(requests))
        from_s, to_s = intended_s[chosen], until_s[chosen]
        user_time_s = _since(start_s, to_s) - _since(end_s, to_s)
        user_time_s -= _since(start_s, from_s) - _since(end_s, from_s)
        shares[chosen] = user_time_s / (to_s - from_s) / pool.users
    return shares


def _since(edges_s: Seconds, at_s: Seconds) -> Seconds:
    """Sum of the times from each edge to a moment, over the edges before it."""
    finite = edges_s[np.isfinite(edges_s)]
    sums = np.concatenate([[0.0], np.cumsum(finite)])
    before = np.searchsorted(finite, at_s, side="right")
    total: Seconds = before * at_s - sums[before]
    return total


def missed_by_generator(recording: Recording, samples: pd.DataFrame) -> int:
    """Count the missed arrivals that did not wait for the target.

    Parameters
    ----------
    recording : Recording
        Of the open model.
    samples : DataFrame
        Of a hold.

    Returns
    -------
    int
        Those whose pool was not in requests while they waited.
    """
    missed = samples[(samples["outcome"] == Outcome.MISSED.label).to_numpy()]
    shares = waited_for_target(recording, missed, missed["end_s"].to_numpy(dtype=float))
    return int((~(shares >= BUSY_SHARE)).sum())


def due_in(recording: Recording, window: Window) -> int:
    """Count the arrivals of the run's seed that came due in a window.

    Parameters
    ----------
    recording : Recording
        Of the open model.
    window : Window
        When.

    Returns
    -------
    int
        Over all generator processes.
    """
    scenario = recording.scenario
    times_s = _times_s(recording.schedule, scenario.load.arrivals, scenario.load_seed)
    first, last = np.searchsorted(times_s, (window.start_s, window.end_s))
    return int(last - first)


@lru_cache(maxsize=1)
def _times_s(schedule: Schedule, spacing: str, seed: int) -> Seconds:
    """Draw every arrival of a run; each of its holds asks for them."""
    return np.fromiter(arrival_times(schedule, spacing, seed), dtype=float)


def recorded_in(samples: pd.DataFrame, window: Window) -> int:
    """Count the clicks of a window that were begun or missed.

    Parameters
    ----------
    samples : DataFrame
        Of its hold.
    window : Window
        When.

    Returns
    -------
    int
        Clicks whose first request was intended in it.
    """
    inside = (samples["intended_s"] >= window.start_s) & (samples["step"] == 0)
    return int(inside.sum())
