"""Whose a budget is and where it comes from; and what budgets lack as goals."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.loading import builtin_scenarios, load_scenario, parse_budgets, parse_scenario
from scenarios.model import Expectation, Scenario
from scenarios.smart import remarks

WHOSE = {"owner": "head of sales", "source": "contract: SLA 2026, section 3"}


def scenario(budgets: dict[str, Any], hold: str = "60s", **top: Any) -> Scenario:
    load = {"mix": {"sales_rep": 1}, "stages": [{"users": 1, "hold": hold}]}
    return parse_scenario({"load": load, "budgets": budgets, **top}, name="x.toml", folder=None)


def mistakes(budgets: dict[str, Any], **top: Any) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        scenario(budgets, **top)
    return {mistake.key: mistake.allowed for mistake in caught.value.mistakes}


def test_what_the_file_says_of_all_budgets_one_may_say_otherwise() -> None:
    own = {"assert": "p(99) < 1s", "source": "own history"}
    found = scenario({"all": ["p(95) < 300ms", own]}, expectations=WHOSE).budgets
    assert found[0].expectation == Expectation(**WHOSE)
    assert found[1].expectation == Expectation(owner="head of sales", source="own history")


def test_what_is_added_has_the_owner_of_the_file_and_says_who_implied_it() -> None:
    added = scenario({"all": ["p(95) < 300ms"]}, expectations=WHOSE).budgets[1:]
    assert [budget.assertion.text for budget in added] == [
        "error_ratio < 1%",
        "availability >= 99%",
    ]
    for budget in added:
        assert budget.implied
        assert budget.expectation.owner == "head of sales"
        assert str(budget.expectation.source).startswith("implied by Trueload: ")


@pytest.mark.parametrize(
    ("owners", "expected"),
    [(["sales", "sales"], "sales"), (["sales", "support"], None), ([None, None], None)],
)
def test_without_an_owner_of_the_file_it_is_theirs_who_own_the_latency_budgets(
    owners: list[str | None], expected: str | None
) -> None:
    asserted = [
        {"assert": f"p({level}) < 1s", **({} if owner is None else {"owner": owner})}
        for level, owner in zip((50, 95), owners, strict=True)
    ]
    added = scenario({"all": asserted}).budgets[2:]
    assert [budget.expectation.owner for budget in added] == [expected, expected]


def test_growth_is_expected_by_its_owner_or_assumed_and_named_as_such() -> None:
    budgets = {"all": ["p(95) < 300ms"]}
    assumed = scenario(budgets, expectations=WHOSE).growth
    assert (assumed.worst, assumed.stated) == ("linear", False)
    assert assumed.expectation.owner == "head of sales"
    assert str(assumed.expectation.source).startswith("assumption: Trueload's own")
    stated = scenario(budgets, expectations={**WHOSE, "growth": "logarithmic"}).growth
    assert (stated.worst, stated.stated, stated.expectation) == (
        "logarithmic", True, Expectation(**WHOSE)
    )  # fmt: skip
    own = {"assert": "constant", "source": "own history"}
    found = scenario(budgets, expectations={**WHOSE, "growth": own}).growth
    assert found.worst == "constant"
    assert found.expectation == Expectation(owner="head of sales", source="own history")


@pytest.mark.parametrize(
    ("growth", "key"),
    [
        ("quadratic", "expectations.growth"),
        (2, "expectations.growth"),
        ({"assert": "fast"}, "expectations.growth.assert"),
        ({"owner": "sales"}, "expectations.growth.assert"),
        ({"assert": "linear", "limit": 1}, "expectations.growth.limit"),
    ],
)
def test_a_growth_that_is_none_is_a_mistake(growth: object, key: str) -> None:
    assert set(mistakes({"all": ["p(95) < 1s"]}, expectations={"growth": growth})) == {key}


def test_every_mistake_is_told_where_it_is() -> None:
    allowed = mistakes(
        {
            "all": [{"assert": "p(95) < 300ms", "owner": ""}, {"owner": "x"}, 3],
            "GET /a": [{"assert": "p(95) < 1s", "source": "hearsay", "whose": "mine"}],
        },
        expectations={"source": 5, "team": "x"},
    )
    assert set(allowed) == {
        "budgets.all[0].owner",
        "budgets.all[1].assert",
        "budgets.all[2]",
        "budgets.GET /a[0].source",
        "budgets.GET /a[0].whose",
        "expectations.source",
        "expectations.team",
    }
    assert "vendor benchmark" in allowed["budgets.GET /a[0].source"]


def test_budgets_of_their_own_file_have_owners_too() -> None:
    raw = {"expectations": WHOSE, "budgets": {"all": ["p(95) < 1s"]}}
    assert parse_budgets(raw, name="b.toml")[0].expectation == Expectation(**WHOSE)


def test_goals_that_lack_nothing_are_not_remarked_on() -> None:
    budgets = {"all": ["error_ratio < 1%", "availability >= 99%"], "GET /a": ["p(95) < 300ms"]}
    assert remarks(scenario(budgets, expectations=WHOSE)) == []


@pytest.mark.parametrize(
    ("said", "budgets", "top"),
    [
        ("no budget is stated", {}, {}),
        ("specific: ", {"all": ["p(95) < 300ms"]}, {"expectations": WHOSE}),
        ("achievable: GET /a: p(95) < 2ms", {"GET /a": ["p(95) < 2ms"]}, {"expectations": WHOSE}),
        ("every budget has no owner", {"GET /a": ["p(95) < 1s"]}, {}),
        ("every budget has no source", {"GET /a": ["p(95) < 1s"]}, {}),
        (
            "GET /a: p(95) < 1s rests on an assumption",
            {"GET /a": [{"assert": "p(95) < 1s", "source": "assumption"}, "p(50) < 1s"]},
            {"expectations": WHOSE},
        ),
        (
            "specific: GET /a: p(95) < 300ms is stated 2 times",
            {"GET /a": ["p(95)<300ms", "p(99) < 1s", "p(95) < 0.3s"]},
            {"expectations": WHOSE},
        ),
        ("held for 5 s", {"GET /a": ["p(95) < 1s"]}, {"expectations": WHOSE, "hold": "5s"}),
    ],
)
def test_what_goals_lack_is_said(said: str, budgets: dict[str, Any], top: dict[str, Any]) -> None:
    found = remarks(scenario(budgets, **top))
    assert [remark for remark in found if said in remark], found


def test_two_who_expect_the_same_are_not_said_to_repeat_it() -> None:
    own = {"assert": "p(95) < 300ms", "owner": "support"}
    found = remarks(scenario({"GET /a": ["p(95) < 300ms", own]}, expectations=WHOSE))
    assert not [remark for remark in found if "times" in remark]


@pytest.mark.parametrize("name", builtin_scenarios())
def test_every_budget_that_comes_with_trueload_has_an_owner_and_a_source(name: str) -> None:
    for budget in load_scenario(name).budgets:
        assert budget.expectation.source, budget
        assert budget.expectation.owner, budget
