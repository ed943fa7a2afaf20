"""Runs side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.across import across
from analysis.cli import tell_side_by_side
from analysis.decision import Verdict
from analysis.report.side_by_side import (
    as_text,
    growth_lines,
    left_out_lines,
    repeated_lines,
    side_by_side,
)
from scenarios.loading import load_scenario
from scenarios.model import Expectation, GrowthExpectation
from tests.analysis.sample_verdict import sample_verdict
from tests.support.schemas import validator


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
    validator("sweep").validate(found.as_dict())


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
    volumes = (10_000, 100_000, 10**6)
    members = [grown(10.0 * (v / 1e4) ** 0.5, **{"target.customers": v}) for v in volumes]
    lines = growth_lines(across(members))
    assert lines[0].startswith("growth with the volume of data, 10,000 to 1,000,000 customers")
    head, everything, *operations = (line.split() for line in lines[1:])
    assert head[:5] == ["time", "=", "c", "volume^b", "b"]
    assert everything[:3] == ["all", "requests", "0.50"]
    assert len(operations) == len(sample_verdict()["stages"][5]["endpoints"])


def test_what_grows_most_is_told_first() -> None:
    exponents = {NAMES[1]: 0.9, NAMES[2]: 0.5}
    told = growth_lines(across(swept(exponents)))

    assert [line.split()[:2] for line in told[3:5]] == [NAMES[1].split(), NAMES[2].split()]
    assert "  0.90 (0.89 to 0.91)  between sublinear and linear" in told[3]


def test_what_varies_beside_the_volume_says_nothing_of_growth() -> None:
    members = [grown(10.0, **{"target.customers": v, "target.workers": v}) for v in (1, 100)]
    assert growth_lines(across(members)) == []
    assert growth_lines(across([grown(10.0, **{"target.workers": v}) for v in (1, 2)])) == []


def test_an_invalid_run_says_nothing_of_growth() -> None:
    members = [grown(10.0, **{"target.customers": v}) for v in (10_000, 10**6)]
    members[1][1]["verdict"] = "invalid"
    told = growth_lines(across(members))[2]
    assert told.split() == ["all", "requests", "-", "-", "not", "known"]


def swept(
    exponents: dict[str, float], *, wide: float = 1.02, times: int = 3
) -> list[tuple[dict[str, Any], Any]]:
    """Sweeps over volumes whose p95s grow exactly so, with intervals of this width."""
    members = []
    for volume in (10_000, 100_000, 10**6, 10**7)[:times]:
        document = sample_verdict()
        document["verdict"] = "passed"
        stage = document["stages"][5]
        for part in (stage, *stage["endpoints"]):
            p95 = 20.0 * (volume / 10_000) ** exponents.get(part.get("name", "all"), 0.1)
            part["latency"]["p95"] |= {
                "value": p95, "low": p95 / wide, "high": p95 * wide, "level": 0.95, "why": None,
            }  # fmt: skip
        members.append(({"target.customers": volume}, document))
    return members


NAMES = [part["name"] for part in sample_verdict()["stages"][5]["endpoints"]]
STATED = GrowthExpectation(
    worst="logarithmic", expectation=Expectation(owner="sales", source="own history"), stated=True
)


def test_growth_with_the_data_stands_on_the_scorecard_beside_what_is_expected_of_it() -> None:
    rows = across(swept({NAMES[1]: 0.2}), STATED).scorecard
    assert [row.criterion for row in rows] == ["scalability.data_growth"] * 2
    assert [row.verdict for row in rows] == ["passed", "passed"]
    assert NAMES[1] in rows[1].indicator, "the one that grows most decides"
    told = rows[1].as_dict()
    assert (told["owner"], told["source"]) == ("sales", "own history")
    assert told["expected"] == "no worse than logarithmic (exponent <= 0.25)"
    assert told["actual"]["value"] == pytest.approx(0.2)
    assert told["actual"]["low"] < 0.2 < told["actual"]["high"]
    assert told["difference"] == pytest.approx(-0.05)
    assert told["difference_percent"] == pytest.approx(-20)


def test_growth_that_a_scenario_does_not_allow_fails_its_sweep_and_an_assumption_fails_none() -> (
    None
):
    members = swept({NAMES[0]: 1.5})
    stated = across(members, STATED)
    assert (stated.on_growth, stated.verdict) == (Verdict.FAILED, Verdict.FAILED)
    assert [row.verdict for row in stated.scorecard] == ["passed", "failed"]
    assert NAMES[0] in stated.scorecard[1].next
    assumed = across(members)
    assert [row.verdict for row in assumed.scorecard] == ["passed", "failed"]
    assert (assumed.on_growth, assumed.verdict) == (Verdict.UNJUDGED, Verdict.PASSED)


def test_an_operation_that_is_beyond_by_chance_among_many_does_not_fail() -> None:
    """The interval of one ends just above the limit; that of one among all does not."""
    found = across(swept({NAMES[0]: 0.4}, wide=1.55), STATED)
    worst = found.growth[NAMES[0]]["p95"]
    assert worst.exponent.low is not None
    assert worst.low_among_all is not None
    assert worst.low_among_all < 0.25 < worst.exponent.low
    assert found.scorecard[1].verdict == "inconclusive"
    assert found.on_growth is Verdict.INCONCLUSIVE


def test_an_operation_whose_growth_is_not_known_leaves_it_open() -> None:
    members = swept({})
    for _, document in members[1:]:
        document["stages"][5]["endpoints"].pop(0)
    row = across(members, STATED).scorecard[1]
    assert (row.verdict, row.actual.value) == ("inconclusive", None)
    assert NAMES[0] in row.indicator
    assert "it takes two" in row.next


@pytest.mark.parametrize("verdict", ["inconclusive", "failed"])
def test_a_run_that_did_not_complete_its_required_stage_says_nothing_of_growth(
    verdict: str,
) -> None:
    """Its last lower stage is of another load: read there, no time would grow."""
    members = swept(dict.fromkeys(("all", *NAMES), 0.1), times=4)
    _, last = members[-1]
    last["verdict"] = verdict
    last["ended"] = {"why": "stopped", "load_ended_s": 30.0, "complete": False}
    for stage in last["stages"]:
        stage["hold"][1] = min(stage["hold"][1], max(stage["hold"][0], 30.0))
    found = across(members, STATED)
    assert found.growth["all"]["p95"].exponent.n == 3
    assert [row.verdict for row in found.scorecard] == ["inconclusive"] * 2
    assert all("left out" in row.next for row in found.scorecard)
    assert found.on_growth is Verdict.INCONCLUSIVE
    assert left_out_lines(found) == [
        "run 4 has no part in what is told of several runs: its required stage was not run to "
        "its end (stopped), and the table shows how far it came"
    ]
    assert growth_lines(found)[0].startswith(
        "growth with the volume of data, 10,000 to 1,000,000 customers"
    )


def test_repetitions_of_volumes_are_points_of_growth() -> None:
    members = [
        ({**settings, "load.seed": seed}, document)
        for seed in (1, 2)
        for settings, document in swept({NAMES[0]: 1.5})
    ]
    found = across(members, STATED)
    assert found.growth["all"]["p95"].exponent.n == 6
    assert [row.verdict for row in found.scorecard] == ["passed", "failed"]
    assert found.on_growth is Verdict.FAILED


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            [{"target.customers": v, "target.workers": v} for v in (1000, 2000)],
            "target.workers varied beside the volume",
        ),
        ([{"target.customers": 1000}], "a single run has a single volume"),
    ],
)
def test_a_growth_that_is_stated_and_that_nothing_is_told_of_is_undecided(
    settings: list[dict[str, Any]], why: str
) -> None:
    found = across([grown(10.0, **each) for each in settings], STATED)
    (row,) = found.scorecard
    assert (row.verdict, row.actual.why) == ("inconclusive", why)
    assert row.expected == "no worse than logarithmic (exponent <= 0.25)"
    assert found.on_growth is Verdict.INCONCLUSIVE
    assert across([grown(10.0, **each) for each in settings]).scorecard == ()


def test_a_sweep_of_something_else_has_no_row_on_growth() -> None:
    found = across([grown(10.0, **{"target.workers": v}) for v in (1, 2)], STATED)
    assert (found.scorecard, found.on_growth) == ((), Verdict.UNJUDGED)


@pytest.mark.parametrize(
    ("exponent", "growth", "on_inconclusive", "code"),
    [
        (0.1, STATED, None, 0),
        (1.5, STATED, None, 99),
        (1.5, GrowthExpectation(), None, 0),
        (0.25, STATED, None, 97),
        (0.25, STATED, "pass", 0),
        (0.25, STATED, "fail", 99),
    ],
)
def test_a_sweep_is_written_for_machines_and_people_and_exits_by_all_that_it_found(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    exponent: float,
    growth: GrowthExpectation,
    on_inconclusive: str | None,
    code: int,
) -> None:
    members = swept(dict.fromkeys(("all", *NAMES), exponent))
    for _, document in members:
        document["exit_code"] = 0
    found = tell_side_by_side(
        members,
        tmp_path / "group_1.json",
        asked=replace(load_scenario("smoke"), growth=growth),
        as_json=False,
        on_inconclusive=on_inconclusive,
    )
    assert found == code
    written = json.loads((tmp_path / "group_1.json").read_text(encoding="utf-8"))
    validator("sweep").validate(written)
    said = capsys.readouterr().out
    page = (tmp_path / "group_1.md").read_text(encoding="utf-8")
    for row in written["scorecard"]:
        assert f"  {row['verdict']}: scalability.data_growth: {row['indicator']}" in said
        assert row["expected"] in said
    assert page.count("scalability.data") == 2
    assert "| target.customers | 10,000 | 100,000 | 1,000,000 |" in page


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
    members.append(repeated([300], **{"target.workers": 2})[0])
    members[5][1]["ended"] = {"why": "stopped", "load_ended_s": 30.0, "complete": False}
    one, two = across(members).repeated
    assert (one.settings, one.runs, two.runs) == ({"target.workers": 1}, 3, 1)
    assert one.throughput.value == pytest.approx(110)
    assert one.throughput.covers == "runs"
    assert one.throughput.low is not None
    assert one.throughput.low < 100
    lines = repeated_lines(across(members))
    assert lines[0] == "over 3 valid runs of target.workers=1, which differ in their seed alone:"
    assert lines[1].startswith("  ok/s: 110/s (")
    assert "at least 3 of them; found: 1" in lines[len(lines) // 2 + 1]
    # Equal p95s in every run: that says nothing of how runs differ.
    assert "the same value" in lines[3]
    document = across(members).as_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    validator("sweep").validate(document)


def test_without_a_varied_seed_nothing_is_put_together() -> None:
    assert across(runs()).repeated == ()
    assert repeated_lines(across(runs())) == []
