"""comparison.md: the same answer, short, for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.report import comparison as c
from analysis.report.markdown import code, text
from analysis.report.scorecard import indicator_table


def render_comparison(document: c.Document) -> str:
    """Render a comparison as Markdown.

    Parameters
    ----------
    document : mapping
        comparison.json.

    Returns
    -------
    str
        Answer, what was changed, all requests, what decides at each endpoint; the rest
        folded away.
    """
    verdict = document["verdict"]
    rows = c.change_rows(document)
    title = c.TITLES[document["question"]["metric"]]
    level = c.confidence(document)
    whole = [row for row in rows if row.subject == "all"]
    deciding = [row for row in rows if row.subject != "all" and row.gates]
    shown = [row for row in deciding if row.indicator == title or row.word == "regressed"]
    shown.sort(key=lambda row: row.word != "regressed")
    rest = [row for row in rows if row.subject != "all" and row not in shown]
    lines = [
        f"## {c.SYMBOLS[verdict]} {verdict.capitalize()}: {text(document['title'])}",
        "",
        text(c.verdict_words(document)),
        "",
        f"Exit code {document['exit_code']}. {_sentence(c.of_runs(document))}, "
        f"at {text(c.at_load(document))}.",
        "",
    ]
    if document["advice"]:
        lines += [f"**Next:** {text(document['advice'])}.", ""]
    lines += _changes("What was changed", document["changed"])
    lines += _changes("What else differs", document["differs"])
    lines += [f"- {text(note)}" for note in document["notes"]]
    lines += [""] if document["notes"] else []
    lines += ["### All requests", "", *_table(whole, level, subject=False)]
    if shown:
        lines += ["### Endpoints", "", *_table(shown, level, subject=True)]
    lines += indicator_table(document["scorecard"])
    lines += [line for sentence in c.power_words(document) for line in (text(sentence), "")]
    lines += _folded(
        "Every indicator of every endpoint", _table(rest, level, subject=True) if rest else []
    )
    method = [line for paragraph in c.method_words(document) for line in (text(paragraph), "")]
    return "\n".join([*lines, *_folded("How this was found", method)])


def _sentence(words_: str) -> str:
    return text(words_[:1].upper() + words_[1:])


def _changes(title: str, changes: Sequence[object]) -> list[str]:
    found = c.changed_words(changes)  # type: ignore[arg-type]
    if not found:
        return []
    rows = [f"| {code(key)} | {text(before)} | {text(after)} |" for key, before, after in found]
    return [f"### {title}", "", "| what | base | candidate |", "| --- | --- | --- |", *rows, ""]


def _table(rows: Iterable[c.ChangeRow], level: str, *, subject: bool) -> list[str]:
    interval = f"{level} interval"
    head = ["indicator", "better", "before", "after", "change", interval, "what may be said"]
    rule = ["---", "---", "---:", "---:", "---:", "---:", "---"]
    if subject:
        head, rule = ["endpoint", *head], ["---", *rule]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(rule)} |"]
    for row in rows:
        change = row.change
        if row.points:
            change = row.points if row.change == "-" else f"{row.points}, {row.change}"
        word = f"**{row.word}**" if row.word == "regressed" else row.word
        cells = [
            row.indicator,
            row.better,
            text(row.before.value),
            text(row.after.value),
            change,
            row.interval or "-",
            f"{word}: {text(row.why)}"
            if row.why and row.change == "-" and not row.points
            else word,
        ]
        lines.append(f"| {' | '.join([code(row.subject), *cells] if subject else cells)} |")
    return [*lines, ""]


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""]
