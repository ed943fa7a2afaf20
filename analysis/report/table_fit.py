"""A fitted table on a terminal: coefficients, models, limit, verdict on the fit, what next."""

from __future__ import annotations

from analysis.report.scaling import coefficients_of, fit_words, limit_words, model_rows
from analysis.report.side_by_side import as_text
from analysis.report.tables import Document
from analysis.report.typography import clean
from analysis.report.words import number, quantity, say
from analysis.scalability import MIN_SPREAD
from scenarios.counting import count_of

ENOUGH_LEVELS = 8
"""From so many levels on, signs of residuals can show a pattern."""

ENOUGH_REPEATS = 3


def next_measurements(document: Document) -> list[str]:
    """Say what to measure next.

    Parameters
    ----------
    document : mapping
        As :func:`analysis.table_fit.fit_table` gives it.

    Returns
    -------
    list of str
        Sentences; at least one.
    """
    if not any(row[1] for row in document["rows"]):
        column = clean(document["columns"]["throughput"])
        return [
            f"Whether {column} is the column of the throughput, and whether requests were answered "
            "at all: more of the same shows nothing."
        ]
    loads = sorted({row[0] for row in document["rows"]})
    rows, highest = len(document["rows"]), loads[-1]
    limit_seen = any(
        (document[name] or {}).get("value") is not None for name in ("peak_load", "saturation")
    )
    said = []
    if len(loads) < ENOUGH_LEVELS:
        missing = ENOUGH_LEVELS - len(loads)
        said.append(
            f"{count_of(missing, 'more level')} of load, each about 1.5 to 2 "
            "times the one before, below and beyond the bend."
        )
    further = f"Loads of {number(1.5 * highest)} and {number(2 * highest)}"
    if document["refused"]:
        if highest < MIN_SPREAD * loads[0]:
            said.append(f"{further}: those that there are lie within a factor of {MIN_SPREAD:g}.")
    elif not limit_seen:
        said.append(
            f"{further}: throughput was still growing, or not surely level, at the highest."
        )
    if rows < ENOUGH_REPEATS * len(loads):
        said.append(
            "Each level at least three times, in random order: their spread is what intervals and "
            "a test of the fit are made of."
        )
    elif (document.get("residuals") or {}).get("bends_otherwise"):
        said.append(
            "Requests in flight (throughput times mean response time) instead of users, if there "
            "were think times; and the CPU of the load's sender, if throughput is flat."
        )
    if not said and document["refused"]:
        return ["The same levels, held longer, and others beside them."]
    return said or ["Nothing more: levels and repetitions are enough for what is claimed."]


def as_lines(document: Document, *, figure: str | None) -> str:
    """Write a fitted table for people.

    Parameters
    ----------
    document : mapping
        As :func:`analysis.table_fit.fit_table` gives it.
    figure : str or None
        File that the figure was written to.

    Returns
    -------
    str
        Lines.
    """
    rows = document["rows"]
    loads = sorted({row[0] for row in rows})
    columns = document["columns"]
    repeated = f" ({len(rows)} measurements)" if len(rows) > len(loads) else ""
    levels = count_of(len(loads), "level")
    head = (
        f"{clean(document['file'])}: {clean(columns['throughput'])} over "
        f"{clean(columns['load'])}, {levels}{repeated} from {number(loads[0])} to "
        f"{number(loads[-1])}"
    )
    lines = [head, *(f"note: {clean(note)}" for note in document["notes"]), ""]
    if document["refused"]:
        lines += [f"No fit: {clean(document['refused'])}.", ""]
    else:
        lines += [*_fitted(document), ""]
    lines += [f"measure next: {sentence}" for sentence in next_measurements(document)]
    lines.append(f"figure: {figure}" if figure else "draw it with: --figure FILE.svg")
    return "\n".join(lines)


def _fitted(document: Document) -> list[str]:
    coefficients = [
        [f"{symbol} {name}", say(document[name]).value, say(document[name]).interval, meaning]
        for name, symbol, meaning in coefficients_of(document)
    ]
    asymptote = say(document["asymptote"])
    coefficients.append(
        ["λ/σ", asymptote.value, asymptote.interval, "what contention alone would allow"]
    )
    models = [["model", "error", "AICc", "top 2 levels off by", ""]]
    models += [
        [row.name, row.error, row.aicc, row.held_out, "<- chosen" if row.chosen else ""]
        for row in model_rows(document)
    ]
    words = {**document, "peak": document["peak_load"]}
    return [
        limit_words(words),
        "",
        *_columns(coefficients),
        "",
        *as_text(models).splitlines(),
        "",
        *fit_words(words),
        f"R² {document['r2']:.5f} and root mean square error {quantity(document['rmse'], '1/s')} "
        "are shown and decide nothing.",
        *_users_words(document),
    ]


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _users_words(document: Document) -> list[str]:
    if document["axis"] != "users":
        return []
    return [
        "These loads are users: with think times the coefficients describe users, not the system, "
        "and a system that merely saturates bends like one that degrades."
    ]
