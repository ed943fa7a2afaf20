"""What a pipeline gets of duels, searches and sweeps: exit codes that it chose, and cases."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests import capacity_cli, cli, duel_cli
from loadtests.options import RunOptions
from scenarios.errors import TargetError, TrueloadError
from tests.loadtests.test_capacity import OnPaper
from tests.loadtests.test_duel import RATIOS, times_worse
from tests.loadtests.test_flags import NOTHING
from tests.loadtests.test_sweep import ends_at, variants
from tests.support.fought import Machine, verdict
from tests.support.harness import Done, Harness
from tests.support.junit_cases import facts, kinds

P95, BAD = "p95 of all requests, not worse by 5 %", "fails no more often than the base"
WIDE = (1.3, 0.8, 1.2, 0.75, 1.25, 0.9, 1.4, 0.7)
Says = Callable[[str, int], dict[str, Any]]


def varies(role: str, run: int) -> dict[str, Any]:
    """Runs that vary so much that eight pairs leave it open."""
    return verdict(40.0 * (WIDE[run] if role == "candidate" else 1.0))


def fails_more(role: str, run: int) -> dict[str, Any]:
    """A candidate that is as fast and answers worse."""
    return verdict(40.0 * RATIOS[run], bad=0.3 if role == "candidate" else 0.0)


def varies_and_fails(role: str, run: int) -> dict[str, Any]:
    """The same, and the candidate answers worse."""
    candidate = role == "candidate"
    return verdict(40.0 * (WIDE[run] if candidate else 1.0), bad=0.3 if candidate else 0.0)


def ends(role: str, run: int) -> dict[str, Any]:
    """A target that does not start any more."""
    if run == 1:
        raise TargetError("the CRM ended while it started")
    return verdict(40.0)


def invalid(role: str, run: int) -> dict[str, Any]:
    """Runs that say nothing."""
    return verdict(40.0, verdict="invalid", why="records were lost")


@pytest.mark.parametrize(
    ("says", "told", "code", "fates"),
    [
        (times_worse(1.0), "fail", 0, ("ok", "ok", "ok")),
        (times_worse(1.2), "pass", 98, ("failure", "failure", "skipped")),
        pytest.param(varies, "pass", 0, ("error", "error", "skipped"), marks=pytest.mark.costly),
        pytest.param(varies, "fail", 99, ("error", "error", "skipped"), marks=pytest.mark.costly),
        pytest.param(
            varies_and_fails, "pass", 97, ("error", "error", "skipped"), marks=pytest.mark.costly
        ),
        (fails_more, "pass", 97, ("error", "ok", "error")),
        (fails_more, "fail", 99, ("error", "ok", "error")),
        (ends, "pass", 97, ("error", "error", "skipped")),
        (ends, "fail", 99, ("error", "error", "skipped")),
        (invalid, "pass", 96, ("error", "error", "skipped")),
    ],
)
def test_a_duel_exits_as_it_was_told_and_writes_its_cases(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    says: Says,
    told: str | None,
    code: int,
    fates: tuple[str, ...],
) -> None:
    monkeypatch.setattr(duel_cli, "_runner", lambda _, parent, __: Machine(parent, says).run)
    words = ["--inconclusive", told] if told else []
    done = harness.here(
        *("duel", "duel", "--candidate", "target.workers=2", "--seed", "4"),
        *("--junit", "duel.xml", *words),
    )
    text = (harness.folder / "duel.xml").read_text()

    assert done.code == code, done.err
    assert kinds(text) == dict(zip(("verdict", P95, BAD), fates, strict=True))
    assert facts(text)["exit_code"] == str(code)
    assert ("not counted as passed" in done.err) == ((told, code) == ("pass", 97))


def search(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    error: TrueloadError | None = None,
) -> tuple[Done, dict[str, str]]:
    """Search on paper; the fourth run cannot be made."""
    on_paper = OnPaper(harness.folder, 4, error or TargetError("nobody listens"))
    monkeypatch.setattr(capacity_cli, "run_and_judge", on_paper)
    done = harness.here("capacity", "capacity", "--junit", "found.xml", *words)
    text = (harness.folder / "found.xml").read_text()
    assert facts(text)["exit_code"] == str(done.code)
    return done, kinds(text)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 97),
        (["--inconclusive", "pass"], 0),
        (["--inconclusive", "fail"], 99),
        (["--inconclusive", "pass", "--low", "600"], 97),  # no load passed: nothing is carried
    ],
)
def test_a_search_that_finds_nothing_exits_as_it_was_told(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    done, cases = search(harness, monkeypatch, "--runs", "2", *words)

    assert done.code == code, done.err
    assert cases["verdict"] == "error"
    assert {*cases.values()} == {"error", "ok"}  # its levels are decided, whichever way


@pytest.mark.parametrize(
    ("error", "told", "code"),
    [
        (TargetError("nobody listens"), "pass", 97),
        (TargetError("nobody listens"), "fail", 99),
        (TrueloadError("the disk is full"), "pass", 1),
    ],
)
def test_a_search_that_could_not_go_on_never_counts_as_passed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, error: TrueloadError, told: str, code: int
) -> None:
    done, cases = search(harness, monkeypatch, "--inconclusive", told, error=error)

    assert done.code == code
    assert cases["verdict"] == "error"


@pytest.mark.parametrize(
    ("error", "fates"),
    [(None, ["failure"] * 4), (TargetError("it ended"), ["failure", "error", *["failure"] * 2])],
)
def test_a_sweep_writes_a_case_for_each_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: TrueloadError | None,
    fates: list[str],
) -> None:
    runs = iter(variants())
    run_one = ends_at(0 if error is None else 3, error, tmp_path)
    monkeypatch.setattr(cli, "run_and_judge", lambda *_, **__: run_one(next(runs)))
    monkeypatch.setattr(RunOptions, "check", lambda *_: ())
    path = tmp_path / "sweep.xml"

    with contextlib.suppress(TargetError):
        cli._run("smoke", variants(), replace(NOTHING, out=tmp_path), junit=path)

    made = ["run 1: target.workers = 1", "run 2: target.workers = 2", "run 3: target.workers = 3"]
    names = ["verdict", *made] if error is None else ["verdict", "runs", *made[:2]]
    assert kinds(path.read_text()) == dict(zip(names, fates, strict=True))


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "smoke", "--vary", "target.workers=1,2"],
        ["duel", "duel", "--candidate", "target.workers=2"],
        ["capacity", "capacity"],
    ],
)
@pytest.mark.parametrize("path", ["file/of.xml", "."])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(
    harness: Harness, words: list[str], path: str
) -> None:
    (harness.folder / "file").touch()
    done = harness.here(*words, "--junit", path)

    assert done.code == 2, done.err
    assert "--junit" in done.err
    assert not (harness.folder / "runs").exists()


@pytest.mark.parametrize(("told", "code"), [(None, 97), ("pass", 97), ("fail", 99)])
def test_a_sweep_that_could_not_go_on_never_counts_as_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, code: int
) -> None:
    runs = iter(variants())
    run_one = ends_at(2, TargetError("it ended"), tmp_path)

    def passes(*_: object, **__: object) -> tuple[Path, dict[str, Any]]:
        folder, found = run_one(next(runs))
        return folder, found | {"verdict": "passed", "exit_code": 0}

    monkeypatch.setattr(cli, "run_and_judge", passes)
    monkeypatch.setattr(RunOptions, "check", lambda *_: ())
    asked = replace(NOTHING, out=tmp_path, inconclusive=told)

    assert cli._run("smoke", variants(), asked) == code
