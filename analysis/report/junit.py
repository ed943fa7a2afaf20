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

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from analysis.report import advice, facts, goodput, sentences, tables, validity
from analysis.report.typography import clean

_KINDS = {
    "failed": "failure",
    "inconclusive": "error",
    "invalid": "error",
    "unjudged": "skipped",
}
_NOT_XML = {0xFFFE, 0xFFFF}


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
    scenario = _xml(verdict.get("scenario"))
    suite = ET.Element("testsuite", name=f"trueload.{scenario}")
    ended = (verdict.get("ended") or {}).get("load_ended_s")
    if manifest.get("started"):
        suite.set("timestamp", _xml(manifest["started"]))
    if ended is not None:
        suite.set("time", f"{ended:.3f}")
    _properties(suite, manifest, verdict)
    _case(suite, "verdict", str(verdict["verdict"]), sentences.why(verdict), _actions(verdict))
    _validity(suite, verdict)
    _goodput(suite, verdict)
    for row in tables.budget_rows(verdict):
        _budget(suite, row)
    if not verdict.get("budgets"):
        _case(suite, "budgets", "unjudged", "the scenario states none", "")
    _count(suite)
    suites = ET.Element("testsuites", name="trueload")
    for name in ("tests", "failures", "errors", "skipped"):
        suites.set(name, suite.get(name, "0"))
    suites.append(suite)
    ET.indent(suites, " ")
    body = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _xml(value: object) -> str:
    """Leave out what XML cannot hold; controls are shown as escapes before."""
    return "".join(char for char in clean(value) if ord(char) not in _NOT_XML)


def _properties(suite: ET.Element, manifest: Mapping[str, Any], verdict: tables.Document) -> None:
    properties = ET.SubElement(suite, "properties")
    known = [
        ("verdict", str(verdict["verdict"])),
        ("exit_code", str(verdict.get("exit_code"))),
        ("model", str(verdict.get("model", "closed"))),
        ("think_scale", f"{verdict.get('think_scale', 1):g}"),
        *facts.surroundings(manifest),
    ]
    for name, value in known:
        ET.SubElement(
            properties,
            "property",
            name=_xml(name).lower().replace(" ", "_").replace("'", ""),
            value=_xml(value),
        )


def _case(suite: ET.Element, name: str, verdict: str, message: str, body: str) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname=suite.get("name", ""), name=_xml(name))
    kind = _KINDS.get(verdict)
    if kind is not None:
        found = ET.SubElement(case, kind, message=_xml(message))
        if kind != "skipped":
            found.set("type", _xml(verdict))
            found.text = "\n".join(_xml(line) for line in (body or message).split("\n"))
    return case


def _actions(verdict: tables.Document) -> str:
    return "\n".join(f"{action.about}: {action.text}" for action in advice.next_actions(verdict))


def _validity(suite: ET.Element, verdict: tables.Document) -> None:
    rows = validity.reason_rows(verdict)
    harmful = [row for row in rows if row.harmful]
    valid = (verdict.get("validity") or {}).get("valid", True)
    shown = "passed" if valid and not harmful else "invalid"
    first = harmful[0].message if harmful else "the load was not delivered or not seen"
    case = _case(suite, "validity", shown, first, "\n".join(row.sentence for row in harmful))
    harmless = [row.sentence for row in rows if not row.harmful]
    if harmless:
        text = "\n".join(_xml(line) for line in ("not valid, without harm:", *harmless))
        ET.SubElement(case, "system-out").text = text


def _goodput(suite: ET.Element, verdict: tables.Document) -> None:
    found = goodput.goodput_of(verdict)
    if not found:
        return
    lost = goodput.broken(verdict)
    shown = "failed" if lost else "passed" if found["assessed"] else "unjudged"
    writes = (": ".join(row) for row in goodput.lost_writes(verdict))
    message = goodput.goodput_words(verdict)
    _case(suite, "goodput", shown, message, "\n".join((*lost, *writes)))


def _budget(suite: ET.Element, row: tables.BudgetRow) -> None:
    beyond = f"; share beyond the limit: {row.beyond}, allowed {row.allowed}" if row.beyond else ""
    notes = "".join(f"; {note}" for note in row.notes)
    message = f"measured {row.measured} {row.place}{beyond}{notes}"
    only_warns = row.severity == "warn" and row.verdict not in {"invalid", "unjudged"}
    shown = "passed" if only_warns else row.verdict
    case = _case(suite, f"{row.subject}: {row.assertion}", shown, message, "")
    if only_warns or row.verdict == "passed":
        word = "broken, but only warns" if row.verdict == "warned" else row.verdict
        ET.SubElement(case, "system-out").text = _xml(f"{word}: {message}")


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))
