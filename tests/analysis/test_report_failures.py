"""Kinds of failure with the intervals of their shares, and Apdex where a budget asks for it."""

from __future__ import annotations

from typing import Any

from analysis.report.apdex import apdex_rows
from analysis.report.failures import failure_rows, failure_words
from analysis.report.markdown import render_markdown
from tests.analysis.sample_verdict import budget, estimate, sample_manifest, sample_verdict


def with_apdex() -> dict[str, Any]:
    """The sample with a budget on Apdex that was judged in two of its stages."""
    verdict = sample_verdict()
    scores = {4: estimate(0.94, 0.92, 0.955, unit="ratio"), 5: estimate(0.71, 0.67, 0.75)}
    stages = [{"stage": stage, "measured": score} for stage, score in scores.items()]
    verdict["budgets"].append(
        budget("all", "apdex(100ms) > 0.9", "failed", measured=scores[5], stages=stages)
    )
    return verdict


def test_each_kind_has_its_share_and_interval_in_every_hold() -> None:
    http, wrong, unfinished = failure_rows(sample_verdict())

    assert (http.outcome, wrong.outcome) == ("HTTP error", "wrong answer")
    assert str(http.at_shown) == "5: 0.209 % (0.0221 to 0.396 %)"
    assert http.by_stage[5] == http.at_shown
    assert str(http.by_stage[0]) == str(unfinished.at_shown) == "0"
    assert str(unfinished.by_stage[6]).startswith("3: 0.126 % (")


def test_a_stage_that_was_not_run_has_no_failures() -> None:
    verdict = sample_verdict()
    verdict["stages"][6] |= {"hold": [60.0, 60.0], "outcomes": {}, "error_ratios": {}}

    assert str(failure_rows(verdict)[0].by_stage[6]) == "-"


def test_the_words_are_of_the_hold_that_is_shown_and_nothing_where_none_failed() -> None:
    verdict = sample_verdict()
    assert failure_words(verdict) == (
        "at 200 users (stage 6): HTTP error 0.209 % (0.0221 to 0.396 %), "
        "wrong answer 0.0837 % (0 to 0.202 %)"
    )

    verdict["stages"][5] |= {"outcomes": {"ok": 2_389}, "error_ratios": {}}
    assert failure_words(verdict) == ""


def test_apdex_is_shown_at_the_stated_t_in_each_stage_that_was_judged() -> None:
    (row,) = apdex_rows(with_apdex())

    assert (row.subject, row.threshold) == ("all", "100 ms")
    assert [str(said) for said in row.by_stage] == [
        *["-"] * 4, "0.940 (0.920 to 0.955)", "0.710 (0.670 to 0.750)", "-",
    ]  # fmt: skip
    assert "### Apdex" in render_markdown(sample_manifest(), with_apdex())


def test_apdex_is_shown_at_no_t_that_nobody_asked_for() -> None:
    assert apdex_rows(sample_verdict()) == []
    assert "Apdex" not in render_markdown(sample_manifest(), sample_verdict())
