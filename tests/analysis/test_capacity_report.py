"""A search for a capacity in words: what was found, what was not, and no name that is markup."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.report.capacity import as_markdown, as_text, sentences

HOSTILE = "GET /<script>alert(1)</script>|`x`\x1b[31m\u202eevil *_@team_*"


def document(
    low: float | None = 40.0,
    high: float | None = 50.0,
    *,
    unit: str = "users",
    ending: str = "found",
    confirmed: bool = True,
    **changes: Any,
) -> dict[str, Any]:
    """The file of a search."""
    share = {"value": 0.02, "low": 0.01, "high": 0.03}
    runs = [
        {"run": "r1", "level": low, "why": why, "hold_s": 25.0, "verdict": "passed"}
        for why in ("ramp", "confirm")
    ]
    return {
        "scenario": "growth",
        "unit": unit,
        "ending": ending,
        "error": None,
        "left_aside": [],
        "capacity": {"low": low, "high": high},
        "estimate": None,
        "width": None if low is None or high is None else high / low - 1,
        "confirmed": confirmed,
        "undecided": [],
        "not_monotone": [],
        "plan": {"width": 0.25, "repetitions": 3, "error_per_look": 0.0125},
        "took_s": 100.0,
        "held_s": 50.0,
        "levels": [
            {
                "level": low,
                "verdict": "passed",
                "runs": 2,
                "confirmed": confirmed,
                "why": None,
                "budgets": [
                    {
                        "subject": HOSTILE,
                        "assertion": "p(95) < 100ms",
                        "verdict": "passed",
                        "share": share,
                        "allowed": 0.05,
                    }
                ],
            }
        ],
        "runs": runs,
    } | changes


def test_no_name_becomes_markup_or_moves_the_cursor() -> None:
    hostile = document(
        scenario=HOSTILE, error={"message": HOSTILE, "hint": None}, left_aside=[HOSTILE]
    )
    page, text = as_markdown(hostile), as_text(hostile)

    assert "<script" not in page
    assert "@team" not in page
    assert "\\*\\_" in page
    assert "*_" not in page
    for said in (page, text):
        assert "\x1b" not in said
        assert "\u202e" not in said
    bars = [row.replace("\\|", "").count("|") for row in page.splitlines() if row.startswith("|")]
    assert bars == [7, 7, 7, 6, 6, 6, 6]  # a pipe in a name is no column


def test_neighbours_are_found_although_they_are_wider_apart_than_asked() -> None:
    first = sentences(document(3.0, 4.0))[0]
    assert first == (
        "capacity of growth: between 3 and 4 users (found: 33.3 % wide; 25.0 % were asked for, and "
        "no whole number of users lies between)"
    )
    assert "no whole number" not in sentences(document(4.0, 5.0))[0]
    assert "no whole number" not in sentences(document(3.0, 4.0, unit="arrivals/s"))[0]


def test_out_of_runs_is_told_as_that_and_the_advice_is_to_allow_more() -> None:
    said = sentences(document(ending="stopped", confirmed=False))

    assert said[0].endswith(
        "between 40 and 50 users (not found: no more runs were allowed: 25.0 % wide; "
        "25.0 % were asked for)"
    )
    assert said[1] == "not confirmed: 40 users were not held again for longer, or not well"
    assert said[-1] == "next: allow more runs (--runs), or hold longer (--hold)"


@pytest.mark.parametrize(
    ("loads", "unit", "words"),
    [
        ([1.0], "users", "1 user"),
        ([1.0, 2.0], "users", "1 and 2 users"),
        ([1000.0, 1250.0, 1500.0], "users", "1,000, 1,250 and 1,500 users"),
        ([1.0], "arrivals/s", "1 arrivals/s"),
    ],
)
def test_what_is_left_undecided_is_counted_as_people_count(
    loads: list[float], unit: str, words: str
) -> None:
    said = sentences(document(0.5, 2000.0, unit=unit, undecided=loads))

    assert f"undecided in between: {words}" in said


def test_loads_are_written_in_one_way() -> None:
    said = sentences(document(1000.0, 1250.0, not_monotone=[[1500.0, 2000.0]]))

    assert said[0].startswith("capacity of growth: between 1,000 and 1,250 users (found")
    assert said[1].startswith("confirmed: 1,000 users passed again")
    assert said[2].startswith("NOT MONOTONE: 1,500 users failed, and 2,000 users passed")
    alone = sentences(document(1.0, None, ending="none_failed", confirmed=False))
    assert alone[0] == "capacity of growth: at least 1 user (not found: no load failed)"
    assert alone[1].startswith("not confirmed: 1 user was not held again")


def test_a_search_that_an_error_ended_says_which_and_what_was_found_until_then() -> None:
    error = {"message": "http://127.0.0.1:1/: nobody listens", "hint": "start it"}
    ended = document(40.0, None, ending="error", confirmed=False, error=error)
    said = sentences(ended)

    assert said[0] == "capacity of growth: at least 40 users (ended by an error)"
    assert said[-2] == "error: http://127.0.0.1:1/: nobody listens"
    assert said[-1] == "next: start it"


def test_what_no_budget_decided_is_said_beside_the_load() -> None:
    lost = document()
    lost["levels"][0] |= {"verdict": "failed", "why": "the target ended by itself after 3 s"}

    assert "40 users failed: the target ended by itself after 3 s" in sentences(lost)
