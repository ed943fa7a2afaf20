"""What personas make of answers that are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.generator.personas.checks import (
    adds_up,
    follows,
    has,
    is_page,
    is_refusal,
    still_holds,
)
from loadtests.generator.personas.forms import form_token, has_form, shown_to
from loadtests.generator.personas.manager import _is_sales, _is_satisfaction
from loadtests.generator.personas.marketing import _is_rfm

ORDER = {
    "id": 4,
    "customer_id": 7,
    "total_cents": 500,
    "items": [{"qty": 2, "unit_price_cents": 100}, {"qty": 1, "unit_price_cents": 300}],
}
SATISFACTION = {
    "feedback": 300,
    "csat": {"value": 0.7, "n": 250},
    "response_rate": {"value": 0.6667, "n": 300},
    "first_response_s": {"median": 60.0, "mean": 70.0, "n": 200},
}
SEGMENTS: list[dict[str, Any]] = [
    {"segment": "loyal", "customers": 1, "share": 0.3333},
    {"segment": "lost", "customers": 2, "share": 0.6667},
]
RFM = {"customers": 3, "segments": SEGMENTS}


def row(month: str, currency: str = "EUR", **values: int) -> dict[str, Any]:
    """A row of a report of sales."""
    return {
        "month": month,
        "currency": currency,
        "orders": 2,
        "revenue_cents": 301,
        "average_cents": 151,  # 150.5, halves up
        **values,
    }


def items(*keys: int) -> dict[str, Any]:
    """A page whose records were written at the seconds that are their ids."""
    return {"items": [{"id": key, "at": f"{key:02}"} for key in keys], "next": "more"}


def test_what_is_right_passes_every_check() -> None:
    assert is_page({"items": [{"owner_id": 3}], "next": None}, owner_id=3) is None
    assert has({"id": 3, "name": "x"}, id=3) is None
    assert is_refusal({"status": 409, "title": "Conflict"}, 409) is None
    assert adds_up(ORDER, 7, 2) is None
    assert follows(items(5, 4)["items"], "at", ("06", 6)) is None
    assert _is_sales([row("2025-01"), row("2025-01", "USD"), row("2025-02")], "", "9") is None
    assert _is_sales([row("2025-02")], "2025-01", "2025-03") is None
    assert _is_satisfaction(SATISFACTION) is None
    assert _is_rfm(RFM) is None


@pytest.mark.parametrize("body", [None, [], {}, {"items": None}, {"items": [3]}, "no"])
def test_what_is_no_page_is_no_page(body: object) -> None:
    assert is_page(body) is not None


def test_somebody_elses_record_is_found() -> None:
    page = {"items": [{"owner_id": 3}, {"owner_id": 4}]}

    assert is_page(page, owner_id=3) == "an item of another owner_id came"
    assert has({"id": 4}, id=3) == "another id came back"
    assert has(None, id=3) == "no record"


@pytest.mark.parametrize("body", ["no", {}, {"status": 409}, {"status": 412, "title": "x"}])
def test_a_refusal_must_be_a_problem_of_its_status(body: object) -> None:
    assert is_refusal(body, 409) is not None


def test_an_order_of_somebody_else_or_that_does_not_add_up_is_found() -> None:
    assert adds_up(ORDER, 8) == "another order came back"
    assert adds_up(ORDER, 7, 3) == "another order came back"
    assert adds_up({**ORDER, "total_cents": 501}, 7) is not None
    assert adds_up("no", 7) == "no order"


def test_what_was_written_is_missed_where_it_must_be() -> None:
    page = items(9, 8, 7)

    assert still_holds(page, "at", None) is None
    assert still_holds(page, "at", ("08", 8)) is None
    assert still_holds(page, "at", ("10", 10)) is not None  # newer than all that is there
    assert still_holds(items(9, 7), "at", ("08", 8)) is not None
    assert still_holds(page, "at", ("05", 5)) is None  # on a later page by now
    assert still_holds({**page, "next": None}, "at", ("05", 5)) is not None
    assert still_holds({"items": [], "next": None}, "at", ("05", 5)) is not None


def test_a_record_that_comes_twice_or_out_of_order_is_found() -> None:
    assert follows(items(5, 5)["items"], "at", None) is not None
    assert follows(items(4, 5)["items"], "at", None) is not None
    assert follows(items(5, 4)["items"], "at", ("05", 5)) is not None
    assert follows([], "at", ("05", 5)) is None


@pytest.mark.parametrize(
    "rows",
    [
        [row("2025-02"), row("2025-01")],
        [row("2025-01"), row("2025-01")],
        [row("2024-12")],
        [row("2025-04")],
        [row("2025-02", average_cents=150)],
        [row("2025-02", orders=0)],
    ],
    ids=["order", "twice", "early", "late", "average", "nothing"],
)
def test_a_report_of_sales_that_is_wrong_is_found(rows: list[dict[str, Any]]) -> None:
    assert _is_sales(rows, "2025-01", "2025-03") is not None


@pytest.mark.parametrize(
    "change",
    [
        {"feedback": 299},
        {"feedback": None},
        {"csat": {"value": 0.7, "n": 301}},
        {"csat": {"value": 1.1, "n": 250}},
        {"first_response_s": {"n": 199}},
    ],
    ids=str,
)
def test_a_report_of_satisfaction_that_is_wrong_is_found(change: dict[str, Any]) -> None:
    assert _is_satisfaction({**SATISFACTION, **change}) is not None


@pytest.mark.parametrize(
    "change", [{"customers": 4}, {"segments": []}, {"segments": None}], ids=str
)
def test_a_report_of_segments_that_is_wrong_is_found(change: dict[str, Any]) -> None:
    assert _is_rfm({**RFM, **change}) is not None


def test_segments_are_told_apart_and_their_shares_add_up() -> None:
    twice = [{**segment, "segment": "loyal"} for segment in SEGMENTS]
    short = [{**segment, "share": 0.3} for segment in SEGMENTS]

    assert _is_rfm({**RFM, "segments": twice}) == "a segment comes twice"
    assert _is_rfm({**RFM, "segments": short}) == "the shares do not add up"


FORM = '<form><input type="hidden" name="csrf_token" value="a&amp;b"></form>'
PAGE = '<span class="me"><bdi>Ann &amp; Bo</bdi> <span class="role">manager</span></span>'


def test_a_form_is_read_for_its_token() -> None:
    assert has_form(FORM) is None
    assert form_token(FORM) == "a&b"


@pytest.mark.parametrize("page", ["", "<p>", "<form></form>", None, {"form": 1}])
def test_a_page_without_a_form_that_can_be_sent_is_found(page: object) -> None:
    assert has_form(page) is not None


def test_a_page_says_who_is_signed_in() -> None:
    assert shown_to(PAGE) == "Ann & Bo"
    assert shown_to(FORM) is None
    assert shown_to({"a": 1}) is None
