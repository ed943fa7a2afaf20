"""What budgets lack as goals: specific, measurable, achievable, relevant, bound in time.

Nothing here is a mistake: a budget without an owner is judged as any other. It is said
before the run, by ``trueload validate``, when it can still be mended.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.assertions import Metric
from scenarios.model import Budget, Scenario

FLOOR_S = 0.005
"""What a valid generator may itself add to a latency: see ``generator_saturated``."""

SHORT_S = 30.0
"""A hold that is shorter says little of what is meant by "in operation"."""

_ASSUMPTION = "assumption"


def remarks(scenario: Scenario) -> list[str]:
    """Say what the budgets of a scenario lack as goals.

    Parameters
    ----------
    scenario : Scenario
        Any.

    Returns
    -------
    list of str
        A sentence each, in the order of SMART; empty when nothing is lacking.
    """
    written = [budget for budget in scenario.budgets if not budget.implied]
    if not written:
        return ["no budget is stated: the run will be unjudged"]
    found = [
        *_twice(written),
        _specific(written),
        _achievable(written),
        *_relevant(written),
        _bound_in_time(scenario),
    ]
    return [remark for remark in found if remark]


def _twice(budgets: list[Budget]) -> list[str]:
    """Name what is stated more than once, of the same people and on the same ground."""
    stated: dict[Budget, list[Budget]] = {}
    for budget in budgets:
        alike = replace(budget, assertion=replace(budget.assertion, text=""))
        stated.setdefault(alike, []).append(budget)
    return [
        f"specific: {same[0].subject}: {same[0].assertion.text} is stated {len(same)} times"
        for same in stated.values()
        if len(same) > 1
    ]


def _specific(budgets: list[Budget]) -> str:
    latency = [budget for budget in budgets if budget.assertion.is_latency]
    if not latency or any(budget.subject != "all" for budget in latency):
        return ""
    return (
        "specific: every latency budget is about all requests; name the operation that matters, "
        'as in "GET /api/v1/customers/{id}"'
    )


def _achievable(budgets: list[Budget]) -> str:
    low = [b for b in budgets if b.assertion.is_latency and b.assertion.limit < FLOOR_S]
    if not low:
        return ""
    named = ", ".join(f"{budget.subject}: {budget.assertion.text}" for budget in low)
    return f"achievable: {named}; a valid generator may itself add {FLOOR_S * 1e3:g} ms"


def _relevant(budgets: list[Budget]) -> list[str]:
    judged = [b for b in budgets if b.assertion.metric is not Metric.CAPACITY]
    lacking = {
        "has no owner: nobody is asked when it is missed": [
            b for b in judged if b.expectation.owner is None
        ],
        "has no source: nobody can say why it is so": [
            b for b in judged if b.expectation.source is None
        ],
        "rests on an assumption": [
            b for b in judged if (b.expectation.source or "").startswith(_ASSUMPTION)
        ],
    }
    return [
        f"relevant: {_which(some, len(judged))} {what}" for what, some in lacking.items() if some
    ]


def _which(some: list[Budget], of: int) -> str:
    if len(some) == of:
        return "no budget" if of == 0 else "every budget"
    first = f"{some[0].subject}: {some[0].assertion.text}"
    return first if len(some) == 1 else f"{first} (and {len(some) - 1} more)"


def _bound_in_time(scenario: Scenario) -> str:
    holds = [s.hold_s for s in scenario.load.stages if s.level == scenario.load.required]
    if max(holds) >= SHORT_S:
        return ""
    return (
        f"bound in time: the required load is held for {max(holds):g} s; what is promised for an "
        "hour is not seen in it"
    )
