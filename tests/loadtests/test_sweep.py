"""Runs of a group: what is kept of it when one cannot be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests import cli
from loadtests.options import RunOptions
from loadtests.supervisor import Interrupted
from loadtests.sweep import run_all
from scenarios.errors import ExitCode, TargetError, TrueloadError
from scenarios.loading import load_scenario
from scenarios.variation import Variant
from tests.analysis.sample_verdict import sample_verdict
from tests.loadtests.test_flags import NOTHING

RunOne = Callable[[Variant], tuple[Path, dict[str, Any]]]


def variants() -> list[Variant]:
    scenario = load_scenario("smoke")
    return [Variant(settings={"target.workers": n}, scenario=scenario) for n in (1, 2, 3)]


def ends_at(number: int, how: BaseException | None, folder: Path) -> RunOne:
    """Make what runs a variant, and ends so at that run; None: interrupted under load."""

    def run_one(variant: Variant) -> tuple[Path, dict[str, Any]]:
        sequence = variant.settings["target.workers"]
        if sequence == number and how is not None:
            raise how
        path = folder / f"run{sequence}"
        path.mkdir(parents=True)
        (path / "manifest.json").write_text("{}")
        code = 130 if sequence == number else 99
        return path, {**sample_verdict(), "exit_code": code}

    return run_one


def test_every_variant_is_run_and_its_manifest_names_the_group(tmp_path: Path) -> None:
    told: list[str] = []

    group = run_all(variants(), ends_at(0, None, tmp_path), say=told.append)

    notes = [json.loads((m.folder / "manifest.json").read_text()) for m in group.members]
    assert [note["sequence"] for note in notes] == [1, 2, 3]
    assert [note["varied"]["target.workers"] for note in notes] == [1, 2, 3]
    assert {note["group"] for note in notes} == {group.name}
    assert told[0] == "run 1 of 3: target.workers = 1"
    assert group.error is None


@pytest.mark.parametrize(
    "how", [None, Interrupted("while it was judged", hint="judge it"), KeyboardInterrupt()]
)
def test_an_interrupt_ends_the_group_and_keeps_its_runs(
    tmp_path: Path, how: BaseException | None
) -> None:
    told: list[str] = []

    group = run_all(variants(), ends_at(2, how, tmp_path), say=told.append)

    assert len(group.members) == (2 if how is None else 1)
    assert group.error is None
    if isinstance(how, Interrupted):
        assert told[-2:] == ["while it was judged", "judge it"]


def test_an_interrupt_before_the_first_run_is_over_is_raised(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run_all(variants(), ends_at(1, Interrupted("at once"), tmp_path), say=lambda _: None)


def test_an_error_is_kept_with_the_runs_before_it(tmp_path: Path) -> None:
    error = TargetError("the CRM ended while it started")

    group = run_all(variants(), ends_at(3, error, tmp_path), say=lambda _: None)

    assert (len(group.members), group.error) == (2, error)
    with pytest.raises(TargetError):
        run_all(variants(), ends_at(1, error, tmp_path / "none"), say=lambda _: None)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (Interrupted("while data were seeded"), ExitCode.INTERRUPTED),
        (TargetError("the CRM ended while it started"), ExitCode.FAILED),
        (TrueloadError("the disk is full"), ExitCode.FAULT),
    ],
)
def test_what_was_found_before_it_is_told_side_by_side(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: TrueloadError,
    code: ExitCode,
) -> None:
    runs = iter(variants())
    run_one = ends_at(3, how, tmp_path)
    monkeypatch.setattr(cli, "run_and_judge", lambda *_, **__: run_one(next(runs)))
    monkeypatch.setattr(RunOptions, "check", lambda *_: ())
    asked = replace(NOTHING, out=tmp_path)

    try:
        found = cli._run("smoke", variants(), asked)
    except TrueloadError as error:
        found = error.exit_code

    assert found == code
    said = capsys.readouterr()
    assert "of 2 runs, and no more were made; side by side in" in said.out
    assert "3 runs, about 2.0 min at most, beside data that are made" in said.err
    assert how.message in said.err or code is ExitCode.FAULT
    (path,) = tmp_path.glob("group_*.json")
    assert len(json.loads(path.read_text())["runs"]) == 2


def test_a_later_run_that_cannot_be_made_leaves_a_sweep_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 says that nothing was sent, and 0 that all that was asked for holds."""
    runs = iter(variants())
    run_one = ends_at(2, TargetError("nobody listens"), tmp_path)

    def passes(*_: object, **__: object) -> tuple[Path, dict[str, Any]]:
        folder, verdict = run_one(next(runs))
        return folder, {**verdict, "exit_code": 0}

    monkeypatch.setattr(cli, "run_and_judge", passes)
    monkeypatch.setattr(RunOptions, "check", lambda *_: ())
    asked = replace(NOTHING, out=tmp_path, inconclusive="pass")

    assert cli._run("smoke", variants(), asked) == ExitCode.INCONCLUSIVE
