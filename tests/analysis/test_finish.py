"""A run folder that takes no verdict."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from analysis import finish as module
from analysis.finish import finish
from scenarios.errors import ExitCode, TrueloadError
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
