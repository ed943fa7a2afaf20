"""A suite of test cases as CI servers read it. No case is green that was not decided.

=============================== ================
a case is                       when its verdict is
=============================== ================
green                           passed, not regressed
failure                         failed, regressed
skipped                         unjudged
error                           anything else: inconclusive, invalid
=============================== ================
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from analysis.report.typography import clean

_GREEN = frozenset({"passed", "not regressed"})
_KINDS = {"failed": "failure", "regressed": "failure", "unjudged": "skipped"}
_NOT_XML = {0xFFFE, 0xFFFF}


def xml(value: object) -> str:
    """Leave out what XML cannot hold; controls are shown as escapes before.

    Parameters
    ----------
    value : object
        Anything; None becomes empty.

    Returns
    -------
    str
        One line.
    """
    return "".join(char for char in clean(value) if ord(char) not in _NOT_XML)


class Suite:
    """A suite that grows case by case.

    Parameters
    ----------
    name : str
        Behind ``trueload.``; its cases are of that class.
    started : object, optional
        When it began, as ISO 8601 writes it.
    took_s : float, optional
        How long it took, in seconds.
    """

    def __init__(self, name: str, *, started: object = None, took_s: float | None = None) -> None:
        self._suite = ET.Element("testsuite", name=f"trueload.{xml(name)}")
        if started:
            self._suite.set("timestamp", xml(started))
        if took_s is not None:
            self._suite.set("time", f"{took_s:.3f}")

    def properties(self, facts: Iterable[tuple[str, str]]) -> None:
        """Say on what the suite rests.

        Parameters
        ----------
        facts : iterable of (str, str)
            Name and value each.
        """
        properties = ET.SubElement(self._suite, "properties")
        for name, value in facts:
            ET.SubElement(
                properties,
                "property",
                name=xml(name).lower().replace(" ", "_").replace("'", ""),
                value=xml(value),
            )

    def case(
        self, name: str, verdict: str, message: str, body: str = "", *, told: Sequence[str] = ()
    ) -> None:
        """Add a case.

        Parameters
        ----------
        name : str
            What was decided.
        verdict : str
            How.
        message : str
            Why, in a sentence; left out of a case that is green.
        body : str
            More of it, in lines; the message again where there is none.
        told : sequence of str
            Lines that are told whatever the verdict is.
        """
        case = ET.SubElement(
            self._suite, "testcase", classname=self._suite.get("name", ""), name=xml(name)
        )
        if verdict not in _GREEN:
            kind = _KINDS.get(verdict, "error")
            found = ET.SubElement(case, kind, message=xml(message))
            if kind != "skipped":
                found.set("type", xml(verdict))
                found.text = "\n".join(xml(line) for line in (body or message).split("\n"))
        if told:
            ET.SubElement(case, "system-out").text = "\n".join(xml(line) for line in told)

    def render(self) -> str:
        """Write the suite.

        Returns
        -------
        str
            Well-formed XML: the suite with the counts of its cases.
        """
        suites = ET.Element("testsuites", name="trueload")
        self._suite.set("tests", str(len(self._suite.findall("testcase"))))
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            self._suite.set(name, str(len(self._suite.findall(f"testcase/{kind}"))))
        for name in ("tests", "failures", "errors", "skipped"):
            suites.set(name, self._suite.get(name, "0"))
        suites.append(self._suite)
        ET.indent(suites, " ")
        body = ET.tostring(suites, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
