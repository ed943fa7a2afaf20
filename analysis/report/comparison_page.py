"""comparison.html: one file that holds the whole comparison and asks for nothing."""

from __future__ import annotations

from typing import Any

from analysis.figures.comparison import Moved, forest
from analysis.figures.drawing import NARROW, WIDE, Size, to_svg
from analysis.report import comparison as c
from analysis.report import page
from analysis.report.tables import indicator_rows
from analysis.report.typography import clean, shorten
from analysis.run_values import INDICATORS

_NAME_WIDE, _NAME_NARROW = 52, 22
_TONES = {"regressed": "failed", "not regressed": "passed", "inconclusive": "inconclusive"}
_TONES_OF_WORDS = {"regressed": "failed", "worse": "warned", "better": "passed"}
_COUNTED = {0: "passed", 99: "failed"}


def forest_of(document: c.Document, *, size: Size = WIDE) -> str | None:
    """Draw the metric that decides, subject by subject.

    Parameters
    ----------
    document : mapping
        comparison.json.
    size : Size
        Of the figure.

    Returns
    -------
    str or None
        SVG; None where nothing can be drawn.
    """
    question = document["question"]
    metric = question["metric"]
    width = _NAME_WIDE if size.width > NARROW.width else _NAME_NARROW
    moved = [
        Moved(
            name=shorten(_name(row["subject"]), width),
            ratio=row["change"]["value"],
            low=row["change"]["low"] or None,  # zero has no place on a logarithmic axis
            high=row["change"]["high"],
            alarm=row["word"] == "regressed",
        )
        for row in document["rows"]
        if row["indicator"] == metric and row["change"]["value"]
    ]
    if not moved:
        return None
    figure = forest(
        moved,
        tolerance=question["tolerance"],
        lower_is_better=INDICATORS[metric].lower_is_better,
        what=f"change of {c.TITLES[metric]} (log scale)",
        size=size,
    )
    return to_svg(figure, title=f"Change of {c.TITLES[metric]}, subject by subject")


def _name(subject: str) -> str:
    return "all requests" if subject == "all" else clean(subject)


def render_page(document: c.Document) -> str:
    """Render a comparison as a page.

    Parameters
    ----------
    document : mapping
        comparison.json.

    Returns
    -------
    str
        HTML without scripts and without a reference to anything outside.
    """
    rows = c.change_rows(document)
    wide = forest_of(document)
    return page.template("comparison.html.j2").render(
        document=document,
        word=document["verdict"],
        tone=_TONES[document["verdict"]],
        symbol=c.SYMBOLS[document["verdict"]],
        title=clean(document["title"]),
        why=c.verdict_words(document),
        exit_meaning=_exit_words(document),
        runs=c.of_runs(document),
        load=c.at_load(document),
        advice=clean(document["advice"] or ""),
        power=c.power_words(document),
        notes=[clean(note) for note in document["notes"]],
        changed=c.changed_words(document["changed"]),
        differs=c.changed_words(document["differs"]),
        groups=_groups(rows),
        sides=[("base", document["base"]), ("candidate", document["candidate"])],
        same=[(clean(k), clean(v)) for k, v in sorted(document["same"].items())],
        scorecard=indicator_rows(document),
        method=c.method_words(document),
        figure=None if wide is None else page.themed(wide, "forest"),
        figure_narrow=page.themed(forest_of(document, size=NARROW), "forest-n") if wide else None,
        caption=c.figure_words(document),
        tones=_TONES_OF_WORDS,
        **page.colours(),
    )


def _exit_words(document: c.Document) -> str:
    """Say what the exit code means, which somebody may have said of an inconclusive answer."""
    code, told = document["exit_code"], document["on_inconclusive"]
    if document["verdict"] == "inconclusive" and code in _COUNTED:
        return f"inconclusive, counted as {_COUNTED[code]} (--inconclusive {told})"
    return c.EXIT_CODES[code]


def _groups(rows: list[c.ChangeRow]) -> list[dict[str, Any]]:
    """Group rows by subject: all requests first, then what regressed, then by name."""
    groups: dict[str, list[c.ChangeRow]] = {}
    for row in rows:
        groups.setdefault(row.subject, []).append(row)
    found = [
        {
            "name": _name(subject),
            "rows": mine,
            "alarm": any(row.word == "regressed" for row in mine),
        }
        for subject, mine in groups.items()
    ]
    return [found[0], *sorted(found[1:], key=lambda group: not group["alarm"])]
