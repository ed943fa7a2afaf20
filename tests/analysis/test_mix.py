"""The mix that was achieved, against the one that was intended."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.mix import Share, achieved_mix, note, shared_out, spread
from analysis.windows import Window
from scenarios.loading import parse_scenario
from scenarios.mix import intended_mix
from scenarios.model import Scenario
from scenarios.persona_fields import builtin_personas, parse_persona

HOLD = Window(stage=2, level=20, start_s=10.0, end_s=70.0, planned_end_s=70.0)
PERSONAS = builtin_personas()
MIX = {"sales_rep": 3, "portal_customer": 1}


def scenario(mix: Mapping[str, float] = MIX, **load: Any) -> Scenario:
    stages = load.pop("stages", [{"users": 20, "hold": "60s"}])
    document = {"load": {"mix": dict(mix), "stages": stages, **load}}
    return parse_scenario(document, name="test", folder=None)


def clicks(counts: Mapping[tuple[str, str], float], of: int) -> pd.DataFrame:
    """So many clicks in given shares, evenly over the hold, of 15 sales reps and 5 others."""
    rng = random.Random(1)
    kinds = [kind for kind, share in counts.items() for _ in range(round(share * of))]
    rng.shuffle(kinds)
    rows: list[dict[str, Any]] = [
        {
            "persona": persona,
            "click": click,
            "user": rng.randrange(15) if persona == "sales_rep" else 15 + rng.randrange(5),
            "intended_s": at_s,
        }
        for (persona, click), at_s in zip(kinds, np.linspace(10, 69, len(kinds)), strict=True)
    ]
    frame = pd.DataFrame(rows)
    frame["process"], frame["requests"] = 0, 1
    frame["end_s"] = frame["open_until_s"] = frame["intended_s"] + 0.1
    return frame


def by_kind(shares: tuple[Share, ...]) -> dict[tuple[str, str], Share]:
    return {(share.persona, share.click): share for share in shares}


def test_a_mix_as_intended_is_not_noted() -> None:
    found = achieved_mix(scenario(), clicks(intended_mix(PERSONAS, MIX), 5_000), HOLD)

    assert by_kind(found).keys() == intended_mix(PERSONAS, MIX).keys()
    assert sum(share.intended for share in found) == pytest.approx(1)
    assert sum(share.count for share in found) == found[0].of
    assert all(abs(share.difference_pp) < 0.1 for share in found)
    assert note(found, HOLD, is_open=False) is None


def test_a_slow_step_that_thins_its_persona_out_is_noted_with_the_worst_share() -> None:
    # the portal's answers take as long as its think times
    thinned = intended_mix(PERSONAS, {"sales_rep": 3, "portal_customer": 0.5})
    found = achieved_mix(scenario(), clicks(thinned, 5_000), HOLD)
    said = note(found, HOLD, is_open=False)

    assert said is not None
    assert said.startswith("stage 3 (20 users): the mix of clicks is not the intended one: ")
    assert "of 5,0" in said
    assert "whoever waits for them clicks less" in said
    assert by_kind(found)["portal_customer", "my_orders"].strays(len(found))


def test_a_difference_that_chance_explains_is_not_noted() -> None:
    thinned = intended_mix(PERSONAS, {"sales_rep": 3, "portal_customer": 0.8})
    few = achieved_mix(scenario(), clicks(thinned, 100), HOLD)
    many = achieved_mix(scenario(), clicks(thinned, 20_000), HOLD)

    assert note(few, HOLD, is_open=False) is None
    assert note(many, HOLD, is_open=False) is not None


@pytest.mark.costly
def test_a_difference_below_a_percentage_point_is_not_noted_however_sure() -> None:
    nearly = intended_mix(PERSONAS, {"sales_rep": 3, "portal_customer": 0.95})
    found = achieved_mix(scenario(), clicks(nearly, 100_000), HOLD)

    assert max(abs(share.difference_pp) for share in found) < 1
    assert note(found, HOLD, is_open=False) is None


def test_a_kind_that_hardly_anybody_expects_is_not_noted() -> None:
    share = Share(
        persona="a", click="b", count=4, of=100, intended=0.01, variance=0.01, method="any"
    )

    assert not share.strays(28)
    assert replace(share, count=400, of=10_000).strays(28)


def test_the_interval_is_as_wide_as_the_journeys_say() -> None:
    share = Share(
        persona="a", click="b", count=300, of=1_000, intended=0.3, variance=0.4, method="any"
    )
    achieved = share.as_dict()["achieved"]

    assert achieved["value"] == 0.3
    assert achieved["low"] == pytest.approx(0.3 - 1.96 * 0.02, abs=1e-4)
    assert achieved["high"] == pytest.approx(0.3 + 1.96 * 0.02, abs=1e-4)
    assert replace(share, count=0).as_dict()["achieved"]["low"] == 0.0
    nothing = replace(share, count=0, of=0).as_dict()
    assert nothing["achieved"]["value"] is None
    assert nothing["difference_pp"] is None


def test_clicks_outside_of_the_hold_or_never_sent_do_not_count() -> None:
    frame = clicks(intended_mix(PERSONAS, MIX), 1_000)
    early, missed = frame.copy(), frame.copy()
    early["intended_s"] -= 100
    missed["requests"] = 0
    alone = achieved_mix(scenario(), frame, HOLD)

    assert achieved_mix(scenario(), pd.concat([frame, early, missed]), HOLD) == alone


def test_nothing_is_intended_without_a_mix_and_nothing_achieved_without_clicks() -> None:
    asked = scenario()
    foreign = replace(asked, load=replace(asked.load, mix={}), personas={})
    frame = clicks(intended_mix(PERSONAS, MIX), 100)

    assert achieved_mix(foreign, frame, HOLD) == ()
    assert achieved_mix(asked, frame.iloc[:0], HOLD) == ()
    assert note((), HOLD, is_open=False) is None


def test_arrivals_are_drawn_one_by_one() -> None:
    asked = scenario(model="open", stages=[{"rate": 20, "hold": "60s"}])
    found = achieved_mix(asked, clicks(intended_mix(PERSONAS, MIX), 1_000), HOLD)

    assert all(share.variance == share.intended * (1 - share.intended) for share in found)
    assert "missed" in str(note(tuple(replace(s, count=0) for s in found), HOLD, is_open=True))


def test_users_come_in_whole_numbers_and_those_who_clicked_are_there() -> None:
    mix = {"sales_rep": 45, "support_agent": 25, "manager": 5, "marketing": 5, "portal": 20}

    assert shared_out(mix, 20, {}) == {
        "sales_rep": 9, "support_agent": 5, "manager": 1, "marketing": 1, "portal": 4
    }  # fmt: skip
    # of ten, half a user would be a manager: one was seen
    assert shared_out(mix, 10, {"manager": 1})["manager"] == 1
    assert shared_out(mix, 10, {"marketing": 1})["marketing"] == 1
    assert sum(shared_out(mix, 10, {"manager": 1, "marketing": 1}).values()) == 10
    assert shared_out({"sales_rep": 2}, 7, {}) == {"sales_rep": 7}


def test_users_who_are_leaving_are_not_taken_for_users_of_the_stage() -> None:
    assert shared_out({"a": 1, "b": 1}, 10, {"a": 60, "b": 55}) == {"a": 5, "b": 5}


def test_clicks_that_nothing_ties_together_stray_as_draws_do() -> None:
    """With one click a session every click is drawn by itself: a multinomial mix."""
    document = {
        "role": "portal",
        "think": "10s",
        "steps": {"a": ["GET /a"], "b": ["GET /b"], "c": ["GET /c"]},
        "journey": {
            "start": {"a": 6, "b": 3, "c": 1},
            "a": {"end": 1},
            "b": {"end": 1},
            "c": {"end": 1},
        },
    }
    persona = parse_persona(document, name="one")

    assert spread({"one": persona}, {"one": 3}) == pytest.approx(
        {("one", "a"): 0.24, ("one", "b"): 0.21, ("one", "c"): 0.09}
    )


def test_steps_in_turn_do_not_stray_at_all() -> None:
    """Who does a, b, a, b ... has half of each, whatever the think times are."""
    document = {
        "role": "portal",
        "think": "10s",
        "steps": {"a": ["GET /a"], "b": {"requests": ["GET /b"], "think": 3}},
        "journey": {"start": {"a": 1}, "a": {"b": 1}, "b": {"a": 9, "end": 1}},
    }
    persona = parse_persona(document, name="two")

    assert spread({"two": persona}, {"two": 1}) == pytest.approx(
        {("two", "a"): 0.0, ("two", "b"): 0.0}, abs=1e-12
    )
