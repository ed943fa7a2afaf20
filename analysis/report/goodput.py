"""What became of the writes, in words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.report.tables import OUTCOMES, Document, stage_name
from analysis.report.typography import clean
from analysis.report.words import count, moment, say
from scenarios.counting import agreeing

Fact = tuple[str, str]

LOST = {
    "absent": "acknowledged, and not stored",
    "doubled": "stored more than once",
    "contradicted": "refused, and stored",
}
SHOWN_MOST = 10


def goodput_of(verdict: Document) -> Document:
    """Take the section; empty where a verdict of an older version has none."""
    return verdict.get("goodput") or {}


def is_expected(verdict: Document) -> bool:
    """Tell whether goodput is a question of a run at all.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    bool
        False of somebody's users on somebody's system, where nobody can be asked.
    """
    found = goodput_of(verdict)
    return bool(found) and bool(found["assessed"] or verdict.get("mix") or found["broken"])


def broken(verdict: Document) -> list[str]:
    """Say what of the writes fails the run.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of str
        A clause each; empty when nothing does.
    """
    return [clean(text) for text in goodput_of(verdict).get("broken", ())]


def goodput_words(verdict: Document) -> str:
    """Say in a sentence what became of the writes.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Empty where the verdict does not speak of it.
    """
    found = goodput_of(verdict)
    if not found:
        return ""
    if broken(verdict):
        return f"{'; '.join(broken(verdict))}."
    if not found["assessed"]:
        return f"not assessed: {clean(found['why'])}."
    if not found["writes"]:
        return "no write was sent."
    said = f"{_of(found['stored'], found['acknowledged'])} acknowledged writes are stored, once"
    unknown = sum(row["stored"] + row["not_stored"] for row in found["indeterminate"])
    there = sum(row["stored"] for row in found["indeterminate"])
    known = f"{count(there)} {agreeing(there, 'are')} stored"
    rest = f"; of {count(unknown)} without a right answer {known}"
    return f"{said}{rest if unknown else ''}."


def _of(part: int, whole: int) -> str:
    return f"all {count(whole)}" if part == whole else f"{count(part)} of {count(whole)}"


def goodput_facts(verdict: Document) -> list[Fact]:
    """Say all that is known of the writes.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of (str, str)
        What, and how many.
    """
    found = goodput_of(verdict)
    return list(_facts(verdict, found)) if found else []


def _facts(verdict: Document, found: Document) -> Iterator[Fact]:
    if not found["assessed"]:
        yield "Not assessed", clean(found["why"])
    yield "Writes sent", count(found["writes"])
    if not found["writes"]:
        return
    if found["not_asked"] == found["writes"]:
        return
    yield "Acknowledged and stored, once", _of(found["stored"], found["acknowledged"])
    where = stage_name(verdict, found["stage"])
    yield f"Per second, {where}", str(say(found["throughput"]))
    for name, words in LOST.items():
        if found[name]["count"]:
            yield words.capitalize(), count(found[name]["count"])
    for row in found["indeterminate"]:
        outcome = OUTCOMES.get(row["outcome"], clean(row["outcome"]))
        stored, missing = count(row["stored"]), count(row["not_stored"])
        yield f"Nobody could know ({outcome})", f"{stored} stored, {missing} not"
    yield from _rest(found)


_REST = {
    "refused": "Refused, and not stored",
    "replayed": "Answered again, under a key that was used before",
    "unclear": "Answered well, not stored, and not known whether they should be",
    "without_row": "Nothing to store by design",
    "not_asked": "Not asked for",
}


def _rest(found: Document) -> Iterator[Fact]:
    for name, words in _REST.items():
        if found[name]:
            yield words, count(found[name])
    invariants = found["invariants"]
    if invariants["why"]:
        yield "Invariants of the data", f"not looked at: {clean(invariants['why'])}"
    elif invariants["broken"]:
        names = (f"{clean(e['name'])} ({count(e['violations'])})" for e in invariants["broken"])
        yield "Invariants of the data", f"broken: {', '.join(names)}"
    else:
        yield "Invariants of the data", f"all {count(invariants['checked'])} hold"


def lost_writes(verdict: Document) -> list[tuple[str, str, str, str]]:
    """List the first of the writes that fail the run.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of (str, str, str, str)
        Request id, name, when it was sent, and what is wrong.
    """
    found = goodput_of(verdict)
    return [
        (clean(each["id"]), clean(each["name"]), moment(each["sent_s"]), words)
        for name, words in LOST.items()
        for each in found.get(name, {}).get("first", ())[:SHOWN_MOST]
    ]
