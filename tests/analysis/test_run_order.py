"""The order of runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.run_order import Design, Order, When, always_second, design_of


def design(text: str, *, lasting: float = 50.0) -> Design:
    """Runs a minute apart, in the order of a text."""
    whens = [When(start_s=60.0 * at, end_s=60.0 * at + lasting) for at in range(len(text))]
    base = [when for when, side in zip(whens, text, strict=True) if side == "A"]
    candidate = [when for when, side in zip(whens, text, strict=True) if side == "B"]
    return design_of(base, candidate)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("AB", Order.PAIRS),
        ("ABAB", Order.PAIRS),
        ("ABBAABBA", Order.PAIRS),
        ("BABAAB", Order.PAIRS),
        ("ABABA", Order.MIXED),  # one run is without a partner
        ("AABBABBA", Order.MIXED),
        ("AABABBAB", Order.BLOCKS),  # one side lies earlier on the whole
        ("AAABBB", Order.BLOCKS),
        ("AABB", Order.BLOCKS),
        ("BBBAAA", Order.BLOCKS),
        ("AAAABBABBB", Order.BLOCKS),
        ("ABBBBAAAA", Order.BLOCKS),
    ],
)
def test_the_order_is_judged_by_the_times_at_which_runs_began(text: str, order: Order) -> None:
    found = design(text)
    assert found.order is order
    assert found.text == text
    assert found.interleaved == (order in {Order.PAIRS, Order.MIXED})
    assert bool(found.why) == (not found.interleaved)


def test_pairs_are_neighbours_in_time_whatever_order_they_are_given_in() -> None:
    base = [When(start_s=300.0), When(start_s=0.0), When(start_s=180.0)]
    candidate = [When(start_s=60.0), When(start_s=240.0), When(start_s=120.0)]
    found = design_of(base, candidate)
    assert found.text == "ABBABA"
    assert found.pairs == ((1, 0), (2, 2), (0, 1))


def test_runs_whose_times_nobody_wrote_are_in_no_order() -> None:
    found = design_of([When(start_s=None)], [When(start_s=0.0)])
    assert (found.order, found.interleaved) == (Order.UNKNOWN, False)


def test_runs_that_were_made_at_the_same_time_are_not_interleaved() -> None:
    assert design("ABAB", lasting=61.0).order is Order.OVERLAPPING


@pytest.mark.parametrize(
    ("text", "second"), [("ABAB", "candidate"), ("BABA", "base"), ("ABBA", None), ("AB", None)]
)
def test_a_side_that_always_ran_second_is_found(text: str, second: str | None) -> None:
    assert always_second(text) == second


@given(st.text("AB", min_size=2, max_size=16).filter(lambda text: len(set(text)) == 2))
def test_exchanging_the_sides_changes_no_order(text: str) -> None:
    exchanged = text.translate(str.maketrans("AB", "BA"))
    assert design(text).order is design(exchanged).order


@given(st.integers(2, 12), st.integers(2, 12))
def test_blocks_are_never_interleaved(base: int, candidate: int) -> None:
    assert not design("A" * base + "B" * candidate).interleaved
