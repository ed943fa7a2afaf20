"""Which runs there are: those of a duel lie one level deeper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analysis import compare as compare_module
from analysis.cli import find_run
from analysis.cli import runs as runs_command
from analysis.compare_cli import compare as compare_command
from analysis.run_folders import listing, sides_of_duel
from scenarios.errors import RunFolderError, UsageError
from tests.analysis.test_comparison_reports import made

DUEL = "20260301T120000Z_duel_smoke_dddddd"


def run(folder: Path, at: int, verdict: str | None = "passed", **manifest: Any) -> Path:
    """A run that began so many minutes after noon."""
    path = folder / f"20260301T12{at:02}00Z_smoke_{at:06x}"
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(json.dumps(manifest))
    if verdict is not None:
        (path / "verdict.json").write_text(json.dumps({"verdict": verdict}))
    return path


def duel(parent: Path, *roles: str, verdict: str | None = "regressed") -> list[Path]:
    """The runs of a duel: ``"1b"`` is the base of its first pair."""
    words = {"b": "base", "c": "candidate"}
    if verdict is not None:
        (parent / DUEL).mkdir(parents=True)
        (parent / DUEL / "duel.json").write_text(json.dumps({"verdict": verdict}))
    return [
        run(parent / DUEL, at, pair=int(role[0]), role=words[role[1]], sequence=at)
        for at, role in enumerate(roles, start=1)
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs in a folder that one works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def test_runs_of_a_duel_are_listed_below_it(here: Path) -> None:
    later, earlier = run(here, 30, verdict=None), run(here, 0, "failed")
    first, second = duel(here, "1c", "1b")
    (first / "verdict.json").write_text("{}")
    told = CliRunner().invoke(runs_command)

    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        f"{DUEL}  duel regressed, 2 runs",
        f"  {first.name}  cannot be read (KeyError)  pair 1, candidate",
        f"  {second.name}  passed  pair 1, base",
        f"{earlier.name}  failed",
        f"{later.name}  not judged",
    ]


def test_a_folder_of_runs_within_is_listed_too(here: Path) -> None:
    path = run(here / "before", 1)

    assert listing(here) == ["before  1 run", f"  {path.name}  passed"]
    assert CliRunner().invoke(runs_command, ["--out", "nowhere"]).stdout == "no runs in nowhere\n"


def test_the_last_run_may_be_one_of_a_duel(here: Path) -> None:
    first, last = duel(here, "1b", "1c")
    run(here, 0)
    elsewhere = run(here.parent / "before", 5)

    assert find_run(Path("last")) == last.relative_to(here.parent)
    assert find_run(Path("before/last")) == elsewhere.relative_to(here.parent)
    assert find_run(here.parent / "before" / "last") == elsewhere
    assert find_run(Path(DUEL) / "last") == last.relative_to(here.parent)
    assert find_run(Path(first.name)) == first.relative_to(here.parent)


@pytest.mark.parametrize("name", ["last", "before/last", "nowhere"])
def test_a_run_that_is_not_there_is_told(here: Path, name: str) -> None:
    here.mkdir()
    run(here.parent / "other" / "deep", 1)
    with pytest.raises(RunFolderError, match=f"{name}: found no such folder; .* FOLDER/last"):
        find_run(Path(name))


def test_a_duel_is_taken_pair_by_pair_as_its_manifests_say(here: Path) -> None:
    runs = duel(here, "1c", "1b", "2b", "2c", "2c", "3b")
    sides = sides_of_duel(Path(DUEL), here)

    assert [path.name for path in sides.base] == [runs[1].name, runs[2].name]
    assert [path.name for path in sides.candidate] == [runs[0].name, runs[4].name]
    assert sides.left_out == (
        f"{runs[3].name}: was made once more",
        f"{runs[5].name}: pair 3 has no other run",
    )
    assert sides_of_duel(Path("last"), here) == sides


@pytest.mark.parametrize(
    ("roles", "name", "words"),
    [
        ((), DUEL, "found no runs of a duel there"),
        (("1b", "2b"), DUEL, "found no pair of runs"),
        (("1b", "1c"), "nowhere", "found no runs of a duel there"),
    ],
)
def test_a_folder_that_is_no_duel_is_refused(
    here: Path, roles: tuple[str, ...], name: str, words: str
) -> None:
    duel(here, *roles)
    with pytest.raises(UsageError, match=words):
        sides_of_duel(Path(name), here)


@pytest.mark.parametrize("text", ["{", "[]", '{"role": "base", "sequence": "x"}'])
def test_a_damaged_manifest_of_a_duel_is_told(here: Path, text: str) -> None:
    first, _ = duel(here, "1b", "1c")
    (first / "manifest.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"manifest\.json: is damaged"):
        sides_of_duel(Path(DUEL), here)


def compared(monkeypatch: pytest.MonkeyPatch, *words: str) -> Mapping[str, Any]:
    """Ask the command for its sides; the comparison itself is made up."""
    found: dict[str, Any] = {}

    def compare(base: list[Path], candidate: list[Path], *_: object, **__: object) -> Any:
        found.update(base=base, candidate=candidate)
        return made()

    monkeypatch.setattr(compare_module, "compare", compare)
    done = CliRunner().invoke(compare_command, words)
    return found | {"error": done.exception, "stderr": done.stderr}


def test_the_command_compares_the_runs_of_a_duel(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = duel(here, "1c", "1b", "2c")
    found = compared(monkeypatch, "--duel", DUEL)

    assert [path.name for path in found["base"]] == [runs[1].name]
    assert [path.name for path in found["candidate"]] == [runs[0].name]
    assert f"--duel: left out: {runs[2].name}: pair 2" in found["stderr"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--duel", DUEL, "--base", "A"], "--duel: found --base beside it"),
        (["--duel", DUEL, "--base", "A", "--candidate", "B"], "found --base and --candidate"),
        (["--base", "A"], "found no --candidate; allowed: .* or --duel FOLDER"),
        ([], "found no --base and no --candidate"),
    ],
)
def test_runs_and_a_duel_are_not_taken_together(
    here: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    duel(here, "1b", "1c")
    error = compared(monkeypatch, *words)["error"]

    assert isinstance(error, UsageError)
    with pytest.raises(UsageError, match=message):
        raise error
