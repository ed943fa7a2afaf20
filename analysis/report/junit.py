"""junit.xml: what a CI server shows. No case is green that was not decided.

=============================== ================ =========================
a case                          is               when
=============================== ================ =========================
verdict                         failure          failed
                                error            inconclusive, invalid
                                skipped          unjudged
validity                        error            not valid
                                passed, with a   stages above the required
                                text             load were not valid
goodput                         failure          a write is not stored as answered
                                skipped          not assessed
each budget                     failure          failed
                                error            inconclusive, invalid
                                skipped          unjudged
                                passed, with a   only warns, and is broken
                                text             or undecided
=============================== ================ =========================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report import advice, facts, goodput, sentences, tables, validity
from analysis.report.junit_suite import Suite


def render_junit(manifest: Mapping[str, Any], verdict: tables.Document) -> str:
    """Render the verdict of a run as a JUnit report.

    Parameters
    ----------
    manifest : mapping
        The run's manifest.
    verdict : mapping
        Its verdict.

    Returns
    -------
    str
        Well-formed XML: one suite, a case for the verdict, one for validity, one a budget.
    """
    suite = Suite(
        verdict.get("scenario") or "",
        started=manifest.get("started"),
        took_s=(verdict.get("ended") or {}).get("load_ended_s"),
    )
    suite.properties(_facts(manifest, verdict))
    suite.case("verdict", str(verdict["verdict"]), sentences.why(verdict), _actions(verdict))
    _validity(suite, verdict)
    _goodput(suite, verdict)
    for row in tables.budget_rows(verdict):
        _budget(suite, row)
    if not verdict.get("budgets"):
        suite.case("budgets", "unjudged", "the scenario states none")
    return suite.render()


def _facts(manifest: Mapping[str, Any], verdict: tables.Document) -> list[facts.Fact]:
    return [
        ("verdict", str(verdict["verdict"])),
        ("exit_code", str(verdict.get("exit_code"))),
        ("model", str(verdict.get("model", "closed"))),
        ("think_scale", f"{verdict.get('think_scale', 1):g}"),
        *facts.surroundings(manifest),
    ]


def _actions(verdict: tables.Document) -> str:
    return "\n".join(f"{action.about}: {action.text}" for action in advice.next_actions(verdict))


def _validity(suite: Suite, verdict: tables.Document) -> None:
    rows = validity.reason_rows(verdict)
    harmful = [row for row in rows if row.harmful]
    valid = (verdict.get("validity") or {}).get("valid", True)
    shown = "passed" if valid and not harmful else "invalid"
    first = harmful[0].message if harmful else "the load was not delivered or not seen"
    harmless = [row.sentence for row in rows if not row.harmful]
    told = ("not valid, without harm:", *harmless) if harmless else ()
    body = "\n".join(row.sentence for row in harmful)
    suite.case("validity", shown, first, body, told=told)


def _goodput(suite: Suite, verdict: tables.Document) -> None:
    found = goodput.goodput_of(verdict)
    if not found:
        return
    lost = goodput.broken(verdict)
    shown = "failed" if lost else "passed" if found["assessed"] else "unjudged"
    writes = (": ".join(row) for row in goodput.lost_writes(verdict))
    message = goodput.goodput_words(verdict)
    suite.case("goodput", shown, message, "\n".join((*lost, *writes)))


def _budget(suite: Suite, row: tables.BudgetRow) -> None:
    beyond = f"; share beyond the limit: {row.beyond}, allowed {row.allowed}" if row.beyond else ""
    notes = "".join(f"; {note}" for note in row.notes)
    message = f"measured {row.measured} {row.place}{beyond}{notes}"
    only_warns = row.severity == "warn" and row.verdict not in {"invalid", "unjudged"}
    shown = "passed" if only_warns else row.verdict
    word = "broken, but only warns" if row.verdict == "warned" else row.verdict
    told = (f"{word}: {message}",) if only_warns or row.verdict == "passed" else ()
    suite.case(f"{row.subject}: {row.assertion}", shown, message, told=told)
