"""How many requests will be sent, before any is."""

from __future__ import annotations

import pytest

from scenarios.expected import clicks_per_s, expected_requests
from scenarios.loading import load_scenario, parse_scenario

JOURNEY = {
    "start": {"search": 1},
    "search": {"create_order": 1},
    "create_order": {"end": 1},
}


def test_arrivals_are_as_many_as_asked_and_each_sends_its_requests() -> None:
    scenario = load_scenario("arrivals", settings=['load.stages=[{rate=60,hold="10s"}]'])
    assert clicks_per_s(scenario, 60) == 60
    every = expected_requests(scenario, "all")
    assert every is not None
    assert 600 < every < 600 * 2
    endpoint = expected_requests(scenario, "GET /api/v1/customers/{id}")
    assert endpoint is not None
    assert 0 < endpoint < every
    assert expected_requests(scenario, "GET /nowhere") == 0


def test_users_click_once_in_their_think_time() -> None:
    raw = {
        "load": {
            "mix": {"sales_rep": 2},
            "think_scale": 0.1,
            "stages": [{"users": 50, "hold": "20s"}, {"users": 100, "hold": "30s"}],
            "required": 50,
        },
        "personas": {"sales_rep": {"think": "4s", "journey": JOURNEY}},
    }
    scenario = parse_scenario(raw, name="mine", folder=None)
    # 0.4 s before a search and three times that before a form: 0.8 s on average, but for the
    # thousandth that the cut at ten times the mean takes
    assert clicks_per_s(scenario, 50) == pytest.approx(50 / 0.8, rel=1e-3)
    # one click in two is a search, an order is two requests
    assert expected_requests(scenario, "GET /api/v1/search") == pytest.approx(625, rel=1e-3)
    assert expected_requests(scenario, "all") == pytest.approx(1875, rel=1e-3)


def test_nothing_is_said_of_what_is_not_known() -> None:
    scenario = load_scenario("smoke", settings=["load.think_scale=0"])
    assert expected_requests(scenario, "all") is None
