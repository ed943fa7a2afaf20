"""Recoveries and error bursts in words and in the figure over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.report.illustrations import illustrate
from analysis.report.recovery import burst_rows, recovery_rows, recovery_words
from tests.analysis.sample_run import build_sample
from tests.analysis.sample_verdict import at_least, estimate, recovery, sample_verdict


def verdict(**changed: Any) -> dict[str, Any]:
    return {"stability": {"recovery": [recovery() | changed], "bursts": []}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "recovered after 2.50 s, lost 1.41 s of full outage, 558 answers"),
        (
            {"recovery_time": at_least(8.0, "s"), "loss": at_least(6.2, "s")},
            "not recovered after 8.00 s, lost >= 6.20 s of full outage",
        ),
        (
            {
                "recovery_time": estimate(0.0, 0.0, 0.0, unit="s", why="no window left the band"),
                "detected_after": estimate(None, unit="s", why="no window left the band"),
                "signals": [],
                "detected_by": [],
            },
            "outage at 0:41.0: no effect seen",
        ),
        (
            {
                "recovery_time": estimate(None, unit="s", why="no load before"),
                "detected_after": estimate(None, unit="s", why="no load before"),
                "band": None,
            },
            "outage at 0:41.0: not estimable: no load before",
        ),
        ({"degraded": True}, "worse than before (p95 +3.4 % (-6.0 to +14 %))"),
    ],
)
def test_a_recovery_is_a_sentence(changed: dict[str, Any], said: str) -> None:
    (sentence,) = recovery_words(verdict(**changed))
    assert said in sentence


def test_goodput_that_is_surely_less_is_told_of_what_is_left() -> None:
    gone = {
        "p50": estimate(None, unit="ratio", why="0 windows after it"),
        "p95": estimate(None, unit="ratio", why="0 windows after it"),
        "goodput": estimate(-0.99, -0.992, -0.985, unit="ratio"),
    }
    (row,) = recovery_rows(verdict(residual=gone, degraded=True))
    assert row.left == "right answers -99 % (-99 to -98 %)"
    (row,) = recovery_rows(verdict())
    assert "right answers" not in row.left


def test_nothing_lost_of_what_was_not_seen_to_end_is_not_all() -> None:
    (row,) = recovery_rows(verdict(loss=at_least(0.0, "s")))
    assert row.lost == "nothing so far"
    (row,) = recovery_rows(verdict(loss=estimate(0.0, unit="s", why="seen")))
    assert row.lost == "nothing"


def test_a_row_says_what_it_was_compared_with() -> None:
    (row,) = recovery_rows(verdict())
    assert row.detected == "0.500 s (p50, right answers)"
    assert "out of that until it was back: p50, p95, right answers" in row.note
    assert "in windows of 0.500 s" in row.note
    assert "p95 up to 512 ms" in row.note
    assert row.end == "0:42.0"
    (row,) = recovery_rows(verdict(end_s=None))
    assert row.end == "not over at the end"


def test_bursts_name_their_outcomes_as_people_do() -> None:
    (row,) = burst_rows(sample_verdict())
    assert (row.bad, row.requests) == ("21", "24")
    assert row.outcomes == "timeout 15, HTTP error 6"
    assert row.during == "outage"
    assert not burst_rows({})
    assert not recovery_rows({})


@pytest.mark.costly
def test_the_band_of_healthy_windows_is_drawn_and_told(tmp_path: Path) -> None:
    recording = build_sample(tmp_path / "run", hold_s=2.0)
    drawn = {
        with_it: illustrate(recording, sample_verdict() if with_it else {"verdict": "passed"})[0]
        for with_it in (True, False)
    }
    assert "healthy p95" in drawn[True].svg
    assert "Tinted: where p95 of healthy windows lies." in drawn[True].caption
    assert "healthy p95" not in drawn[False].svg
    assert "Tinted" not in drawn[False].caption
