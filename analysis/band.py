"""The band that a system keeps while nothing disturbs it, and when it has left it.

Measured from windows of the same load before a disturbance. A window has left the band
when one of these is so:

============ ==============================================================================
p50, p95     higher than a healthy window would be: the mean of the logarithms of the
             baseline's windows and Student's t times their deviation, as a prediction of
             a window to come; or their highest tenth continued as an exponential tail,
             where that is higher (windows of a queue lean to the right)
goodput      fewer right answers than a healthy window would have (the same, of square
             roots of counts) although as many as ever asked for them, or waited
bad requests more than chance would put into it at the share of the baseline
============ ==============================================================================

Only what is worse counts: a window may be faster, and those who waited may all be
answered in one. The band is so wide that in a healthy run one of all the windows that
are looked at leaves it with a probability of :data:`FALSE_ALARM` at most, were windows
normal; what comes of it on queues is simulated (``make accuracy``). Neighbouring windows
are alike, which makes the baseline worth less than its windows: its mean by
n (1 - phi) / (1 + phi), its deviation by n (1 - phi^2) / (1 + phi^2).

Near saturation the band is as wide as a queue is long on a bad day, and a backlog is
within it long before it has drained. *Behind* a backlog is a window of which not even a
tenth is served as fast as half of all were before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, stdtrit

from analysis.intervals import wilson_bound
from analysis.pulse import Counts, Floats, Pulse
from analysis.trend import corrected_phi

FALSE_ALARM = 0.005
"""Probability with which a healthy run leaves the band, over all windows and signals, were
windows as they are taken to be; queues do in up to one run in thirty."""

TAIL = 0.1
"""Part of the baseline that its tail is fitted to."""

FEWEST_IN_TAIL = 10
"""Windows that a tail takes."""

BEYOND = 10.0
"""What is so many times slower than the slowest window of the baseline is not healthy."""

TOLERATED = 0.25
"""Part of its middle by which a level may be worse before it matters to anybody."""

TOLERATED_SHARE = 0.01
"""Bad requests of a hundred, more than before, that nobody calls a disturbance."""

FEWEST_BASELINE = 10
"""Windows that a band is made of at least."""

SIGNALS = ("p50", "p95", "goodput", "bad requests")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What a healthy window looks like.

    Attributes
    ----------
    p50_ms, p95_ms : float or None
        Highest latencies of a healthy window; None where too few windows had one.
    usual_ms : float
        The p50 of half of the windows.
    ok_least, asked_least : float
        Fewest right answers, and fewest requests, of a healthy window.
    goodput_rps : float
        Right answers per second of the baseline, on average.
    bad_share : float
        Highest share of bad requests that the baseline is consistent with, 0..1.
    dispersion : float
        How much more unevenly bad requests came in it than chance would have it.
    alarm : float
        Probability of a false alarm of one signal in one window.
    windows : int
        How many windows it was made of.
    width_s : float
        Their length.
    """

    p50_ms: float | None
    p95_ms: float | None
    usual_ms: float
    ok_least: float
    asked_least: float
    goodput_rps: float
    bad_share: float
    dispersion: float
    alarm: float
    windows: int
    width_s: float

    def left(self, pulse: Pulse) -> dict[str, Flags]:
        """Find the windows that have left the band.

        Parameters
        ----------
        pulse : Pulse
            Windows as long as those of the baseline, under the same load.

        Returns
        -------
        dict of str to ndarray of bool, shape (k,)
            By signal.
        """
        wanted = pulse.asked + pulse.waiting  # users who all wait ask nothing new
        starved = (pulse.ok < self.ok_least) & (wanted >= self.asked_least)
        return {
            "p50": _above(pulse.p50_ms, self.p50_ms),
            "p95": _above(pulse.p95_ms, self.p95_ms),
            "goodput": np.asarray(starved, dtype=np.bool_),
            "bad requests": self._too_many_bad(pulse.bad, pulse.asked),
        }

    def behind(self, pulse: Pulse, since: Pulse) -> Flags:
        """Find the windows in which everybody still waits behind a backlog.

        Parameters
        ----------
        pulse : Pulse
            Windows under the same load.
        since : Pulse
            Those in which a system that was left slower than before would show it: their
            level counts as usual where it is higher.

        Returns
        -------
        ndarray of bool, shape (k,)
            Where the fastest tenth took more than a quarter longer than half usually do.
        """
        levels = since.p50_ms[np.isfinite(since.p50_ms)]
        left_ms = float(np.median(levels)) if len(levels) else 0.0
        return _above(pulse.p10_ms, max(self.usual_ms, left_ms) * (1 + TOLERATED))

    def _too_many_bad(self, bad: Counts, asked: Counts) -> Flags:
        """Ask how probable so many or more would be: P(X >= b) = I_p(b, n - b + 1)."""
        b, n = bad / self.dispersion, asked / self.dispersion
        some = bad >= 2  # noqa: PLR2004 - one is no share
        tail = np.ones(len(bad))
        tail[some] = betainc(b[some], (n - b)[some] + 1, self.bad_share)
        beyond = bad > (self.bad_share + TOLERATED_SHARE) * asked
        return np.asarray(some & (tail < self.alarm) & beyond, dtype=np.bool_)

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Limits of a healthy window; rates are per second.
        """
        return {
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "goodput_rps": self.goodput_rps,
            "goodput_least_rps": self.ok_least / self.width_s,
            "bad_share": self.bad_share,
            "windows": self.windows,
        }


def band_of(baseline: Pulse, *, looks: int) -> Band | None:
    """Make the band of a baseline.

    Parameters
    ----------
    baseline : Pulse
        Windows in which nothing was disturbed.
    looks : int
        Windows that will be held against it.

    Returns
    -------
    Band or None
        None where fewer than ten windows have a median.
    """
    measured = int(np.isfinite(baseline.p50_ms).sum())
    if measured < FEWEST_BASELINE:
        return None
    alarm = FALSE_ALARM / (len(SIGNALS) * max(1, looks))
    bad, asked = baseline.bad, baseline.asked
    n, dispersion = int(asked.sum()), _dispersion(bad, asked)
    return Band(
        p50_ms=_highest(baseline.p50_ms, alarm),
        p95_ms=_highest(baseline.p95_ms, alarm),
        usual_ms=float(np.nanmedian(baseline.p50_ms)),
        ok_least=_least(baseline.ok, alarm),
        asked_least=_least(asked, alarm),
        goodput_rps=float(baseline.ok.mean()) / baseline.width_s,
        bad_share=wilson_bound(float(bad.sum()) / n, n / dispersion, upper=True) if n else 1.0,
        dispersion=dispersion,
        alarm=alarm,
        windows=measured,
        width_s=baseline.width_s,
    )


def _above(values: Floats, highest: float | None) -> Flags:
    if highest is None:
        return np.zeros(len(values), dtype=np.bool_)
    return np.asarray(np.nan_to_num(values, nan=-math.inf) > highest, dtype=np.bool_)


def _highest(latency_ms: Floats, alarm: float) -> float | None:
    seen = latency_ms[np.isfinite(latency_ms) & (latency_ms > 0)]
    if len(seen) < FEWEST_BASELINE:
        return None
    logs = np.log(seen)
    highest = float(logs.max()) + math.log(BEYOND)
    by_chance = math.exp(min(float(logs.mean()) + reach(logs, alarm), highest))
    by_tail = min(tail_reaches(seen, alarm), math.exp(highest))
    return max(by_chance, by_tail, float(np.median(seen)) * (1 + TOLERATED))


def _least(counts: Counts, alarm: float) -> float:
    roots = np.sqrt(counts)
    by_chance = max(0.0, float(roots.mean()) - reach(roots, alarm)) ** 2
    return min(by_chance, float(counts.mean()) * (1 - TOLERATED))


def reach(values: Floats, alarm: float) -> float:
    """Say how far from the mean of a series its next value may lie.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A series of at least three.
    alarm : float
        Probability of lying farther away, to one side.

    Returns
    -------
    float
        Student's t times the deviation of a prediction, for a series whose
        neighbours are alike.
    """
    n, phi = len(values), memory(values)
    worth = max(2.0, n * (1 - phi) / (1 + phi))
    freedom = max(2.0, n * (1 - phi**2) / (1 + phi**2) - 1)
    # Neighbours that are alike differ less from their own mean than from the true one.
    variance = float(values.var(ddof=1)) * (1 - 1 / n) / (1 - 1 / worth)
    return float(stdtrit(freedom, 1 - alarm)) * math.sqrt(variance * (1 + 1 / worth))


def tail_reaches(values: Floats, alarm: float) -> float:
    """Continue the upper tail of a series beyond what was seen.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A series.
    alarm : float
        Probability of lying beyond.

    Returns
    -------
    float
        u + m ln(share above u / alarm), with u at the upper tenth, or below the ten
        highest, and m the mean excess over it; minus infinity where that were more than
        a quarter of the values.

    References
    ----------
    Pickands (1975): excesses over a high threshold; with shape 0, exponential.
    """
    n = len(values)
    highest = max(math.ceil(TAIL * n), FEWEST_IN_TAIL)
    if highest > n / 4:
        return -math.inf
    ordered = np.sort(values)
    threshold, above = float(ordered[-highest - 1]), ordered[-highest:]
    excess = float(above.mean()) - threshold
    return threshold + excess * max(0.0, math.log(highest / n / alarm))


def memory(values: Floats) -> float:
    """Estimate how much of a value the next one keeps.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A series of at least three.

    Returns
    -------
    float
        phi of an AR(1), as :func:`analysis.trend.corrected_phi` finds it, at most 0.99; 0
        where all values are equal.
    """
    # Asked of the values, not of the variance: twenty times 0.1 has a mean that is not 0.1.
    if values.min() == values.max():
        return 0.0
    return min(corrected_phi(values - values.mean()), 0.99)


def _dispersion(bad: Counts, asked: Counts) -> float:
    """Pearson's chi-square of the bad requests over its degrees of freedom; at least 1."""
    some = asked > 0
    total, n = float(bad.sum()), float(asked.sum())
    if total in (0, n) or some.sum() < 2:  # noqa: PLR2004 - one has no variance
        return 1.0
    share = total / n
    expected = asked[some] * share
    chi2 = float(((bad[some] - expected) ** 2 / (expected * (1 - share))).sum())
    return max(1.0, chi2 / (int(some.sum()) - 1))
