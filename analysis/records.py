"""Records that must agree: rows written, rows read, requests counted; clocks and processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.reasons import Finding, Reason
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording
from analysis.windows import columns_of

_NOT_FINISHED = frozenset(
    outcome.label
    for outcome in (Outcome.UNFINISHED, Outcome.OPEN, Outcome.MISSED, Outcome.CANCELLED)
)
"""Outcomes that the engine's own statistics never hear of."""

FLUSHED_S = 1.0
"""A batch of records is on disk at least so often."""

_ADVICE = "check the disk, and generator.log; do not use this run's numbers"


def records_complete(recording: Recording) -> Finding:
    """Compare what each generator process wrote and counted with what can be read.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    Finding
        ``records_lost`` for each process whose counts differ. A stream that was never
        closed is one too, unless the run was killed as a whole: then up to a second
        is missing from its end, which is a note. Of a process that was lost up to a
        second is missing from the stage in which it was.
    """
    closed = {event["process"]: event for event in _events(recording, "stream_closed")}
    rows = {stream.process: stream.rows for stream in recording.streams}
    started = {process["process"] for process in recording.manifest.get("generators", [])}
    lost = lost_at_s(recording)
    reasons: list[Reason] = []
    notes: list[str] = []
    for process in sorted(started | rows.keys() | closed.keys()):
        if process in closed:
            counted = columns_of(recording.samples, "outcome", "sent_us")
            counted = counted[(recording.samples["process"] == process).to_numpy()]
            reasons += _differences(process, closed[process], rows.get(process, 0), counted)
        elif process in lost:
            stage, outside = _place(recording, {"t_s": max(lost[process] - FLUSHED_S, 0.0)})
            if not outside:
                message = (
                    f"{_where(stage)}: up to a second of the last records of generator {process} "
                    f"is missing, for it was lost; allowed: none"
                )
                reasons.append(_lost(message, rows.get(process, 0), rows.get(process, 0), stage))
        elif recording.end_why in {"killed", "interrupted"}:
            notes.append(
                f"generator {process} was killed with the run: up to the last second "
                f"of its records may be missing"
            )
        else:
            message = f"the records of generator {process} are cut off; allowed: closed by it"
            reasons.append(_lost(message, rows.get(process, 0), rows.get(process, 0)))
    return Finding(reasons=tuple(reasons), notes=tuple(notes))


def _differences(
    process: int, closed: dict[str, Any], rows: int, samples: pd.DataFrame
) -> Iterator[Reason]:
    finished = int((~samples["outcome"].isin(_NOT_FINISHED)).sum())
    # an arrival that was given up is missed, or cancelled when the run was cut short
    sent = int(samples["sent_us"].notna().sum())
    compared = (
        ("rows read", rows, "written", closed["rows"]),
        ("requests recorded", len(samples), "counted by the client", closed["requests"]),
        ("requests sent", sent, "asked of the client", closed.get("client_requests")),
        ("finished requests", finished, "counted by the engine", closed.get("engine_requests")),
    )
    for what, found, by, counted in compared:
        if counted is not None and found != counted:
            message = f"generator {process}: {found:,} {what}, but {counted:,} {by}"
            yield _lost(message, found, counted)


def lost_at_s(recording: Recording) -> dict[int, float]:
    """Find out when generator processes were lost.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    dict of int to float
        Seconds of run time by process, of those whose time is known.
    """
    return {
        int(event["process"]): float(event["t_s"])
        for event in _events(recording, "generator_lost")
        if event.get("process") is not None and event.get("t_s") is not None
    }


def _lost(message: str, measured: int, limit: int, stage: int | None = None) -> Reason:
    return Reason(
        code="records_lost",
        stage=stage,  # None: nobody knows where they would have stood
        message=message,
        measured=float(measured),
        limit=float(limit),
        advice=_ADVICE,
    )


def clock_steady(recording: Recording) -> Finding:
    """Find the steps of the wall clock that the generators noticed.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    Finding
        ``clock_stepped`` for the stage of each; a step in the warm-up or after the last
        hold is a note.
    """
    reasons: list[Reason] = []
    notes: list[str] = []
    for event in _events(recording, "clock_stepped"):
        stage, outside = _place(recording, event)
        if outside:
            notes.append("the wall clock stepped outside of every stage: no harm to what is judged")
            continue
        step_s = abs(float(event.get("step_s", 0.0)))
        reasons.append(
            Reason(
                code="clock_stepped",
                stage=stage,
                message=f"{_where(stage)}: wall clock and monotonic clock moved apart by "
                f"{step_s:.3g} s; allowed: no step while load is applied",
                measured=step_s,
                limit=0.0,
                advice="let the machine's clock settle (time synchronisation), then run again",
            )
        )
    return Finding(reasons=tuple(reasons), notes=tuple(notes))


def connections_made(recording: Recording) -> Finding:
    """Find the stages in which a generator process could open no more connections.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    Finding
        ``generator_saturated`` for each: requests failed that the target never saw. Outside
        of every stage it is a note.
    """
    reasons: dict[int | None, Reason] = {}
    notes: set[str] = set()
    for event in _events(recording, "generator_limit"):
        stage, outside = _place(recording, event)
        why = str(event.get("text", "no reason given"))
        if outside:
            notes.add(f"the generator could open no more connections outside of every stage: {why}")
        elif stage not in reasons:
            reasons[stage] = Reason(
                code="generator_saturated",
                stage=stage,
                message=f"{_where(stage)}: {_who(event)} could open no more connections: {why}; "
                f"allowed: a connection for each request",
                measured=1.0,
                limit=0.0,
                advice="allow more open files (ulimit -n) and local ports, have more generator "
                "processes, or ask for less load",
            )
    return Finding(reasons=tuple(reasons.values()), notes=tuple(sorted(notes)))


def generators_kept(recording: Recording) -> Finding:
    """Find the generator processes that died.

    Parameters
    ----------
    recording : Recording
        The run.

    Returns
    -------
    Finding
        ``generator_lost`` for the stage of each; in the warm-up it is the first stage
        that lacks the users, after the last hold the last one whose ends are not seen.
    """
    reasons = []
    spans = recording.schedule.spans
    for event in _events(recording, "generator_lost"):
        stage, outside = _place(recording, event)
        if outside:
            stage = spans[0].stage if event["t_s"] < spans[0].start_s else spans[-1].stage
        how = f" ({event['reason']})" if event.get("reason") else ""
        reasons.append(
            Reason(
                code="generator_lost",
                stage=stage,
                message=f"{_where(stage)}: {_who(event)} was lost{how} with its users; "
                f"allowed: none",
                measured=1.0,
                limit=0.0,
                advice=_advice_for(str(event.get("reason") or "")),
            )
        )
    return Finding(reasons=tuple(reasons))


def _advice_for(reason: str) -> str:
    """Say where to look for why a generator was lost; a signal leaves no log."""
    if reason == "SIGKILL":  # as the system does it to a process
        return "look whether the system ran out of memory, or who killed it"
    if reason.startswith("SIG"):
        return f"look in generator.log, and who or what ended it with {reason}"
    if "did not end" in reason:
        return "look who stopped it, or what in the locustfile kept its loop"
    return "look in generator.log why it ended"


def _events(recording: Recording, kind: str) -> list[dict[str, Any]]:
    return [event for event in recording.events if event.get("kind") == kind]


def _place(recording: Recording, event: dict[str, Any]) -> tuple[int | None, bool]:
    """Stage in which something happened (None: nobody wrote when), and whether in none."""
    if event.get("t_s") is None:
        return None, False
    for span in recording.schedule.spans:
        if span.start_s <= event["t_s"] < span.end_s:
            return span.stage, False
    return None, True


def _who(event: dict[str, Any]) -> str:
    """Name a generator process; that without a number deals the users out to the others."""
    process = event.get("process", "?")
    return "the generators' master" if process is None else f"generator {process}"


def _where(stage: int | None) -> str:
    return "at an unknown time" if stage is None else f"stage {stage + 1}"
