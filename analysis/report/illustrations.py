"""The figures of a report: chosen, captioned, and rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from analysis.autocorrelation import FloatArray
from analysis.drift_series import series_in
from analysis.figures.drawing import NARROW, WIDE, Size, to_svg
from analysis.figures.drift import Moved, drifting
from analysis.figures.latency import Limit, some
from analysis.figures.over_load import latency_tails, percentiles_by_users
from analysis.figures.over_time import Healthy, latency_over_time, throughput_over_time
from analysis.figures.resources import resources_over_time
from analysis.figures.run_axis import Band, Mark
from analysis.figures.scaling import scalability
from analysis.phases import Label
from analysis.recording.reader import Recording
from analysis.report.cores import cores_of_target
from analysis.report.drift import short_name_of
from analysis.report.events import Happened, happened
from analysis.report.load_names import people_of, unit_of
from analysis.report.sentences import limits_of_latency
from analysis.report.tables import OUTCOMES, Document
from analysis.report.typography import clean, shorten
from analysis.series import Series, bin_width_s, series_of, tails_of
from analysis.usage import usage_of
from analysis.windows import hold_of, hold_windows

_LONGEST_NAME = 52
_MOST_DRIFTS = 3
_LEAD_S = 2.0
"""So much before and after a disturbance the band of healthy windows is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Illustration:
    """A figure as a report shows it.

    Attributes
    ----------
    name : str
        Also of its file.
    title, caption : str
        What it shows, and how to read it.
    svg : str
        As it stands in its file.
    narrow : str or None
        For a narrow window; None where the other is narrow enough.
    """

    name: str
    title: str
    caption: str
    svg: str
    narrow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What all figures of a run share."""

    verdict: Document
    bands: list[Band]
    marks: list[Mark]
    limits: list[Limit]
    users: str

    @property
    def of_marks(self) -> str:
        """What a caption says of them."""
        said = []
        if any(mark.end_s is not None for mark in self.marks):
            said.append("Orange: what was done to the target.")
        if any(mark.end_s is None for mark in self.marks):
            said.append("Dotted lines: what happened.")
        return "".join(f" {words}" for words in said)


def illustrate(recording: Recording, verdict: Document) -> list[Illustration]:
    """Draw the figures of a run.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict.

    Returns
    -------
    list of Illustration
        Only those that there is something to show in.
    """
    end_s = max(recording.ended_s, 1.0)
    series = series_of(recording, width_s=bin_width_s(end_s))
    bands = [
        Band(
            level=span.level,
            start_s=span.start_s,
            hold_s=span.hold_s,
            end_s=min(span.end_s, end_s),
            required=span.level == recording.scenario.load.required,
        )
        for span in recording.schedule.spans
        if span.hold_s < end_s
    ]
    told = _Told(
        verdict=verdict,
        bands=bands,
        marks=_marks(happened(recording.events, verdict), end_s),
        limits=[
            Limit(latency_ms=limit_ms, label=clean(text))
            for limit_ms, text in limits_of_latency(verdict)
        ],
        users=people_of(verdict),
    )
    return [
        *_over_time(series, told),
        *_resources(recording, series, told),
        *_over_load(told),
        *_at_required(recording, told),
        *_drifting(recording, told),
    ]


def _marks(events: list[Happened], end_s: float) -> list[Mark]:
    return [
        Mark(
            start_s=each.start_s,
            end_s=(end_s if each.end_s is None else each.end_s) if each.lasts else None,
            label=each.label,
        )
        for each in events
        if each.label is not None
    ]


def _wide_and_narrow(
    name: str, title: str, caption: str, draw: Callable[[Size], Figure]
) -> Illustration:
    return Illustration(
        name=name,
        title=title,
        caption=caption,
        svg=to_svg(draw(WIDE), title=title),
        narrow=to_svg(draw(NARROW), title=title, prefix="n-"),
    )


def _healthy(verdict: Document) -> list[Healthy]:
    """Where p95 of healthy windows lies, shortly before a disturbance until it was past."""
    return [
        Healthy(
            start_s=max(span[1] for span in each["baseline"]) - _LEAD_S,
            end_s=(each["recovered_s"] or each["seen_until_s"]) + _LEAD_S,
            p95_ms=each["band"]["p95_ms"],
        )
        for each in (verdict.get("stability") or {}).get("recovery") or ()
        if each["band"] is not None and each["band"]["p95_ms"] is not None
    ]


def _over_time(series: Series, told: _Told) -> Iterator[Illustration]:
    healthy = _healthy(told.verdict)
    every = "second" if series.width_s == 1 else f"{series.width_s:g} s"
    yield _wide_and_narrow(
        "latency_over_time",
        "Latency over time",
        f"Percentiles of the requests intended in each {every}; one that too few requests "
        "made is left out. Shaded: the holds, which are judged; darker, with a bold number "
        "above: the required load. Dashed: limits of budgets on all requests."
        + (" Tinted: where p95 of healthy windows lies." if healthy else "")
        + told.of_marks,
        lambda size: latency_over_time(
            series,
            told.bands,
            told.limits,
            marks=told.marks,
            healthy=healthy,
            users=told.users,
            size=size,
        ),
    )
    outages = [
        (outage["start_s"], outage["end_s"])
        for outage in (told.verdict.get("stability") or {}).get("outages") or ()
    ]
    yield _wide_and_narrow(
        "throughput_over_time",
        f"Throughput{', errors' if series.bad_rps else ''} and load over time",
        f"Requests that ended in each {every}"
        + ("; bad ones stacked, in a scale of their own." if series.bad_rps else "; none was bad.")
        + (" Red on the axis: down, not one good answer." if outages else "")
        + _of_load(series)
        + told.of_marks,
        lambda size: throughput_over_time(
            series,
            told.bands,
            marks=told.marks,
            outages=outages,
            users=told.users,
            outcomes=OUTCOMES,
            size=size,
        ),
    )


def _of_load(series: Series) -> str:
    if series.arrivals is None:
        return " Below: virtual users, and requests sent and not yet answered."
    said = " Below: clicks that were asked for and begun, and requests sent and not yet answered."
    if np.nan_to_num(series.arrivals.late).any() or series.arrivals.missed.any():
        said += (
            " Hatched: arrivals that were due then and found no virtual user free; red: those "
            "of them that were never begun."
        )
    return said


def _resources(recording: Recording, series: Series, told: _Told) -> Iterator[Illustration]:
    usage = usage_of(recording.resources, length_s=series.end_s, width_s=series.width_s)
    if not usage.cpu_cores:
        return
    where = cores_of_target(told.verdict)
    yield _wide_and_narrow(
        "resources_over_time",
        "Resources over time",
        "Looked at once a second, from outside; processes of one role are added up."
        + (f" The target ran {where}." if where else "")
        + (
            " One request in the CRM is the look itself; a gap: it did not answer."
            if some(usage.pool_used)
            else ""
        )
        + told.of_marks,
        lambda size: resources_over_time(
            usage, told.bands, marks=told.marks, users=told.users, size=size
        ),
    )


def _over_load(told: _Told) -> Iterator[Illustration]:
    verdict, users = told.verdict, told.users
    stages = [stage for stage in verdict.get("stages", []) if stage.get("requests")]
    if not stages:
        return
    unit, where = unit_of(verdict), cores_of_target(verdict)
    title = "Throughput against requests in flight"
    why = (
        "In flight, not users: with think times, users make a queue look like a peak."
        if unit == "users"
        else "In flight, not arrivals: what comes is what was asked for, what is open is the load."
    )
    yield Illustration(
        name="scalability",
        title=title,
        caption=(
            f"A point for each hold, named by its {unit}, with 95 % intervals where there are "
            "some. Hollow points are of stages that were not valid or not complete: they leave "
            f"the fit. {why}" + (f" The target ran {where}." if where else "")
        ),
        svg=to_svg(scalability(stages, verdict.get("scalability") or {}, users=users), title=title),
    )
    title = f"Latency against {unit}"
    yield Illustration(
        name="latency_by_users",
        title=title,
        caption=(
            "Percentiles of each hold, with their 95 % intervals; one that does not reach up "
            "has no known upper end. An arrow upward: the value is a lower bound, "
            "for it falls among requests whose end nobody saw."
        ),
        svg=to_svg(percentiles_by_users(stages, told.limits, users=users), title=title),
    )


def _at_required(recording: Recording, told: _Told) -> Iterator[Illustration]:
    endpoints = told.verdict.get("endpoints", [])
    stage = next((part["stage"] for part in endpoints if "stage" in part), None)
    if stage is None:
        return
    tails = [
        replace(tail, name=shorten(clean(tail.name), _LONGEST_NAME))
        for tail in tails_of(recording, stage=stage)
    ]
    if not tails:
        return
    title = "How many requests took longer"
    yield Illustration(
        name="latency_tails",
        title=title,
        caption=(
            "For each endpoint, the share of its requests that took longer than a latency, in the "
            "hold of the required load: p95 is where a line crosses 5 %. Requests whose end nobody "
            "saw stand at their age."
        ),
        svg=to_svg(latency_tails(tails, told.limits), title=title),
    )


def _drifting(recording: Recording, told: _Told) -> Iterator[Illustration]:
    """Draw the first series that drifted, as they were judged."""
    stability = told.verdict.get("stability") or {}
    found = [each for each in stability.get("drift") or () if each["verdict"] == "failed"]
    every = (_moved(recording, stability, each) for each in found[:_MOST_DRIFTS])
    moved = [each for each in every if len(each.values)]
    if moved:
        yield _wide_and_narrow(
            "drift",
            "What drifted",
            "The hold of the required load in the bins in which it was judged, without faults "
            "and recoveries, and the line whose growth is stated.",
            lambda size: drifting(moved, size=size),
        )


def _moved(recording: Recording, stability: Document, each: Document) -> Moved:
    windows = hold_windows(recording.schedule, recording.ended_s)
    required = recording.scenario.load.required
    window = next(window for window in reversed(windows) if window.level == required)
    disturbed = [
        (Label(spell["phase"]), spell["start_s"], spell["end_s"])
        for spell in stability.get("phases") or ()
        if spell["phase"] in {Label.FAULT, Label.RECOVERY}
    ]
    series = series_in(
        recording,
        hold_of(recording.samples, window),
        metric=each["metric"],
        subject=each["subject"],
        disturbed=disturbed,
    )
    middle, grown = each["level"]["value"], each["over_hold"]["value"]
    # the line goes through the middle; one without a percentage began at nothing
    part = _before_the_middle(series.start_s)
    begin = 0.0 if grown is None else middle / (1 + grown * part)
    unit = series.unit if series.unit not in {"files", "connections"} else ""
    return Moved(
        name=f"{short_name_of(each)}{f', {unit}' if unit else ''}",
        at_min=(series.start_s + series.width_s / 2) / 60,
        values=series.values,
        line=(begin, begin + (middle - begin) / part),
    )


def _before_the_middle(start_s: FloatArray) -> float:
    """Tell which part of a series lies before its median in time: half of one without gaps."""
    if len(start_s) <= 1:
        return 0.5
    return float((np.median(start_s) - start_s[0]) / (start_s[-1] - start_s[0]))
