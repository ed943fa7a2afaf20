"""Stability of a run: phases, outages, drift, recovery, bursts: one part of the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.availability import Availability, availability
from analysis.bursts import Burst, bursts
from analysis.drift import Drift
from analysis.drifts import drifts_of
from analysis.estimate import Estimate, not_estimable
from analysis.faults import fault_spans
from analysis.phases import Spell, Stretch, disturbed_stretches, phases
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording
from analysis.recoveries import recoveries_of
from analysis.recovery import Recovery
from analysis.windows import Hold, availability_window, columns_of, of_subject, open_until_s

_NEEDED = ("name", "endpoint", "outcome", "intended_s", "end_s", "latency_ms", "good", "bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How steadily a target served.

    Attributes
    ----------
    up : mapping of str to Availability or None
        By subject, ``"all"`` among them; None where the run ended before anything was judged.
    drifts : tuple of Drift
        Of the series that were looked at.
    recoveries : tuple of Recovery
        Of the disturbances, in the order of time.
    bursts : tuple of Burst
        Of bad requests, in the order of time.
    disturbed : tuple of (Label, float, float)
        What of the run was under a fault or in recovery.
    spells : tuple of Spell
        What each moment of the run was.
    """

    up: Mapping[str, Availability | None]
    drifts: tuple[Drift, ...]
    recoveries: tuple[Recovery, ...]
    bursts: tuple[Burst, ...]
    disturbed: tuple[Stretch, ...] = ()
    spells: tuple[Spell, ...] = ()

    @property
    def over_time(self) -> Estimate:
        """Availability by time, of all requests."""
        seen = self.up["all"]
        return _nothing_judged("ratio") if seen is None else seen.estimate

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Plain numbers, texts, lists and None.
        """
        seen, ratio, seconds = self.up["all"], _nothing_judged("ratio"), _nothing_judged("s")
        return {
            "availability": self.over_time.as_dict(),
            "by_requests": (seen.by_requests if seen else ratio).as_dict(),
            "up_s": seen.up_s if seen else 0.0,
            "down_s": seen.down_s if seen else 0.0,
            "unknown_s": seen.unknown_s if seen else 0.0,
            "outages": [outage.as_dict() for outage in seen.outages] if seen else [],
            "mttr": (seen.mttr if seen else seconds).as_dict(),
            "mtbf": (seen.mtbf if seen else seconds).as_dict(),
            "phases": [spell.as_dict() for spell in self.spells],
            "drift": [drift.as_dict() for drift in self.drifts],
            "recovery": [recovery.as_dict() for recovery in self.recoveries],
            "bursts": [burst.as_dict() for burst in self.bursts],
        }


def _nothing_judged(unit: str) -> Estimate:
    return not_estimable("the run ended before anything was judged", unit=unit)


def stability_of(recording: Recording, subjects: Iterable[str], holds: Sequence[Hold]) -> Stability:
    """Look at how steadily the target served.

    Parameters
    ----------
    recording : Recording
        The run.
    subjects : iterable of str
        Endpoints that budgets name.
    holds : sequence of Hold
        Every stage's.

    Returns
    -------
    Stability
        Of those and of all requests.
    """
    up = {subject: availability_of(recording, subject) for subject in {"all", *subjects}}
    seen = up["all"]
    recoveries = recoveries_of(recording, seen.outages if seen is not None else ())
    ended_s, ends_s = recording.ended_s, recording.samples["end_s"]
    told = [event for event in recording.events if event.get("t_s") is not None]
    disturbed = disturbed_stretches(fault_spans(told), recoveries, ended_s=ended_s)
    last_s = float(ends_s.max()) if len(ends_s) else ended_s
    required = recording.scenario.load.required
    hold = next(hold for hold in reversed(holds) if hold.window.level == required)
    return Stability(
        up=up,
        drifts=drifts_of(recording, hold, disturbed),
        recoveries=recoveries,
        disturbed=disturbed,
        bursts=bursts_of(recording, recoveries),
        spells=phases(recording.schedule, ended_s=ended_s, last_s=last_s, disturbed=disturbed),
    )


def bursts_of(recording: Recording, recoveries: Sequence[Recovery]) -> tuple[Burst, ...]:
    """Find the error bursts of a run, up to its required stage.

    Parameters
    ----------
    recording : Recording
        The run.
    recoveries : sequence of Recovery
        What disturbed it: a burst that overlaps one names it.

    Returns
    -------
    tuple of Burst
        In the order of time.
    """
    window = availability_window(
        recording.schedule, recording.scenario.load.required, recording.ended_s
    )
    samples = columns_of(recording.samples, "intended_s", "end_s", "good", "bad", "outcome")
    first, stop = np.searchsorted(samples["intended_s"].to_numpy(), window).tolist()
    chosen = samples.iloc[first:stop]
    counted = (chosen["good"] | chosen["bad"]).to_numpy()
    chosen = chosen if counted.all() else chosen[counted]  # a choice of rows is a copy
    if not chosen["bad"].any():
        return ()
    found = bursts(chosen["intended_s"], chosen["end_s"], chosen["bad"], chosen["outcome"])
    return tuple(replace(burst, during=_during(burst, recoveries)) for burst in found)


def _during(burst: Burst, recoveries: Sequence[Recovery]) -> str | None:
    overlapping = (
        each.disturbance.what
        for each in recoveries
        if burst.start_s <= each.disturbed_until_s and burst.end_s >= each.disturbance.start_s
    )
    return next(overlapping, None)


def availability_of(recording: Recording, subject: str) -> Availability | None:
    """Measure the availability of a subject up to the required stage.

    A request that was answered later than the harness follows one at the end of a run
    served nobody while it lasted: else a freeze that ends before the timeout, in which
    every user waits and then gets a right answer, would be no outage at all. One that was
    open for less when the records ended may yet have been answered, and tells nothing.

    Parameters
    ----------
    recording : Recording
        The run.
    subject : str
        An endpoint or ``"all"``.

    Returns
    -------
    Availability or None
        None when the run ended before anything was judged.
    """
    scenario = recording.scenario
    window = availability_window(recording.schedule, scenario.load.required, recording.ended_s)
    if window[1] <= window[0]:
        return None
    samples = of_subject(columns_of(recording.samples, *_NEEDED), subject)
    times = samples["intended_s"].to_numpy(), open_until_s(samples)
    good, latency_ms = samples["good"].to_numpy(), samples["latency_ms"].to_numpy()
    young = (samples["outcome"] == Outcome.OPEN.label) & (latency_ms < scenario.drain_s * 1e3)
    bad = samples["bad"].to_numpy() & ~young.to_numpy(dtype=bool)
    plain = availability(*times, good, bad, *window)
    if scenario.largest_latency_limit_s is None:
        return plain
    late = good & (latency_ms > scenario.drain_s * 1e3)
    seen = availability(*times, good, np.asarray(bad | late, dtype=np.bool_), *window)
    return replace(seen, by_requests=plain.by_requests)
