"""Whether a hold had a steady state: its two halves look alike.

The median latency and the throughput of sixty to a hundred and twenty bins of the hold.
The halves differ when they lie further apart than chance takes two halves of bins that
vary, and depend on each other, like those of the first half, of the second, or of the
whole about its straight line, *and* by a tenth or more: less changes no answer, however
certain it is. Three yardsticks, because a warm-up makes the half in which it ends
restless, and a drift both, and so would hide themselves. Two series are asked, each at
97.5 %: nominally one steady hold of twenty is called unsteady. Measured: 0 to 2 % of M/M/1
queues at utilisation .5, and up to 8 % at .8 in a hold of a minute.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analysis.autocorrelation import FloatArray
from analysis.decision import Verdict
from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t
from analysis.phases import Stretch, undisturbed
from analysis.trend import MIN_BINS, MIN_EFFECTIVE, effective_bins
from analysis.windows import Hold, Window
from scenarios.counting import count_of

PRACTICAL_LIMIT: Final = 0.10
"""Halves that differ by less are alike."""

CONFIDENCE: Final = 0.975
"""Of each of the two intervals."""

MOST_BINS: Final = 120
REQUESTS_A_BIN: Final = 10
"""So many in the mean, or the median of a bin is a matter of luck."""

MSER_BATCH: Final = 5

_METHOD: Final = "ratio of the halves' means; Student's t on the bins' effective number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """What the halves of a hold say.

    Attributes
    ----------
    verdict : Verdict
        Passed where they are alike, failed where they differ, else inconclusive.
    why : str
        In words.
    latency, throughput : Estimate
        Second half against the first, as a growth: 0 is alike, 0.1 a tenth more.
    warmup_s : Estimate
        How much of the beginning of a hold that is not steady looks like warm-up, in seconds.
    """

    verdict: Verdict
    why: str
    latency: Estimate
    throughput: Estimate
    warmup_s: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts and None.
        """
        return {
            "verdict": str(self.verdict),
            "why": self.why,
            "latency": self.latency.as_dict(),
            "throughput": self.throughput.as_dict(),
            "warmup_s": self.warmup_s.as_dict(),
        }


def halves(values: npt.ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """Compare the second half of a series with the first.

    Parameters
    ----------
    values : array_like, shape (n,)
        One a bin, positive, in the order of time.
    confidence : float
        Two-sided.

    Returns
    -------
    Estimate
        Mean of the second half over mean of the first, less one: a ratio. Without ends
        where by every yardstick the bins are worth too few independent ones.
    """
    series = np.asarray(values, dtype=np.float64)
    n = len(series)
    if n < MIN_BINS:
        why = f"not enough data: {count_of(n, 'bin')}, at least {MIN_BINS} are needed"
        return not_estimable(why, unit="ratio", n=n, method=_METHOD)
    first, second = series[: n - n // 2], series[n - n // 2 :]
    middle = (float(first.mean()) + float(second.mean())) / 2
    difference = float(second.mean() - first.mean())
    value = _ratio(difference, middle)
    if value is None:
        return not_estimable("nothing was seen in the first half", unit="ratio", n=n)
    # Three chances to be wrong, so each is taken at a third of the error.
    each = 1 - (1 - confidence) / 3
    known = [
        margin
        for margin in (
            _margin(_nothing_but(first - first.mean(), middle), 1, n, each),
            _margin(_nothing_but(second - second.mean(), middle), 1, n, each),
            _margin(_nothing_but(_without_line(series), middle), 2, n, each),
        )
        if margin is not None
    ]
    if not known:
        why = (
            f"not enough data: {n} bins depend on each other so long that they are worth fewer "
            f"than {MIN_EFFECTIVE:.0f} independent ones"
        )
        return Estimate(value=value, n=n, unit="ratio", method=_METHOD, why=why)
    low, high = (_ratio(difference + sign * min(known), middle) for sign in (-1, 1))
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=confidence,
        n=n,
        unit="ratio",
        method=_METHOD,
        why=None if high is not None else "the first half may have had nothing",
    )


def _nothing_but(left: FloatArray, middle: float) -> FloatArray:
    """Take what rounding leaves over for nothing."""
    return left if float(np.abs(left).max()) > 1e-12 * abs(middle) else np.zeros(len(left))


def _without_line(series: FloatArray) -> FloatArray:
    at = np.arange(len(series)) - (len(series) - 1) / 2
    left = series - series.mean()
    return np.asarray(left - at * (float(at @ left) / float(at @ at)), dtype=np.float64)


def _margin(left: FloatArray, fitted: int, n: int, confidence: float) -> float | None:
    """Say how far halves of n bins that vary like these lie apart by chance."""
    n_eff = effective_bins(left) if left.any() else float(len(left))
    if n_eff < MIN_EFFECTIVE * len(left) / n:
        return None
    df = n_eff - fitted
    # each half's mean has the variance s2 / (its share of the independent bins)
    error = math.sqrt(4 * float(left @ left) / n / df)
    return student_t(confidence, df) * error


def _ratio(difference: float, middle: float) -> float | None:
    """Turn a difference of halves around a mean into their ratio, less one."""
    first, second = middle - difference / 2, middle + difference / 2
    return second / first - 1 if first > 0 else None


def mser5(values: npt.ArrayLike) -> int | None:
    """Find where a series stops looking like warm-up.

    Parameters
    ----------
    values : array_like, shape (n,)
        In the order of time.

    Returns
    -------
    int or None
        How many values to leave out, a multiple of five; None where the best cut is not
        in the first half: then nothing after it is known to be steady.

    References
    ----------
    White (1997), "An effective truncation heuristic for bias reduction in simulation
    output", in batches of five: the d that minimises the squared standard error
    sum (Y_j - mean)^2 / (k - d)^2 of the batches after it.
    """
    series = np.asarray(values, dtype=np.float64)
    k = len(series) // MSER_BATCH
    if k <= 1:
        return None
    batches = series[: k * MSER_BATCH].reshape(k, MSER_BATCH).mean(axis=1)
    last = k // 2
    errors = [float(np.var(batches[d:]) / (k - d)) for d in range(last + 1)]
    best = int(np.argmin(errors))
    return None if best >= last else best * MSER_BATCH


def steady(medians: npt.ArrayLike, throughputs: npt.ArrayLike, *, width_s: float) -> Steadiness:
    """Say whether a hold had a steady state.

    Parameters
    ----------
    medians : array_like, shape (n,)
        Median latency of each bin, any unit.
    throughputs : array_like, shape (n,)
        Good answers a second in each bin.
    width_s : float
        Length of a bin in seconds.

    Returns
    -------
    Steadiness
        Of that hold.
    """
    latency, throughput = halves(medians), halves(throughputs)
    found = {"median latency": latency, "throughput": throughput}
    nothing = not_estimable("asked only of a hold that is not steady", unit="s")
    moved = [f"{name} {_words(each)}" for name, each in found.items() if _differs(each)]
    if moved:
        warmup, looks = _warmup(medians, throughputs, latency, width_s)
        why = f"the halves of the hold differ: {' and '.join(moved)}; {looks}"
        verdict = Verdict.FAILED
        nothing = warmup
    elif all(_alike(each) for each in found.values()):
        verdict = Verdict.PASSED
        why = f"the halves of the hold differ by less than {PRACTICAL_LIMIT:.0%}"
    else:
        verdict = Verdict.INCONCLUSIVE
        why = next((each.why for each in found.values() if each.why), None) or (
            f"the bins vary too much: a difference of {PRACTICAL_LIMIT:.0%} could hide in them"
        )
    return Steadiness(
        verdict=verdict, why=why, latency=latency, throughput=throughput, warmup_s=nothing
    )


def _differs(found: Estimate) -> bool:
    if found.value is None or abs(found.value) < PRACTICAL_LIMIT:
        return False
    return (found.low is not None and found.low > 0) or (found.high is not None and found.high < 0)


def _alike(found: Estimate) -> bool:
    return (
        found.low is not None
        and found.high is not None
        and -PRACTICAL_LIMIT < found.low <= found.high < PRACTICAL_LIMIT
    )


def _words(found: Estimate) -> str:
    by = found.value or 0.0
    return f"{'rose' if by > 0 else 'fell'} by {100 * abs(by):.3g} %"


def _warmup(
    medians: npt.ArrayLike, throughputs: npt.ArrayLike, latency: Estimate, width_s: float
) -> tuple[Estimate, str]:
    """Measure the warm-up in the series that moved."""
    series = medians if _differs(latency) else throughputs
    cut = mser5(series)
    n = len(np.asarray(series))
    method = "MSER-5"
    if cut is None:
        why = "no part of the hold is known to be steady"
        return not_estimable(why, unit="s", n=n, method=method), why
    seconds = cut * width_s
    one = "a rule of thumb has no interval"
    found = Estimate(value=seconds, n=n, unit="s", method=method, why=one)
    if cut == 0:
        return found, "its beginning does not look like warm-up"
    return found, f"its first {seconds:.3g} s look like warm-up"


def steady_in(hold: Hold, disturbed: Iterable[Stretch] = ()) -> Steadiness:
    """Say whether a hold of a run had a steady state.

    Parameters
    ----------
    hold : Hold
        The window and its requests.
    disturbed : iterable of (Label, float, float)
        What of the run was under a fault or in recovery: left out.

    Returns
    -------
    Steadiness
        Inconclusive, with the reason, in a hold too short or too thin.
    """
    window = hold.window
    counted = (hold.samples["good"] | hold.samples["censored"]).to_numpy(dtype=bool)
    intended = hold.samples["intended_s"].to_numpy(dtype=float)
    counted = counted & (intended >= window.start_s)
    at_s, latency = intended[counted], hold.samples["latency_ms"].to_numpy(dtype=float)[counted]
    bins = min(MOST_BINS, len(at_s) // REQUESTS_A_BIN)
    if not window.was_run or bins < MIN_BINS:
        needed = MIN_BINS * REQUESTS_A_BIN
        why = f"not enough data: {count_of(len(at_s), 'request')}, at least {needed} are needed"
        return _unknown("it was not run" if not window.was_run else why)
    edges = np.linspace(window.start_s, window.end_s, bins + 1)
    width_s = window.length_s / bins
    medians = _medians(latency, np.searchsorted(at_s, edges))
    opened = hold.opened("end_s", "good")
    done_s = opened["end_s"].to_numpy(dtype=float)[opened["good"].to_numpy(dtype=bool)]
    throughputs = np.histogram(done_s, edges)[0] / width_s
    quiet = undisturbed(edges[:-1], width_s, disturbed) & np.isfinite(medians)
    return steady(medians[quiet], throughputs[quiet], width_s=width_s)


def unsteady(window: Window, found: Steadiness) -> list[str]:
    """Warn of a hold without a steady state.

    Parameters
    ----------
    window : Window
        Of the required stage.
    found : Steadiness
        What its halves say.

    Returns
    -------
    list of str
        Empty where nothing was found.
    """
    if found.verdict is not Verdict.FAILED:
        return []
    return [
        f"stage {window.stage + 1} ({window.named}) shows no steady state: {found.why}. "
        f"Its percentiles mix both: let it settle longer, or hold it longer"
    ]


def _medians(latency: FloatArray, cuts: npt.NDArray[np.intp]) -> FloatArray:
    """Medians between cuts of a series in the order of time; NaN where nothing lies."""
    return np.array([np.median(latency[a:b]) if b > a else np.nan for a, b in pairwise(cuts)])


def _unknown(why: str) -> Steadiness:
    nothing = not_estimable(why, unit="ratio")
    return Steadiness(
        verdict=Verdict.INCONCLUSIVE,
        why=why,
        latency=nothing,
        throughput=nothing,
        warmup_s=replace(nothing, unit="s"),
    )
