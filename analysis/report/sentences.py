"""The answer in a sentence or two, and how it was found."""

from __future__ import annotations

from analysis.report.goodput import broken as broken_writes
from analysis.report.load_names import people_of
from analysis.report.tables import BudgetRow, Document, budget_rows, parsed
from analysis.report.typography import clean
from analysis.report.words import missing_intervals, quantity
from scenarios.counting import with_unit

SYMBOLS = {
    "passed": "✓",
    "failed": "✗",
    "inconclusive": "?",
    "invalid": "!",
    "unjudged": "○",
    "warned": "▲",
}

EXIT_CODES = {
    0: "passed, or nothing to judge",
    1: "Trueload itself failed",
    2: "bad usage or configuration",
    96: "invalid run: the load was not delivered or not seen",
    97: "inconclusive: not enough evidence either way",
    98: "regressed against the baseline",
    99: "failed: a budget is broken, or the target failed otherwise",
    130: "interrupted",
}

ENDS = {
    "finished": "ran to its end",
    "interrupted": "was interrupted",
    "killed": "was killed",
    "stop_rule": "was ended by its stop rule",
    "target_lost": "ended because the target was lost",
    "generator_lost": "ended because a generator was lost",
    "generator_failed": "ended because the generator failed",
    "stopped_by_locustfile": "was ended by the locustfile",
    "supervisor_lost": "ended because the supervisor was lost",
    "host_refused": "ended because it went to a host that nobody allowed",
}


def ending(verdict: Document) -> str:
    """Say how the run ended.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        For example ``"was interrupted after 31 s of load"``.
    """
    ended = verdict.get("ended") or {}
    how = ENDS.get(ended.get("why", ""), f"ended: {clean(ended.get('why') or 'unknown')}")
    seconds = ended.get("load_ended_s")
    return f"{how} after {quantity(seconds, 's')} of load" if seconds is not None else how


def why(verdict: Document) -> str:
    """Say why the verdict is what it is.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        One or two sentences.
    """
    said = {
        "invalid": _why_invalid,
        "failed": _why_failed,
        "inconclusive": _why_inconclusive,
        "passed": _why_passed,
    }.get(verdict["verdict"], _why_unjudged)(verdict)
    ended = verdict.get("ended") or {}
    if "The run " in said or "but the run " in said:
        return said
    if ended.get("complete") is False:
        said += f" The run {ending(verdict)}, before it was complete."
    elif ended.get("why", "finished") != "finished":
        said += f" The run {ending(verdict)}."
    return said


def _why_invalid(verdict: Document) -> str:
    told = f" {_sentence(clean(verdict['why']))}" if verdict.get("why") else ""
    return f"The load was not delivered or not seen, so nothing is said about the target.{told}"


def _why_failed(verdict: Document) -> str:
    lost = broken_writes(verdict)
    if lost:
        return _sentence("; ".join(lost))
    budgets = verdict.get("budgets", [])
    broken = [row for row in budget_rows(verdict) if row.verdict == "failed"]
    if not broken:
        return f"{_sentence(clean(verdict.get('why') or 'broken'))} The run {ending(verdict)}."
    first = broken[0]
    if len(broken) == 1:
        head = f"One of {len(budgets)} budgets is" if len(budgets) > 1 else "The budget is"
    else:
        head = f"{len(broken)} of {len(budgets)} budgets are"
    named = "" if len(broken) == 1 else "first of them "
    return (
        f"{head} broken: {named}{_about(first.subject, first.assertion)}, "
        f"measured {first.measured.value} {first.place}{f' ({first.why})' if first.why else ''}."
    )


def _why_inconclusive(verdict: Document) -> str:
    undecided = [row for row in budget_rows(verdict) if _undecided(row)]
    if not undecided:
        return f"No budget is broken, but the run {ending(verdict)}: that proves nothing."
    first, total = undecided[0], len(verdict.get("budgets", []))
    some = "one budget" if len(undecided) == 1 else f"{len(undecided)} budgets"
    reason = f" ({first.why})" if first.why else ""
    return (
        f"No budget is broken, but {some} of {total} could not be decided: "
        f"{_about(first.subject, first.assertion)}{reason}."
    )


def _undecided(row: BudgetRow) -> bool:
    return row.verdict == "inconclusive" and row.severity != "warn"


def _why_passed(verdict: Document) -> str:
    budgets = verdict.get("budgets", [])
    required = verdict.get("required")
    load = f" up to {with_unit(required, people_of(verdict))}" if required else ""
    warned = sum(budget["verdict"] == "warned" for budget in budgets)
    said = f"Every budget holds{load}."
    if warned:
        some = "One that only warns is" if warned == 1 else f"{warned} that only warn are"
        said += f" {some} broken."
    return said


def _why_unjudged(verdict: Document) -> str:
    why = _sentence(clean(verdict.get("why") or "the scenario has no budgets"))
    return f"Nothing was judged. {why} The run {ending(verdict)}."


def _about(subject: str, assertion: str) -> str:
    return assertion if subject == "all" else f"{subject} {assertion}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


METHOD = (
    "Latency runs from the moment at which a request was intended ({intended}) to its last byte, "
    "over ok requests and those whose end nobody saw, which count with at least their age. Wrong "
    "and failed answers are no latency: they have a table of their own.",
    "Each stage is ramp, settle and hold; only the hold is judged, and loads are never pooled. A "
    "request belongs to the hold in which it was intended and is followed to its end. Throughput "
    "counts ok requests whose last byte came inside the hold.",
    "A percentile budget is decided by the share of requests beyond its limit, with a one-sided "
    "95 % Wilson bound each way on as many independent requests as the measured ones are worth "
    "(where fewer than ten lie beyond, from below at most the exact binomial one): passed when the "
    "share is surely within what the budget allows, failed when it is surely beyond, else "
    "inconclusive. What is five times away from its limit is decided by the memory of that share "
    "alone. Error ratios are decided alike; averages by Student's t on their logarithm, throughput "
    "by the wider of a Poisson count and slices of the hold.",
    "Percentiles use the linear definition (numpy's). One that falls among requests whose end "
    "nobody saw is a lower bound, written >= .",
    "A run whose load was not delivered or not seen is invalid: it has no verdict about the "
    "target. Passed means passed at the required load and failed at none below it.",
)


INTENDED = {
    "closed": "the end of the think time, or its place on the grid of a user's pacing",
    "open": "the arrival of its click in the schedule of the seed; a later request of the click: "
    "the end of the one before",
}
"""When a request is intended, by the model of the load."""

ARRIVALS = (
    "Arrivals come whether or not anybody was answered. One that finds no free virtual user waits "
    "and is begun late, which is part of its latency; one that waits for longer than the timeout, "
    "or until the load ends, is missed: bad, and at least as slow as it waited. That is the "
    "target's doing while nine in ten users of the pool are in requests, and the harness's "
    "otherwise: then it is a matter of validity."
)

NO_LITTLE = {
    "open": "Little's law is no check of arrivals: they do not depend on how many users wait.",
    "closed": "Little's law was not assessed: nobody knows the think times of a locustfile.",
}


def method(verdict: Document) -> list[str]:
    """Say how latency is counted, how budgets are decided, and what intervals mean.

    Parameters
    ----------
    verdict : mapping
        The document; estimates without an interval say why in it.

    Returns
    -------
    list of str
        Paragraphs.
    """
    model = "open" if verdict.get("model") == "open" else "closed"
    paragraphs = [text.replace("{intended}", INTENDED[model]) for text in METHOD]
    if model == "open":
        paragraphs.insert(1, ARRIVALS)
    if model == "open" or not verdict.get("mix"):
        paragraphs[-1] += f" {NO_LITTLE[model]}"
    missing = missing_intervals(verdict)
    tail = f" Where an end is missing: {'; '.join(missing)}." if missing else ""
    paragraphs.append(
        "Ranges beside numbers are intervals for this run; another run adds its own variation."
        + tail
    )
    scale = verdict.get("think_scale", 1)
    if scale != 1 and model == "closed":
        paragraphs.append(
            f"Think times were multiplied by {scale:g}: these users click "
            f"{1 / scale:.3g} times as often as real ones would."
            if scale
            else "Think times were zero: these users are no people, only requests in a row."
        )
    return paragraphs


def limits_of_latency(verdict: Document) -> list[tuple[float, str]]:
    """Collect the latency limits that concern all requests.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of (float, str)
        Milliseconds, and the assertion.
    """
    limits = []
    for budget in verdict.get("budgets", []):
        assertion = parsed(budget)
        if assertion is not None and assertion.is_latency and budget.get("subject") == "all":
            limits.append((assertion.limit * 1000, assertion.text))
    return limits
