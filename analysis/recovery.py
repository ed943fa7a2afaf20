"""Recovery: how long a system takes to be as before, after a fault, an outage or a spike.

::

      band  ------------------+        +----------------------
                              |        |<--- HOLD windows --->
            ooooooooooooooooo  x x x x x o o o o o o o o o o o o
            baseline          ^detected ^recovered

Windows (:mod:`analysis.pulse`) are held against the band of the same load before
(:mod:`analysis.band`). *Detected* is the end of the first window that has left it;
*recovered* the beginning of the first from which it is kept for ten windows, and as
long beyond the end of the disturbance: what is back while a fault is on, and lost again
before it is over, has not recovered (:mod:`analysis.course`). What is within the band
and still behind a backlog has not either: not before somebody is served as fast as
before. Where the run, its load or
the next disturbance comes before, the recovery is censored: at least up to the last
window that was out of the band.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.availability import SEEN
from analysis.band import FEWEST_BASELINE, Band, band_of
from analysis.course import HOLD, Course
from analysis.disturbances import Disturbance, Times
from analysis.estimate import Estimate, not_estimable
from analysis.pulse import Floats, Pulse, Requests, pulse_of
from analysis.residual import residual
from analysis.slow_requests import more_than_before

MATTERS = 0.05
"""A level that is surely worse than before by more than this part is a finding."""

_SHORT_S, _ANY_S = (0.25, 0.5, 1.0), (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_FULL, _ENOUGH = 20, 10
"""Requests that a window must hold on average for its p95, and for its median."""

SHORTEST_CALM_S, FEWEST_CALM = FEWEST_BASELINE * _SHORT_S[0], FEWEST_BASELINE * _ENOUGH
"""Seconds and requests of the same load before a disturbance that it takes at least."""

_NEARLY_ALL = 0.95
"""Part of the requests that are answered within what counts as their usual time."""

LOSS = "sum over windows of 1 - goodput / goodput before, where that is positive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What followed a disturbance.

    Attributes
    ----------
    disturbance : Disturbance
        What it was.
    seen_until_s : float
        Until when it was looked at: the next disturbance, another load, or the end.
    detected_after : Estimate
        Seconds from its beginning to the end of the first window out of the band.
    recovery_time : Estimate
        Seconds (from its beginning; after a spike, from when the load was back) to the
        first window from which the band is kept and nobody waits behind a backlog. Its
        ends: the beginnings of the last window that was not so, and of this one. A lower
        bound where it is censored, 0 where it had no effect.
    loss, lost : Estimate
        Seconds of full outage that the missing goodput comes to, and right answers.
    residual : mapping of str to Estimate
        Growth of p50, p95 and goodput, after against before.
    window_s : float or None
        Length of the windows; None where there was nothing to compare with.
    baseline : tuple of (float, float)
        From and until of the times before that it is compared with.
    band : Band or None
        What healthy windows looked like.
    signals : tuple of str
        What left the band before it was recovered.
    detected_by : tuple of str
        What left it in the first window that did.
    recovered_s : float or None
        When it was, in run time; None where it was not seen to.
    """

    disturbance: Disturbance
    seen_until_s: float
    detected_after: Estimate
    recovery_time: Estimate
    loss: Estimate
    lost: Estimate
    residual: Mapping[str, Estimate]
    window_s: float | None = None
    baseline: tuple[Times, ...] = ()
    band: Band | None = None
    signals: tuple[str, ...] = ()
    detected_by: tuple[str, ...] = ()
    recovered_s: float | None = None

    @property
    def disturbed_until_s(self) -> float:
        """Until when nothing can be compared with what it left.

        Of one that had nothing to be compared with only its own end is known.
        """
        if self.recovered_s is not None:
            return self.recovered_s
        own_s = self.disturbance.end_s if self.window_s is None else None
        return self.seen_until_s if own_s is None else own_s

    @property
    def degraded(self) -> bool:
        """Whether what was left behind is surely worse than before, by more than 5 %."""
        slower = (self.residual[name].low for name in ("p50", "p95"))
        fewer = self.residual["goodput"].high
        return any(low is not None and low > MATTERS for low in slower) or (
            fewer is not None and fewer < -MATTERS
        )

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts, lists and None.
        """
        return {
            "kind": self.disturbance.kind,
            "what": self.disturbance.what,
            "start_s": self.disturbance.start_s,
            "end_s": self.disturbance.end_s,
            "since_s": self.disturbance.since_s,
            "seen_until_s": self.seen_until_s,
            "level": self.disturbance.level,
            "window_s": self.window_s,
            "hold_s": None if self.window_s is None else HOLD * self.window_s,
            "baseline": [list(span) for span in self.baseline],
            "band": None if self.band is None else self.band.as_dict(),
            "signals": list(self.signals),
            "detected_by": list(self.detected_by),
            "detected_after": self.detected_after.as_dict(),
            "recovery_time": self.recovery_time.as_dict(),
            "recovered_s": self.recovered_s,
            "residual": {name: each.as_dict() for name, each in self.residual.items()},
            "degraded": self.degraded,
            "loss": self.loss.as_dict(),
            "lost": self.lost.as_dict(),
        }


def recovery_of(
    disturbance: Disturbance,
    requests: Requests,
    *,
    calm: Sequence[Times],
    until_s: float,
    quiet_until_s: float | None = None,
) -> Recovery:
    """Measure how a system came back.

    Parameters
    ----------
    disturbance : Disturbance
        After what.
    requests : Requests
        Of the run, in any order.
    calm : sequence of (float, float)
        Time before it in which the load was the same and nothing was disturbed.
    until_s : float
        Until when the load stays the same and nothing known disturbs it again.
    quiet_until_s : float, optional
        Until when nothing else was seen to, where that is earlier: what was left behind
        is measured up to there.

    Returns
    -------
    Recovery
        Not estimable where there is too little to compare with.
    """
    if disturbance.level is None:
        return _unknown(disturbance, until_s, "the load was not constant when it began")
    width_s = window_width_s(requests.intended_s, calm)
    if width_s is None:
        length_s = sum(end - start for start, end in calm)
        why = (
            f"too few requests in the {length_s:.3g} s of the same load before it: "
            f"{FEWEST_BASELINE} windows of {_ENOUGH} are needed"
        )
        return _unknown(disturbance, until_s, why)
    pulse = pulse_of(
        requests,
        origin_s=disturbance.since_s,
        width_s=width_s,
        start_s=min(start for start, _ in calm),
        stop_s=until_s,
    )
    before = pulse.only(
        np.logical_or.reduce([pulse.within(*span) for span in calm])
        & (pulse.end_s <= disturbance.start_s - _reach_s(disturbance, requests, calm))
    )
    after = pulse.only(pulse.within(disturbance.start_s, until_s))
    over_s = until_s if disturbance.end_s is None else disturbance.end_s
    looks = int(np.ceil((over_s - disturbance.start_s) / width_s)) + HOLD
    band = band_of(before, looks=looks)
    if band is None:
        why = f"fewer than {FEWEST_BASELINE} windows of the same load before it have a median"
        return _unknown(disturbance, until_s, why)
    left = band.left(after)
    if band.p95_ms is not None:
        left["p95"] &= more_than_before(
            requests, band.p95_ms, before=before, after=after, alarm=band.alarm
        )
    out = np.logical_or.reduce(list(left.values()))
    quiet_s = until_s if quiet_until_s is None else min(until_s, quiet_until_s)
    course = Course(
        starts_s=after.start_s,
        width_s=width_s,
        known=after.known | out,
        out=out,
        behind=band.behind(after, after.only(after.within((over_s + quiet_s) / 2, quiet_s))),
        start_s=disturbance.start_s,
        since_s=disturbance.since_s,
        over_s=disturbance.end_s,
        until_s=until_s,
    )
    time, recovered_s = course.recovery()
    first = course.first_out
    end_s = until_s if recovered_s is None else recovered_s
    loss, lost = _losses(
        after.only(after.within(disturbance.since_s, end_s)), band, censored=recovered_s is None
    )
    # What never came back is looked at in the second half of the time that it had.
    level_s = (over_s + quiet_s) / 2 if recovered_s is None else max(recovered_s, over_s)
    return Recovery(
        disturbance=disturbance,
        seen_until_s=until_s,
        window_s=width_s,
        baseline=tuple(calm),
        band=band,
        signals=tuple(name for name, flags in left.items() if flags[after.start_s < end_s].any()),
        detected_by=() if first is None else tuple(n for n, flags in left.items() if flags[first]),
        detected_after=course.detected(),
        recovery_time=time,
        recovered_s=recovered_s,
        residual=_residuals(before, pulse.only(pulse.within(level_s, quiet_s))),
        loss=loss,
        lost=lost,
    )


def _reach_s(disturbance: Disturbance, requests: Requests, calm: Sequence[Times]) -> float:
    """Say how long before its beginning requests were intended that it caught open.

    An outage that nobody announced may have begun before anybody failed, too.
    """
    calm_ms = np.concatenate(
        [
            requests.latency_ms[
                requests.good & (requests.intended_s >= start) & (requests.intended_s < end)
            ]
            for start, end in calm
        ]
    )
    usual_s = float(np.quantile(calm_ms, _NEARLY_ALL)) / 1e3 if len(calm_ms) else 0.0
    return max(usual_s, 1.0 if disturbance.kind == "outage" else 0.0)


def window_width_s(intended_s: Floats, calm: Sequence[Times]) -> float | None:
    """Choose how long windows are: as short as the requests before allow.

    Parameters
    ----------
    intended_s : ndarray, shape (n,)
        Intended starts in seconds of run time.
    calm : sequence of (float, float)
        The time that windows are compared with.

    Returns
    -------
    float or None
        The shortest of 0.25, 0.5 and 1 s with twenty requests on average, else the
        shortest of these and 2, 5 and 10 s with ten; None where ten such windows do
        not fit.
    """
    length_s = sum(end - start for start, end in calm)
    if length_s <= 0:
        return None
    inside = [((intended_s >= start) & (intended_s < end)).sum() for start, end in calm]
    rate = float(sum(inside)) / length_s
    for width_s, needed in (*((w, _FULL) for w in _SHORT_S), *((w, _ENOUGH) for w in _ANY_S)):
        windows = sum(int((end - start) / width_s) for start, end in calm)
        if rate * width_s >= needed and windows >= FEWEST_BASELINE:
            return width_s
    return None


def _losses(during: Pulse, band: Band, *, censored: bool) -> tuple[Estimate, Estimate]:
    usual = band.goodput_rps
    if usual == 0:
        why = "there was no right answer before it"
        return not_estimable(why, unit="s"), not_estimable(why, unit="requests")
    if censored and len(during.ok) == 0:
        why = "no window of it was seen"
        return not_estimable(why, unit="s"), not_estimable(why, unit="requests")
    missing = np.maximum(0.0, 1 - during.ok / (usual * during.width_s))
    seconds = float(missing.sum()) * during.width_s
    why = "it was not seen to recover" if censored else SEEN
    return _seen(seconds, "s", why, censored), _seen(seconds * usual, "requests", why, censored)


def _seen(value: float, unit: str, why: str, censored: bool) -> Estimate:
    low = value if censored else None
    return Estimate(value=value, low=low, unit=unit, method=LOSS, why=why)


def _residuals(before: Pulse, after: Pulse) -> dict[str, Estimate]:
    return {
        "p50": residual(before.p50_ms, after.p50_ms),
        "p95": residual(before.p95_ms, after.p95_ms),
        "goodput": residual(_right(before), _right(after)),
    }


def _right(pulse: Pulse) -> Floats:
    """Count right answers where anybody was there, half a one more: none has a logarithm, too."""
    someone = (pulse.asked > 0) | (pulse.waiting > 0) | (pulse.ok > 0)
    return np.asarray(pulse.ok[someone] + 0.5, dtype=np.float64)


def _unknown(disturbance: Disturbance, until_s: float, why: str) -> Recovery:
    return Recovery(
        disturbance=disturbance,
        seen_until_s=until_s,
        detected_after=not_estimable(why, unit="s"),
        recovery_time=not_estimable(why, unit="s"),
        loss=not_estimable(why, unit="s"),
        lost=not_estimable(why, unit="requests"),
        residual={name: not_estimable(why, unit="ratio") for name in ("p50", "p95", "goodput")},
    )
