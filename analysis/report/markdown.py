"""report.md: the same answer, short, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
    recovery,
    scaling,
    sentences,
    spent,
    tables,
    validity,
    words,
)
from analysis.report.load_names import people_of
from analysis.report.typography import clean

_SPECIAL = re.compile(r"([\\`*_\[\]#!|~$])")
_MENTION = re.compile(r"@(?=\w)")
_RUN_OF_TICKS = re.compile(r"`+")


def text(value: object) -> str:
    """Escape a text for Markdown, in and out of tables.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        One line; nothing in it is markup, a link or a mention.
    """
    escaped = _SPECIAL.sub(r"\\\1", clean(value))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTION.sub("@\u2060", escaped).replace("://", ":\u2060//")


def code(value: object) -> str:
    """Write a name as code, whatever is in it, in and out of tables.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        A code span; pipes are escaped, as tables need them even there.
    """
    cleaned = clean(value).replace("|", "\\|")
    longest = max((len(ticks) for ticks in _RUN_OF_TICKS.findall(cleaned)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if cleaned.startswith("`") or cleaned.endswith("`") or not cleaned else ""
    return f"{fence}{pad}{cleaned}{pad}{fence}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: int) -> list[str]:
    """Write a table whose last columns, from `right` on, are numbers."""
    rule = ["---" if index < right else "---:" for index in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)] + [""]


def render_markdown(
    manifest: Mapping[str, Any],
    verdict: tables.Document,
    noted: Iterable[events.Event] = (),
) -> str:
    """Render the report of a run as Markdown.

    Parameters
    ----------
    manifest : mapping
        The run's manifest.
    verdict : mapping
        Its verdict.
    noted : iterable of mapping
        Its events.

    Returns
    -------
    str
        Verdict, next actions, budgets, stages; the rest folded away.
    """
    word = clean(verdict["verdict"])
    lines = [
        f"## {sentences.SYMBOLS.get(word, '')} {word.capitalize()}: "
        f"{text(verdict.get('title') or verdict.get('scenario'))}",
        "",
        text(sentences.why(verdict)),
        "",
        f"Exit code {verdict.get('exit_code')}. The run {text(sentences.ending(verdict))}.",
        "",
    ]
    if verdict.get("question"):
        lines[2:2] = [f"*{text(verdict['question'])}*", ""]
    return "\n".join(
        [
            *lines,
            *_actions(verdict),
            *_warnings(verdict),
            *_reasons(verdict),
            *_budgets(verdict),
            *_stages(verdict),
            *_apdex(verdict),
            *_phases(verdict),
            *_goodput(verdict),
            *_drift(verdict),
            *_events(noted, verdict),
            *_clicks(verdict),
            *_folded(manifest, verdict),
        ]
    )


def _warnings(verdict: tables.Document) -> list[str]:
    found = [f"- {text(warning)}" for warning in verdict.get("warnings") or ()]
    return ["### Warnings", "", *found, ""] if found else []


def _actions(verdict: tables.Document) -> list[str]:
    items = [
        f"- **{text(action.verdict)}** {code(action.about)}: {text(action.text)}"
        for action in advice.next_actions(verdict)
    ]
    return ["### What to do next", "", *items, ""]


def _reasons(verdict: tables.Document) -> list[str]:
    found = validity.reason_rows(verdict)
    lines: list[str] = []
    for title, harmful in (
        ("Why the run is not valid", True),
        ("Not valid, and nothing depends on it", False),
    ):
        rows = [
            (code(row.code), text(row.where), text(row.message), text(row.advice),
             text(row.measured), text(row.limit))
            for row in found
            if row.harmful is harmful
        ]  # fmt: skip
        head = ("reason", "where", "what was found", "what to do", "measured", "limit")
        table = _table(head, rows, right=4)
        if rows:
            lines += [f"### {title}", "", *table] if harmful else _fold(title, table)
    return lines


def _budgets(verdict: tables.Document) -> list[str]:
    rows = [
        (
            _verdict(row.verdict),
            f"{code(row.subject)} {code(row.assertion)}"
            + "".join(f"<br>{text(note)}" for note in row.notes),
            text(row.where),
            text(row.measured),
            text(row.beyond or "") + (f" of {text(row.allowed)}" if row.allowed else ""),
        )
        for row in tables.budget_rows(verdict)
    ]
    if not rows:
        return ["No budgets: nothing was judged.", ""]
    head = ("verdict", "budget", "decided at", "measured", "share beyond, of what is allowed")
    return ["### Budgets", "", *_table(head, rows, right=3)]


def _verdict(word: str) -> str:
    return f"{sentences.SYMBOLS.get(word, '')} {text(word)}".strip()


def _stages(verdict: tables.Document) -> list[str]:
    rows = [
        (
            _verdict(row.verdict),
            f"**{row.name}**" if row.required else row.name,
            *(text(said.value) for said in (row.throughput, row.p50, row.p95, row.p99)),
            text(row.error_ratio.value),
            text(row.in_flight.value),
        )
        for row in tables.stage_rows(verdict)
    ]
    users = text(people_of(verdict))
    head = ("verdict", users, "ok", "p50", "p95", "p99", "bad", "in flight")
    return ["### Stages", "", *_table(head, rows, right=1)]


def _apdex(verdict: tables.Document) -> list[str]:
    rows = [
        (code(row.subject), row.threshold, *(text(said) for said in row.by_stage))
        for row in apdex.apdex_rows(verdict)
    ]
    if not rows:
        return []
    loads = [f"at {row.name}" for row in tables.stage_rows(verdict)]
    return ["### Apdex", "", *_table(("requests", "T", *loads), rows, right=1)]


def _phases(verdict: tables.Document) -> list[str]:
    rows = [
        (text(row.stage), row.phase, row.length, row.requests,
         *(text(said) for said in (row.p50, row.p95, row.p99, row.error_ratio)))
        for row in by_phase.phase_rows(verdict)
    ]  # fmt: skip
    if not rows:
        return []
    head = ("hold at", "part", "length", "requests", "p50", "p95", "p99", "bad")
    said = [text(sentence) for sentence in by_phase.phase_words(verdict)]
    return ["### By phase", "", *said, "", *_table(head, rows, right=2)]


def _goodput(verdict: tables.Document) -> list[str]:
    said = goodput.goodput_words(verdict)
    if not goodput.is_expected(verdict):
        return []
    rows = [
        (code(request), code(name), when, text(wrong))
        for request, name, when, wrong in goodput.lost_writes(verdict)
    ]
    lost = _table(("request", "write", "sent at", "what is wrong"), rows, right=4) if rows else []
    known = [f"- {text(name)}: {text(value)}" for name, value in goodput.goodput_facts(verdict)]
    return [f"Goodput: {text(said)}", "", *lost, *_fold("Writes", [*known, ""])]


def _drift(verdict: tables.Document) -> list[str]:
    rows = [
        (_verdict(row.verdict), text(row.name), text(row.level), text(row.over_hold),
         text(row.per_hour), text(row.used_up), text(row.why))
        for row in drift.drift_rows(verdict)
    ]  # fmt: skip
    found = [f"- {text(line)}" for line in drift.drift_lines(verdict)]
    head = (
        "verdict", "series", "middle", "over the hold", "in an hour", "used up in", "what is said"
    )  # fmt: skip
    table = _table(head, rows, right=len(head)) if drift.is_told(verdict) else []
    folded = [text(drift.drift_words(verdict)), "", *table]
    return [
        *(["### Drift", "", *found, ""] if found else []),
        *(_fold("Drift", folded) if rows else []),
    ]


def _events(noted: Iterable[events.Event], verdict: tables.Document) -> list[str]:
    found = events.happened(noted, verdict)
    rows = [(row[0], row[1], text(row[2]), text(row[3])) for row in (each.row for each in found)]
    head = ("from, min", "until, min", "what happened", "details")
    return _fold("Events", _table(head, rows, right=4)) if rows else []


def _clicks(verdict: tables.Document) -> list[str]:
    kinds = [
        (code(f"{row.persona}: {row.click}"), row.total, row.requests, row.bad,
         *(text(said.value) for said in (row.p50, row.p95, row.p99)))
        for row in clicks.click_rows(verdict)
    ]  # fmt: skip
    shares = [
        (code(f"{row.persona}: {row.click}"), row.intended, text(row.achieved),
         row.difference + (" (more than chance)" if row.differs else ""))
        for row in clicks.mix_rows(verdict)
    ]  # fmt: skip
    at = text(clicks.clicks_at(verdict))
    kind_head = ("click", "clicks", "requests a click", "bad", "p50", "p95", "p99")
    mix_head = ("click", "intended", "achieved", "difference, percentage points")
    lines = _fold(f"Clicks at {at}", _table(kind_head, kinds, right=1)) if kinds else []
    if shares:
        table = _table(mix_head, shares, right=1)
        lines += _fold(
            f"Mix at {at}: intended and achieved", [text(clicks.mix_words(verdict)), "", *table]
        )
    return lines


def _folded(manifest: Mapping[str, Any], verdict: tables.Document) -> list[str]:
    """Endpoints, failures, scalability, stability, scorecard and method, folded away."""
    endpoints = [
        (code(row.name), row.requests, text(row.throughput.value), text(row.p50.value),
         text(row.p95.value), text(row.p99.value), row.bad)
        for row in tables.endpoint_rows(verdict)
    ]  # fmt: skip
    failed = [
        (text(row.outcome), row.total, text(row.at_shown)) for row in failures.failure_rows(verdict)
    ]
    indicators = [
        (_verdict(row.verdict), text(row.criterion), text(row.indicator), text(row.expected),
         text(row.whose), text(row.actual), text(row.difference), text(row.next))
        for row in tables.indicator_rows(verdict)
    ]  # fmt: skip
    stability = verdict.get("stability") or {}
    endpoint_head = ("endpoint", "requests", "ok", "p50", "p95", "p99", "bad")
    failed_head = ("outcome", "in the run", f"at {text(failures.failures_at(verdict))}")
    expected_head = ("verdict", "criterion", "indicator", "expected", "whose, from")
    indicator_head = (*expected_head, "actual", "worse by", "next")
    return [
        *_fold("Endpoints at the required load", _table(endpoint_head, endpoints, right=1)),
        *_spent(verdict),
        *_fold("Failures", _table(failed_head, failed, right=1)) * bool(failed),
        *_fold(
            "Scalability and stability",
            [
                *(f"- {text(sentence)}" for sentence in scaling.scalability_words(verdict)),
                f"- Availability by time: {text(words.say(stability.get('availability')))}",
                "",
            ],
        ),
        *_recovery(verdict),
        *_fold("Scorecard", _table(indicator_head, indicators, right=8)) * bool(indicators),
        *_fold("Method", [f"{text(paragraph)}\n" for paragraph in sentences.method(verdict)]),
        *_fold(
            "Surroundings",
            [
                *(f"- {text(name)}: {text(value)}" for name, value in facts.surroundings(manifest)),
                "",
            ],
        ),
    ]


def _recovery(verdict: tables.Document) -> list[str]:
    rows = [
        (text(row.what), row.begin, row.end, text(row.detected), text(row.recovered),
         text(row.left) + " (worse than before)" * row.degraded, text(row.lost))
        for row in recovery.recovery_rows(verdict)
    ]  # fmt: skip
    bursts = [
        (row.begin, row.end, row.bad, row.requests, text(row.outcomes), text(row.during))
        for row in recovery.burst_rows(verdict)
    ]
    head = ("disturbance", "from, min", "until, min", "detected after", "recovered after")
    lines = _fold("Recovery", _table((*head, "left behind", "lost"), rows, right=7)) * bool(rows)
    burst_head = ("from, min", "until, min", "bad", "of requests", "outcomes", "during")
    return lines + _fold("Error bursts", _table(burst_head, bursts, right=6)) * bool(bursts)


def _spent(verdict: tables.Document) -> list[str]:
    rows = [*spent.spent_by_stage(verdict), *spent.spent_rows(verdict)]
    if not rows:
        return []
    cells = [
        (code(row.name), text(row.waiting.value), text(row.application.value),
         text(row.database.value), text(row.queries.value), text(row.largest))
        for row in rows
    ]  # fmt: skip
    head = ("requests", "waiting", "application", "database", "queries", "most in")
    sentence = spent.spent_words(verdict)
    lines = [text(sentence), ""] * bool(sentence)
    return _fold("Where the time goes", [*lines, *_table(head, cells, right=1)])


def _fold(title: str, lines: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""]
