"""What journeys come to, against other ways to compute it."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.mix import (
    intended_mix,
    intended_requests,
    mean_think_s,
    open_weights,
    stationary,
    users_think_s,
    visits,
)
from scenarios.persona_fields import builtin_personas, parse_persona
from scenarios.personas import END, START, Persona

MIX = {
    "sales_rep": 45.0,
    "support_agent": 25.0,
    "manager": 5.0,
    "marketing": 5.0,
    "portal_customer": 20.0,
}
PERSONAS = builtin_personas()


def by_eigenvector(persona: Persona) -> dict[str, float]:
    """Stationary distribution of the endless chain, start and end as one state of no time."""
    steps = list(persona.steps)
    states = [START, *steps]
    matrix = np.zeros((len(states), len(states)))
    for row, name in enumerate(states):
        weights = persona.journey[name]
        for to, weight in weights.items():
            column = 0 if to == END else states.index(to)
            matrix[row, column] = weight / sum(weights.values())
    values, vectors = np.linalg.eig(matrix.T)
    vector = np.real(vectors[:, np.argmin(np.abs(values - 1))])[1:]
    return dict(zip(steps, (vector / vector.sum()).tolist(), strict=True))


@pytest.mark.parametrize("name", PERSONAS)
def test_shares_agree_with_the_eigenvector_of_the_chain(name: str) -> None:
    shares = stationary(PERSONAS[name])

    assert shares == pytest.approx(by_eigenvector(PERSONAS[name]), abs=1e-12)
    assert sum(shares.values()) == pytest.approx(1)


def two_steps(*, think: float = 1.0) -> Persona:
    """Looks twice on average, then buys; think times of 10 s, times a factor before buying."""
    return parse_persona(
        {
            "role": "portal",
            "think": "10s",
            "steps": {
                "look": ["GET /orders"],
                "buy": {"requests": ["POST /orders", "GET /orders"], "think": think},
            },
            "journey": {
                "start": {"look": 1},
                "look": {"look": 1, "buy": 1},
                "buy": {"end": 1},
            },
        },
        name="two_steps",
    )


def test_a_journey_that_one_can_do_in_the_head() -> None:
    persona = two_steps(think=3)
    personas, cut_mean = {"two": persona}, 1 - 10 / np.expm1(10)

    assert visits(persona) == pytest.approx({"look": 2, "buy": 1})
    assert stationary(persona) == pytest.approx({"look": 2 / 3, "buy": 1 / 3})
    assert mean_think_s(persona) == pytest.approx((2 * 10 + 30) / 3 * cut_mean)
    assert users_think_s(personas, {"two": 7}, 0.1) == pytest.approx(50 / 30 * cut_mean)
    # of four requests three are GETs: two looks, and one after each purchase
    assert intended_requests(personas, {"two": 7}) == pytest.approx(
        {"GET /orders": 3 / 4, "POST /orders": 1 / 4}
    )


def test_who_thinks_half_as_long_clicks_twice_as_often() -> None:
    slow, quick = two_steps(think=4), two_steps(think=1)
    personas = {"slow": slow, "quick": quick}  # mean think times of 20 s and 10 s

    assert open_weights(personas, {"slow": 2, "quick": 1}) == pytest.approx(
        {"slow": 0.5, "quick": 0.5}
    )
    assert intended_mix(personas, {"slow": 2, "quick": 1}) == pytest.approx(
        {
            ("slow", "look"): 1 / 3,
            ("slow", "buy"): 1 / 6,
            ("quick", "look"): 1 / 3,
            ("quick", "buy"): 1 / 6,
        }
    )


def test_the_five_personas_mostly_read() -> None:
    clicks, requests = intended_mix(PERSONAS, MIX), intended_requests(PERSONAS, MIX)
    writing = sum(
        share
        for (name, step), share in clicks.items()
        if any(not text.startswith("GET") for text in PERSONAS[name].steps[step].requests)
    )

    assert sum(clicks.values()) == pytest.approx(1)
    assert sum(requests.values()) == pytest.approx(1)
    assert writing == pytest.approx(0.22, abs=0.02)
    assert users_think_s(PERSONAS, MIX, 1.0) == pytest.approx(15.8, abs=0.1)
