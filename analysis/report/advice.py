"""What to do next: one action for each thing that is broken, undecided or invalid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analysis.report.cores import cores_of_target
from analysis.report.goodput import broken as broken_writes
from analysis.report.goodput import lost_writes
from analysis.report.load_names import level_text, unit_of, unit_of_stage
from analysis.report.tables import NOT_BAD, OUTCOMES, Document, parsed, where
from analysis.report.typography import clean
from analysis.report.words import code_words, count, moment, number, percent, quantity
from scenarios.assertions import Metric
from scenarios.counting import with_unit

WAITS = 3.0
"""From so many times the latency at the lowest load on, a request waits rather than works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A next step: what it concerns, how that stands, and what to do."""

    about: str
    verdict: str
    text: str


def next_actions(verdict: Document) -> list[Action]:
    """List what to do next.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of Action
        For lost writes, a bad end, each reason of invalidity, each broken and undecided
        budget, in that order, each text once; never empty.
    """
    actions = [*_of_writes(verdict), *_of_end(verdict), *_of_validity(verdict)]
    if verdict["verdict"] != "invalid":  # a broken harness says nothing about budgets
        actions += [
            *_of_budgets(verdict, "failed"),
            *_of_undecided(verdict),
            *_of_budgets(verdict, "warned"),
        ]
    if not actions:
        actions.append(_keep(verdict))
    return list({(action.about, action.text): action for action in actions}.values())


def _keep(verdict: Document) -> Action:
    if verdict["verdict"] == "passed":
        text = "Keep this run: it is the baseline for the next change."
    else:
        text = 'State what must hold in the scenario, as in: [budgets] all = ["p(95) < 300ms"].'
    return Action(about="the run", verdict=verdict["verdict"], text=text)


def _of_writes(verdict: Document) -> Iterator[Action]:
    if not broken_writes(verdict):
        return
    lost = lost_writes(verdict)
    if lost:
        request, name, _, wrong = lost[0]
        text = (
            f"Follow request {request} ({name}: {wrong}) through the target's log. A write is "
            "answered after its transaction is committed, never from a cache, and done once."
        )
    else:
        text = "Find which operation breaks it; verdict.json names some of the rows."
    yield Action(about="data", verdict="failed", text=text)


_AFTER_END = {
    "target_lost": "Find in target.log why the target ended: nothing else matters before.",
    "stop_rule": "Find out what broke when the stop rule held; no load was tried after it.",
    "generator_failed": "Find in generator.log what failed, then run it again.",
    "stopped_by_locustfile": "Find in the locustfile what ends the load before its time.",
    "generator_lost": "Find in generator.log why a generator ended, then run it again.",
    "host_refused": "Name the host in target.allow of the scenario and on the command line, or "
    "keep the load away from it.",
}


def _of_end(verdict: Document) -> Iterator[Action]:
    ended = verdict.get("ended") or {}
    text = _AFTER_END.get(ended.get("why", ""))
    if text is None and ended.get("complete") is False:
        text = "Read the events and logs in the run folder, then run it again to its end."
    if text is not None:
        yield Action(about="the run", verdict=verdict["verdict"], text=text)


def _of_validity(verdict: Document) -> Iterator[Action]:
    for reason in (verdict.get("validity") or {}).get("reasons", []):
        advice = clean(reason.get("advice"))
        if advice:
            yield Action(
                about=code_words(reason),
                verdict="invalid",
                text=f"{advice[:1].upper()}{advice[1:]}" + ("" if advice.endswith(".") else "."),
            )


def _of_budgets(verdict: Document, word: str) -> Iterator[Action]:
    for budget in verdict.get("budgets", []):
        if budget.get("verdict") == word:
            about = f"{clean(budget.get('subject'))}: {clean(budget.get('assertion'))}"
            yield Action(about=about, verdict=word, text=_broken(verdict, budget))


def _of_undecided(verdict: Document) -> Iterator[Action]:
    """Give one action for all of them: they lack the same thing."""
    undecided = [b for b in verdict.get("budgets", []) if b.get("verdict") == "inconclusive"]
    cut = (verdict.get("ended") or {}).get("complete") is False
    if not undecided or cut:  # a run that was cut is run again, not longer
        return
    first = undecided[0]
    about = f"{clean(first.get('subject'))}: {clean(first.get('assertion'))}"
    if len(undecided) > 1:
        about += f", and {len(undecided) - 1} more"
    why = clean(first.get("why") or "the evidence points neither way")
    yield Action(about=about, verdict="inconclusive", text=_evidence(first, why))


def _evidence(budget: Document, why: str) -> str:
    """Say what would decide a budget that is not."""
    assertion = parsed(budget)
    metric = None if assertion is None else assertion.metric
    if metric is Metric.RECOVERY_TIME:
        return f"Add a [[faults]] or a spike, or run on for ten windows after it: {why}."
    if metric is Metric.CAPACITY:
        return f"Add a stage above the highest: {why}."
    return (
        f"Hold the deciding stage longer, or decide over several runs: {why}. "
        "trueload validate tells how many requests a decision takes."
    )


def _broken(verdict: Document, budget: Document) -> str:
    assertion = parsed(budget)
    if assertion is None:
        return "Compare it with a run that met it."
    if assertion.is_latency:
        return _slow(verdict, budget)
    texts = {
        Metric.ERROR_RATIO: _erring,
        Metric.AVAILABILITY: _down,
        Metric.CAPACITY: _overloaded,
        Metric.THROUGHPUT: _overloaded,
        Metric.DRIFT: _drifted,
        Metric.RECOVERY_TIME: _late_back,
    }
    return texts.get(assertion.metric, _slow)(verdict, budget)


def _slow(verdict: Document, budget: Document) -> str:
    place = where(verdict, budget.get("stage"))
    if budget.get("stage") is not None and _silent(verdict, budget["stage"]):
        return f"Look in the target's log {place}: not one request was answered well."
    here = _p95(verdict, budget.get("subject"), budget.get("stage"))
    idle_stage = min(
        verdict.get("stages", []), key=lambda stage: stage["level"], default={"stage": None}
    )
    idle = _p95(verdict, budget.get("subject"), idle_stage["stage"])
    if here is None or not idle or idle_stage["stage"] == budget.get("stage"):
        return f"Profile what it does {place}: there is no lower load to compare it with."
    times = here / idle
    lowest = f"{level_text(idle_stage['level'] or 0)} {unit_of_stage(idle_stage)}"
    growth = f"p95 rises from {quantity(idle, 'ms')} at {lowest} to {quantity(here, 'ms')} {place}"
    if times >= WAITS:
        return (
            f"{growth}, {number(times, digits=2)} times: it waits rather than works. Look for what "
            "is used up at this load: server threads, database connections, a lock, a core."
        )
    return (
        f"{growth} only: it is slow without load, too. Look at the work itself: queries, "
        "their indexes, the size of the answer."
    )


def _silent(verdict: Document, index: int) -> bool:
    stages = [stage for stage in verdict.get("stages", []) if stage.get("stage") == index]
    return bool(stages) and not (stages[0].get("outcomes") or {"ok": 1}).get("ok")


def _p95(verdict: Document, subject: Any, index: int | None) -> float | None:
    for stage in verdict.get("stages", []):
        if stage.get("stage") == index:
            parts = [stage] if subject == "all" else stage.get("endpoints", [])
            for part in parts:
                if subject in {"all", part.get("name")}:
                    value = ((part.get("latency") or {}).get("p95") or {}).get("value")
                    return None if value is None else float(value)
    return None


def _erring(verdict: Document, budget: Document) -> str:
    stage = next(
        (s for s in verdict.get("stages", []) if s.get("stage") == budget.get("stage")),
        verdict.get("totals") or {},
    )
    bad = {k: n for k, n in (stage.get("outcomes") or {}).items() if k not in NOT_BAD and n}
    if not bad:
        return "Look in the target's log for what went wrong."
    most = max(bad, key=lambda label: bad[label])
    share = percent(bad[most] / sum(bad.values()))
    return (
        f"Begin with the most frequent kind: {count(bad[most])} times {OUTCOMES.get(most, most)} "
        f"({share} of the bad requests there). Look in the target's log at that time."
    )


def _down(verdict: Document, budget: Document) -> str:  # noqa: ARG001 - one signature for all
    outages = (verdict.get("stability") or {}).get("outages") or []
    if not outages:
        return "Look in the target's log for what refused service."
    longest = max(outages, key=lambda outage: outage["end_s"] - outage["start_s"])
    length = quantity(longest["end_s"] - longest["start_s"], "s")
    which = "the outage" if len(outages) == 1 else f"the longest of {len(outages)} outages"
    return (
        f"Find what happened {moment(longest['start_s'])} into the run (minutes, seconds), when "
        f"{which} began ({length}): the events and resources of the report, the target's log."
    )


_GREW = {
    "memory": "Count the target's objects by kind at the beginning and the end of a hold: caches "
    "without an end, sessions, lists that only grow. Resident memory rises in steps and rarely "
    "falls, so hold longer before a small rise is called a leak.",
    "files": "List the target's open files at the end of a hold (ls -l /proc/PID/fd): what is "
    "there more than once is not closed.",
    "connections": "Find what takes a connection from the pool and does not give it back: an "
    "error on the way, a stream that nobody reads to its end.",
}


def _drifted(verdict: Document, budget: Document) -> str:  # noqa: ARG001 - one signature for all
    assertion = parsed(budget)
    series = assertion.series if assertion is not None else None
    return _GREW.get(
        series or "",
        "Look for what grows with time while the load does not: tables that are read whole, "
        "memory, files, a cache that fills. The resources of the report show the same hold; a run "
        "on fresh data tells data from process.",
    )


def _late_back(verdict: Document, budget: Document) -> str:  # noqa: ARG001 - one signature
    rows = (verdict.get("stability") or {}).get("recovery") or []
    slowest = max(
        rows, key=lambda row: (row.get("recovery_time") or {}).get("value") or 0.0, default=None
    )
    if slowest is None:
        return "Look in the target's log for what had to be rebuilt."
    since = moment(slowest["end_s"] if slowest.get("end_s") is not None else slowest["start_s"])
    return (
        f"Follow the target's log from {since} on: look for what had to be rebuilt, a cache, a "
        "pool of connections, a queue of work that had piled up."
    )


def _overloaded(verdict: Document, budget: Document) -> str:  # noqa: ARG001 - one signature
    fit = verdict.get("scalability") or {}
    passed = (fit.get("capacity") or {}).get("last_pass")
    kept = (
        f"Until then, {with_unit(passed, unit_of(verdict))} is the highest load that met every "
        "budget."
        if passed is not None
        else "No load that was tried met every budget."
    )
    top = (fit.get("saturation") or {}).get("value")
    where = cores_of_target(verdict)
    limit = f" at about {quantity(top, '1/s')}" if top is not None else ""
    limit += f" {where}" if where else ""
    return f"Raise what limits throughput{limit}: add workers or cores, and measure again. {kept}"
