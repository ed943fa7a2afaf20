"""A comparison on a terminal, at 80 columns, and as lines in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analysis.report import comparison as c
from analysis.report import words
from analysis.report.scorecard import indicator_lines
from analysis.report.tables import indicator_rows
from analysis.report.typography import clean, shorten

STYLES = {
    "regressed": "red",
    "worse": "yellow",
    "better": "green",
    "not regressed": "green",
    "inconclusive": "yellow",
}
_NAME_WIDTH = 28
_ENDPOINT_WIDTH = 24
_SHORT = {"no significant change": "not signif."}
_ENDPOINTS = 12


def summary(document: c.Document, *, report: str | None = None) -> RenderableType:
    """Lay a comparison out for a person at a terminal.

    Parameters
    ----------
    document : mapping
        comparison.json.
    report : str, optional
        Where the report lies.

    Returns
    -------
    RenderableType
        For a Rich console.
    """
    verdict = document["verdict"]
    style = STYLES[verdict]
    banner = Text.assemble(
        (f"{c.SYMBOLS[verdict]} {verdict.upper()}", f"bold {style}"),
        "  ",
        (clean(document["title"]), "bold"),
        "\n",
        c.verdict_words(document),
    )
    rows = c.change_rows(document)
    parts: list[RenderableType] = [
        Panel(banner, box=box.HEAVY, border_style=style, padding=(0, 1)),
        Text(f"{c.of_runs(document)}, at {c.at_load(document)}"),
        *_changed(document),
        Text(),
        _whole([row for row in rows if row.subject == "all"], c.confidence(document)),
        *_endpoints(document, rows),
        Text(),
        *(Text(line) for line in indicator_lines(document["scorecard"])),
        Text(),
        *(Text(sentence) for sentence in c.power_words(document)),
        *(Text.assemble(("Note   ", "bold yellow"), clean(n)) for n in document["notes"]),
    ]
    if document["advice"]:
        parts.append(Text.assemble(("Next   ", "bold"), clean(document["advice"])))
    if report:
        parts.append(Text.assemble(("Report ", "bold"), report, overflow="fold"))
    return Group(*parts)


def _table() -> Table:
    return Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)


def _changed(document: c.Document) -> list[RenderableType]:
    found = c.changed_words([*document["changed"], *document["differs"]])
    if not found:
        return []
    table = _table()
    table.add_column("What differs", overflow="fold")
    table.add_column("Base", overflow="fold")
    table.add_column("Candidate", overflow="fold")
    for row in found:
        table.add_row(*(Text(shorten(cell, _NAME_WIDTH)) for cell in row))
    return [Text(), table]


def _whole(rows: Sequence[c.ChangeRow], level: str) -> Table:
    table = _table()
    table.add_column("All requests", no_wrap=True)
    for name in ("Before", "After", "Change", f"{level} interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(
            Text(row.indicator, style="bold" if row.gates else ""),
            Text(_short(row.before)),
            Text(_short(row.after)),
            Text(row.points.removesuffix("oints") + "p" if row.points else row.change),
            Text(row.interval.replace(" points", " pp")),
            Text(row.word, style=STYLES.get(row.word, "")),
        )
    return table


def _endpoints(document: c.Document, rows: Sequence[c.ChangeRow]) -> list[RenderableType]:
    """Show the metric that decides for each endpoint, those that regressed first."""
    title = c.TITLES[document["question"]["metric"]]
    mine = [row for row in rows if row.subject != "all"]
    shown = [row for row in mine if row.word == "regressed" and row.indicator != title]
    metric = [row for row in mine if row.indicator == title]
    metric.sort(key=lambda row: row.word != "regressed")
    if not metric:
        return []
    table = _table()
    table.add_column(title, no_wrap=True)
    for name in ("Before", "After", "Change", f"{c.confidence(document)} interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in [*shown, *metric[:_ENDPOINTS]]:
        name = row.subject if row.indicator == title else f"{row.subject}: {row.indicator}"
        table.add_row(
            Text(shorten(name, _ENDPOINT_WIDTH)),
            Text(_short(row.before)),
            Text(_short(row.after)),
            Text(row.change if row.indicator == title else row.points),
            Text(row.interval.replace(" points", " pp")),
            Text(_SHORT.get(row.word, row.word), style=STYLES.get(row.word, "")),
        )
    more = len(metric) - _ENDPOINTS
    tail = [Text(f"{more} more endpoints in the report", style="dim")] if more > 0 else []
    return [Text(), table, *tail]


def _short(said: words.Said) -> str:
    return "n/a" if said.value == words.NOT_ESTIMABLE else said.value.removesuffix("/s")


def plain(document: c.Document, *, report: str | None = None) -> str:
    """Write a comparison as lines for a pipe or a log: whole, whatever the width.

    Parameters
    ----------
    document : mapping
        comparison.json.
    report : str, optional
        Where the report lies.

    Returns
    -------
    str
        One fact a line; the first word says of what kind.
    """
    lines = [
        f"verdict: {document['verdict']} (exit code {document['exit_code']}): "
        f"{clean(document['title'])}",
        f"why: {c.verdict_words(document)}",
        f"runs: {c.of_runs(document)}, at {c.at_load(document)}",
    ]
    for kind in ("changed", "differs"):
        lines += [f"{kind}: {key}: {b} -> {a}" for key, b, a in c.changed_words(document[kind])]
    for row in c.change_rows(document):
        change = row.points or row.change
        interval = f" ({row.interval})" if row.interval else ""
        why = f"; {row.why}" if row.why else ""
        lines.append(
            f"row: {row.word}: {row.subject}: {row.indicator}: {row.before.value} -> "
            f"{row.after.value}: {change}{interval}{why}"
        )
    lines += [
        f"scorecard: {row.verdict}: {row.criterion}: {row.indicator}: expected {row.expected} "
        f"({row.whose}); actual {row.actual}; difference {row.difference}; next: {row.next}"
        for row in indicator_rows(document)
    ]
    lines += [f"power: {sentence}" for sentence in c.power_words(document)]
    lines += [f"note: {clean(note)}" for note in document["notes"]]
    if document["advice"]:
        lines.append(f"next: {clean(document['advice'])}")
    if report:
        lines.append(f"report: {report}")
    return "\n".join(lines) + "\n"
