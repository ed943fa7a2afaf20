"""From a run folder to its verdict: what is refused before, and a folder that takes none."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import finish as module
from analysis.cli import check, read_budgets
from analysis.finish import finish
from scenarios.errors import ExitCode, TrueloadError, UsageError
from tests.analysis.synthetic import RunBuilder, scenario_of, watch


def test_a_full_disk_is_told_with_its_place_and_leaves_nothing_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 2.0)], budgets={"all": ["p(95) < 1s"]}))
    build.add(0.5, 0.01)
    watch(build, until_s=2.0)
    folder = build.finish(ended_s=2.0)
    before = {path.name for path in folder.iterdir()}

    def full(path: Path, _document: object) -> None:
        path.with_suffix(".json.part").write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write_json", full)
    with pytest.raises(TrueloadError, match="No space left on device") as raised:
        finish(folder, report=False)

    assert raised.value.exit_code is ExitCode.FAULT
    assert raised.value.message.startswith(f"{folder}: ")
    assert f"trueload check {folder}" in (raised.value.hint or "")
    assert {path.name for path in folder.iterdir()} - before == {"samples.parquet"}


def test_a_budget_that_the_timeout_hides_is_refused_and_nothing_is_judged(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 1.0)], timeout="2s"))
    folder, budgets = build.finish(ended_s=1.0), tmp_path / "budgets.toml"
    budgets.write_text('[budgets]\nall = ["p(95) < 2s", "max < 1.9s"]\n"/" = ["warn: p(99) < 1m"]')
    told = CliRunner().invoke(check, [str(folder), "--budgets", str(budgets)]).exception
    assert isinstance(told, UsageError)
    lines = told.message.splitlines()[1:]
    assert [line.split(": ")[1] for line in lines] == ["budgets.all", "budgets./"]
    assert all("allowed: a limit below 2 s, the timeout" in line for line in lines)
    assert not (folder / "verdict.json").exists()


def test_growth_in_a_file_of_budgets_is_left_out_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text('[expectations]\ngrowth = "constant"\n[budgets]\nall = ["max < 1s"]')
    (budget,) = [each for each in read_budgets(path, timeout_s=2.0) if not each.implied]
    assert budget.assertion.text == "max < 1s"
    assert "expectations.growth is left out" in capsys.readouterr().err
