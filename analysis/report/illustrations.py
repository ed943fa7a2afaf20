"""The figures of a report: chosen, captioned, and rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis.figures.drawing import NARROW, to_svg
from analysis.figures.latency import Limit
from analysis.figures.over_load import latency_tails, percentiles_by_users, scalability
from analysis.figures.over_time import Band, latency_over_time, throughput_over_time
from analysis.recording.reader import Recording
from analysis.report.sentences import limits_of_latency
from analysis.report.tables import OUTCOMES, Document
from analysis.report.words import clean, people, shorten
from analysis.series import Series, bin_width_s, series_of, tails_of

_LONGEST_NAME = 52


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
    limits = [
        Limit(latency_ms=limit_ms, label=clean(text))
        for limit_ms, text in limits_of_latency(verdict)
    ]
    users = people(recording.scenario.load.think_scale, recording.scenario.load.unit)
    return [
        *_over_time(series, bands, limits, users),
        *_over_load(verdict, limits, users),
        *_at_required(recording, verdict, limits),
    ]


def _over_time(
    series: Series, bands: list[Band], limits: list[Limit], users: str
) -> Iterator[Illustration]:
    every = "second" if series.width_s == 1 else f"{series.width_s:g} s"
    title = "Latency over time"
    yield Illustration(
        name="latency_over_time",
        title=title,
        caption=(
            f"Percentiles of the requests intended in each {every}; one that too few requests "
            "made is left out. Shaded: the holds, which are judged; darker, with a bold number "
            "above: the required load. Dashed: limits of budgets on all requests."
        ),
        svg=to_svg(latency_over_time(series, bands, limits, users=users), title=title),
        narrow=to_svg(
            latency_over_time(series, bands, limits, users=users, size=NARROW),
            title=title,
            prefix="n-",
        ),
    )
    title = "Throughput, errors and load over time"
    if not series.bad_rps:
        title = "Throughput and load over time"
    yield Illustration(
        name="throughput_over_time",
        title=title,
        caption=(
            f"Requests that ended in each {every}"
            + (
                "; bad ones stacked, in a scale of their own. "
                if series.bad_rps
                else "; not one of them was bad. "
            )
            + "Below: virtual users, and requests sent and not yet answered."
        ),
        svg=to_svg(
            throughput_over_time(series, bands, users=users, outcomes=OUTCOMES), title=title
        ),
        narrow=to_svg(
            throughput_over_time(series, bands, users=users, outcomes=OUTCOMES, size=NARROW),
            title=title,
            prefix="n-",
        ),
    )


def _over_load(verdict: Document, limits: list[Limit], users: str) -> Iterator[Illustration]:
    stages = [stage for stage in verdict.get("stages", []) if stage.get("requests")]
    if not stages:
        return
    title = "Throughput against requests in flight"
    yield Illustration(
        name="scalability",
        title=title,
        caption=(
            "A point for each hold, named by its users, with 95 % intervals where there are some. "
            "Hollow points are of stages that were not valid or not complete: they leave the fit. "
            "In flight, not users: with think times, users make a queue look like a peak."
        ),
        svg=to_svg(scalability(stages, verdict.get("scalability") or {}, users=users), title=title),
    )
    title = "Latency against users"
    yield Illustration(
        name="latency_by_users",
        title=title,
        caption=(
            "Percentiles of each hold. An arrow upward: the value is a lower bound, "
            "for it falls among requests whose end nobody saw."
        ),
        svg=to_svg(percentiles_by_users(stages, limits, users=users), title=title),
    )


def _at_required(
    recording: Recording, verdict: Document, limits: list[Limit]
) -> Iterator[Illustration]:
    stage = next((part["stage"] for part in verdict.get("endpoints", []) if "stage" in part), None)
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
        svg=to_svg(latency_tails(tails, limits), title=title),
    )
