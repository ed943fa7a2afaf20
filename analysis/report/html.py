"""report.html: one file that holds everything and asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.recording.reader import Recording
from analysis.report import (
    advice,
    apdex,
    by_phase,
    clicks,
    drift,
    events,
    facts,
    failures,
    goodput,
    page,
    recovery,
    scaling,
    sentences,
    spent,
    tables,
    validity,
    words,
)
from analysis.report.illustrations import Illustration
from analysis.report.load_names import people_of, unit_of
from analysis.report.typography import clean
from scenarios.counting import with_unit

OVER_TIME = ("latency_over_time", "throughput_over_time")
RESOURCES = ("resources_over_time",)
OVER_LOAD = ("scalability", "latency_by_users")
AT_REQUIRED = ("latency_tails",)
DRIFTING = ("drift",)


def render_html(
    recording: Recording, verdict: tables.Document, illustrations: Sequence[Illustration]
) -> str:
    """Render the report of a run as a page.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict.
    illustrations : sequence of Illustration
        Its figures.

    Returns
    -------
    str
        HTML without scripts and without a reference to anything outside.
    """
    stability = verdict.get("stability") or {}
    fit = verdict.get("scalability") or {}
    figures = {figure.name: figure for figure in illustrations}
    return page.template("report.html.j2").render(
        verdict=verdict,
        run=clean(verdict.get("run")),
        word=clean(verdict["verdict"]),
        symbols=sentences.SYMBOLS,
        title=clean(verdict.get("title") or verdict.get("scenario")),
        question=clean(verdict.get("question")),
        why=sentences.why(verdict),
        exit_meaning=sentences.EXIT_CODES.get(verdict.get("exit_code", 0), ""),
        actions=advice.next_actions(verdict),
        tiles=tiles(verdict),
        asked=facts.asked(recording, verdict),
        ending=sentences.ending(verdict),
        warnings=[clean(warning) for warning in verdict.get("warnings", [])],
        reasons=validity.reason_rows(verdict),
        validity=validity.validity_words(verdict),
        budgets=tables.budget_rows(verdict),
        stages=tables.stage_rows(verdict),
        endpoints=tables.endpoint_rows(verdict),
        endpoints_at=_endpoints_at(verdict),
        clicks=clicks.click_rows(verdict),
        mix=clicks.mix_rows(verdict),
        mix_words=clicks.mix_words(verdict),
        clicks_at=clicks.clicks_at(verdict),
        events=[each.row for each in events.happened(recording.events, verdict)],
        apdex=apdex.apdex_rows(verdict),
        phases=by_phase.phase_rows(verdict),
        phase_words=by_phase.phase_words(verdict),
        failures=failures.failure_rows(verdict),
        totals={
            k: words.count(v) for k, v in (verdict.get("totals") or {}).items() if k != "outcomes"
        },
        over_time=_inline(figures, OVER_TIME),
        resources=_inline(figures, RESOURCES),
        over_load=_inline(figures, OVER_LOAD),
        at_required=_inline(figures, AT_REQUIRED),
        scalability=scaling.scalability_words(verdict),
        coefficients=_coefficients(fit),
        models=scaling.model_rows(fit),
        fit_verdict=scaling.fit_words(fit),
        availability=words.say(stability.get("availability")),
        by_requests=words.say(stability.get("by_requests")),
        mttr=words.say(stability.get("mttr")),
        mtbf=words.say(stability.get("mtbf")),
        outages=_outages(stability),
        recoveries=recovery.recovery_rows(verdict),
        bursts=recovery.burst_rows(verdict),
        drift=drift.drift_rows(verdict) if drift.is_told(verdict) else [],
        drift_words=drift.drift_words(verdict),
        drifting=_inline(figures, DRIFTING),
        writes=goodput.goodput_facts(verdict) if goodput.is_expected(verdict) else [],
        lost_writes=goodput.lost_writes(verdict),
        goodput=goodput.goodput_words(verdict),
        scorecard=tables.indicator_rows(verdict),
        spent=spent.spent_rows(verdict),
        spent_stages=spent.spent_by_stage(verdict),
        spent_words=spent.spent_words(verdict),
        method=sentences.method(verdict),
        surroundings=facts.surroundings(recording.manifest),
        commands=facts.commands(recording, verdict),
        users=people_of(verdict),
        **page.colours(),
    )


def _inline(figures: Mapping[str, Illustration], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "title": figures[name].title,
            "caption": figures[name].caption,
            "name": name,
            "svg": page.themed(figures[name].svg, name),
            "narrow": page.themed(figures[name].narrow, f"{name}-n")
            if figures[name].narrow
            else None,
        }
        for name in names
        if name in figures
    ]


def tiles(verdict: tables.Document) -> list[tuple[str, words.Said]]:
    """Pick the four numbers that are read first.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of (str, Said)
        Of the last hold at the required load; empty when it was never reached.
    """
    required = verdict.get("required")
    stages = [stage for stage in verdict.get("stages", []) if stage.get("level") == required]
    if not stages or not stages[-1].get("requests"):
        return []
    stage = stages[-1]
    at = f"at {with_unit(required or 0, unit_of(verdict))}"
    return [
        (f"p95 latency {at}", words.say((stage.get("latency") or {}).get("p95"))),
        (f"throughput {at}", words.say(stage.get("throughput"))),
        (f"bad requests {at}", words.say(stage.get("error_ratio"))),
        (
            "availability up to there",
            words.say((verdict.get("stability") or {}).get("availability")),
        ),
    ]


def _endpoints_at(verdict: tables.Document) -> str:
    shown = tables.shown_stage(verdict)
    return "" if shown is None else tables.stage_name(verdict, shown)


def _coefficients(fit: tables.Document) -> list[tuple[str, str, words.Said]]:
    if not fit or fit.get("refused"):
        return []
    return [
        (symbol, meaning, words.say(fit.get(name)))
        for name, symbol, meaning in scaling.coefficients_of(fit)
    ]


def _outages(stability: tables.Document) -> list[tuple[str, str, str]]:
    return [
        (
            words.moment(outage["start_s"]),
            "not over at the end" if outage.get("open") else words.moment(outage["end_s"]),
            words.quantity(outage["end_s"] - outage["start_s"], "s"),
        )
        for outage in stability.get("outages") or []
    ]
