"""Whether as many slow requests as a window has are more than the mix of before explains.

A window of thirty requests has its p95 at the second slowest. Where one request in fifty is of an
endpoint that takes a hundred times as long (a login that hashes a password), two of them come
together every now and then, and such a p95 says nothing about the system. So a window is slow by
its p95 only where so many beyond the limit are also improbable at the share of before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from analysis.intervals import wilson_bound
from analysis.pulse import Counts, Pulse, Requests


def more_than_before(
    requests: Requests, limit_ms: float, *, before: Pulse, after: Pulse, alarm: float
) -> npt.NDArray[np.bool_]:
    """Find the windows with more slow requests than chance puts into them.

    Parameters
    ----------
    requests : Requests
        Of the run, in any order.
    limit_ms : float
        What takes longer is slow.
    before : Pulse
        Windows in which nothing was disturbed.
    after : Pulse
        Windows that are asked about.
    alarm : float
        Probability with which a healthy window may be found, 0..1.

    Returns
    -------
    ndarray of bool, shape (k,)
        Where P(X >= slow) for as many requests as the window has, at the highest share that the
        baseline is consistent with, is below `alarm`.
    """
    usual, n = (int(counts.sum()) for counts in _slow_and_all(requests, limit_ms, before))
    share = wilson_bound(usual / n, n, upper=True) if n else 1.0
    slow, every = _slow_and_all(requests, limit_ms, after)
    chance = np.ones(len(slow))
    some = slow > 0
    chance[some] = betainc(slow[some], (every - slow)[some] + 1.0, share)
    return np.asarray(chance < alarm, dtype=np.bool_)


def _slow_and_all(requests: Requests, limit_ms: float, pulse: Pulse) -> tuple[Counts, Counts]:
    """Count slow requests, and all whose latency is known, by the window of their start."""
    timed = requests.good | requests.censored
    intended_s = requests.intended_s[timed]
    slow_s = intended_s[requests.latency_ms[timed] > limit_ms]
    return _per_window(slow_s, pulse), _per_window(intended_s, pulse)


def _per_window(times_s: npt.NDArray[np.float64], pulse: Pulse) -> Counts:
    ordered = np.sort(times_s)
    first, last = (np.searchsorted(ordered, edge) for edge in (pulse.start_s, pulse.end_s))
    return np.asarray(last - first, dtype=np.int64)
