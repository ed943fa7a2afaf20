from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.percentiles_cli import percentiles
from analysis.recording.format import Outcome
from scenarios.errors import RunFolderError
from tests.analysis.synthetic import RunBuilder, scenario_of


def run(*arguments: object) -> Result:
    return CliRunner().invoke(percentiles, [str(argument) for argument in arguments])


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
        "-: too few requests; p50 takes 24, p95 takes 106, p99.9 takes 3,876 independent ones",
        "without intervals: those are in verdict.json and the report",
    ]


def test_requests_that_never_ended_make_a_percentile_a_lower_bound(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "run", open_ones=20), "--at", "50,95")
    assert "     100  >= 190" in result.stdout
    assert ">=: requests that were never seen to end are at their age" in result.stdout


def test_a_machine_gets_numbers_and_which_are_bounds(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", open_ones=20)
    found = json.loads(run(folder, "--json", "--at", "50,95").stdout)
    (row,) = found["rows"]
    assert (found["unit"], found["percents"]) == ("ms", [50, 95])
    assert (row["stage"], row["level"], row["name"], row["n"]) == (0, 7, "GET /a|<b>", 200)
    assert row["values"] == pytest.approx([100.5, 190.05])
    assert row["is_lower_bound"] == [False, True]


def test_a_run_that_was_killed_has_percentiles_too(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["end"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "  GET /a|<b>           200" in run(folder).stdout


def test_without_a_request_in_a_hold_there_is_no_table(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "run", requests=0))
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
    (folder / "samples.parquet").write_bytes(b"PAR1 and no more")
    assert isinstance(run(folder).exception, RunFolderError)
