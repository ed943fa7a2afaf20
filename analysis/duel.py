"""What a duel measured and what it answers: from the verdicts of its runs to duel.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.comparison import (
    as_ratio,
    holm,
    minimum_detectable_ratio,
    paired_shift,
    pairs_needed,
)
from analysis.counted import counted
from analysis.duel_reading import SUBJECT, Metric, estimates_of, read
from analysis.estimate import Estimate
from analysis.more_errors import Without, more_errors, more_without_value
from analysis.sequential import Answer, Rules, Standing, judge
from scenarios.counting import count_of
from scenarios.errors import ExitCode

FORMAT = 1
"""Version of the document."""

_SPREAD = 2
"""Pairs from which a spread can be told."""

EXIT_CODES = {
    Answer.NOT_REGRESSED: ExitCode.PASSED,
    Answer.REGRESSED: ExitCode.REGRESSED,
    Answer.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, declared before the first run.

    Attributes
    ----------
    metric : Metric
        By what.
    subject : str
        ``"all"``, or an endpoint as ``"METHOD endpoint"``.
    rules : Rules
        How it is decided.
    """

    metric: Metric = Metric.P95
    subject: str = SUBJECT
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two runs that were made one after the other, in an order that was drawn.

    Attributes
    ----------
    number : int
        From 1.
    first : str
        The role that was run first.
    load_seed : int
        The same for both.
    base, candidate : float
        The metric.
    base_run, candidate_run : mapping
        Their verdicts, as in verdict.json.
    """

    number: int
    first: str
    load_seed: int
    base: float
    candidate: float
    base_run: Mapping[str, Any]
    candidate_run: Mapping[str, Any]

    @property
    def ratio(self) -> float:
        """Candidate / base."""
        return self.candidate / self.base


def differences(pairs: Sequence[Pair], metric: Metric) -> list[float]:
    """Take the logarithm of each pair's ratio, worse above 0."""
    return [metric.worse * math.log(pair.ratio) for pair in pairs]


def standing_of(pairs: Sequence[Pair], question: Question) -> Standing:
    """Judge the pairs made so far.

    Parameters
    ----------
    pairs : sequence of Pair
        In the order they were made.
    question : Question
        As it was declared.

    Returns
    -------
    Standing
        As :func:`analysis.sequential.judge` gives it.
    """
    return judge(differences(pairs, question.metric), question.rules)


def ratio_of(standing: Standing, metric: Metric) -> Estimate:
    """Write a difference of logarithms as candidate / base.

    Parameters
    ----------
    standing : Standing
        Of a duel.
    metric : Metric
        Whose worse side is known.

    Returns
    -------
    Estimate
        1 is no change.
    """
    shift = standing.shift
    ends = [
        None if end is None else math.exp(metric.worse * end) for end in (shift.low, shift.high)
    ]
    low, high = ends if metric.worse > 0 else ends[::-1]
    return Estimate(
        value=None if shift.value is None else math.exp(metric.worse * shift.value),
        low=low,
        high=high,
        level=shift.level,
        n=shift.n,
        method=shift.method,
        covers=shift.covers,
        why=shift.why,
    )


def answer_of(
    pairs: Sequence[Pair], question: Question, ended: str, without: Without = ()
) -> tuple[Answer, str]:
    """Answer a duel that has ended, and say why.

    Parameters
    ----------
    pairs : sequence of Pair
        All that were made.
    question : Question
        As it was declared.
    ended : str
        Why no more were made, where it was not for the answer; empty otherwise.
    without : sequence of (str, str)
        Role, and why there was no value, of each valid run that gave none.

    Returns
    -------
    tuple of (Answer, str)
        A candidate that fails more often than the base, or more often gives no value, is
        never "not regressed".
    """
    standing = standing_of(pairs, question)
    percent = f"{100 * question.rules.tolerance:.3g} %"
    if standing.answer is Answer.REGRESSED:
        return standing.answer, f"worse by more than the {percent} that do not matter"
    if standing.answer is Answer.NOT_REGRESSED:
        worse = _fails_more(pairs, question, without)
        if worse:
            return Answer.INCONCLUSIVE, f"{question.metric} is not worse, but {worse}"
        return standing.answer, f"not worse by {percent}"
    if ended:
        return Answer.INCONCLUSIVE, ended
    open_after = count_of(len(pairs), "pair", "leave")
    return Answer.INCONCLUSIVE, f"{open_after} it open whether it is worse by more than {percent}"


def _fails_more(pairs: Sequence[Pair], question: Question, without: Without) -> str:
    """Say in what the candidate fails more often than the base; empty when it does not."""
    runs = [pair.base_run for pair in pairs], [pair.candidate_run for pair in pairs]
    return (more_errors(*runs, question.subject) if pairs else "") or more_without_value(without)


def others(pairs: Sequence[Pair], question: Question) -> list[dict[str, Any]]:
    """Compare everything else that was measured: told, and never decisive.

    Parameters
    ----------
    pairs : sequence of Pair
        All that were made.
    question : Question
        Its tolerance counts, and what it asks is left out.

    Returns
    -------
    list of dict
        Every metric of all requests, and the question's of each endpoint, by Student's
        t over pairs; ``adjusted`` is Holm's p-value of "worse by more than the tolerance".
    """
    wanted = [(SUBJECT, metric) for metric in Metric]
    names = set().union(*(estimates_of(pair.base_run) for pair in pairs)) if pairs else set()
    wanted += [(name, question.metric) for name in sorted(names - {SUBJECT})]
    rows: list[dict[str, Any]] = []
    chances: list[float] = []
    for subject, metric in wanted:
        ratios = _log_ratios(pairs, metric, subject)
        shift = paired_shift(ratios * metric.worse)
        if (subject, metric) == (question.subject, question.metric) or shift is None:
            continue
        ratio = as_ratio(paired_shift(ratios), ratios, method="")
        chances.append(shift.chance_beyond(question.rules.limit))
        rows.append({"subject": subject, "metric": str(metric), "ratio": ratio.as_dict()})
    for row, chance, adjusted in zip(rows, chances, holm(chances), strict=True):
        row |= {"chance": chance, "adjusted": adjusted}
    return rows


def _log_ratios(pairs: Sequence[Pair], metric: Metric, subject: str) -> np.ndarray:
    """Take ln(candidate / base) of the pairs in which both runs have the metric."""
    found = []
    for pair in pairs:
        base, candidate = (
            read(run, metric, subject).value for run in (pair.base_run, pair.candidate_run)
        )
        if base is not None and candidate is not None:
            found.append(math.log(candidate / base))
    return np.array(found)


def needs_of(standing: Standing, rules: Rules) -> dict[str, Any]:
    """Say what a duel with this spread can find, and what it would take to find more.

    Parameters
    ----------
    standing : Standing
        Of the pairs that were made.
    rules : Rules
        As they were declared.

    Returns
    -------
    dict
        ``sd`` of the logarithm of the ratio from pair to pair; ``detectable``, the ratio of
        a candidate that is found in about three of four duels of all pairs (Student's t
        at one look would find it in four of five); ``pairs``, how many it takes to
        recognise no change in four of five. None where the spread is not known.
    """
    sd = standing.sd
    if sd is None or standing.pairs < _SPREAD:
        return {"sd": None, "detectable": None, "pairs": None}
    return {
        "sd": sd,
        "detectable": minimum_detectable_ratio(
            sd, rules.pairs, alpha=rules.false_alarm, tolerance=rules.tolerance
        ),
        "pairs": pairs_needed(sd, alpha=rules.miss, tolerance=rules.tolerance),
    }


def outcome(
    pairs: Sequence[Pair],
    question: Question,
    *,
    ended: str = "",
    interrupted: bool = False,
    invalid: bool = False,
    without: Without = (),
    on_inconclusive: str | None = None,
) -> dict[str, Any]:
    """Write what a duel found.

    Parameters
    ----------
    pairs : sequence of Pair
        All that were made.
    question : Question
        As it was declared.
    ended : str
        Why no more were made, where it was not for the answer; empty otherwise.
    interrupted : bool
        Whether somebody ended it.
    invalid : bool
        Whether it ended for a run that was invalid.
    without : sequence of (str, str)
        As :func:`answer_of` takes them.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what an inconclusive duel exits with. One that ended before its
        pairs were made, or whose candidate fails more often, is never counted as passed.

    Returns
    -------
    dict
        The part of duel.json that follows from the pairs.
    """
    rules, standing = question.rules, standing_of(pairs, question)
    answer, why = answer_of(pairs, question, ended, without)
    code = EXIT_CODES[answer]
    if interrupted:
        code = ExitCode.INTERRUPTED
    elif invalid and not pairs:
        code = ExitCode.INVALID
    else:
        is_open = not ended and not _fails_more(pairs, question, without)
        code = counted(code, on_inconclusive, is_open=is_open)
    return {
        "format": FORMAT,
        "verdict": str(answer),
        "why": why,
        "exit_code": int(code),
        "on_inconclusive": on_inconclusive,
        "metric": str(question.metric),
        "unit": question.metric.unit,
        "subject": question.subject,
        "rules": {
            "pairs": rules.pairs,
            "tolerance": rules.tolerance,
            "false_alarm": rules.false_alarm,
            "miss": rules.miss,
        },
        "ratio": ratio_of(standing, question.metric).as_dict(),
        "decided_at": standing.decided,
        "spent": {"false_alarm": standing.spent[0], "miss": standing.spent[1]},
        "needs": needs_of(standing, rules),
        "pairs": [
            {
                "pair": pair.number,
                "first": pair.first,
                "load_seed": pair.load_seed,
                "base": pair.base,
                "candidate": pair.candidate,
                "ratio": pair.ratio,
            }
            for pair in pairs
        ],
        "others": others(pairs, question),
    }
