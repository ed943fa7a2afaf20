"""What repeated runs say together: intervals that hold for the next run, too.

An interval of one run covers what happened to it. The next run meets another machine
state, another order of arrivals, another layout of memory; only runs show how much that
is, and only runs that are repeated under the same settings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import batch_means
from scenarios.counting import agreeing, count_of

LEAST_RUNS: Final = 3
"""Two runs differ by chance in anything from nothing to a lot: t with one degree of freedom."""

METHOD = "geometric mean of runs; Student t on the logarithm"
METHOD_WITH_ZERO = "mean of runs; Student t"


def over_runs(runs: Sequence[Estimate], *, confidence: float = 0.95) -> Estimate:
    """Combine what repeated runs measured into one estimate for such runs.

    Parameters
    ----------
    runs : sequence of Estimate, shape (r,)
        The same quantity of each run, in one unit. Only the values count: how much a run
        knows about itself is less than how much runs differ.
    confidence : float
        Two-sided.

    Returns
    -------
    Estimate
        Covering ``"runs"``. Positive quantities on the logarithm, where times and rates
        are nearer to normal; with a zero among them (a share) as they are. A lower bound when
        a run's value is one; without ends for fewer than three runs, and for runs that are all
        equal, which say nothing about how runs differ; without a value when a run has none.

    Raises
    ------
    ValueError
        When the units differ.

    References
    ----------
    Kalibera and Jones (2013), "Rigorous benchmarking in reasonable time": repeat at the
    level that varies most.
    """
    n = len(runs)
    units = {run.unit for run in runs}
    if len(units) > 1:
        raise ValueError(f"found the units {sorted(units)}; allowed: one")
    unit = units.pop() if units else ""
    missing = sum(run.value is None for run in runs)
    if n == 0 or missing:
        none = f"{missing} of {count_of(n, 'run')} {agreeing(missing, 'have')} no value"
        why = none if n else "there are no runs"
        return not_estimable(why, unit=unit, n=n, method=METHOD, covers="runs")
    values = np.array([run.value for run in runs], dtype=np.float64)
    on_log = bool((values > 0).all())
    value = math.exp(float(np.log(values).mean())) if on_log else float(values.mean())
    method = METHOD if on_log else METHOD_WITH_ZERO
    bounds = sum(run.is_lower_bound for run in runs)
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    if bounds:
        lower = f"{bounds} of {count_of(n, 'run')} {agreeing(bounds, 'have')} no more"
        low, reason = value, f"a lower bound: {lower}"
    elif n < LEAST_RUNS:
        reason = f"an interval over runs takes at least {LEAST_RUNS} of them; found: {n}"
    elif values.min() == values.max():
        reason = f"all {n} runs have the same value: they do not show how runs differ"
    elif on_log:
        low, high = (math.exp(e) for e in batch_means(np.log(values), confidence=confidence))
    else:
        low, high = batch_means(values, confidence=confidence)
        low = max(0.0, low) if values.min() >= 0 else low
    if unit == "ratio" and high is not None:
        high = max(value, min(1.0, high))
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=None if high is None else confidence,
        n=n,
        unit=unit,
        method=method,
        covers="runs",
        why=reason,
    )
