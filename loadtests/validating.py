"""What ``trueload validate`` says of a scenario without mistakes: what it does, what it needs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from analysis.across import SEEDS, VOLUME
from analysis.data_growth import expected_growth
from analysis.growth import FEWEST
from loadtests.acting import acts
from loadtests.needs import need
from loadtests.progress import level_words
from scenarios.assertions import Severity
from scenarios.counting import count_of, with_unit
from scenarios.model import NOBODY, Budget, Expectation, Scenario
from scenarios.schedule import plan
from scenarios.smart import remarks
from scenarios.variation import Variant


def told(variants: Sequence[Variant]) -> list[str]:
    """Say what a scenario does, and what each of its budgets needs.

    Parameters
    ----------
    variants : sequence of Variant
        Its runs; one without settings where nothing is varied.

    Returns
    -------
    list of str
        Lines: what is varied, the load, who expects what on which ground, and what the
        budgets lack as goals. Where something is varied the load and the budgets are those
        of the first run.
    """
    scenario = variants[0].scenario
    lines = [f"{scenario.source}: valid. {scenario.title}", *_varied(variants), *_load(scenario)]
    lines += [f"expected by {_whose(scenario.whose)}"] if scenario.whose != NOBODY else []
    lines += [f"  {_budget(scenario, budget)}" for budget in scenario.budgets]
    lines += _growth(variants)
    lacking = remarks(scenario)
    if lacking:
        lines += ["what the budgets lack as goals:", *(f"  {remark}" for remark in lacking)]
    return lines


def _varied(variants: Sequence[Variant]) -> list[str]:
    """Say what is varied, and how many runs that makes."""
    lines = []
    for key in variants[0].settings:
        values = dict.fromkeys(json.dumps(variant.settings[key]) for variant in variants)
        lines.append(f"  varied: {key} = {', '.join(values)}")
    if lines:
        lines.append(f"  {count_of(len(variants), 'run')}, one after the other; the first of them:")
    return lines


def _load(scenario: Scenario) -> list[str]:
    schedule, users = plan(scenario), level_words(scenario.load)
    lines = [
        f"{schedule.end_s:.0f} s of load; required: {with_unit(scenario.load.required, users)}"
    ]
    lines += [
        f"  stage {span.stage + 1}: {with_unit(span.level, users)}, "
        f"hold {span.hold_s:.0f} to {span.end_s:.0f} s"
        for span in schedule.spans
    ]
    return [*lines, *(f"  {act}" for act in acts(scenario))]


def _budget(scenario: Scenario, budget: Budget) -> str:
    """Say what a budget states, what it needs, and whose it is where the file says otherwise."""
    warns = "warn: " if budget.assertion.severity is Severity.WARN else ""
    added = f" ({budget.implied})" if budget.implied else ""
    own = "" if budget.implied or budget.expectation == scenario.whose else _own(budget.expectation)
    stated = f"{budget.subject}: {warns}{budget.assertion.text}"
    return f"{stated}{added}; {need(scenario, budget)}{own}"


def _own(expectation: Expectation) -> str:
    return f" (expected by {_whose(expectation)})"


def _whose(expectation: Expectation) -> str:
    owner, source = expectation.owner or "nobody who is named", expectation.source or "none stated"
    return f"{owner}; source: {source}"


def _growth(variants: Sequence[Variant]) -> list[str]:
    """Say what is expected of growth with the data, and whether a sweep can tell."""
    growth = variants[0].scenario.growth
    keys = {key for each in variants for key in each.settings} - SEEDS
    volumes = {each.scenario.target.customers for each in variants}
    known = keys == {VOLUME} and len(volumes) > 1 and len(variants) >= FEWEST
    if not known and not growth.stated:
        return []
    decides = "" if growth.stated else "; it decides nothing"
    told = f"VARIED ALONE, or with seeds, in {FEWEST} runs at least"
    alone = f": TAKES {VOLUME} {told}" if not known else ""
    words = f"{expected_growth(growth)}; {_whose(growth.expectation)}"
    return [f"growth of p(95) with {VOLUME}: {words}{decides}{alone}"]
