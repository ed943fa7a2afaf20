"""What happened in a run beside its load, in order of time: for tables and figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.faults import FaultSpan, fault_spans
from analysis.report.tables import Document
from analysis.report.typography import clean
from analysis.report.words import moment, quantity

Event = Mapping[str, Any]

_FAULTS = {
    ("freeze", "server"): ("server frozen", "freeze"),
    ("freeze", "worker"): ("one worker frozen", "freeze"),
    ("kill", "server"): ("server killed", "server killed"),
    ("kill", "worker"): ("one worker killed", "worker killed"),
}
"""What a fault is called in a table, and in a figure."""

DOWN = "down: not one good answer"

_KILLED_WITH_S = 5.0
"""A worker that is lost or started so soon after a kill is the work of that kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened.

    Attributes
    ----------
    start_s : float
        When, in seconds of run time.
    end_s : float or None
        When it was over; None for a moment, and for what was not over at the end.
    lasts : bool
        Whether it is a span, not a moment.
    what, detail : str
        In words.
    label : str or None
        In a figure; None where it is not drawn.
    """

    start_s: float
    what: str
    end_s: float | None = None
    lasts: bool = False
    detail: str = ""
    label: str | None = None

    @property
    def row(self) -> tuple[str, str, str, str]:
        """From, until, what, and detail, as a table shows them."""
        if not self.lasts:
            until = ""
        elif self.end_s is None:
            until = "not over at the end"
        else:
            until = moment(self.end_s)
        return moment(self.start_s), until, self.what, self.detail


def happened(events: Iterable[Event], verdict: Document) -> list[Happened]:
    """Tell what happened beside the load.

    Parameters
    ----------
    events : iterable of mapping
        Of the run.
    verdict : mapping
        Its verdict, which knows when nothing was answered well.

    Returns
    -------
    list of Happened
        In order of time; empty where there was nothing but load, and perhaps outages,
        which reports show anyway.
    """
    told = [event for event in events if event.get("t_s") is not None]
    faults = fault_spans(told)
    found = [*map(_fault, faults), *_moments(told, faults)]
    if found:
        found += _outages(verdict)
    # an outage is counted in whole seconds: what brought it about stands before it
    return sorted(found, key=lambda each: (int(each.start_s), each.what == DOWN, each.start_s))


def _fault(span: FaultSpan) -> Happened:
    known = (f"{clean(span.what)} of the {clean(span.process)}", clean(span.what))
    what, label = _FAULTS.get((span.what, span.process), known)
    late_s = span.start_s - span.planned_s
    detail = "asked for by the scenario"
    if abs(late_s) >= 0.05:  # noqa: PLR2004 - what a reader would see in the time beside it
        detail += f" at {moment(span.planned_s)}"
    return Happened(
        start_s=span.start_s,
        end_s=span.end_s,
        lasts=True,
        what=what,
        detail=detail,
        label=label,
    )


def _outages(verdict: Document) -> Iterator[Happened]:
    for outage in (verdict.get("stability") or {}).get("outages") or ():
        yield Happened(
            start_s=outage["start_s"],
            end_s=None if outage.get("open") else outage["end_s"],
            lasts=True,
            what=DOWN,
            detail=quantity(outage["end_s"] - outage["start_s"], "s"),
        )


def _moments(events: Iterable[Event], faults: list[FaultSpan]) -> Iterator[Happened]:
    for event in events:
        told = _WORDS.get(str(event["kind"]))
        if told is None:
            continue
        what, detail, label = told(event)
        by_fault = event["kind"] in {"worker_lost", "worker_started"} and any(
            span.what == "kill" and 0 <= event["t_s"] - span.start_s < _KILLED_WITH_S
            for span in faults
        )
        yield Happened(
            start_s=float(event["t_s"]),
            what=what,
            detail=detail,
            label=None if by_fault else label,
        )


def _process(event: Event) -> str:
    number = event.get("process")
    return "the generators' master" if number is None else f"generator {clean(number)}"


def _pid(event: Event) -> str:
    return f"process {clean(event.get('pid'))}"


_WORDS: Mapping[str, Any] = {
    "worker_lost": lambda e: ("worker of the target lost", _pid(e), "worker lost"),
    "worker_started": lambda e: ("worker of the target started", _pid(e), "worker started"),
    "extended": lambda e: (
        f"stage {int(e['stage']) + 1} held on",
        f"{quantity(float(e['by_s']), 's')} more: a budget was undecided",
        "held on",
    ),
    "stop_rule": lambda e: ("stop rule ended the load", clean(e.get("rule")), "stop rule"),
    "interrupted": lambda _: ("interrupted", "", "interrupted"),
    "target_lost": lambda _: ("target lost", "it ended by itself", "target lost"),
    "generator_lost": lambda e: (
        f"{_process(e)} lost",
        clean(e.get("reason") or ""),
        "generator lost",
    ),
    "generator_silent": lambda e: (
        f"{_process(e)} silent",
        "it wrote no line of the timeline",
        "generator silent",
    ),
    "generator_back": lambda e: (f"{_process(e)} back", "", None),
    "clock_stepped": lambda e: (
        "wall clock stepped",
        f"by {quantity(float(e.get('step_s') or 0), 's')}",
        "clock stepped",
    ),
    "host_refused": lambda e: ("load to a host was refused", clean(e.get("host")), "refused"),
}
"""By kind of event: what it is called, what more there is to say, and its label in figures."""
