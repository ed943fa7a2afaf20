"""Runs side by side."""

from __future__ import annotations

import json
from typing import Any

from analysis.across import across
from analysis.decision import Verdict
from analysis.report.side_by_side import as_text, side_by_side
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
