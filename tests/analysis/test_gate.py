"""What a pipeline gets of a comparison: an exit code that it chose, and cases for its CI server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis import compare as compare_module
from analysis.compare_cli import compare as command
from analysis.counted import counted
from analysis.report.comparison_page import render_page
from analysis.report.junit_change import comparison_junit
from analysis.verdict_on_change import Question
from scenarios.errors import ExitCode, InvalidRuns
from tests.analysis.test_comparison_reports import HOSTILE, made
from tests.support.junit_cases import facts, kinds

ALL, ONE = "p95 latency of all requests", "p95 latency of GET /customers"
BAD, BAD_ONE = "bad requests of all requests", "bad requests of GET /customers"


@pytest.mark.parametrize(
    ("code", "told", "is_open", "counts_as"),
    [
        (97, None, True, 97),
        (97, "fail", True, 99),
        (97, "pass", True, 0),
        (97, "fail", False, 99),
        (97, "pass", False, 97),
        (98, "pass", True, 98),
        (98, "fail", True, 98),
        (96, "pass", True, 96),
        (130, "pass", True, 130),
        (0, "fail", True, 0),
    ],
)
def test_only_an_inconclusive_answer_is_counted_as_somebody_says(
    code: int, told: str | None, is_open: bool, counts_as: int
) -> None:
    assert counted(ExitCode(code), told, is_open=is_open) == counts_as


@pytest.mark.parametrize(
    ("factor", "order", "fates"),
    [
        (1.15, "ABABABABAB", ["failure", "failure", "ok", "failure", "ok"]),
        (1.00, "ABABABABAB", ["ok", "ok", "ok", "ok", "ok"]),
        (1.05, "ABABABABAB", ["error", "error", "ok", "skipped", "ok"]),
        (1.30, "AAAAABBBBB", ["error", "error", "error", "skipped", "skipped"]),
        (1.30, "AB", ["error", "error", "error", "skipped", "skipped"]),
    ],
)
def test_each_row_that_may_raise_the_alarm_is_a_case(
    factor: float, order: str, fates: list[str]
) -> None:
    document = made(factor, order=order)
    text = comparison_junit(document)

    assert kinds(text) == dict(zip(("verdict", ALL, BAD, ONE, BAD_ONE), fates, strict=True))
    assert (fates[0] == "ok") == (document["exit_code"] == 0)
    assert facts(text)["exit_code"] == str(document["exit_code"])


def test_an_endpoint_that_was_asked_for_must_be_decided() -> None:
    document = made(1.05, question=Question(subjects=("GET /customers",)))

    assert (kinds(comparison_junit(document))[ALL], kinds(comparison_junit(document))[ONE]) == (
        "skipped",
        "error",
    )


def test_names_from_outside_leave_it_well_formed() -> None:
    assert len(kinds(comparison_junit(made(name=HOSTILE + "\ufffe\x0b")))) == 5


@pytest.mark.parametrize(
    ("factor", "told", "code"),
    [(1.05, None, 97), (1.05, "fail", 99), (1.05, "pass", 0), (1.15, "pass", 98), (1.0, "fail", 0)],
)
def test_an_inconclusive_comparison_counts_as_somebody_says(
    factor: float, told: str | None, code: int
) -> None:
    document = made(factor, on_inconclusive=told)

    assert (document["exit_code"], document["on_inconclusive"]) == (code, told)


@pytest.mark.costly
def test_the_page_says_why_an_exit_code_is_another_one() -> None:
    words = "Exit code 99: inconclusive, counted as failed (--inconclusive fail)."

    assert words in render_page(made(1.05, on_inconclusive="fail"))


def test_what_has_no_values_never_counts_as_passed() -> None:
    asked = Question(subjects=("GET /customers",))

    assert made(1.0, question=asked, silent=True, on_inconclusive="pass")["exit_code"] == 97
    assert made(1.0, question=asked, silent=True, on_inconclusive="fail")["exit_code"] == 99


def told_by(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, **how: Any) -> Result:
    """Run the command over runs that are made up."""

    def compared(*_: object, on_inconclusive: str | None, **__: object) -> dict[str, Any]:
        return made(on_inconclusive=on_inconclusive, **how)

    monkeypatch.setattr(compare_module, "compare", compared)
    sides = ["--base", str(folder), "--candidate", str(folder)]
    return CliRunner().invoke(command, [*sides, *words])


def test_the_command_writes_the_file_and_exits_as_it_was_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "compare.xml"
    words = ("--inconclusive", "fail", "--json", "--junit", str(path))
    done = told_by(monkeypatch, tmp_path, *words, factor=1.05)

    assert done.exit_code == 99
    assert json.loads(done.stdout)["exit_code"] == 99
    assert kinds(path.read_text())["verdict"] == "error"


def test_the_command_says_why_it_does_not_count_as_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = Question(subjects=("GET /customers",))
    done = told_by(
        monkeypatch, tmp_path, "--inconclusive", "pass", factor=1.0, question=asked, silent=True
    )

    assert done.exit_code == 97
    assert "--inconclusive pass: not counted as passed" in done.stderr


def test_runs_that_are_not_valid_are_told_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object, **__: object) -> dict[str, Any]:
        raise InvalidRuns("1 of 2 runs was not valid\n  run1: records were lost")

    monkeypatch.setattr(compare_module, "compare", refused)
    path = tmp_path / "compare.xml"
    words = ["--base", str(tmp_path), "--candidate", str(tmp_path), "--junit", str(path)]
    done = CliRunner().invoke(command, words)

    assert isinstance(done.exception, InvalidRuns)
    assert kinds(path.read_text()) == {"verdict": "error"}
    assert "run1: records were lost" in path.read_text()


def test_a_row_that_is_open_says_so_whatever_its_numbers_look_like() -> None:
    text = comparison_junit(made(1.05))

    assert text.count('<error message="not known yet: ') == 1
    assert text.count('<skipped message="not known yet, and not asked for: ') == 1
