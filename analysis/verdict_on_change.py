"""Did it get worse? The verdict over all rows of a before/after table.

::

    one run a side                                    inconclusive   nobody knows the next one
    else the order of the runs confounds              inconclusive   drift may pass for a change
    else a row is beyond its tolerance, after Holm    regressed
    else a row is beyond it by itself                 inconclusive   it may be chance, or not
    else each row that must be shown to be within is  not regressed
    else                                              inconclusive   and what would be needed

The alarm looks at every endpoint, so it is corrected for looking often (Holm): half of
its error is for the subjects that were asked for, half for all others. The answer *not
regressed* is about the subjects that were asked for, all requests together when none
was: rare endpoints are mostly too noisy to be shown to be within 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.before_after import row_of
from analysis.change import Change, Row, Word
from analysis.comparison import FEWEST, TOLERANCE, holm, pairs_needed
from analysis.decision import Verdict
from analysis.functional_extension import Changed, change_row
from analysis.indicator import Indicator as Expected
from analysis.run_order import Design
from analysis.run_values import ALL, ERRORS, INDICATORS, Indicator, RunValues, subjects_of
from analysis.shift import ALPHA, POWER

ERROR_TOLERANCE = 0.005
"""Half a percentage point: half of the error budget that goes with each latency budget."""

FOR_ERRORS = 0.1
"""Share of the alarm's error that is for bad requests: they are seldom near their limit."""

DEFAULT_METRIC = "p95"

_MOST_LOG = 50.0  # beyond, a factor is no number that anybody reads

_MORE = "make more pairs of runs, by turns"
_DUEL = "run both by turns on one machine: trueload duel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a comparison, declared before the numbers are seen.

    Attributes
    ----------
    metric : str
        What decides, beside errors: one of :data:`analysis.run_values.METRICS`.
    subjects : tuple of str
        Those that must be shown to be within the tolerance.
    tolerance : float
        Change for the worse that does not matter.
    error_tolerance : float
        The same for shares of bad requests: 0.005 for half a percentage point.
    """

    metric: str = DEFAULT_METRIC
    subjects: tuple[str, ...] = (ALL,)
    tolerance: float = TOLERANCE
    error_tolerance: float = ERROR_TOLERANCE

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "metric": self.metric,
            "subjects": list(self.subjects),
            "tolerance": self.tolerance,
            "error_tolerance": self.error_tolerance,
            "alpha": ALPHA,
            "power": POWER,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a comparison.

    Attributes
    ----------
    verdict : Change
        Regressed, not regressed or inconclusive.
    why : str
        In a sentence.
    advice : str or None
        What to do next, where there is no answer.
    question : Question
        What was asked.
    design : Design
        How the runs were laid out in time.
    rows : tuple of Row
        Every indicator of every subject; ``"all"`` first.
    runs : int
        Of the side that has fewer.
    needed : int or None
        Pairs of runs that would tell in four of five cases that nothing has changed,
        where the first undecided row is as noisy as it was here.
    """

    verdict: Change
    why: str
    question: Question
    design: Design
    rows: tuple[Row, ...]
    runs: int
    advice: str | None = None
    needed: int | None = None

    @property
    def alarms(self) -> tuple[Row, ...]:
        """The rows that raised the alarm."""
        return tuple(row for row in self.rows if row.word is Word.REGRESSED)

    def row(self, subject: str, indicator: str) -> Row:
        """Look a row up."""
        return next(row for row in self.rows if row.key == (subject, indicator))


def answer(
    base: Sequence[RunValues],
    candidate: Sequence[RunValues],
    design: Design,
    question: Question,
    *,
    indicators: Sequence[Indicator] = tuple(INDICATORS.values()),
) -> Answer:
    """Say whether the candidate is worse than the base.

    Parameters
    ----------
    base, candidate : sequence of RunValues
        In the order in which `design` counts them; at least one a side.
    design : Design
        How the runs were laid out in time.
    question : Question
        What is asked.
    indicators : sequence of Indicator
        Which rows there are; those that decide must be among them.

    Returns
    -------
    Answer
        Never regressed, nor not regressed, from one run a side or from runs whose
        order confounds.
    """
    rows = _rows(base, candidate, design, question, indicators)
    fewest = min(len(base), len(candidate))
    decides = fewest >= FEWEST and design.interleaved
    rows = _with_alarms(rows, question) if decides else rows
    verdict, why, advice, open_row = _verdict(rows, design, question, fewest)
    return Answer(
        verdict=verdict,
        why=why,
        advice=advice,
        question=question,
        design=design,
        rows=tuple(rows),
        runs=fewest,
        needed=None if open_row is None else _needed(open_row, fewest),
    )


def _rows(
    base: Sequence[RunValues],
    candidate: Sequence[RunValues],
    design: Design,
    question: Question,
    indicators: Sequence[Indicator],
) -> list[Row]:
    return [
        row_of(
            subject,
            indicator,
            [run.of(subject, indicator.name) for run in base],
            [run.of(subject, indicator.name) for run in candidate],
            design,
            tolerance=question.error_tolerance if indicator.name == ERRORS else question.tolerance,
        )
        for subject in subjects_of([*base, *candidate])
        for indicator in indicators
    ]


def _with_alarms(rows: Sequence[Row], question: Question) -> list[Row]:
    """Ask each row that may raise the alarm for its p-value, and adjust them together."""
    asked = {question.metric, ERRORS}
    family = [row for row in rows if row.indicator.name in asked and row.worse is not None]
    raw = [row.worse.chance_beyond(row.limit) for row in family if row.worse is not None]
    weights = _weights(family, question)
    adjusted = holm(raw, weights)
    shares = {row.key: weight / sum(weights) for row, weight in zip(family, weights, strict=True)}
    chances = {row.key: chance for row, chance in zip(family, adjusted, strict=True)}
    return [
        _alarmed(row, chances[row.key], shares[row.key]) if row.key in shares else row
        for row in rows
    ]


def _weights(family: Sequence[Row], question: Question) -> list[float]:
    """Deal the error out: half to the subjects that were asked for, half to all others."""
    subjects = {row.subject for row in family}
    first = len(subjects.intersection(question.subjects))
    many = {True: first, False: len(subjects) - first}
    return [
        (FOR_ERRORS if row.indicator.name == ERRORS else 1 - FOR_ERRORS)
        / many[row.subject in question.subjects]
        for row in family
    ]


def _alarmed(row: Row, chance: float, share: float) -> Row:
    if row.worse is None:
        return row
    reach = row.limit + row.worse.detectable(alpha=ALPHA * share)
    return replace(
        row,
        chance=chance,
        word=Word.REGRESSED if chance <= ALPHA else row.word,
        detectable=min(reach, 1.0)
        if row.indicator.name == ERRORS
        else math.exp(min(reach, _MOST_LOG)),
    )


def _verdict(
    rows: Sequence[Row], design: Design, question: Question, fewest: int
) -> tuple[Change, str, str | None, Row | None]:
    """Apply the precedence that stands at the top of this module."""
    asked = {question.metric, ERRORS}
    must = [row for row in rows if row.subject in question.subjects and row.indicator.name in asked]
    if fewest < FEWEST:
        why = "one run a side: nobody knows how much the next one would differ"
        return Change.INCONCLUSIVE, why, f"repeat both, or {_DUEL}", None
    if not design.interleaved:
        return Change.INCONCLUSIVE, f"order confounds: {design.why}", _DUEL, None
    alarms = sorted(
        (row for row in rows if row.word is Word.REGRESSED), key=lambda row: row.chance or 0.0
    )
    if alarms:
        more = f"; and {len(alarms) - 1} more" if len(alarms) > 1 else ""
        why = f"beyond the tolerance: {_named(alarms[0])}{more}"
        return Change.REGRESSED, why, None, None
    suspects = [
        row
        for row in rows
        if row.indicator.name in asked and row.decision is Change.REGRESSED and row not in must
    ]
    undecided = [row for row in must if row.decision is not Change.NOT_REGRESSED]
    if suspects and not undecided:
        why = "beyond the tolerance by itself, and not surely so after looking at every endpoint: "
        return Change.INCONCLUSIVE, why + _named(suspects[0]), _MORE, suspects[0]
    if not undecided:
        return Change.NOT_REGRESSED, "what was asked for is within the tolerance", None, None
    first = undecided[0]
    told = f": {first.why}" if first.why else ""
    why = f"within the tolerance or beyond it: {_named(first)}{told}"
    return Change.INCONCLUSIVE, why, _MORE, first


def _named(row: Row) -> str:
    whose = "all requests" if row.subject == ALL else row.subject
    return f"{row.indicator.title}, {whose}"


def _needed(row: Row, fewest: int) -> int | None:
    """Pairs that would suffice, were each as far from the next as those that were made."""
    if row.worse is None:
        return None
    sd = row.worse.se * math.sqrt(fewest)
    # pairs_needed takes a tolerance as a factor; a share's is the distance itself.
    return pairs_needed(sd, tolerance=math.expm1(row.limit))


def scorecard_of(answered: Answer, changed: Changed, *, owner: str | None) -> list[Expected]:
    """Lay a comparison beside what was expected: what was asked for, and what raised the alarm.

    Parameters
    ----------
    answered : Answer
        What came of it.
    changed : Changed
        What the two sides differ in.
    owner : str or None
        Whose the expectation is.

    Returns
    -------
    list of Indicator
        Each row by itself against its tolerance; failed only by an alarm.
    """
    question, sure = answered.question, answered.design.interleaved and answered.runs >= FEWEST
    rows = [answered.row(subject, question.metric) for subject in question.subjects]
    rows += [row for row in answered.alarms if row not in rows]
    found = []
    for row in rows:
        errors = row.indicator.name == ERRORS
        verdict = Verdict.INCONCLUSIVE
        if sure and row.word is Word.REGRESSED:
            verdict = Verdict.FAILED
        elif sure and row.decision is Change.NOT_REGRESSED:
            verdict = Verdict.PASSED
        name = "bad requests" if errors else row.indicator.name
        found.append(
            change_row(
                of_what=f"{name} of {'all requests' if row.subject == ALL else row.subject}",
                metric=row.indicator.name,
                actual=row.points if errors and row.points is not None else row.change,
                tolerance=question.error_tolerance if errors else question.tolerance,
                lower_is_better=row.indicator.lower_is_better,
                verdict=verdict,
                changed=changed,
                owner=owner,
                advice=answered.advice or _MORE,
            )
        )
    return found
