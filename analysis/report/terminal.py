"""The summary on a terminal: read in ten seconds, at 80 columns."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analysis.report import (
    advice,
    by_phase,
    drift,
    failures,
    goodput,
    recovery,
    scaling,
    sentences,
    tables,
    validity,
    words,
)
from analysis.report.load_names import people_of, unit_of
from analysis.report.typography import clean, shorten
from scenarios.counting import of_level

STYLES = {
    "passed": "green",
    "failed": "red",
    "inconclusive": "yellow",
    "invalid": "magenta",
    "unjudged": "default",
    "warned": "yellow",
}
_NAME_WIDTH = 30
_WARNINGS = 3


def summary(verdict: tables.Document, *, report: str | None = None) -> RenderableType:
    """Lay the answer out for a person at a terminal.

    Parameters
    ----------
    verdict : mapping
        The document.
    report : str, optional
        Where the report lies.

    Returns
    -------
    RenderableType
        For a Rich console, which minds width, NO_COLOR and emoji for itself.
    """
    word = clean(verdict["verdict"])
    style = STYLES.get(word, "default")
    banner = Text.assemble(
        (f"{sentences.SYMBOLS.get(word, '')} {word.upper()}", f"bold {style}"),
        "  ",
        (clean(verdict.get("title") or verdict.get("scenario")), "bold"),
        "\n",
        sentences.why(verdict),
    )
    parts: list[RenderableType] = [
        Panel(banner, box=box.HEAVY, border_style=style, padding=(0, 1)),
    ]
    parts += _invalid(verdict)
    if verdict.get("budgets"):
        parts.append(_budgets(verdict))
    if verdict.get("stages"):
        parts += [Text(), _stages(verdict)]
        if people_of(verdict) != unit_of(verdict):
            parts.append(Text(people_of(verdict), style="dim"))
        parts += _harmless(verdict)
    if failed := failures.failure_words(verdict):
        parts += [Text(), Text.assemble(("Errors  ", "bold"), failed)]
    for sentence in by_phase.phase_words(verdict):
        parts += [Text(), Text.assemble(("Phases  ", "bold"), sentence)]
    if grew := " ".join(scaling.scalability_words(verdict)):
        parts += [Text(), Text.assemble(("Scaling ", "bold"), grew)]
    for sentence in recovery.recovery_words(verdict):
        parts += [Text(), Text.assemble(("Recovery ", "bold"), sentence)]
    if (wrote := goodput.goodput_words(verdict)) and goodput.is_expected(verdict):
        parts += [Text(), Text.assemble(("Goodput ", "bold"), wrote)]
    parts += _drift(verdict)
    parts += [Text(), *_warnings(verdict), *_next(verdict)]
    if report:
        parts += [Text(), Text.assemble(("Report  ", "bold"), report, overflow="fold")]
    return Group(*parts)


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)


def _verdict(word: str) -> Text:
    return Text(f"{sentences.SYMBOLS.get(word, ' ')} {word}", style=STYLES.get(word, "default"))


def _budgets(verdict: tables.Document) -> Table:
    table = _table()
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Budget", ratio=1, overflow="fold")
    table.add_column("Measured", justify="right", no_wrap=True)
    table.add_column("Decided at", overflow="fold")
    for row in tables.budget_rows(verdict):
        subject = "" if row.subject == "all" else f"{shorten(row.subject, _NAME_WIDTH)} "
        table.add_row(
            _verdict(row.verdict),
            Text(f"{subject}{row.assertion}"),
            Text(row.measured.value),
            Text(row.where.split(" (", maxsplit=1)[0], style="dim"),
        )
    return table


def _stages(verdict: tables.Document) -> Table:
    table = _table()
    unit = unit_of(verdict)
    table.add_column(unit[:1].upper() + unit[1:], justify="right", no_wrap=True)
    for name in ("ok/s", "p50", "p95", "p99", "bad"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")  # the one that may give way
    for row in tables.stage_rows(verdict):
        numbers = (row.throughput, row.p50, row.p95, row.p99)
        table.add_row(
            Text(row.name, style="bold" if row.required else ""),
            *(Text(_short(said)) for said in numbers),
            Text(row.bad, style="red" if row.bad not in {"0", "-"} else ""),
            _verdict(row.verdict) + Text(" (required)" if row.required else "", style="dim"),
        )
    return table


def _short(said: words.Said) -> str:
    return "n/a" if said.value == words.NOT_ESTIMABLE else said.value.removesuffix("/s")


def _invalid(verdict: tables.Document) -> list[RenderableType]:
    """Give what makes the run invalid, each code once, with what to do."""
    by_code: dict[str, list[validity.ReasonRow]] = {}
    for row in validity.reason_rows(verdict):
        if row.harmful:
            by_code.setdefault(row.code, []).append(row)
    said: list[RenderableType] = []
    for first, *others in by_code.values():
        more = f" ({len(others)} more such in the report)" if others else ""
        said.append(Text.assemble(("Invalid ", "bold magenta"), first.sentence, (more, "dim")))
    return [*said, Text()] if said else []


def _harmless(verdict: tables.Document) -> list[RenderableType]:
    """Name stages above the required load that were not valid."""
    found = "; ".join(validity.harmless_words(verdict))
    return [Text(f"Not valid, and nothing depends on it: {found}", style="dim")] if found else []


def _drift(verdict: tables.Document) -> list[RenderableType]:
    """Give what drifted, and nothing of what did not."""
    found = [Text.assemble(("Drift   ", "bold"), line) for line in drift.drift_lines(verdict)]
    return [Text(), *found] if found else []


def _warnings(verdict: tables.Document) -> list[RenderableType]:
    """Give the first warnings; the others stand in the report."""
    found = [clean(warning) for warning in verdict.get("warnings") or ()]
    more = len(found) - _WARNINGS
    said = [Text.assemble(("Warning ", "bold yellow"), warning) for warning in found[:_WARNINGS]]
    if more > 0:
        said.append(Text(f"        {more} more in the report", style="dim"))
    return [*said, Text()] if said else []


def _next(verdict: tables.Document) -> list[RenderableType]:
    """Give the first action in full; the others stand in the report."""
    first, *others = advice.next_actions(verdict)
    more = f" ({len(others)} more in the report)" if others else ""
    return [Text.assemble(("Next    ", "bold"), f"{first.about}: {first.text}", (more, "dim"))]


def _measured(row: tables.PartRow) -> str:
    if not row.was_run:
        return "not run"
    return f"{row.throughput} ok, p50 {row.p50}, p95 {row.p95}, p99 {row.p99}, {row.bad} bad"


def plain(verdict: tables.Document, *, report: str | None = None) -> str:
    """Write the answer as lines for a pipe or a log: whole, whatever the width.

    Parameters
    ----------
    verdict : mapping
        The document.
    report : str, optional
        Where the report lies.

    Returns
    -------
    str
        One fact a line, the first word says of what kind.
    """
    word = clean(verdict["verdict"])
    users = people_of(verdict)
    title = clean(verdict.get("title") or verdict.get("scenario"))
    lines = [f"verdict: {word} (exit code {verdict.get('exit_code')}): {title}"]
    lines.append(f"why: {sentences.why(verdict)}")
    lines += [
        f"{'invalid' if row.harmful else 'not valid'}: {row.sentence}"
        for row in validity.reason_rows(verdict)
    ]
    for row in tables.budget_rows(verdict):
        notes = "".join(f"; {note}" for note in row.notes)
        lines.append(
            f"budget: {row.verdict}: {row.subject}: {row.assertion}: "
            f"measured {row.measured} {row.place}{notes}"
        )
    lines += [
        f"stage: {row.verdict}: {row.name} {of_level(row.name, users)}: {_measured(row)}"
        for row in tables.stage_rows(verdict)
    ]
    lines += [f"errors: {failed}" for failed in (failures.failure_words(verdict),) if failed]
    lines += [f"phases: {sentence}" for sentence in by_phase.phase_words(verdict)]
    lines += [f"scaling: {sentence}" for sentence in scaling.scalability_words(verdict)]
    lines += [f"recovery: {sentence}" for sentence in recovery.recovery_words(verdict)]
    lines += [f"goodput: {wrote}" for wrote in (goodput.goodput_words(verdict),) if wrote]
    lines += [f"drift: {line}" for line in drift.drift_lines(verdict)]
    lines += [f"warning: {clean(warning)}" for warning in verdict.get("warnings") or ()]
    lines += [f"next: {action.about}: {action.text}" for action in advice.next_actions(verdict)]
    if report:
        lines.append(f"report: {report}")
    return "\n".join(lines) + "\n"
