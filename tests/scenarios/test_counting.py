"""Counts in words: the noun and the verb agree with the number."""

from __future__ import annotations

import pytest

from scenarios.counting import count_of


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
