"""The personas that come with Trueload, and what a scenario may change of them."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.loading import parse_scenario
from scenarios.mix import mean_think_s, stationary, visits
from scenarios.model import Scenario
from scenarios.persona_fields import FOLDER, builtin_personas, parse_persona

# What journeys are fitted to: shares of clicks in per cent, think time in seconds, minutes of
# a session (assumptions, see the files). `sign_in` ends at the overview: it is one of those.
TARGETS: dict[str, tuple[dict[str, float], float, float]] = {
    "sales_rep": (
        {
            "list_customers": 20,
            "search": 20,
            "suggest": 2,
            "open_customer": 25,
            "timeline": 10,
            "log_activity": 10,
            "update_customer": 4,
            "customer_orders": 2,
            "create_customer": 2,
            "create_order": 5,
        },
        10,
        20,
    ),
    "support_agent": (
        {"queue": 30, "open_feedback": 25, "open_customer": 15, "respond": 20, "resolve": 10},
        8,
        30,
    ),
    "portal_customer": (
        {"read_form": 35, "send_feedback": 15, "my_orders": 35, "open_order": 15},
        15,
        4,
    ),
    "marketing": (
        {"list_segment": 50, "rfm_report": 20, "note_campaign": 10, "export_customers": 20},
        20,
        15,
    ),
    "manager": (
        {
            "sign_in": 5,
            "dashboard": 35,
            "sales_report": 30,
            "satisfaction_report": 20,
            "export_orders": 10,
        },
        30,
        10,
    ),
}

GOOD: dict[str, Any] = {
    "role": "portal",
    "think": "15s",
    "steps": {
        "look": ["GET /orders"],
        "buy": {"requests": ["POST /orders", "GET /orders/{id}"], "think": 3},
    },
    "journey": {"start": {"look": 1}, "look": {"look": 2, "buy": 1, "end": 1}, "buy": {"look": 1}},
}


def test_there_are_five_and_each_is_one_that_is_meant() -> None:
    assert builtin_personas().keys() == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_a_journey_comes_within_half_a_percentage_point_of_its_shares(name: str) -> None:
    wanted, think_s, minutes = TARGETS[name]
    persona = builtin_personas()[name]
    shares = stationary(persona)

    assert sum(wanted.values()) == 100
    assert persona.think_s == think_s
    assert {step: 100 * share for step, share in shares.items()} == pytest.approx(wanted, abs=0.5)
    session_s = mean_think_s(persona) * sum(visits(persona).values())
    assert session_s / 60 == pytest.approx(minutes, rel=0.03)


@pytest.mark.parametrize("name", TARGETS)
def test_filling_in_a_form_takes_three_think_times(name: str) -> None:
    forms = {
        step: what.think
        for step, what in builtin_personas()[name].steps.items()
        if any(request.startswith(("POST", "PATCH")) for request in what.requests)
    }
    # a password is typed, and one button pressed, at once
    quick = {"sign_in": 1, "resolve": 1}

    assert forms == {step: quick.get(step, 3) for step in forms}


def test_a_persona_is_what_its_file_says() -> None:
    persona = parse_persona(GOOD, name="shopper")

    assert (persona.name, persona.role, persona.think_s) == ("shopper", "portal", 15.0)
    assert persona.steps["buy"].requests == ("POST /orders", "GET /orders/{id}")
    assert [step.think for step in persona.steps.values()] == [1.0, 3.0]
    assert persona.journey["look"] == {"look": 2, "buy": 1, "end": 1}


GONE = object()

# what is spoilt: where, what stands there instead, and which key the mistake is at
SPOILT: dict[str, tuple[str, Any, str]] = {
    "role unknown": ("role", "thief", "role"),
    "no think time": ("think", GONE, "think"),
    "no time to think": ("think", "0s", "think"),
    "a key too many": ("weight", 1, "weight"),
    "a step without requests": ("steps.look", [], "steps.look"),
    "a request without a method": ("steps.look", ["/orders"], "steps.look"),
    "a request with a query": ("steps.look", ["GET /orders?page=2"], "steps.look"),
    "a factor of nothing": ("steps.buy.think", 0, "steps.buy.think"),
    "a key too many in a step": ("steps.buy.wait", 1, "steps.buy.wait"),
    "a step called end": ("steps.end", ["GET /"], "steps.end"),
    "no start": ("journey.start", GONE, "journey.start"),
    "a step without a row": ("journey.buy", GONE, "journey.buy"),
    "a row without a step": ("journey.sell", {"look": 1}, "journey.sell"),
    "a row to an unknown step": ("journey.look.sell", 1, "journey.look.sell"),
    "a negative weight": ("journey.look.buy", -1, "journey.look.buy"),
    "a weight that is none": ("journey.look.buy", float("nan"), "journey.look.buy"),
    "an empty row": ("journey.buy", {}, "journey.buy.weights"),
    "an end before the start": ("journey.start.end", 1, "journey.start.end"),
    "a step out of reach": ("journey.look", {"look": 1, "end": 1}, "journey.buy"),
    "no way to an end": ("journey.buy", {"buy": 1}, "journey.buy"),
}


def spoilt(*changes: tuple[str, Any]) -> list[str]:
    """Keys of the mistakes in a document that something was changed in."""
    raw = copy.deepcopy(GOOD)
    for path, value in changes:
        *tables, key = path.split(".")
        table = raw
        for name in tables:
            table = table[name]
        table[key] = value
        if value is GONE:
            del table[key]
    with pytest.raises(ScenarioError) as caught:
        parse_persona(raw, name="shopper")
    return [mistake.key for mistake in caught.value.mistakes]


@pytest.mark.parametrize("what", SPOILT)
def test_a_mistake_in_a_persona_is_named(what: str) -> None:
    path, value, key = SPOILT[what]

    assert spoilt((path, value)) == [key]


def test_all_mistakes_of_a_persona_are_named_at_once() -> None:
    found = spoilt(
        ("role", "thief"), ("steps.look", "GET /"), ("journey.look", {"sell": 1, "buy": -1})
    )

    assert found == ["role", "steps.look", "journey.look.sell", "journey.look.buy"]


def test_a_journey_without_an_end_is_named_at_each_step() -> None:
    assert spoilt(("journey.look.end", GONE)) == ["journey.buy", "journey.look"]


def test_a_persona_without_steps_is_refused() -> None:
    assert "steps" in spoilt(("steps", {}))


def scenario(personas: object, **mix: float) -> Scenario:
    load = {"mix": mix or {"sales_rep": 1}, "stages": [{"users": 1, "hold": "5s"}]}
    return parse_scenario({"load": load, "personas": personas}, name="test", folder=None)


def test_a_scenario_has_the_personas_of_its_mix() -> None:
    found = scenario({}, marketing=1, manager=2).personas

    assert found == {name: builtin_personas()[name] for name in ("marketing", "manager")}


def test_a_scenario_changes_think_times_and_rows() -> None:
    changed = scenario(
        {
            "sales_rep": {
                "think": "12s",
                "steps": {"create_order": {"think": 5}},
                "journey": {"suggest": {"open_customer": 1}},
            }
        }
    ).personas["sales_rep"]
    known = builtin_personas()["sales_rep"]

    assert changed.think_s == 12.0
    assert changed.steps["create_order"].think == 5
    assert changed.steps["create_order"].requests == known.steps["create_order"].requests
    assert changed.steps["search"] == known.steps["search"]
    assert changed.journey == {**known.journey, "suggest": {"open_customer": 1}}


def test_a_journey_with_a_start_is_a_whole_one_and_other_steps_are_not_done() -> None:
    journey = {
        "start": {"list_customers": 1},
        "list_customers": {"open_customer": 1},
        "open_customer": {"list_customers": 3, "end": 1},
    }
    changed = scenario({"sales_rep": {"journey": journey}}).personas["sales_rep"]

    assert changed.journey == journey
    assert list(changed.steps) == ["list_customers", "open_customer"]
    assert stationary(changed) == {"list_customers": 0.5, "open_customer": 0.5}


CHANGES: dict[str, Any] = {
    "personas.salesrep": {"salesrep": {}},
    "personas.sales_rep": {"sales_rep": 3},
    "personas.sales_rep.thinks": {"sales_rep": {"thinks": "1s"}},
    "personas.sales_rep.role": {"sales_rep": {"role": "manager"}},
    "personas.sales_rep.think": {"sales_rep": {"think": 10}},
    "personas.sales_rep.steps.fly": {"sales_rep": {"steps": {"fly": {"think": 2}}}},
    "personas.sales_rep.steps.search.requests": {
        "sales_rep": {"steps": {"search": {"requests": ["GET /"]}}}
    },
    "personas.sales_rep.journey.search.fly": {"sales_rep": {"journey": {"search": {"fly": 1}}}},
    # suggest is reached from searches alone
    "personas.sales_rep.journey.suggest": {
        "sales_rep": {"journey": {"search": {"open_customer": 1}}}
    },
    # a whole journey that leads to a step without a row of its own
    "personas.sales_rep.journey.search": {"sales_rep": {"journey": {"start": {"search": 1}}}},
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_mistake_in_a_change_is_named_beside_those_of_the_scenario(key: str) -> None:
    document = {"load": {"mix": {"sales_rep": 1}}, "personas": CHANGES[key]}
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(document, name="test", folder=None)
    keys = [mistake.key for mistake in caught.value.mistakes]

    assert sorted(keys) == sorted([key, "load.stages"])


def test_the_example_of_the_reader_is_right() -> None:
    import scenarios.persona_fields as reader

    example = (reader.__doc__ or "").partition("::\n")[2]
    persona = parse_persona(tomllib.loads(example), name="example")

    assert persona.steps["send"].think == 3


def test_nothing_but_personas_lies_in_their_folder() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == TARGETS.keys()
