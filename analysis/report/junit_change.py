"""What a CI server shows of a comparison, and of a duel.

=============================== ================ ====================================
a case of a comparison          is               when
=============================== ================ ====================================
verdict                         failure          regressed
                                error            inconclusive; or a run is not valid, and
                                                 there is no other case
each row that may raise the     failure          it raised the alarm
alarm: the metric, and bad      green            it is shown to be within the tolerance
requests, of all requests and   error            it was asked for and is undecided; or it
of every endpoint                                is beyond the tolerance by itself
                                skipped          it was not asked for and is undecided
=============================== ================ ====================================

A duel has the same verdict, a case for what it asks, and one for whether the candidate fails
more often, which is asked where it is found not to be worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report import comparison as c
from analysis.report.duel import facts, plain, sentence, subject_words
from analysis.report.junit_suite import Suite
from analysis.report.typography import clean

_OPEN = {"inconclusive": "not known yet", "unjudged": "not known yet, and not asked for"}


def comparison_junit(document: c.Document) -> str:
    """Render a comparison as a JUnit report.

    Parameters
    ----------
    document : mapping
        comparison.json.

    Returns
    -------
    str
        Well-formed XML: a case for the verdict, and one for each row that may raise the alarm.
    """
    question = document["question"]
    suite = Suite(f"{document['scenario']}.compare")
    suite.properties(
        [
            ("verdict", document["verdict"]),
            ("exit_code", str(document["exit_code"])),
            ("metric", question["metric"]),
            ("tolerance", plain(question["tolerance"])),
            ("error_tolerance", _error_tolerance(question)),
            ("order", c.of_runs(document)),
            *(("base", run["run"]) for run in document["base"]),
            *(("candidate", run["run"]) for run in document["candidate"]),
        ]
    )
    why = c.verdict_words(document)
    more = [*c.power_words(document), *document["notes"], document["advice"] or ""]
    suite.case("verdict", document["verdict"], why, "\n".join(filter(None, [why, *more])))
    for row in c.change_rows(document):
        if row.gates:
            _row(suite, row, question)
    return suite.render()


def invalid_junit(message: str) -> str:
    """Render runs that cannot be compared, because some are not valid, as a JUnit report.

    Parameters
    ----------
    message : str
        Which they are, and why.

    Returns
    -------
    str
        Well-formed XML: a case for the verdict.
    """
    suite = Suite("compare")
    suite.case("verdict", "invalid", message.partition("\n")[0], message)
    return suite.render()


def _row(suite: Suite, row: c.ChangeRow, question: Mapping[str, Any]) -> None:
    whose = "all requests" if row.subject == "all" else row.subject
    errors = row.indicator == c.TITLES["error_ratio"]
    change = (row.points if errors else "") or row.change
    tolerance = _error_tolerance(question) if errors else plain(question["tolerance"])
    interval = f" ({row.interval})" if row.interval else ""
    why = f"; {row.why}" if row.why else ""
    verdict = _fate(row, question)
    word = _OPEN.get(verdict, row.word)
    message = f"{word}: {change}{interval}; tolerance {tolerance}{why}"
    told = [message] if verdict == "not regressed" else []
    suite.case(f"{row.indicator} of {whose}", verdict, message, told=told)


def _fate(row: c.ChangeRow, question: Mapping[str, Any]) -> str:
    """Say what a row comes to as a case; one that nobody asked for need not be decided."""
    if row.word == "regressed":
        return row.word
    if row.decision == "not regressed":
        return row.decision
    asked_for = row.subject in {clean(subject) for subject in question["subjects"]}
    return "inconclusive" if asked_for or row.decision == "regressed" else "unjudged"


def _error_tolerance(question: Mapping[str, Any]) -> str:
    return f"{100 * question['error_tolerance']:.6g} points"


def duel_junit(duel: Mapping[str, Any]) -> str:
    """Render a duel as a JUnit report.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    str
        Well-formed XML: a case for the verdict, one for what is asked, one for failures.
    """
    suite = Suite(f"{duel['scenario']}.duel", took_s=duel["time_s"])
    suite.properties(
        [
            ("verdict", duel["verdict"]),
            ("exit_code", str(duel["exit_code"])),
            ("base", duel["sides"]["base"]),
            ("candidate", duel["sides"]["candidate"]),
            ("tolerance", plain(duel["rules"]["tolerance"])),
            ("pairs", f"{len(duel['pairs'])} of at most {duel['rules']['pairs']}"),
            ("seed", str(duel["seed"])),
            *(("run", run["folder"]) for run in duel["runs"]),
        ]
    )
    said = sentence(duel)
    suite.case("verdict", duel["verdict"], said, told=facts(duel))
    decided = duel["decided_at"] is not None
    regressed = duel["verdict"] == "regressed"
    asked = "regressed" if regressed else "not regressed" if decided else "inconclusive"
    tolerance = plain(duel["rules"]["tolerance"])
    name = f"{subject_words(duel['metric'], duel['subject'])}, not worse by {tolerance}"
    suite.case(name, asked, said)
    # failures are looked at where the metric is found not to be worse, and only they can then leave
    # the answer open
    errors = "unjudged" if regressed or not decided else duel["verdict"]
    message = "asked of a candidate that is not worse" if errors == "unjudged" else duel["why"]
    suite.case("fails no more often than the base", errors, message)
    return suite.render()
