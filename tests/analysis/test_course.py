"""From which window on a disturbance was past: drawn by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.course import HOLD, Course

repeatable = settings(derandomize=True, deadline=None)


def course(windows: str, *, over_s: float | None = 2.0, **other: Any) -> Course:
    """Windows of a second from second 0: x out of the band, b behind, o neither, ? unknown."""
    marks = np.array(list(windows))
    times = {"start_s": 0.0, "since_s": 0.0, "until_s": float(len(marks))} | other
    return Course(
        starts_s=np.arange(len(marks), dtype=float),
        width_s=1.0,
        known=marks != "?",
        out=marks == "x",
        behind=np.isin(marks, ["b", "x"]),
        over_s=over_s,
        **times,
    )


def test_recovered_is_the_first_window_from_which_ten_keep_the_band() -> None:
    found, recovered_s = course("xxx" + "o" * 12).recovery()
    assert (found.low, found.value, found.high) == (2.0, 3.0, 3.0)
    assert recovered_s == 3.0
    assert f"kept for {HOLD}" in found.method


def test_what_is_lost_again_within_the_hold_has_not_recovered() -> None:
    found, recovered_s = course("xx" + "o" * 9 + "x" + "o" * 10).recovery()
    assert recovered_s == found.value == 12.0


def test_what_is_back_while_the_fault_is_on_and_lost_again_has_not_recovered() -> None:
    windows = "xx" + "o" * 15 + "x" + "o" * 25
    assert course(windows, over_s=17.0).recovery()[1] == 18.0
    assert course(windows, over_s=6.0).recovery()[1] == 2.0


def test_what_happens_long_after_is_something_else() -> None:
    found, _ = course("xx" + "o" * 20 + "xxxx").recovery()
    assert found.value == 2.0
    assert course("o" * 20 + "x" * 5).recovery()[0].value == 0.0


def test_windows_of_which_nothing_is_known_widen_the_interval() -> None:
    found, recovered_s = course("xx??" + "o" * 12).recovery()
    assert (found.low, found.high, recovered_s) == (1.0, 4.0, 4.0)


def test_what_is_within_the_band_and_behind_a_backlog_has_not_recovered() -> None:
    found, recovered_s = course("xxx" + "bbbb" + "o" * 12).recovery()
    assert (found.low, found.value, found.high, recovered_s) == (6.0, 7.0, 7.0, 7.0)
    found, recovered_s = course("xxb?b?" + "o" * 12).recovery()
    assert (found.low, found.high, recovered_s) == (4.0, 6.0, 6.0)


def test_behind_is_what_follows_a_window_out_of_the_band_and_nothing_else() -> None:
    assert course("xxx" + "o" + "bbb" + "o" * 12).recovery()[1] == 3.0
    quiet = course("bb" + "o" * 15)
    assert quiet.recovery()[0].value == 0.0
    assert quiet.detected().value is None


def test_a_backlog_that_is_back_out_of_the_band_before_it_has_drained_goes_on() -> None:
    assert course("xx" + "b" * 15 + "xb" + "o" * 12).recovery()[1] == 19.0


def test_a_backlog_that_outlasts_the_run_is_a_lower_bound() -> None:
    found, recovered_s = course("xx" + "b" * 20).recovery()
    assert found.is_lower_bound
    assert (found.value, recovered_s) == (22.0, None)


def test_never_recovered_is_a_lower_bound() -> None:
    found, recovered_s = course("x" * 30).recovery()
    assert found.is_lower_bound
    assert found.value == 30.0
    assert recovered_s is None
    assert "not recovered while it was looked at for 30 s" in str(found.why)


def test_a_run_that_ends_within_the_hold_is_censored_too() -> None:
    found, recovered_s = course("xxx" + "o" * 9).recovery()
    assert found.is_lower_bound
    assert (found.value, recovered_s) == (3.0, None)
    assert "the last 9 windows" in str(found.why)
    assert "kept for the last window; 10 are needed" in str(course("xxxo").recovery()[0].why)


def test_a_fault_that_was_not_over_is_censored() -> None:
    found, recovered_s = course("xx" + "o" * 30, over_s=None).recovery()
    assert found.is_lower_bound
    assert (found.value, recovered_s) == (2.0, None)


def test_a_fault_without_an_effect_is_never_detected_and_took_nothing_to_recover() -> None:
    quiet = course("o" * 15)
    found, recovered_s = quiet.recovery()
    assert (found.value, found.low, found.high, recovered_s) == (0.0, 0.0, 0.0, 0.0)
    assert "no effect" in str(found.why)
    assert quiet.detected().value is None
    assert "no effect" in str(quiet.detected().why)


@pytest.mark.parametrize("windows", ["o" * 9, "?" * 40, "ooo" + "?" * 30])
def test_hardly_anything_seen_is_no_proof_of_no_effect(windows: str) -> None:
    quiet = course(windows)
    found, recovered_s = quiet.recovery()
    assert found.value is recovered_s is None
    assert "too few windows" in str(found.why)
    assert quiet.detected().value is None
    assert "too few windows" in str(quiet.detected().why)


def test_detected_is_the_end_of_the_first_window_out_of_the_band() -> None:
    found = course("oox" + "o" * 15, over_s=5.0).detected()
    assert (found.low, found.value, found.high) == (2.0, 3.0, 3.0)


def test_after_a_spike_recovery_counts_from_when_the_load_was_back() -> None:
    spike = {"over_s": 6.0, "since_s": 6.0}
    found, recovered_s = course("oxxxxx" + "xx" + "o" * 12, **spike).recovery()
    assert (found.value, recovered_s) == (2.0, 8.0)
    assert course("oxxxxx" + "bb" + "o" * 12, **spike).recovery()[1] == 8.0
    at_once = course("oxxxxx" + "o" * 12, **spike)
    found, recovered_s = at_once.recovery()
    assert (found.value, recovered_s) == (0.0, 6.0)
    assert "kept from when the load was back" in str(found.why)
    assert at_once.detected().value == 2.0


@repeatable
@given(
    windows=st.text("xbo?", min_size=1, max_size=60),
    over_s=st.one_of(st.none(), st.floats(0, 40)),
)
def test_whatever_was_seen_the_ends_are_in_order_and_what_is_missing_is_told(
    windows: str, over_s: float | None
) -> None:
    found, recovered_s = course(windows, over_s=over_s).recovery()
    if recovered_s is None:
        assert found.why
        assert found.value is None or found.is_lower_bound
        return
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.high == found.value
    assert over_s is not None
    kept = windows[int(recovered_s) :].replace("?", "")[:HOLD]
    assert kept[0] == "o"
    assert len(kept) == HOLD
    assert "x" not in kept
    assert "x" not in windows[int(recovered_s) : int(over_s) + 1] or recovered_s > over_s - HOLD
