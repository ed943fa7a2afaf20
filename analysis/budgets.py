"""Budgets in one hold: does an assertion hold, not, or is there too little evidence.

=================== =====================================================================
metric              decided by
=================== =====================================================================
p(N), med           the share of latencies beyond the limit: one-sided 95 % Wilson score
                    bounds each way on n / (1.5 tau_max), and of fewer than ten from below
                    at most the exact one. Not by the percentile's own interval, which
                    wrongly passes up to 41 % of runs at the limit. What that leaves open
                    is asked again at a fifth and at five times the limit
error_ratio, apdex  the same kind of bounds on the share, or the score; the memory is that
                    of the bad ones, and of the latencies as far as they come with them
avg, throughput     one-sided 95 % ends of their intervals each way
max                 what was seen: a statement about this run
=================== =====================================================================

A request whose end nobody saw counts as beyond a limit that its age exceeds, and
both ways below it. A limit at the end of its scale (``error_ratio <= 0``) cannot be
estimated; it is a statement about this run, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.apdex import apdex
from analysis.autocorrelation import (
    TAU_ALLOWANCE,
    autocorrelation_time,
    effective_size,
    largest_autocorrelation_time,
)
from analysis.decision import Decision, Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.failure_memory import failure_time
from analysis.failures import error_ratio
from analysis.intervals import least_share, wilson_bound
from analysis.limits import limit_of, unit_of
from analysis.quantiles import maximum, mean, quantile
from analysis.recording.format import Outcome
from analysis.throughput import throughput
from analysis.windows import Hold, columns_of
from scenarios.assertions import Assertion, Metric
from scenarios.counting import agreeing, count_of

CONFIDENCE = 0.95
"""One-sided, each way: at most so many runs exactly at the limit are wrongly decided."""

TWO_SIDED = 2 * CONFIDENCE - 1
"""The two-sided confidence whose ends are those bounds."""

FAR = 5.0
"""A percentile this factor away from its limit is far from it."""

HOLD_METRICS = frozenset(
    {
        Metric.PERCENTILE,
        Metric.MEDIAN,
        Metric.MEAN,
        Metric.MAXIMUM,
        Metric.ERROR_RATIO,
        Metric.THROUGHPUT,
        Metric.APDEX,
    }
)
"""What is judged in each hold by itself, never pooled over loads."""

_SHARE = (
    "share; one-sided 95 % Wilson score bounds on n / (1.5 tau_max), "
    "of fewer than ten from below at most the exact bound on n / tau_max"
)

Flags = npt.NDArray[np.bool_]


def decide(assertion: Assertion, hold: Hold, *, patience_s: float) -> Decision:
    """Decide an assertion in one hold.

    Parameters
    ----------
    assertion : Assertion
        Of one of :data:`HOLD_METRICS`.
    hold : Hold
        The window and its requests, narrowed to the budget's subject.
    patience_s : float
        A request of a run that was cut off, open for less, may yet have been answered.

    Returns
    -------
    Decision
        Failed when requests were sent and none answered well, whatever the metric; in a
        hold that was not run to its end failed or inconclusive, never passed.
    """
    counted, young = _counted(hold, patience_s)
    if not hold.window.was_run or len(counted) == 0:
        why = "no request was intended in the hold" if hold.window.was_run else "it was not run"
        measured = not_estimable(why, unit=unit_of(assertion))
        return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
    decision = _METRICS[assertion.metric](assertion, hold, counted, young)
    broken = unanswered(hold, patience_s=patience_s)
    if broken is not None:
        return replace(broken, measured=decision.measured, share_beyond=decision.share_beyond)
    if decision.verdict is Verdict.PASSED and not hold.window.complete:
        lasted, planned = hold.window.length_s, hold.window.planned_end_s - hold.window.start_s
        why = f"the run ended after {lasted:.3g} s of the {planned:.3g} s of the hold"
        return Decision(
            verdict=Verdict.INCONCLUSIVE,
            measured=decision.measured,
            share_beyond=decision.share_beyond,
            why=why,
        )
    return decision


def _counted(hold: Hold, patience_s: float) -> tuple[pd.DataFrame, Flags]:
    """Leave out the cancelled, and flag those still open, and young, when the records end."""
    counted = columns_of(hold.samples, "outcome", "latency_ms", "good", "bad", "censored")
    cancelled = (counted["outcome"] == Outcome.CANCELLED.label).to_numpy()
    if cancelled.any():
        counted = counted[~cancelled]
    is_open = (counted["outcome"] == Outcome.OPEN.label).to_numpy()
    young = is_open & (counted["latency_ms"].to_numpy() < patience_s * 1e3)
    return counted, np.asarray(young, dtype=np.bool_)


def unanswered(hold: Hold, *, patience_s: float) -> Decision | None:
    """Look whether requests were sent and none of them was answered well.

    Parameters
    ----------
    hold : Hold
        The window and its requests, narrowed to a subject.
    patience_s : float
        As :func:`decide` takes it.

    Returns
    -------
    Decision or None
        Failed, measured as an error ratio; None when one was answered well, or may yet.
    """
    counted, young = _counted(hold, patience_s)
    if not hold.window.was_run or counted["good"].any() or young.all():
        return None
    carried = f", {hold.carried} of them before it and open through all of it"
    sent = f"{count_of(len(counted), 'request', 'were')} sent in the hold"
    why = f"{sent}{carried if hold.carried else ''}; none was answered well"
    return Decision(
        verdict=Verdict.FAILED,
        measured=error_ratio(counted["bad"].to_numpy(), confidence=TWO_SIDED),
        why=why,
        unanswered=True,
        silent=bool(counted["censored"].all()),
    )


def _bounded(assertion: Assertion, low: float | None, high: float | None) -> Verdict:
    """Pass when even the worse end holds, fail when even the better one does not."""
    worse, better = (high, low) if assertion.upper else (low, high)
    scale = limit_of(assertion) / assertion.limit if assertion.limit else 1.0
    if better is not None and not assertion.holds(better / scale):
        return Verdict.FAILED
    if worse is not None and assertion.holds(worse / scale):
        return Verdict.PASSED
    return Verdict.INCONCLUSIVE


def _percentile(assertion: Assertion, _: Hold, counted: pd.DataFrame, __: Flags) -> Decision:
    among = counted[(counted["good"] | counted["censored"]).to_numpy()]
    level = assertion.level if assertion.level is not None else 0.5
    latency = among["latency_ms"].to_numpy(dtype=float)
    censored = among["censored"].to_numpy(dtype=bool)
    measured = quantile(latency, level, censored=censored)
    if len(among) == 0:
        nothing = "no request was answered well, and none is open"
        return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=nothing)
    limit = limit_of(assertion)
    beyond = latency > limit if assertion.operator == "<=" else latency >= limit
    beyond |= censored & (latency >= limit)
    share = _share(beyond, censored & ~beyond, largest_autocorrelation_time(latency, limit))
    allowed = 1 - level
    verdict = Verdict.INCONCLUSIVE
    why: str | None = None
    if share.high is not None and share.high < allowed:
        verdict = Verdict.PASSED
    elif share.low is not None and share.low > allowed:
        verdict = Verdict.FAILED
    if verdict is Verdict.INCONCLUSIVE:
        verdict, why = _far_from_the_limit(latency, censored, level, limit)
    if verdict is Verdict.INCONCLUSIVE:
        why = _undecided(assertion, len(among), share.n_eff or 0.0)
    return Decision(verdict=verdict, measured=measured, share_beyond=share, why=why)


def _far_from_the_limit(
    latency: npt.NDArray[np.float64], censored: Flags, level: float, limit: float
) -> tuple[Verdict, str | None]:
    """Decide what is far from its limit: it passes a fifth of it, or fails five times of it.

    Passing L/5 implies passing L; what differs is the evidence. The longest memory
    at any height is ruled by a slow drift of the median, which on a shared machine
    makes thousands of requests worth a dozen although none comes near the limit.
    Here the memory of the share itself is enough: simulated (docs/decisions/0003),
    it decides wrongly in at most 1.3 % of runs whose limit is exactly at the truth.
    """
    allowed = 1 - level
    for cut, passes in ((limit / FAR, True), (limit * FAR, False)):
        beyond = latency >= cut
        share = _share(beyond, censored & ~beyond, autocorrelation_time(beyond))
        if passes and share.high is not None and share.high < allowed:
            words = f"at most {share.high:.2%} of the requests lie beyond a fifth of it"
            return Verdict.PASSED, f"far below the limit: {words}"
        if not passes and share.low is not None and share.low > allowed:
            words = f"at least {share.low:.2%} of the requests lie beyond five times of it"
            return Verdict.FAILED, f"far above the limit: {words}"
    return Verdict.INCONCLUSIVE, None


def _undecided(assertion: Assertion, n: int, n_eff: float) -> str:
    """Say whether more requests are needed for any pass, or for this limit."""
    needed = requests_to_decide(assertion) or 0
    worth = count_of(round(n_eff), "independent one")
    if n < needed:
        return f"{count_of(n, 'request', 'are')} too few: a pass takes at least {needed:,}"
    if n_eff * TAU_ALLOWANCE < needed:
        return (
            f"{count_of(n, 'request', 'depend')} on each other so long that they are worth "
            f"{worth}: a pass takes at least {math.ceil(needed / TAU_ALLOWANCE):,}"
        )
    return (
        f"{count_of(n, 'request')}, worth {worth}, {agreeing(n, 'are')} "
        "too few this close to the limit"
    )


def _share(beyond: Flags, undecided: Flags, tau: float) -> Estimate:
    n = len(beyond)
    n_eff = effective_size(n, tau)
    value, most = float(beyond.mean()), float((beyond | undecided).mean())
    both_ways = int(undecided.sum())
    return Estimate(
        value=value,
        low=least_share(value, n, n_eff, confidence=CONFIDENCE),
        high=wilson_bound(most, n_eff, confidence=CONFIDENCE, upper=True),
        level=CONFIDENCE,
        n=n,
        n_eff=n_eff,
        unit="ratio",
        method=_SHARE,
        why=f"{both_ways} of {n} ended unseen and count both ways" if both_ways else None,
    )


def _error_ratio(assertion: Assertion, _: Hold, counted: pd.DataFrame, young: Flags) -> Decision:
    bad = counted["bad"].to_numpy(dtype=bool)
    tau = failure_time(bad, counted["latency_ms"].to_numpy(dtype=float))
    measured = error_ratio(bad, tau=tau, confidence=TWO_SIDED)
    if assertion.limit == 0:
        return _seen(assertion, measured, float((bad & ~young).mean()))
    n_eff = effective_size(len(bad), tau)
    least = float((bad & ~young).mean())
    low = least_share(least, len(bad), n_eff, confidence=CONFIDENCE)
    verdict = _bounded(assertion, low, measured.high)
    return Decision(verdict=verdict, measured=measured, why=_too_few(verdict, len(bad), n_eff))


def _apdex(assertion: Assertion, _: Hold, counted: pd.DataFrame, young: Flags) -> Decision:
    latency, good = counted["latency_ms"].to_numpy(), counted["good"].to_numpy(dtype=bool)
    threshold_s = assertion.threshold_s or 0.0
    # A timeout is frustrated for good; only what may yet be answered counts both ways.
    measured = apdex(latency, good, young, threshold_s, confidence=TWO_SIDED)
    if assertion.limit == 1 and measured.value is not None:
        best = apdex(latency, good | young, np.zeros_like(young), threshold_s).value or 0.0
        if assertion.holds(best) and not assertion.holds(measured.value):
            unseen = f"{count_of(int(young.sum()), 'request', 'were')} open when the records ended"
            return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=unseen)
        return _seen(assertion, measured, best)
    verdict = _bounded(assertion, measured.low, measured.high)
    why = _too_few(verdict, len(counted), measured.n_eff)
    return Decision(verdict=verdict, measured=measured, why=why)


def _mean(assertion: Assertion, _: Hold, counted: pd.DataFrame, __: Flags) -> Decision:
    among = counted[(counted["good"] | counted["censored"]).to_numpy()]
    latency = among["latency_ms"].to_numpy()
    measured = mean(latency, censored=among["censored"].to_numpy(), confidence=TWO_SIDED)
    low = _mean_at_least(latency) if measured.is_lower_bound else measured.low
    verdict = _bounded(assertion, low, measured.high)
    return Decision(verdict=verdict, measured=measured, why=measured.why)


def _mean_at_least(ages: npt.ArrayLike) -> float | None:
    """Bound a mean from below where some values are only known to be at least their age.

    The mean that was seen is no bound of the true one: chance is on top of what is not known.
    """
    seen = mean(ages, confidence=TWO_SIDED)
    if seen.low is not None or seen.value is None:
        return seen.low
    return seen.value / -math.log(1 - CONFIDENCE)  # of one exponential value: the least it tells


def _throughput(assertion: Assertion, hold: Hold, _: pd.DataFrame, __: Flags) -> Decision:
    window = hold.window
    opened = hold.opened("end_s", "good")
    done_s = opened["end_s"].to_numpy()[opened["good"].to_numpy()]
    measured = throughput(done_s, window.start_s, window.end_s, confidence=TWO_SIDED)
    verdict = _bounded(assertion, measured.low, measured.high)
    return Decision(verdict=verdict, measured=measured, why=measured.why)


def _maximum(assertion: Assertion, _: Hold, counted: pd.DataFrame, __: Flags) -> Decision:
    among = counted[(counted["good"] | counted["censored"]).to_numpy()]
    latency = among["latency_ms"].to_numpy(dtype=float)
    measured = maximum(latency, censored=among["censored"].to_numpy(dtype=bool))
    if measured.value is None:
        return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=measured.why)
    if not assertion.holds(measured.value / 1e3):
        return Decision(verdict=Verdict.FAILED, measured=measured)
    open_end = measured.is_lower_bound
    verdict = Verdict.INCONCLUSIVE if open_end else Verdict.PASSED
    return Decision(verdict=verdict, measured=measured, why=measured.why if open_end else None)


def _seen(assertion: Assertion, measured: Estimate, value: float) -> Decision:
    verdict = Verdict.PASSED if assertion.holds(value) else Verdict.FAILED
    why = "a limit at the end of the scale is a statement about what was seen in this run"
    return Decision(verdict=verdict, measured=measured, why=why)


def _too_few(verdict: Verdict, n: int, n_eff: float | None) -> str | None:
    if verdict is not Verdict.INCONCLUSIVE:
        return None
    if n_eff is not None and n_eff * TAU_ALLOWANCE < n / 2:
        worth = count_of(round(n_eff), "independent one")
        return f"the bad ones come together: {count_of(n, 'request', 'are')} worth {worth}"
    return f"{count_of(n, 'request', 'are')} too few this close to the limit"


_METRICS: Mapping[Metric, Callable[[Assertion, Hold, pd.DataFrame, Flags], Decision]] = {
    Metric.PERCENTILE: _percentile,
    Metric.MEDIAN: _percentile,
    Metric.MEAN: _mean,
    Metric.MAXIMUM: _maximum,
    Metric.ERROR_RATIO: _error_ratio,
    Metric.APDEX: _apdex,
    Metric.THROUGHPUT: _throughput,
}


def requests_to_decide(assertion: Assertion) -> int | None:
    """Count the requests that a pass takes at least: independent, and none of them beyond.

    Parameters
    ----------
    assertion : Assertion
        Any.

    Returns
    -------
    int or None
        In one hold; None for what is not decided by a share of requests, and for a limit
        that no number of requests can prove.
    """
    if assertion.metric in {Metric.PERCENTILE, Metric.MEDIAN}:
        allowed = 1 - (assertion.level if assertion.level is not None else 0.5)
    elif assertion.metric is Metric.ERROR_RATIO:
        allowed = assertion.limit
    elif assertion.metric is Metric.APDEX:
        allowed = 1 - assertion.limit
    else:
        return None
    if allowed <= 0:
        return None
    # Wilson's upper end with none beyond is z2 / (n + z2).
    at_one = wilson_bound(0.0, 1.0, confidence=CONFIDENCE, upper=True)
    z2 = at_one / (1 - at_one)
    n = max(1, math.floor(z2 * (1 - allowed) / allowed * TAU_ALLOWANCE))
    while wilson_bound(0.0, n / TAU_ALLOWANCE, confidence=CONFIDENCE, upper=True) >= allowed:
        n += 1
    return n
