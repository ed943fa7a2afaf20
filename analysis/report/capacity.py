"""A search for a capacity in words and tables: what was found, on what it rests, what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.report.load_names import level_text
from analysis.report.markdown import code, text
from analysis.report.side_by_side import as_text as aligned
from analysis.report.typography import clean
from analysis.report.words import number, percent
from scenarios.counting import agreeing, count_of
from scenarios.units import format_duration

Document = Mapping[str, Any]
"""The file of a search."""

_ENDINGS: Mapping[str, str] = {
    "found": "found",
    "wide": "not found as narrow as asked",
    "none_passed": "not found: no load passed",
    "none_failed": "not found: no load failed",
    "invalid": "not found: the runs are invalid",
    "stopped": "not found: no more runs were allowed",
    "interrupted": "interrupted",
    "error": "ended by an error",
}
_NEXT: Mapping[str, str] = {
    "wide": "hold longer (--hold), decide more often (--repetitions) or ask for less (--width)",
    "none_passed": "begin lower (--low); where every load fails, look at the budgets",
    "none_failed": "go higher (--high)",
    "invalid": "see why in the reports of the runs; a generator that is too slow needs --processes",
    "stopped": "allow more runs (--runs), or hold longer (--hold)",
}
_UNDECIDED = {"inconclusive": "undecided"}
_COLUMNS = ("verdict", "runs", "nearest budget", "beyond", "allowed")


def sentences(document: Document) -> list[str]:
    """Say what was found.

    Parameters
    ----------
    document : mapping
        The file of a search.

    Returns
    -------
    list of str
        The answer first.
    """
    unit = document["unit"]
    said = [f"capacity of {clean(document['scenario'])}: {_answer(document)}"]
    low = document["capacity"]["low"]
    if document["confirmed"]:
        longest = max(
            run["hold_s"]
            for run in document["runs"]
            if run["level"] == low and run["why"] == "confirm"
        )
        said.append(f"confirmed: {named(low, unit)} passed again in a hold of {longest:g} s")
    elif low is not None:
        load = named(low, unit)
        was = agreeing(1 if load == "1 user" else 2, "were")
        said.append(f"not confirmed: {load} {was} not held again for longer, or not well")
    if document["undecided"]:
        said.append(f"undecided in between: {_named_all(document['undecided'], unit)}")
    said += [
        f"{named(level['level'], unit)} {_UNDECIDED.get(level['verdict'], level['verdict'])}: "
        f"{clean(level['why'])}"
        for level in document["levels"]
        if level["why"] is not None
    ]
    if document["left_aside"]:
        said.append(f"left aside: {clean('; '.join(document['left_aside']))}")
    for failed, passed in document["not_monotone"]:
        said.append(
            f"NOT MONOTONE: {named(failed, unit)} failed, and {named(passed, unit)} passed: "
            "the load is not all that decides here"
        )
    said.append(
        f"took {format_duration(document['took_s'])}: {count_of(len(document['runs']), 'run')}, "
        f"{format_duration(document['held_s'])} of holds"
    )
    error = document["error"]
    if error is not None:
        said.append(f"error: {clean(error['message'])}")
    advice = _NEXT.get(document["ending"]) if error is None else error["hint"]
    if advice:
        said.append(f"next: {clean(advice)}")
    return said


def named(load: float, unit: str) -> str:
    """Write a load with its unit.

    Parameters
    ----------
    load : float
        Users, or arrivals per second.
    unit : str
        ``"users"`` or ``"arrivals/s"``.

    Returns
    -------
    str
        As in ``"1,000 users"``.
    """
    return f"{level_text(load)} {'user' if load == 1 and unit == 'users' else unit}"


def _named_all(loads: Sequence[float], unit: str) -> str:
    """Write loads with their unit, as in ``"10, 12 and 15 users"``."""
    *others, last = loads
    words = ", ".join(level_text(load) for load in others)
    return f"{words} and {named(last, unit)}" if words else named(last, unit)


def _answer(document: Document) -> str:
    capacity, unit = document["capacity"], document["unit"]
    low, high = capacity["low"], capacity["high"]
    ending = _ENDINGS[document["ending"]]
    if low is None:
        return ending
    if high is None:
        return f"at least {named(low, unit)} ({ending})"
    words = f"between {level_text(low)} and {named(high, unit)}"
    asked = document["plan"]["width"]
    width = f"{percent(document['width'])} wide; {percent(asked)} were asked for"
    if unit == "users" and high - low == 1 and document["width"] > asked:
        width += ", and no whole number of users lies between"
    if document["estimate"] is None:
        return f"{words} ({ending}: {width})"
    value = f"; the share crosses its limit at about {number(document['estimate'], digits=4)}"
    return f"{words} ({ending}: {width}){value}"


def rows(document: Document) -> list[list[str]]:
    """Lay the levels out as rows of cells, the highest load first.

    Parameters
    ----------
    document : mapping
        The file of a search.

    Returns
    -------
    list of list of str
        The first row names the columns.
    """
    laid = [[document["unit"], *_COLUMNS]]
    for level in reversed(document["levels"]):
        verdict = f"{level['verdict']}, confirmed" if level["confirmed"] else level["verdict"]
        laid.append([level_text(level["level"]), verdict, str(level["runs"]), *_nearest(level)])
    return laid


def _nearest(level: Document) -> list[str]:
    """Show the budget that is furthest beyond its limit, or nearest to it."""
    shares = [budget for budget in level["budgets"] if budget["share"] is not None]
    broken = [b for b in level["budgets"] if b["verdict"] == "failed" and b["share"] is None]
    if broken or not shares:
        first = (broken or level["budgets"])[:1]
        return [clean(f"{b['subject']}: {b['assertion']}") for b in first or ()] + ["-", "-"]
    most = max(shares, key=lambda budget: budget["share"]["value"] / budget["allowed"])
    share = most["share"]
    ends = f"{percent(share['low'])} to {percent(share['high'])}"
    return [
        clean(f"{most['subject']}: {most['assertion']}"),
        f"{percent(share['value'])} ({ends})",
        percent(most["allowed"]),
    ]


def as_text(document: Document) -> str:
    """Write a search for a terminal.

    Parameters
    ----------
    document : mapping
        The file of a search.

    Returns
    -------
    str
        Lines.
    """
    levels = ["", aligned(rows(document))] if document["levels"] else []
    return "\n".join([*sentences(document), *levels])


def as_markdown(document: Document) -> str:
    """Write a search as Markdown.

    Parameters
    ----------
    document : mapping
        The file of a search.

    Returns
    -------
    str
        A page.
    """
    answer, *others = sentences(document)
    return "\n".join(
        [
            f"# Capacity of {text(document['scenario'])}",
            "",
            f"**{text(_capital(answer))}**",
            "",
            *(f"- {text(_capital(line))}." for line in others),
            "",
            *(_levels(document) if document["levels"] else ()),
            *(_runs(document) if document["runs"] else ()),
        ]
    )


def _levels(document: Document) -> list[str]:
    plan = document["plan"]
    looks = plan["repetitions"] + 1
    return [
        "## Levels",
        "",
        *_table([[text(cell) for cell in row] for row in rows(document)]),
        "",
        "Each level is decided by the share of requests beyond a limit over all its runs, at "
        f"{percent(plan['error_per_look'])} a side and interim analysis (look): {looks} at "
        "most, 5 % in all. The budget shown is the one furthest beyond its limit, or nearest "
        "to it.",
        "",
    ]


def _runs(document: Document) -> list[str]:
    made = [
        [
            level_text(run["level"]),
            run["why"],
            format_duration(run["hold_s"]),
            run["verdict"],
            code(run["run"]),
        ]
        for run in document["runs"]
    ]
    head = [document["unit"], "why", "hold", "verdict alone", "run"]
    return ["## Runs", "", *_table([head, *made]), ""]


def _capital(line: str) -> str:
    return f"{line[0].upper()}{line[1:]}"


def _table(laid: list[list[str]]) -> list[str]:
    head, *body = laid
    lines = [head, ["---"] * len(head), *body]
    return [f"| {' | '.join(row)} |" for row in lines]
