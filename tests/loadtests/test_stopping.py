"""When the rule of ``[stop]`` ends the load."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadtests.stopping import Met, Stopping
from scenarios.stop_rule import parse_stop_rule

GOOD, BAD, SILENT, IDLE = (9, 1, 3), (1, 9, 3), (0, 0, 3), (0, 0, 0)
"""Finished well, finished badly, open: of one second."""


def line(second: int, counts: tuple[int, int, int], process: int = 0, **more: Any) -> Any:
    ok, bad, is_open = counts
    return {
        "t_s": second + 0.004,
        "process": process,
        "rate": float(ok),
        "bad": bad,
        "open": is_open,
        "p50_ms": None,
        "p95_ms": None,
        **more,
    }


def ends(
    rule: str, seconds: list[tuple[int, int, int]], *, patience_s: float = 2.0
) -> tuple[int, Met] | None:
    """The second at whose end the load would end."""
    stopping = Stopping(parse_stop_rule(rule), patience_s=patience_s)
    for second, counts in enumerate(seconds, start=1):
        met = stopping.take(line(second, counts))
        if met is not None:
            return second, met
    return None


def test_load_ends_when_the_rule_has_held_for_as_long_as_it_says() -> None:
    found = ends("error_ratio > 50% for 3s", [GOOD, GOOD, BAD, BAD, BAD, BAD])

    assert found == (5, Met(since_s=2.0, until_s=5.0, measured=0.9))


def test_one_good_second_starts_it_anew() -> None:
    assert ends("error_ratio > 50% for 3s", [BAD, BAD, GOOD, BAD, BAD, GOOD]) is None


def test_at_the_limit_is_not_above_it() -> None:
    assert ends("error_ratio > 90% for 1s", [BAD] * 5) is None


def test_a_corpse_that_answers_nothing_counts_once_silence_has_outlasted_patience() -> None:
    found = ends("error_ratio > 50% for 3s", [GOOD, *[SILENT] * 9], patience_s=5.0)
    short = ends("error_ratio > 50% for 3s", [GOOD, *[SILENT] * 9], patience_s=2.0)

    assert found == (6, Met(since_s=1.0, until_s=6.0, measured=None))
    assert short == (4, Met(since_s=1.0, until_s=4.0, measured=None))


def test_a_slow_target_that_answers_every_third_second_is_no_corpse() -> None:
    assert ends("error_ratio > 50% for 3s", [SILENT, SILENT, GOOD] * 10, patience_s=4.0) is None


def test_bad_answers_between_silent_seconds_are_not_broken_by_them() -> None:
    found = ends("error_ratio > 50% for 5s", [GOOD, *[BAD, SILENT, SILENT] * 3], patience_s=4.0)

    assert found is not None
    assert found[0] == 8


def test_seconds_in_which_nobody_asked_say_nothing() -> None:
    assert ends("error_ratio > 50% for 3s", [IDLE] * 20) is None


def test_percentiles_are_of_every_process_before_they_count() -> None:
    stopping = Stopping(parse_stop_rule("p(95) > 200ms for 2s"), patience_s=2.0, processes=2)
    found = []
    for second, (one, other) in enumerate([(300, 100), (300, 250), (300, 210)], start=1):
        found += [
            stopping.take(line(second, GOOD, 0, p95_ms=one)),
            stopping.take(line(second, GOOD, 1, p95_ms=other)),
        ]

    assert found[:5] == [None] * 5
    assert found[5] == Met(since_s=1.0, until_s=3.0, measured=0.21)


def test_silence_must_outlast_a_latency_limit_to_be_beyond_it() -> None:
    assert ends("p(95) > 8s for 2s", [SILENT] * 7, patience_s=2.0) is None
    found = ends("p(95) > 8s for 2s", [SILENT] * 9, patience_s=2.0)
    assert found is not None
    assert found[0] == 8


def test_a_lost_process_does_not_keep_the_rule_from_counting() -> None:
    stopping = Stopping(parse_stop_rule("error_ratio > 50% for 3s"), patience_s=2.0, processes=2)
    found = [stopping.take(line(second, BAD)) for second in range(1, 6)]

    assert [each is not None for each in found] == [False, False, False, True, True]


def test_what_a_fault_has_done_is_forgotten() -> None:
    stopping = Stopping(parse_stop_rule("error_ratio > 50% for 3s"), patience_s=2.0)
    for second in (1, 2):
        stopping.take(line(second, BAD))
    stopping.forget()

    assert [stopping.take(line(second, BAD)) is not None for second in (3, 4, 5)] == [
        False,
        False,
        True,
    ]


@given(st.lists(st.sampled_from([GOOD, BAD, SILENT, IDLE]), max_size=30))
def test_it_never_ends_before_its_time_nor_in_a_second_that_breaks_it(
    seconds: list[tuple[int, int, int]],
) -> None:
    found = ends("error_ratio > 50% for 4s", seconds, patience_s=3.0)
    if found is not None:
        at, met = found
        assert met.until_s - met.since_s >= 4
        assert GOOD not in seconds[int(met.since_s) : at]
        assert seconds[at - 1] in {BAD, SILENT}
