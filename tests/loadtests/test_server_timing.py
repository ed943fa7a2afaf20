"""What a server says of its own time."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.generator.server_timing import _USUAL, parse


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('app;dur=3.125, db;dur=0.5, queries;desc="2"', (3125, 500, 2)),
        ("db;dur=1;desc=x,app;dur=2", (2000, 1000, -1)),
        ("queries;desc=12", (-1, -1, 12)),
        ("App ; Dur = 1.5", (1500, -1, -1)),
        ("app", (-1, -1, -1)),
        ("app;dur=fast", (-1, -1, -1)),
        ("app;dur=-1", (-1, -1, -1)),
        ("app;dur=1e300", (-1, -1, -1)),
        ("app;dur=nan", (-1, -1, -1)),
        ("cache;dur=5, total;dur=7", (-1, -1, -1)),
        ("app;dur=1, app;dur=9", (1000, -1, -1)),
        ("", (-1, -1, -1)),
        (None, (-1, -1, -1)),
    ],
)
def test_durations_are_read_in_microseconds(
    header: str | None, expected: tuple[int, int, int]
) -> None:
    assert parse(header) == expected


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=200))
def test_no_header_does_harm(header: str) -> None:
    assert all(-1 <= value < 2**31 for value in parse(header))


@settings(derandomize=True, deadline=None)
@given(
    st.decimals(0, 999_999, places=3), st.decimals(0, 999_999, places=1), st.integers(0, 999_999)
)
def test_the_usual_header_is_read_as_any_other(app: Decimal, database: Decimal, count: int) -> None:
    usual = f'app;dur={app}, db;dur={database}, queries;desc="{count}"'
    assert _USUAL.fullmatch(usual)
    assert parse(usual) == parse(usual.replace(", ", " , ")) != (-1, -1, -1)
