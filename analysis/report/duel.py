"""A duel in words: a line a pair while it goes on, its answer, and the pairs side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.duel import Pair, Question, ratio_of
from analysis.duel_reading import Metric
from analysis.report.markdown import code, text
from analysis.report.scorecard import indicator_lines, indicator_table
from analysis.report.typography import clean, shorten
from analysis.report.words import number, quantity, say
from analysis.sequential import Standing
from scenarios.counting import count_of
from scenarios.units import how_long

_WIDTH = 33
_NAME_WIDTH = 44


def pair_line(pair: Pair, standing: Standing, question: Question) -> str:
    """Tell of a pair as soon as it is made.

    Parameters
    ----------
    pair : Pair
        The last one.
    standing : Standing
        Of all so far.
    question : Question
        As it was declared.

    Returns
    -------
    str
        For example ``"pair 5 of at most 8: 0.978 (base 41.2 ms, candidate 40.3 ms); so far
        0.983, at most 1.03"``.
    """
    unit = question.metric.unit
    so_far = ratio_of(standing, question.metric)
    return (
        f"pair {pair.number} of at most {question.rules.pairs}: {number(pair.ratio)} "
        f"(base {quantity(pair.base, unit)}, candidate {quantity(pair.candidate, unit)}); "
        f"so far {_ratio_words(so_far.as_dict())}"
    )


def _ratio_words(ratio: Mapping[str, Any]) -> str:
    """Write a ratio with as many ends as it has."""
    value, low, high = ratio["value"], ratio["low"], ratio["high"]
    if value is None:
        return "nothing"
    if low is not None and high is not None:
        return f"{number(value)} ({number(low)} to {number(high)})"
    if high is not None:
        return f"{number(value)}, at most {number(high)}"
    if low is not None:
        return f"{number(value)}, at least {number(low)}"
    return number(value)


def plain(ratio: float) -> str:
    """Write a share in per cent with three digits, and no zeros that say nothing."""
    return f"{float(f'{100 * ratio:.3g}'):g} %"


def subject_words(metric: str, subject: str) -> str:
    """Name what is compared, as in ``"p95 of all requests"``."""
    return f"{metric} of {'all requests' if subject == 'all' else clean(subject)}"


def sentence(duel: Mapping[str, Any]) -> str:
    """Say the answer of a duel in one sentence.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    str
        The answer, the ratio with its interval, and why.
    """
    what = subject_words(duel["metric"], duel["subject"])
    if duel["ratio"]["value"] is None:
        return f"{duel['verdict']}: {clean(duel['why'])}"
    return (
        f"{duel['verdict']}: {what} is {_ratio_words(duel['ratio'])} times the base's; "
        f"{clean(duel['why'])}"
    )


def facts(duel: Mapping[str, Any]) -> list[str]:
    """Say what the answer rests on.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    list of str
        Notes; pairs and time; errors spent; what can be detected; what is needed.
    """
    rules, spent, needs = duel["rules"], duel["spent"], duel["needs"]
    made = len(duel["pairs"])
    lines = [
        *duel["notes"],
        f"{count_of(made, 'pair')} of at most {rules['pairs']} in "
        f"{how_long(duel['time_s'])}; the order in each was randomised with seed {duel['seed']}",
    ]
    if made:
        lines.append(
            f"errors spent, for a candidate exactly {plain(rules['tolerance'])} worse: "
            f"{plain(spent['false_alarm'])} of {plain(rules['false_alarm'])} for regressed, "
            f"{plain(spent['miss'])} of {plain(rules['miss'])} for not regressed"
        )
    lines += _sure_of(duel)
    if needs["detectable"] is not None:
        lines.append(
            f"from pair to pair the ratio varies by {plain(math.expm1(needs['sd']))} "
            f"(sd); minimum detectable effect: {plain(needs['detectable'] - 1)} (a candidate so "
            f"much worse would be found in about three of four duels of "
            f"{count_of(rules['pairs'], 'pair')})"
        )
    return [*lines, *_needed(duel)]


def _sure_of(duel: Mapping[str, Any]) -> list[str]:
    """Say how sure each end of the ratio is: the errors are those that were declared."""
    ratio, rules = duel["ratio"], duel["rules"]
    errors = [rules["false_alarm"], rules["miss"]]
    sides = zip(("lower", "upper"), errors[:: Metric(duel["metric"]).worse], strict=True)
    ends = [
        f"its {side} end is wrong in at most {plain(error)}"
        for side, error in sides
        if ratio[{"lower": "low", "upper": "high"}[side]] is not None
    ]
    if not ends:
        return []
    what = "bound" if ratio["level"] is None else f"interval is one of {plain(ratio['level'])}"
    return [f"the ratio's {what}: {', '.join(ends)}"]


def _needed(duel: Mapping[str, Any]) -> list[str]:
    """Say what an answer would have taken, where there is none."""
    needs, rules = duel["needs"], duel["rules"]
    if duel["verdict"] != "inconclusive" or needs["sd"] is None or not duel["exhausted"]:
        return []
    if duel["decided_at"] is not None:
        return []  # the metric is answered: more pairs would not take the errors away
    if needs["pairs"] is None:
        return ["it varies too much for any number of pairs: look for what disturbs the machine"]
    if needs["pairs"] <= rules["pairs"]:
        return ["the truth seems to lie near the tolerance: more pairs alone will hardly decide it"]
    times = math.ceil(needs["pairs"] / rules["pairs"])
    return [
        f"to recognise no change in four of five duels, {needs['pairs']} such pairs would be "
        f"needed; or, where the requests vary more than the machine, holds {times} times as long"
    ]


def chart(duel: Mapping[str, Any]) -> list[str]:
    """Draw the pairs as a table with a dot for each ratio.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    list of str
        At most 80 columns wide: ``|`` is no change, ``:`` the tolerance, ``o`` the pair.
    """
    pairs: Sequence[Mapping[str, Any]] = duel["pairs"]
    if not pairs:
        return []
    limit = _limit(duel)
    marks = [pair["ratio"] for pair in pairs] + [1.0, limit]
    low, high = math.log(min(marks)) - 0.01, math.log(max(marks)) + 0.01

    def place(ratio: float) -> int:
        return round((math.log(ratio) - low) / (high - low) * (_WIDTH - 1))

    lines = [
        f"pair  {'first':<9}  {'base':>9}  {'candidate':>9}  {'ratio':>6}  | same  : tolerance"
    ]
    for pair in pairs:
        row = [" "] * _WIDTH
        row[place(limit)] = ":"
        row[place(1.0)] = "|"
        row[place(pair["ratio"])] = "o"
        values = [quantity(pair[role], duel["unit"]) for role in ("base", "candidate")]
        lines.append(
            f"{pair['pair']:>4}  {pair['first']:<9}  {values[0]:>9}  {values[1]:>9}  "
            f"{number(pair['ratio']):>6}  {''.join(row).rstrip()}"
        )
    return lines


def _limit(duel: Mapping[str, Any]) -> float:
    """Give the ratio at which the tolerance ends."""
    tolerance = 1 + float(duel["rules"]["tolerance"])
    return tolerance if Metric(duel["metric"]).worse > 0 else 1 / tolerance


def other_lines(duel: Mapping[str, Any]) -> list[str]:
    """Tell of what was measured beside the question.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    list of str
        A heading and a line each; those that are worse by more than the tolerance
        after Holm's adjustment are marked.
    """
    rows: Sequence[Mapping[str, Any]] = duel["others"]
    if not rows:
        return []
    lines = ["measured beside it, and not decisive (candidate / base, 90 % interval):"]
    for row in rows:
        name = shorten(subject_words(row["metric"], row["subject"]), _NAME_WIDTH)
        worse = row["adjusted"] <= duel["rules"]["false_alarm"]
        mark = f"  worse (Holm: p {number(row['adjusted'], digits=2)})" if worse else ""
        lines.append(f"  {name:<{_NAME_WIDTH}}  {say(row['ratio'])}{mark}")
    return lines


def as_text(duel: Mapping[str, Any]) -> str:
    """Write the answer for a terminal.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    str
        Several lines.
    """
    sides = [f"{role:<9}  {clean(duel['sides'][role])}" for role in ("base", "candidate")]
    told = indicator_lines(duel["scorecard"])
    blocks = [sides, chart(duel), other_lines(duel), told, [sentence(duel), *facts(duel)]]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def as_markdown(duel: Mapping[str, Any]) -> str:
    """Write duel.md.

    Parameters
    ----------
    duel : mapping
        As in duel.json.

    Returns
    -------
    str
        The same as on the terminal, for a pull request.
    """
    lines = [
        f"# Duel: {text(duel['title'])}",
        "",
        f"**{text(sentence(duel))}**",
        "",
        *(f"- {role}: {code(duel['sides'][role])}" for role in ("base", "candidate")),
        *(f"- {text(fact)}" for fact in facts(duel)),
        "",
    ]
    if duel["pairs"]:
        lines += ["```", *chart(duel), "```", ""]
    lines += indicator_table(duel["scorecard"])
    rows = duel["others"]
    if rows:
        lines += [
            "Measured beside it, and not decisive:",
            "",
            "| | candidate / base, 90 % interval | p (Holm) |",
            "|---|---:|---:|",
            *(
                f"| {text(subject_words(row['metric'], row['subject']))} | {say(row['ratio'])} "
                f"| {number(row['adjusted'], digits=2)} |"
                for row in rows
            ),
            "",
        ]
    runs = [
        f"| {run['sequence']} | {run['pair']} | {run['role']} | {text(run['verdict'])} "
        f"| {code(run['folder'])} |"
        for run in duel["runs"]
    ]
    lines += ["| run | pair | side | verdict | folder |", "|---:|---:|---|---|---|", *runs]
    return "\n".join(lines) + "\n"
