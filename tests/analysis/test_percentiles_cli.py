from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.percentiles_cli import percentiles
from analysis.recording.format import Outcome
from scenarios.errors import RunFolderError, UsageError
from tests.analysis.synthetic import RunBuilder, scenario_of
from tests.support.schemas import validator


def run(*arguments: object) -> Result:
    return CliRunner().invoke(percentiles, [str(argument) for argument in arguments])


def document(*arguments: object) -> dict[str, Any]:
    """What a machine gets, held against the schema."""
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    validator("percentiles").validate(found)
    return found


def recorded(folder: Path, *, requests: int = 200, open_ones: int = 0) -> Path:
    """A run of one stage: response times of 1, 2, 3, ... ms; the last ones never end."""
    build = RunBuilder(folder, scenario_of([(7, 20.0)]))
    for index in range(requests):
        at_s, latency_s = 2 + index / 100, (index + 1) / 1000
        is_open = index >= requests - open_ones
        build.add(
            at_s,
            None if is_open else latency_s,
            seen_s=at_s + latency_s if is_open else None,
            name="GET /a|<b>",
            outcome=Outcome.TIMEOUT if is_open else Outcome.OK,
        )
    return build.finish(ended_s=20.0)


def test_any_percentile_of_a_run_is_printed_by_stage_and_endpoint(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "run"), "--at", "50,95,99.9")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "                  requests  p50 ms  p95 ms  p99.9 ms",
        "stage 1: 7 users",
        "  GET /a|<b>           200     100     190         -",
        "  all requests         200     100     190         -",
        "-: too few requests; p50 takes 24, p95 takes 106, p99.9 takes 3,876 independent ones",
        "without intervals: those are in verdict.json and the report",
    ]


def test_requests_that_never_ended_make_a_percentile_a_lower_bound(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "run", open_ones=20), "--at", "50,95")
    assert "     100  >= 190" in result.stdout
    assert ">=: requests that were never seen to end are at their age" in result.stdout


def test_a_machine_gets_numbers_and_which_are_bounds(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", open_ones=20)
    found = document(folder, "--at", "50,95")
    row, total = found["rows"]
    assert total == row | {"name": "all requests", "total": True}
    assert (found["unit"], found["percents"]) == ("ms", [50, 95])
    assert (row["stage"], row["level"], row["name"], row["n"]) == (0, 7, "GET /a|<b>", 200)
    assert row["values"] == pytest.approx([100.5, 190.05])
    assert row["is_lower_bound"] == [False, True]


def two_by_two(folder: Path) -> Path:
    """Two stages of two endpoints; 30 requests of each, in 1 ms and in 9 ms."""
    build = RunBuilder(folder, scenario_of([(7, 20.0), (9, 20.0)]))
    for index in range(60):
        for name, latency_s in (("GET /a", 0.001), ("GET /b", 0.009)):
            build.add(2 + 36 * index / 60, latency_s, name=name)
    return build.finish(ended_s=40.0)


def test_the_last_row_of_a_stage_is_of_all_its_requests(tmp_path: Path) -> None:
    folder = two_by_two(tmp_path / "run")
    found = document(folder, "--at", "50")
    names = [(row["stage"], row["name"], row["total"]) for row in found["rows"]]
    assert names[:3] == [(0, "GET /a", False), (0, "GET /b", False), (0, "all requests", True)]
    assert len(names) == 6
    one, other, both = found["rows"][:3]
    assert both["n"] == one["n"] + other["n"]
    assert one["values"] < both["values"] < other["values"], "between, from the samples"
    lines = run(folder, "--at", "50").stdout.splitlines()
    assert [line.split("  ")[1] for line in lines[2:5]] == ["GET /a", "GET /b", "all requests"]


def test_stages_and_endpoints_can_be_chosen(tmp_path: Path) -> None:
    folder = two_by_two(tmp_path / "run")

    def rows(*arguments: str) -> list[tuple[int, str]]:
        return [(row["stage"] + 1, row["name"]) for row in document(folder, *arguments)["rows"]]

    assert rows("--stage", "2") == [(2, "GET /a"), (2, "GET /b"), (2, "all requests")]
    assert rows("--endpoint", "GET /b") == [(1, "GET /b"), (2, "GET /b")]
    both = ("--endpoint", "GET /b", "--endpoint", "GET /a", "--stage", "1", "--stage", "2")
    assert rows(*both) == [(1, "GET /a"), (1, "GET /b"), (2, "GET /a"), (2, "GET /b")]


def test_a_stage_and_an_endpoint_that_are_not_there_are_told_with_those_that_are(
    tmp_path: Path,
) -> None:
    result = run(two_by_two(tmp_path / "run"), "--stage", "3", "--endpoint", "GET /c")
    assert isinstance(result.exception, UsageError)
    assert result.exception.message.splitlines() == [
        "--stage 3: found no such stage; allowed: 1 to 2",
        "  --endpoint GET /c: found no request of that name; allowed: GET /a, GET /b",
    ]


def test_a_percentile_that_the_table_does_not_show_has_no_value_in_the_document(
    tmp_path: Path,
) -> None:
    found = document(recorded(tmp_path / "run"), "--at", "50,99.9")
    assert found["needed"] == [24, 3876]
    for row in found["rows"]:
        assert row["too_few"] == [False, True]
        assert [value is None for value in row["values"]] == [False, True]


def test_a_run_that_was_killed_has_percentiles_too(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["end"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "  GET /a|<b>           200" in run(folder).stdout


def test_without_a_request_in_a_hold_there_is_no_table(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "run", requests=0))
    assert document(tmp_path / "run")["rows"] == []
    assert result.exit_code == 97
    assert result.stdout == "no request was answered in a hold: there are no percentiles\n"


@pytest.mark.parametrize("asked", ["", "fifty", "0", "100", "50,", "nan", ",".join(["50"] * 21)])
def test_what_is_no_percentile_is_told(tmp_path: Path, asked: str) -> None:
    result = run(recorded(tmp_path / "run", requests=3), "--at", asked)
    assert result.exit_code == 2
    assert "allowed" in result.stderr


def test_a_damaged_run_is_told(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", requests=3)
    run(folder)
    shutil.rmtree(folder / "samples")
    (folder / "samples.parquet").write_bytes(b"PAR1 and no more")
    assert isinstance(run(folder).exception, RunFolderError)
