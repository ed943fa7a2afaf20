"""What ``trueload validate --json`` prints: a scenario as it would be run, or its mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from loadtests.acting import acts
from loadtests.needs import need
from scenarios.errors import Mistake
from scenarios.model import Budget, Scenario
from scenarios.schedule import plan
from scenarios.smart import remarks
from scenarios.variation import Variant

FORMAT = 1
"""Version of the document."""


def validated(variants: Sequence[Variant]) -> dict[str, Any]:
    """Write a scenario that has no mistakes.

    Parameters
    ----------
    variants : sequence of Variant
        Its runs; one without settings where nothing is varied.

    Returns
    -------
    dict
        Plain numbers, texts, lists, dicts and None: the settings of each run; the load and
        the budgets of the first, with what each needs; what is asked, as the manifest of
        that run would hold it.
    """
    scenario = variants[0].scenario
    schedule = plan(scenario)
    return {
        "format": FORMAT,
        "valid": True,
        "mistakes": [],
        "scenario": scenario.name,
        "source": scenario.source,
        "title": scenario.title,
        "question": scenario.question,
        "owner": scenario.owner,
        "runs": [dict(variant.settings) for variant in variants],
        "model": scenario.load.model,
        "unit": scenario.load.unit,
        "think_scale": scenario.load.think_scale,
        "required": scenario.load.required,
        "load_s": schedule.end_s,
        "stages": [
            {"stage": span.stage + 1, "level": span.level, "hold": [span.hold_s, span.end_s]}
            for span in schedule.spans
        ],
        "acts": acts(scenario),
        "budgets": [_budget(scenario, budget) for budget in scenario.budgets],
        "growth": {"worst": scenario.growth.worst, "stated": scenario.growth.stated},
        "remarks": remarks(scenario),
        "asked": dict(scenario.raw),
    }


def _budget(scenario: Scenario, budget: Budget) -> dict[str, Any]:
    return {
        "subject": budget.subject,
        "assertion": budget.assertion.text,
        "severity": str(budget.assertion.severity),
        "implied": budget.implied,
        "owner": budget.expectation.owner,
        "source": budget.expectation.source,
        "needs": need(scenario, budget),
    }


def not_valid(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Write the mistakes of a scenario.

    Parameters
    ----------
    mistakes : sequence of Mistake
        At least one.

    Returns
    -------
    dict
        The same keys as far as there is something to say.
    """
    return {
        "format": FORMAT,
        "valid": False,
        "mistakes": [asdict(mistake) for mistake in mistakes],
    }
