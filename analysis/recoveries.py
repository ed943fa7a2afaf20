"""The recoveries of a run, and the budget that speaks of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.availability import Outage
from analysis.decision import Decision, Verdict
from analysis.disturbances import (
    Disturbance,
    Times,
    disturbances_of,
    same_load_before,
    same_load_until,
    without,
)
from analysis.estimate import not_estimable
from analysis.faults import fault_spans
from analysis.pulse import Requests
from analysis.recording.reader import Recording
from analysis.recovery import Recovery, recovery_of
from analysis.windows import columns_of, open_until_s
from scenarios.assertions import Assertion

_NEEDED = ("outcome", "intended_s", "end_s", "latency_ms", "good", "bad", "censored")

NOTHING_DISTURBED = (
    "nothing disturbed the run: it has no fault, no outage, and no load that fell back"
)


def recoveries_of(recording: Recording, outages: Sequence[Outage]) -> tuple[Recovery, ...]:
    """Look at what followed each disturbance of a run.

    Parameters
    ----------
    recording : Recording
        The run.
    outages : sequence of Outage
        Those that were seen, of all requests.

    Returns
    -------
    tuple of Recovery
        In the order of time; an outage that came before something else was over is a
        part of that.
    """
    schedule, ended_s = recording.schedule, recording.ended_s
    told = [event for event in recording.events if event.get("t_s") is not None]
    required = recording.scenario.load.required
    disturbed = disturbances_of(
        schedule, fault_spans(told), outages, required=required, ended_s=ended_s
    )
    disturbed = [each for each in disturbed if each.level is None or each.level <= required]
    if not disturbed:
        return ()
    requests = requests_of(recording)
    found: list[Recovery] = []
    for place, each in enumerate(disturbed):
        if each.kind == "outage" and any(a <= each.start_s < b for a, b in _taken(found)):
            continue
        found.append(_recovery(each, disturbed[place + 1 :], found, requests, recording))
    return tuple(found)


def _recovery(
    disturbance: Disturbance,
    later: Sequence[Disturbance],
    earlier: Sequence[Recovery],
    requests: Requests,
    recording: Recording,
) -> Recovery:
    schedule, level = recording.schedule, disturbance.level
    since_s = disturbance.since_s
    known = [each for each in later if each.kind != "outage"]
    known_s = [max(each.start_s, since_s) for each in known if each.lasts_beyond(since_s)]
    until_s = min([recording.ended_s, *known_s])
    calm: list[Times] = []
    if level is not None:
        same_s = same_load_until(schedule, since_s, ended_s=recording.ended_s)
        until_s = min(until_s, same_s)
        calm = without(same_load_before(schedule, level, disturbance.start_s), _taken(earlier))
    over_s = until_s if disturbance.end_s is None else disturbance.end_s
    others_s = [each.start_s for each in later if each.start_s > over_s]
    return recovery_of(
        disturbance,
        requests,
        calm=calm,
        until_s=until_s,
        quiet_until_s=min([until_s, *others_s]),
    )


def _taken(found: Sequence[Recovery]) -> list[Times]:
    """Say from and until when each disturbance had its effect.

    A spike has it from when the load is back: the stages on the way are no part of that.
    """
    return [(each.disturbance.since_s, each.disturbed_until_s) for each in found]


def requests_of(recording: Recording) -> Requests:
    """Take from a recording what recoveries are measured from.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    Requests
        All of them but those that the harness cancelled.
    """
    samples = columns_of(recording.samples, *_NEEDED)
    counted = (samples["good"] | samples["bad"]).to_numpy()
    samples = samples if counted.all() else samples[counted]  # a choice of rows is a copy
    return Requests(
        intended_s=samples["intended_s"].to_numpy(dtype=np.float64),
        end_s=open_until_s(samples),
        latency_ms=samples["latency_ms"].to_numpy(dtype=np.float64),
        good=samples["good"].to_numpy(dtype=np.bool_),
        bad=samples["bad"].to_numpy(dtype=np.bool_),
        censored=samples["censored"].to_numpy(dtype=np.bool_),
    )


def judge_recovery(assertion: Assertion, recoveries: Sequence[Recovery]) -> Decision:
    """Decide an assertion about the time to recover: it speaks of the slowest.

    Parameters
    ----------
    assertion : Assertion
        Of the metric recovery_time.
    recoveries : sequence of Recovery
        Of the run up to its required load.

    Returns
    -------
    Decision
        Failed when one took longer, or had not recovered after as long; passed when
        every one surely took less; else inconclusive. A limit within the last window of
        a recovery is not decided: nothing shorter was looked at. Measured is the slowest
        of those with that verdict.
    """
    if not recoveries:
        measured = not_estimable(NOTHING_DISTURBED, unit="s")
        return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=NOTHING_DISTURBED)
    verdicts = [_judge_one(assertion, each) for each in recoveries]
    worst = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)
    verdict = next(each for each in worst if each in verdicts)
    deciding = max(
        (each for each, its in zip(recoveries, verdicts, strict=True) if its is verdict),
        key=lambda each: each.recovery_time.value or 0.0,
    )
    measured = deciding.recovery_time
    told = [_named(deciding)]
    if measured.why and verdict is not Verdict.PASSED:
        told.append(measured.why)
    elif verdict is Verdict.INCONCLUSIVE:
        told.append(f"the limit lies within a window of {deciding.window_s:g} s")
    return Decision(verdict=verdict, measured=measured, why=": ".join(told))


def _judge_one(assertion: Assertion, recovery: Recovery) -> Verdict:
    time = recovery.recovery_time
    if time.value is None or time.low is None:
        return Verdict.INCONCLUSIVE
    if not assertion.holds(time.low):
        return Verdict.FAILED
    return (
        Verdict.PASSED
        if time.high is not None and assertion.holds(time.high)
        else Verdict.INCONCLUSIVE
    )


def _named(recovery: Recovery) -> str:
    return f"{recovery.disturbance.what} at {recovery.disturbance.start_s:.1f} s"
