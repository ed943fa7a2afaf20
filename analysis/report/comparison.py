"""A comparison in words: what a terminal, Markdown and a page say alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report import words
from analysis.report.load_names import level_text, people
from analysis.report.typography import clean
from analysis.shift import CONFIDENCE
from scenarios.counting import count_of

Document = Mapping[str, Any]
"""comparison.json."""

SYMBOLS = {"regressed": "✗", "not regressed": "✓", "inconclusive": "?"}

TITLES = {
    "p50": "p50 latency",
    "p95": "p95 latency",
    "p99": "p99 latency",
    "avg": "avg latency",
    "throughput": "ok requests/s",
    "error_ratio": "bad requests",
}

EXIT_CODES = {
    0: "not regressed",
    97: "inconclusive: not enough evidence either way",
    98: "regressed against the base",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A row of a before/after table in words.

    Attributes
    ----------
    subject, indicator : str
        What it is about.
    better : str
        ``"lower"`` or ``"higher"``.
    before, after : Said
        The numbers.
    change : str
        ``"+4.1 %"``, ``"x 12"``, or ``"-"``.
    interval : str
        ``"-1.2 to +9.7 %"``; empty where there is none.
    points : str
        ``"+0.21 points"`` for shares, else empty.
    word : str
        Better, worse, or not told apart.
    decision : str
        Against the tolerance.
    why : str
        What is missing.
    detectable : str
        The change that would have been found; empty where it is not known.
    gates : bool
        Whether the verdict depends on it.
    """

    subject: str
    indicator: str
    better: str
    before: words.Said
    after: words.Said
    change: str
    interval: str
    points: str
    word: str
    decision: str
    why: str
    detectable: str
    gates: bool


def change_rows(document: Document) -> list[ChangeRow]:
    """Put the rows of a comparison in words.

    Parameters
    ----------
    document : mapping
        The document.

    Returns
    -------
    list of ChangeRow
        In its order.
    """
    return [_row(row, document["question"]) for row in document["rows"]]


def _row(row: Mapping[str, Any], question: Mapping[str, Any]) -> ChangeRow:
    change, points = row["change"], row["points"]
    shares = row["indicator"] == "error_ratio"
    interval = percent_interval(change) if not shares else points_interval(points)
    return ChangeRow(
        subject=clean(row["subject"]),
        indicator=TITLES[row["indicator"]],
        better=row["better"],
        before=words.say(row["before"]),
        after=words.say(row["after"]),
        change=percent_change(change),
        interval=interval,
        points=in_points(points["value"]) if points else "",
        word=row["word"],
        decision=row["decision"],
        why=clean(row["why"] or ""),
        detectable=_detectable(row),
        gates=row["indicator"] in {question["metric"], "error_ratio"},
    )


_BEYOND_READING = 100.0

_MULTIPLE = 3.0
"""From so many times on, multiples read better than per cent."""


def percent_change(change: Mapping[str, Any]) -> str:
    """Write a ratio as a change in per cent, ``-`` where there is none."""
    value = change["value"]
    return "-" if value is None else _signed(value)


def _signed(ratio: float) -> str:
    if ratio >= _MULTIPLE:
        return f"x {words.number(ratio)}"
    percent = (ratio - 1) * 100
    places = 1 if abs(percent) < 10 else 0  # noqa: PLR2004 - two digits say enough
    text = f"{percent:+.{places}f}"
    return f"{'0.0' if float(text) == 0 else text} %"


def percent_interval(change: Mapping[str, Any]) -> str:
    """Write the interval of a ratio as changes in per cent, empty where there is none."""
    low, high = change["low"], change["high"]
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {_signed(low)}"
    if low is None:
        return f"at most {_signed(high)}"
    first, last = _signed(low), _signed(high)
    return f"{first.removesuffix(' %') if last.endswith('%') else first} to {last}"


def confidence(document: Document) -> str:
    """Say how sure the intervals of a comparison are: those of two runs have their own level."""
    estimates = [row[key] for row in document["rows"] for key in ("change", "points") if row[key]]
    levels = [each["level"] for each in estimates if each["level"] is not None]
    return f"{100 * min(levels, default=CONFIDENCE):g} %"


def in_points(difference: float) -> str:
    """Write a difference of shares in percentage points."""
    return f"{_points(difference)} points"


def _points(difference: float) -> str:
    points = difference * 100
    if points == 0:
        return "0"
    return f"{'+' if points > 0 else '-'}{words.number(abs(points), digits=2)}"


def points_interval(points: Mapping[str, Any] | None) -> str:
    """Write an interval in percentage points, empty where there is none."""
    if points is None or points["low"] is None or points["high"] is None:
        return ""
    return f"{_points(points['low'])} to {_points(points['high'])} points"


def _detectable(row: Mapping[str, Any]) -> str:
    found = row["detectable"]
    if found is None:
        return ""
    if row["indicator"] == "error_ratio":
        return in_points(found)
    if found > _BEYOND_READING:
        return f"more than x {_BEYOND_READING:g}"
    return _signed(found) if row["better"] == "lower" else _signed(1 / found)


def at_load(document: Document) -> str:
    """Name the load at which runs were compared."""
    counted = people(document["think_scale"], document["load_unit"])
    return f"{level_text(document['required'])} {counted}"


def of_runs(document: Document) -> str:
    """Say which runs were compared, and in which order they were made."""
    base, candidate = len(document["base"]), len(document["candidate"])
    design = document["design"]
    if base == candidate == 1:
        return "one run a side"
    sides = f"{count_of(base, 'run')} of the base and {candidate} of the candidate"
    if design["order"] == "pairs":
        return f"{count_of(design['pairs'], 'pair')} of runs ({design['runs']}; A is the base)"
    if design["order"] == "mixed":
        return f"{sides}, by turns ({design['runs']}; A is the base)"
    return sides


def verdict_words(document: Document) -> str:
    """Say what came of a comparison in a sentence or two, with the numbers that decided.

    Parameters
    ----------
    document : mapping
        The document.

    Returns
    -------
    str
        It begins with what was found.
    """
    question = document["question"]
    rows = {(row["subject"], row["indicator"]): row for row in document["rows"]}
    alarms = [row for row in document["rows"] if row["word"] == "regressed"]
    if alarms:
        first = min(alarms, key=lambda row: row["p_holm"])
        more = f"; and {len(alarms) - 1} more" if len(alarms) > 1 else ""
        return f"{_told(first)}, beyond the tolerance of {_tolerance(first, question)}{more}."
    main = rows[question["subjects"][0], question["metric"]]
    if document["verdict"] != "inconclusive":
        return f"{_told(main)}; tolerance {_tolerance(main, question)}."
    shown = _undecided(document)
    if shown is not None:
        why = f"; {clean(shown['why'])}" if shown["why"] else ""
        return f"Not known yet: {_told(shown)}; tolerance {_tolerance(shown, question)}{why}."
    why = clean(document["why"])
    return f"{why[:1].upper()}{why[1:]}. {_told(main)}; tolerance {_tolerance(main, question)}."


def _undecided(document: Document) -> Mapping[str, Any] | None:
    """Find the first row that kept the answer open, where rows may decide at all."""
    question = document["question"]
    one_run = min(len(document["base"]), len(document["candidate"])) == 1
    if one_run or not document["design"]["interleaved"]:
        return None
    asked = (question["metric"], "error_ratio")
    deciding = [row for row in document["rows"] if row["indicator"] in asked]
    must = [row for row in deciding if row["subject"] in question["subjects"]]
    others = [row for row in deciding if row not in must]
    open_rows = [row for row in must if row["decision"] != "not regressed"]
    open_rows += [row for row in others if row["decision"] == "regressed"]
    return open_rows[0] if open_rows else None


def _told(row: Mapping[str, Any]) -> str:
    whose = "all requests" if row["subject"] == "all" else clean(row["subject"])
    if row["indicator"] == "error_ratio" and row["points"]:
        found, change = row["points"], in_points(row["points"]["value"])
        interval = points_interval(found)
    else:
        found, change = row["change"], percent_change(row["change"])
        interval = percent_interval(found)
    of_what = "" if found["covers"] == "runs" or not interval else ", of these runs alone"
    told = f"{change} ({interval}{of_what})" if interval else change
    return f"{TITLES[row['indicator']]} of {whose}: {told}"


def _tolerance(row: Mapping[str, Any], question: Mapping[str, Any]) -> str:
    if row["indicator"] == "error_ratio":
        return f"{100 * question['error_tolerance']:.6g} points"
    return f"{100 * question['tolerance']:.6g} %"


def power_words(document: Document) -> list[str]:
    """Say what this comparison could have found, and what it would take to know.

    Parameters
    ----------
    document : mapping
        The document.

    Returns
    -------
    list of str
        Sentences; none where runs do not tell.
    """
    question = document["question"]
    found = [row for row in document["rows"] if row["detectable"] is not None]
    sentences = []
    main = [
        row
        for row in found
        if row["subject"] == question["subjects"][0] and row["indicator"] == question["metric"]
    ]
    if main:
        endpoints = [
            row
            for row in found
            if row["indicator"] == question["metric"] and row["subject"] != "all"
        ]
        worst = max([main[0], *endpoints], key=lambda row: row["detectable"])
        tail = (
            f"; at the noisiest endpoint, {clean(worst['subject'])}, {_detectable(worst)}"
            if worst is not main[0]
            else ""
        )
        sentences.append(
            f"Minimum detectable effect: {_detectable(main[0])}{tail} (a change so large would "
            "have been called regressed in four cases of five)."
        )
    if document["needed_pairs"]:
        sentences.append(
            f"Where nothing has changed, {document['needed_pairs']} pairs of runs as noisy as "
            "these would show it in four cases of five."
        )
    return sentences


def changed_words(changes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Put differences between the sides in words: key, base, candidate."""
    return [
        (
            clean(each["key"]),
            clean(" | ".join(each["base"])),
            clean(" | ".join(each["candidate"])),
        )
        for each in changes
    ]


def figure_words(document: Document) -> str:
    """Say how the figure is read."""
    question = document["question"]
    sure = (
        document["design"]["interleaved"]
        and min(len(document["base"]), len(document["candidate"])) > 1
    )
    ends = (
        "each end of a line is a one-sided 95 % bound"
        if sure
        else f"lines speak of these runs ({confidence(document)} intervals), and decide nothing"
    )
    return (
        f"{TITLES[question['metric']]} of the candidate against the base. Band: within the "
        f"tolerance of {100 * question['tolerance']:.6g} %; {ends}. "
        "Red diamonds raised the alarm."
    )


def method_words(document: Document) -> list[str]:
    """Say how the answer was found, in paragraphs."""
    question = document["question"]
    metric = TITLES[question["metric"]]
    tolerance = f"{100 * question['tolerance']:.6g} %"
    errors = f"{100 * question['error_tolerance']:.6g} points"
    asked = [clean("all requests" if s == "all" else s) for s in question["subjects"]]
    design = document["design"]
    how = {
        "pairs": "Neighbours in time are pairs: Student's t on the logarithms of their ratios.",
        "mixed": "The sides were run by turns, not in pairs: Welch's t on the logarithms.",
    }.get(design["order"], "")
    intervals = (
        "Intervals are 90 %: each end is a one-sided 95 % bound. In the table nothing is corrected "
        "for looking often: of ten rows that did not change, one is called better or worse."
    )
    if not how:
        how = f"Nothing is decided: {clean(design['why'] or '')}."
    elif min(len(document["base"]), len(document["candidate"])) == 1:
        how = "One run a side: intervals are those of the two runs, and decide nothing."
    if len(document["base"]) == len(document["candidate"]) == 1:
        intervals = (
            f"Intervals are {confidence(document)}, of these two runs alone: they do not say how "
            "far the next ones would lie from them."
        )
    return [
        "One run is one observation, at the required load. Latencies and throughput are compared "
        "as ratios, shares of bad requests in percentage points. " + how,
        f"Regressed: the {metric} or the bad requests, of all requests or of an endpoint, are "
        f"worse by more than {tolerance} (bad requests: {errors}), with 5 % of error "
        "over all of them together, half of it for what was asked for (Holm). Not regressed: those "
        "of "
        f"{', '.join(asked)} are shown to be within it.",
        intervals,
    ]
