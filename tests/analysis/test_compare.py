"""Comparing recorded runs: what is read, refused, and said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.comparable import Kind, differences, kind_of
from analysis.compare import compare
from analysis.compare_cli import compare as command
from analysis.finish import finish
from analysis.recording.format import VERDICT
from analysis.verdict_on_change import Question
from scenarios.errors import ExitCode, InvalidRuns, NotComparable, RunFolderError, UsageError
from tests.analysis.compared_runs import ENVIRONMENT, TARGET, recorded

CHANGED: dict[str, Any] = {"target": {"commit": "2222222", "options": {"cache": "ttl"}}}
Sides = tuple[list[Path], list[Path]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, float], Sides]:
    """Runs in an order of sides; made once each."""
    made: dict[tuple[str, float], Sides] = {}
    same: dict[str, Any] = {}

    def make(text: str, factor: float) -> Sides:
        if (text, factor) not in made:
            folder = tmp_path_factory.mktemp("runs")
            sides: Sides = ([], [])
            for place, side in enumerate(text):
                slow = side == "B"
                sides[slow].append(
                    recorded(
                        folder,
                        place,
                        latency_ms=40 * factor if slow else 40,
                        **(CHANGED if slow else same),
                    )
                )
                finish(sides[slow][-1], report=False)
            made[text, factor] = sides
        return made[text, factor]

    return make


Make = Callable[[str, float], Sides]


@pytest.mark.costly
def test_interleaved_runs_that_are_slower_regress(made: Make) -> None:
    found = compare(*made("ABBAAB", 1.5), Question())
    assert (found["verdict"], found["exit_code"]) == ("regressed", 98)
    row = next(r for r in found["rows"] if (r["subject"], r["indicator"]) == ("all", "p95"))
    assert row["change"]["low"] < 1.5 < row["change"]["high"]
    assert [d["key"] for d in found["changed"]] == ["target.commit", "target.options.cache"]
    assert found["differs"] == []
    assert found["same"]["machine.cpu"] == "Sample CPU"
    assert "kernel" not in found["same"]
    assert found["design"]["runs"] == "ABBAAB"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.costly
def test_runs_in_blocks_never_regress(made: Make) -> None:
    found = compare(*made("AABB", 1.5), Question())
    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert found["why"].startswith("order confounds")


def test_one_run_a_side_has_a_ratio(made: Make) -> None:
    before, after = made("ABBAAB", 1.5)
    found = compare(before[:1], after[:1], Question())
    assert found["exit_code"] == 97
    row = next(r for r in found["rows"] if (r["subject"], r["indicator"]) == ("all", "avg"))
    assert row["change"]["value"] == pytest.approx(1.5, rel=0.05)
    assert row["change"]["covers"] == "this run"


def test_a_run_that_was_not_judged_is_judged_and_not_written_to(made: Make, tmp_path: Path) -> None:
    _, after = made("ABBAAB", 1.5)
    run = recorded(tmp_path, 9)
    there = sorted(path.name for path in run.iterdir())
    compare([run], after[:1], Question())
    assert sorted(path.name for path in run.iterdir()) == there


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 1, "run": "x"}'])
def test_a_verdict_that_is_damaged_is_told_with_what_to_do(
    made: Make, tmp_path: Path, text: str
) -> None:
    run = recorded(tmp_path, 9)
    (run / VERDICT).write_text(text)
    with pytest.raises(RunFolderError, match=r"verdict\.json: is damaged") as told:
        compare([run], made("ABBAAB", 1.5)[1][:1], Question())
    assert "trueload check" in (told.value.hint or "")


@pytest.mark.costly
@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("dataset.hash", {"target": TARGET | {"dataset_hash": "fedcba987654"}}),
        ("machine.cpu", {"environment": ENVIRONMENT | {"cpu": "Another CPU"}}),
        ("machine.cores_of_target", {"target": TARGET | {"cores": [0, 1]}}),
        ("load.think_scale", {"load": {"think_scale": 0.5}}),
        ("load.stages", {"hold_s": 11.0}),
        ("seed", {"load": {"seed": 7}}),
    ],
)
def test_runs_that_differ_in_load_data_or_machine_are_refused(
    made: Make, tmp_path: Path, key: str, changes: dict[str, Any]
) -> None:
    before, _ = made("ABBAAB", 1.5)
    other = recorded(tmp_path, 9, **changes)
    with pytest.raises(NotComparable) as refused:
        compare(before[:1], [other], Question())
    assert refused.value.exit_code is ExitCode.USAGE
    assert key in refused.value.message
    assert f"--allow-different {key}" in (refused.value.hint or "")
    found = compare(before[:1], [other], Question(), allowed=[key])
    assert [d["key"] for d in found["differs"] if d["allowed"]] == [key]
    assert any(key in note for note in found["notes"])


def test_a_group_of_keys_is_allowed_by_its_name(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    other = recorded(tmp_path, 9, environment=ENVIRONMENT | {"cpu": "Another", "cores": 4})
    found = compare(before[:1], [other], Question(), allowed=["machine"])
    assert {d["key"] for d in found["differs"]} == {"machine.cpu", "machine.cores"}


@pytest.mark.costly
def test_a_commit_in_the_folder_between_two_runs_is_told_and_not_refused(tmp_path: Path) -> None:
    """It need not be the system's: pairs against a URL go on while somebody works."""
    commits = ["aaaaaaa", "aaaaaaa", "bbbbbbb", "bbbbbbb"]
    runs = [
        recorded(tmp_path, place, tags={"commit": commit}) for place, commit in enumerate(commits)
    ]
    found = compare(runs[::2], runs[1::2], Question())
    assert found["changed"] == found["differs"] == []  # it falls on both sides alike
    other = compare(runs[:2], runs[2:], Question())
    assert [(d["key"], d["kind"]) for d in other["differs"]] == [("folder.commit", "surrounding")]
    assert not any("compares it to itself" in note for note in other["notes"])
    uneven = compare(runs[1::2], runs[:1], Question())
    assert [d["key"] for d in uneven["differs"]] == ["folder.commit"]


def test_what_surrounds_a_run_is_told_and_not_refused(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    changed = ENVIRONMENT | {"kernel": "6.9.0", "packages": {"locust": "2.48.0"}}
    other = recorded(tmp_path, 9, environment=changed)
    found = compare(before[:1], [other], Question())
    keys = [d["key"] for d in found["differs"]]
    assert keys == ["kernel", "packages.locust", "packages.trueload"]


def test_the_runs_of_one_side_are_of_one_system(made: Make) -> None:
    before, after = made("ABBAAB", 1.5)
    with pytest.raises(NotComparable, match="the runs of one side differ"):
        compare([before[0], after[0]], [after[1]], Question())


def test_an_invalid_run_is_refused_with_its_reason(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    invalid = recorded(tmp_path, 9, missing=5)
    with pytest.raises(InvalidRuns, match=r"run9: .*users") as refused:
        compare(before[:1], [invalid], Question())
    assert refused.value.exit_code is ExitCode.INVALID


def test_a_run_that_was_cut_short_is_refused(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    short = recorded(tmp_path, 9, ended_s=5.0)
    with pytest.raises(NotComparable, match="run9"):
        compare(before[:1], [short], Question())


def test_a_run_is_not_compared_to_itself(made: Make) -> None:
    before, after = made("ABBAAB", 1.5)
    with pytest.raises(NotComparable, match="named twice"):
        compare([before[0], before[0]], [after[0]], Question())


def test_runs_of_the_same_system_say_so(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    found = compare(before[:1], [recorded(tmp_path, 9)], Question())
    assert any("compares it to itself" in note for note in found["notes"])


@pytest.mark.costly
def test_runs_of_a_duel_are_pairs_and_its_own_verdict_is_named(tmp_path: Path) -> None:
    sides = ("base", "candidate", "candidate", "base")
    runs = [
        recorded(tmp_path, place, group="a1b2c3", role=role, sequence=place + 1)
        for place, role in enumerate(sides)
    ]
    found = compare([runs[0], runs[3]], [runs[1], runs[2]], Question())
    assert (found["design"]["order"], found["design"]["runs"]) == ("pairs", "ABBA")
    assert [(r["group"], r["role"], r["sequence"]) for r in found["candidate"]] == [
        ("a1b2c3", "candidate", 2),
        ("a1b2c3", "candidate", 3),
    ]
    assert any("duel.json" in note for note in found["notes"])


def test_a_failed_run_is_compared_and_it_is_said(made: Make, tmp_path: Path) -> None:
    before, _ = made("ABBAAB", 1.5)
    failed = recorded(tmp_path, 9, bad=0.2)
    path = failed / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["scenario"]["budgets"] = {"all": ["error_ratio < 1%"]}
    path.write_text(json.dumps(manifest))
    found = compare(before[:1], [failed], Question())
    assert found["candidate"][0]["verdict"] == "failed"
    assert any("failed by the budgets" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("asked", "allowed", "words"),
    [
        (
            Question(subjects=("GET /nowhere", "all", "GET /x")),
            (),
            "--endpoint GET /nowhere, GET /x: .*; allowed: all, GET /customers",
        ),
        (
            Question(),
            ("target.commit", "machine", "weather"),
            "--allow-different target.commit, weather: .*; allowed: one of scenario, load",
        ),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(
    made: Make, asked: Question, allowed: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        compare(*made("ABBAAB", 1.5), asked, allowed=allowed)


def test_every_fact_is_of_one_kind() -> None:
    assert kind_of("load.stages") is Kind.MUST
    assert kind_of("target.options.cache") is Kind.COMPARED
    assert kind_of("packages.locust") is Kind.SURROUNDING
    found = differences([{"machine.cpu": "x", "kernel": "1"}], [{"machine.cpu": None}])
    assert [(d.key, d.base, d.candidate, d.refused) for d in found] == [
        ("machine.cpu", ("x",), ("-",), True),
        ("kernel", ("1",), ("-",), False),
    ]


def test_seeds_that_vary_on_both_sides_alike_are_no_difference() -> None:
    seeds: list[dict[str, Any]] = [{"seed": 1}, {"seed": 2}]
    assert differences(seeds, seeds[::-1]) == ()
    assert [(d.key, d.refused) for d in differences(seeds, [{"seed": 3}, {"seed": 2}])] == [
        ("seed", False)
    ]
    assert [d.refused for d in differences([{"processes": 1}, {"processes": 2}], [{}])] == [True]


@pytest.mark.parametrize("runs", [1, 3])
def test_a_seed_for_each_side_would_pass_for_a_change_of_the_system(runs: int) -> None:
    """Its effect is the same in all runs of a side, so that no variance holds it."""
    base: list[dict[str, Any]] = [{"seed": 1}] * runs
    found = differences(base, [{"seed": 2}] * runs)
    assert [(d.key, d.kind, d.refused) for d in found] == [("seed", Kind.MUST, True)]
    assert not any(d.refused for d in differences(base, [{"seed": 2}] * runs, allowed=["seed"]))
    assert differences(base, base) == ()
    assert not any(d.refused for d in differences([*base, {"seed": 3}], [{"seed": 2}] * runs))


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_the_command_takes_several_runs_after_one_option_and_exits_by_the_verdict(
    made: Make,
) -> None:
    before, after = made("ABBAAB", 1.5)
    found = run("--base", *before, "--candidate", *after, "--metric", "avg")
    assert found.exit_code == 98
    assert found.stdout.startswith("verdict: regressed (exit code 98)")
    assert re.search(r"avg latency of all requests: \+\d+ % \(\+\d+ to \+\d+ %\)", found.stdout)
    repeated = run(*[word for path in before for word in ("--base", path)], "--candidate", *after)
    assert repeated.exit_code == 98


def test_the_command_prints_the_document_for_machines(made: Make) -> None:
    before, after = made("ABBAAB", 1.5)
    sides = ("--base", *before, "--candidate", *after)
    found = run("--json", "--tolerance", "80%", "--error-tolerance", "0.03", *sides)
    document = json.loads(found.stdout)
    assert (found.exit_code, document["exit_code"]) == (0, 0)
    assert document["question"]["tolerance"] == 0.8


@pytest.mark.parametrize("tolerance", ["0%", "120%", "x", "5ms"])
def test_a_tolerance_that_is_none_is_refused(made: Make, tolerance: str) -> None:
    before, after = made("ABBAAB", 1.5)
    found = run("--base", *before, "--candidate", *after, "--tolerance", tolerance)
    assert found.exit_code == 2
    assert "--tolerance" in found.stderr


def test_an_equals_sign_before_the_first_of_several_runs_is_no_other_question(made: Make) -> None:
    (first, *others), after = made("ABBAAB", 1.5)
    spaced = run("--base", first, *others, "--candidate", *after)
    assert run(f"--base={first}", *others, f"--candidate={after[0]}", *after[1:]).output == (
        spaced.output
    )


def test_all_mistakes_of_a_comparison_come_together(made: Make, tmp_path: Path) -> None:
    before, after = made("ABBAAB", 1.5)
    (tmp_path / "notes.txt").write_text("")
    there = ("--base", before[0], "nowhere", "--candidate", after[0], tmp_path / "notes.txt")
    found = run(*there, "--allow-different", "weather", "--out", tmp_path / "notes.txt" / "x")
    assert isinstance(found.exception, UsageError)
    lines = found.exception.message.splitlines()
    assert [line.partition("; allowed")[0].rpartition("/")[2] for line in lines] == [
        "nowhere: found no such folder",
        "notes.txt: is a file, not a run",
        "--allow-different weather: found no such key",
        "notes.txt, which is not a folder",
    ]


def test_damaged_runs_are_told_together(made: Make, tmp_path: Path) -> None:
    before, after = made("ABBAAB", 1.5)
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError) as told:
        compare([before[0], tmp_path / "x"], [after[0], tmp_path / "y"], Question())
    lines = told.value.message.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(tmp_path / name) for name in "xy"]


def test_what_lies_beside_runs_is_left_out_and_said(made: Make, tmp_path: Path) -> None:
    before, after = made("ABBAAB", 1.5)
    beside = [tmp_path / name for name in ("group_a1b2c3.json", "group_a1b2c3.md", "duel.json")]
    for path in beside:
        path.write_text("{}")
    found = run("--base", *before, *beside, "--candidate", *after)
    assert found.exit_code == 98
    assert found.stderr == (
        f"--base: left out, for these are no runs: {', '.join(map(str, beside))}\n"
    )
    alone = run("--base", *beside, "--candidate", *after).exception
    assert isinstance(alone, UsageError)
    assert alone.message == "--base: found no run; allowed: at least one run folder"


def test_the_help_of_a_comparison_writes_defaults_as_they_are_given() -> None:
    found = " ".join(run("--help").stdout.split())
    assert "(default: 5%)" in found
    assert "(default: 0.5%)" in found
    assert "--base before/* --candidate after/*" in found
