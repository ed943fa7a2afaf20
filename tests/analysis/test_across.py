"""Runs side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.across import across
from analysis.decision import Verdict
from analysis.report.side_by_side import as_text, growth_lines, repeated_lines, side_by_side
from tests.analysis.sample_verdict import sample_verdict


def runs() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    first, second = sample_verdict(), sample_verdict()
    first["verdict"] = "passed"
    second["stages"][5]["endpoints"].pop(0)  # an endpoint that the second run never asked for
    return [({"target.customers": 10_000}, first), ({"target.customers": 1_000_000}, second)]


def test_the_required_stages_of_all_runs_are_laid_side_by_side() -> None:
    found = across(runs())
    stage = sample_verdict()["stages"][5]
    assert stage["level"] == sample_verdict()["required"]
    assert found.p95["all"] == [stage["latency"]["p95"]] * 2
    missing = stage["endpoints"][0]["name"]
    assert found.p95[missing] == [stage["endpoints"][0]["latency"]["p95"], None]
    assert found.verdict is Verdict.FAILED
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == found.as_dict()


def test_the_table_names_what_was_varied_and_never_invents_a_number() -> None:
    rows = side_by_side(across(runs()))
    assert rows[1] == ["target.customers", "10,000", "1,000,000"]
    assert rows[2] == ["verdict", "passed", "failed"]
    assert [row[-1] for row in rows].count("-") == 1
    text = as_text(rows)
    assert len(text.splitlines()) == len(rows)


def grown(p50: float, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    document = sample_verdict()
    stage = document["stages"][5]
    stage["latency"]["p50"] |= {"value": p50, "low": p50 / 1.05, "high": p50 * 1.05, "level": 0.95}
    return settings, document


def test_growth_with_the_volume_of_data_is_said_for_each_operation() -> None:
    members = [grown(10.0 * (v / 1e4) ** 0.5, **{"target.customers": v}) for v in (10_000, 10**6)]
    lines = growth_lines(across(members))
    assert lines[0].startswith("growth with the volume of data, 10,000 to 1,000,000 customers")
    assert lines[1].startswith("  all requests: p50 sublinear (b 0.50, ")
    assert len(lines) == 2 + len(sample_verdict()["stages"][5]["endpoints"])


def test_what_varies_beside_the_volume_says_nothing_of_growth() -> None:
    members = [grown(10.0, **{"target.customers": v, "target.workers": v}) for v in (1, 100)]
    assert growth_lines(across(members)) == []
    assert growth_lines(across([grown(10.0, **{"target.workers": v}) for v in (1, 2)])) == []


def test_an_invalid_run_says_nothing_of_growth() -> None:
    members = [grown(10.0, **{"target.customers": v}) for v in (10_000, 10**6)]
    members[1][1]["verdict"] = "invalid"
    assert "p50 not known" in growth_lines(across(members))[1]


def repeated(rates: list[float], **settings: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = []
    for seed, rate in enumerate(rates):
        document = sample_verdict()
        document["verdict"] = "passed"
        document["stages"][5]["throughput"] |= {"value": rate, "low": rate, "high": rate}
        found.append((settings | {"target.seed": seed}, document))
    return found


def test_runs_that_differ_in_their_seed_are_put_together_by_setting() -> None:
    members = repeated([100, 110, 121], **{"target.workers": 1}) + repeated(
        [200, 210], **{"target.workers": 2}
    )
    members[4][1]["verdict"] = "invalid"
    one, two = across(members).repeated
    assert (one.settings, one.runs, two.runs) == ({"target.workers": 1}, 3, 1)
    assert one.throughput.value == pytest.approx(110)
    assert one.throughput.covers == "runs"
    assert one.throughput.low is not None
    assert one.throughput.low < 100
    lines = repeated_lines(across(members))
    assert lines[0] == (
        "over the 3 valid runs of target.workers=1, which differ in their seed alone:"
    )
    assert lines[1].startswith("  ok/s: 110/s (")
    assert "at least 3 of them; found: 1" in lines[len(lines) // 2 + 1]
    # Equal p95s in every run: that says nothing of how runs differ.
    assert "the same value" in lines[3]
    document = across(members).as_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_without_a_varied_seed_nothing_is_put_together() -> None:
    assert across(runs()).repeated == ()
    assert repeated_lines(across(runs())) == []
