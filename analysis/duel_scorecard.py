"""The answer of a duel as a row of the scorecard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.duel import Question
from analysis.duel_reading import SUBJECT
from analysis.estimate import Estimate
from analysis.functional_extension import VERDICTS, Changed, change_row


def scorecard_of(
    found: Mapping[str, Any], question: Question, changed: Changed, *, owner: str | None
) -> list[dict[str, Any]]:
    """Lay the answer of a duel beside what was expected.

    Parameters
    ----------
    found : mapping
        As :func:`analysis.duel.outcome` gives it.
    question : Question
        As it was declared.
    changed : Changed
        What the two sides differ in.
    owner : str or None
        Whose the expectation is.

    Returns
    -------
    list of dict
        One row.
    """
    metric = question.metric
    whose = "all requests" if question.subject == SUBJECT else question.subject
    row = change_row(
        of_what=f"{metric} of {whose}",
        metric=str(metric),
        actual=Estimate(**found["ratio"]),
        tolerance=question.rules.tolerance,
        lower_is_better=metric.worse > 0,
        verdict=VERDICTS[found["verdict"]],
        changed=changed,
        owner=owner,
        advice="declare more pairs, or hold longer: needs says how many",
    )
    return [row.as_dict()]
