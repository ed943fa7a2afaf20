"""Counts in words: the noun and the verb agree with the number."""

from __future__ import annotations

import pytest

from scenarios.counting import count_of, with_unit


@pytest.mark.parametrize(
    ("number", "noun", "verb", "words"),
    [
        (1, "request", "are", "1 request is"),
        (0, "request", "are", "0 requests are"),
        (2, "request", "", "2 requests"),
        (1, "pair", "leave", "1 pair leaves"),
        (8, "pair", "leave", "8 pairs leave"),
        (1_200, "run", "have", "1,200 runs have"),
        (1, "run", "have", "1 run has"),
        (3, "process", "were", "3 processes were"),
    ],
)
def test_a_count_agrees_with_its_noun_and_its_verb(
    number: int, noun: str, verb: str, words: str
) -> None:
    assert count_of(number, noun, verb) == words


@pytest.mark.parametrize(
    ("level", "unit", "words"),
    [
        (1, "users", "1 user"),
        (1, "users (think times x 2)", "1 user (think times x 2)"),
        (1_000, "users", "1,000 users"),
        (1, "arrivals/s", "1 arrivals/s"),
        (12.5, "arrivals/s", "12.5 arrivals/s"),
    ],
)
def test_a_level_is_of_one_user_or_of_several(level: float, unit: str, words: str) -> None:
    assert with_unit(level, unit) == words
