"""Numbers as reports print them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.estimate import Estimate, not_estimable
from analysis.report.load_names import level_text, people, unit_of_stage
from analysis.report.tables import indicator_rows
from analysis.report.typography import clean, shorten, thin
from analysis.report.words import missing_intervals, moment, number, percent, say
from scenarios.model import named


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.001234, "0.00123"),
        (0.00001234, "1.23e-5"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (87.26, "87.3"),
        (99.96, "100"),
        (999.6, "1,000"),
        (1234.4, "1,234"),
        (1_234_567.0, "1,234,567"),
        (1_234_567_891_234_567.0, "1.23e15"),
        (-12.34, "-12.3"),
    ],
)
def test_a_number_has_three_significant_digits_and_keeps_its_whole_part(
    value: float, text: str
) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.00123, "0.123 %"),
        (0.5, "50.0 %"),
        (0.9993, "99.93 %"),
        (0.99999, "99.999 %"),
        (0.9999999, "99.99999 %"),
        (1.5, "150 %"),
    ],
)
def test_a_ratio_is_per_cent_and_never_rounded_to_all_or_nothing(ratio: float, text: str) -> None:
    assert percent(ratio) == text


@given(st.floats(min_value=1e-9, max_value=1 - 1e-9))
def test_only_nothing_is_0_per_cent_and_only_all_is_100(ratio: float) -> None:
    shown = float(percent(ratio).removesuffix(" %"))

    assert 0 < shown < 100


@given(st.floats(min_value=1e-3, max_value=1e7))
def test_a_lower_bound_is_never_rounded_up(value: float) -> None:
    shown = float(number(value, down=True).replace(",", ""))

    assert shown <= value * (1 + 1e-9)
    assert math.isclose(shown, value, rel_tol=0.01)


def dict_of(value: float | None, low: float | None, high: float | None, **more: Any) -> Any:
    return Estimate(value=value, low=low, high=high, **more).as_dict()


def test_an_estimate_carries_its_interval_with_one_unit() -> None:
    assert str(say(dict_of(87.26, 84.1, 90.2, unit="ms"))) == "87.3 ms (84.1 to 90.2 ms)"
    assert str(say(dict_of(0.002, 0.001, 0.003, unit="ratio"))) == "0.200 % (0.100 to 0.300 %)"
    assert str(say(dict_of(39.2, 38.0, 40.4, unit="1/s"))) == "39.2/s (38.0 to 40.4/s)"


def test_a_lower_bound_says_so_and_is_rounded_down() -> None:
    said = say(dict_of(1234.9, 1234.9, None, unit="ms", why="censored"))

    assert str(said) == ">= 1,234 ms"


def test_what_cannot_be_estimated_says_why() -> None:
    assert str(say(not_estimable("no requests").as_dict())) == "not estimable (no requests)"
    assert str(say(None)) == "not estimable"


def test_an_open_end_is_said() -> None:
    assert str(say(dict_of(5.0, None, 9.0, unit="s", why="w"))) == "5.00 s (at most 9.00 s)"
    assert str(say(dict_of(5.0, 4.0, None, unit="s", why="w"))) == "5.00 s (at least 4.00 s)"


def test_a_value_is_told_from_the_limit_that_it_is_held_against() -> None:
    assert say(dict_of(299.96, 290.0, 310.0, unit="ms"), limit=300.0).value == "299.96 ms"
    assert say(dict_of(300.0, 290.0, 310.0, unit="ms"), limit=300.0).value == "300 ms"


def test_missing_intervals_are_explained_once() -> None:
    why = "not estimated by this version"
    document = {
        "a": [dict_of(1.0, None, None, why=why), dict_of(2.0, None, None, why=why)],
        "b": {"c": dict_of(1.0, 1.0, None, why="a bound"), "d": dict_of(1.0, 0.5, 2.0)},
    }

    assert missing_intervals(document) == [why]


def test_controls_and_turned_writing_become_visible() -> None:
    assert clean("a\x1b[2Jb\u202ec\nd\x00") == "a\\x1b[2Jb\\u202ec\\x0ad\\x00"
    assert clean("שלום") == "שלום"
    assert clean(None) == ""


def test_a_long_name_loses_its_middle() -> None:
    assert shorten("GET /api/v1/customers/{id}/orders", 20) == "GET /api/…{id}/orders"[:9] + (
        "…" + "GET /api/v1/customers/{id}/orders"[-10:]
    )
    assert shorten("GET /", 20) == "GET /"


def test_users_are_named_with_what_makes_them_quick() -> None:
    assert people(1.0) == "users"
    assert people(0.05) == "users (think times x 0.05)"


def test_units_do_not_leave_their_numbers() -> None:
    assert thin("305 ms at 200 users, 5 %") == "305\u202fms at 200\u202fusers, 5\u202f%"
    assert moment(62.5) == "1:02.5"


@pytest.mark.parametrize(
    ("level", "unit", "said"),
    [(1, "users", "1 user"), (2, "users", "2 users"), (1, "arrivals/s", "1 arrivals/s")],
)
def test_one_user_is_no_users(level: float, unit: str, said: str) -> None:
    stage = {"level": level, "rate": None if unit == "users" else level}

    assert named(level, unit) == said
    assert f"{level_text(level)} {unit_of_stage(stage)}" == said


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"expected": "< 150ms", "difference": 36.6, "difference_percent": 24.4, "unit": "ms"},
         "+36.6 ms (+24.4 %)"),
        ({"expected": "< 0.1 %", "difference": -0.0005, "difference_percent": -50.0,
          "unit": "ratio"}, "-0.0500 points (-50.0 %)"),
        ({"expected": "< 150ms", "difference": 4850.7, "difference_percent": 3233.8,
          "unit": "ms", "actual": {"value": 5000.7, "low": 5000.7, "high": None}},
         ">= +4,850 ms (+3,233 %)"),
        ({"expected": ">= 200 users", "difference": 50.4, "difference_percent": 25.26,
          "unit": "users", "actual": {"value": 149.6, "low": 149.6, "high": None}},
         "<= +50.4 users (+25.3 %)"),
        ({"expected": ">= 200 users", "difference": -100.0, "difference_percent": -50.0,
          "unit": "users", "actual": {"value": 300.0, "low": 300.0, "high": None}},
         "<= -100 users (-50.0 %)"),
        ({"expected": "< 150ms", "difference": None}, "-"),
    ],
)  # fmt: skip
def test_a_difference_is_a_bound_where_what_was_measured_is_one(
    row: dict[str, Any], said: str
) -> None:
    (found,) = indicator_rows({"scorecard": [row]})
    assert found.difference == said
