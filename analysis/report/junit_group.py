"""What a CI server shows of runs that are asked one question: a search, and a sweep.

=============================== ================ ====================================
a case of a search              is               when
=============================== ================ ====================================
verdict                         green            found
                                error            not found, interrupted; invalid runs
each level                      green            it is decided, whichever way: that is
                                                 all that a search asks of it
                                skipped          undecided, and found all the same
                                error            undecided, and not found
=============================== ================ ====================================

A sweep has a case for the verdict of all of its runs, one for each run by its verdict, one
for each growth that the scenario states, and an error where not all runs were made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.across import Across
from analysis.decision import Verdict
from analysis.report.capacity import named, rows, sentences
from analysis.report.junit_suite import Suite
from analysis.report.words import say
from scenarios.counting import count_of

_DECIDED = frozenset({"passed", "failed"})
_OF_ENDINGS = {"found": "passed", "invalid": "invalid"}


def capacity_junit(document: Mapping[str, Any], *, exit_code: int) -> str:
    """Render a search for a capacity as a JUnit report.

    Parameters
    ----------
    document : mapping
        The file of a search.
    exit_code : int
        What the command exits with.

    Returns
    -------
    str
        Well-formed XML: a case for the verdict, and one for each level.
    """
    suite = Suite(f"{document['scenario']}.capacity", took_s=document["took_s"])
    suite.properties(
        [
            ("ending", document["ending"]),
            ("exit_code", str(exit_code)),
            ("unit", document["unit"]),
            *((end, str(document["capacity"][end])) for end in ("low", "high")),
            *(("run", run["run"]) for run in document["runs"]),
        ]
    )
    answer, *others = sentences(document)
    verdict = _OF_ENDINGS.get(document["ending"], "inconclusive")
    suite.case("verdict", verdict, answer, "\n".join([answer, *others]), told=[answer, *others])
    (_, *head), *laid = rows(document)
    for level, (_, *cells) in zip(document["levels"], reversed(laid), strict=True):
        said = "; ".join(f"{what}: {cell}" for what, cell in zip(head, cells, strict=False))
        fate = "inconclusive"
        if level["verdict"] in _DECIDED:
            fate = "passed"
        elif verdict == "passed":
            fate = "unjudged"
        told = [said] if fate == "passed" else []
        suite.case(named(level["level"], document["unit"]), fate, said, told=told)
    return suite.render()


def sweep_junit(
    found: Across, runs: Sequence[Mapping[str, Any]], *, scenario: str, complete: bool
) -> str:
    """Render runs side by side as a JUnit report.

    Parameters
    ----------
    found : Across
        What they are together.
    runs : sequence of mapping
        Their verdicts, as in verdict.json, in the same order.
    scenario : str
        Its name.
    complete : bool
        Whether every run that was asked for was made.

    Returns
    -------
    str
        Well-formed XML: a case for the verdict, one a run, one for each growth that is judged.
    """
    suite = Suite(f"{scenario}.sweep")
    suite.properties(
        [("verdict", str(found.verdict)), *(("run", column.run) for column in found.columns)]
    )
    tally = Counter(column.verdict for column in found.columns)
    why = f"{count_of(len(found.columns), 'run')}: " + ", ".join(
        f"{count} {verdict}" for verdict, count in tally.items()
    )
    suite.case("verdict", str(found.verdict), why)
    if not complete:
        suite.case("runs", "inconclusive", "not every run that was asked for was made")
    for number, (column, verdict) in enumerate(zip(found.columns, runs, strict=True), start=1):
        settings = ", ".join(f"{key} = {value}" for key, value in column.settings.items())
        suite.case(f"run {number}: {settings}", column.verdict, str(verdict["why"]))
    if found.on_growth is not Verdict.UNJUDGED:
        for row in found.scorecard:
            said = f"{say(row.actual.as_dict())}; expected {row.expected}; next: {row.next}"
            suite.case(row.indicator, row.verdict, said)
    return suite.render()
