"""Validating what a pipeline will run: with its flags, and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadtests.cli import trueload
from loadtests.options import RunOptions
from scenarios.loading import load_scenario
from tests.loadtests.test_flags import NOTHING


def validate(*words: str) -> Result:
    return CliRunner().invoke(trueload, ["validate", *words])


def document(*words: str) -> dict[str, Any]:
    """What it prints for machines: pure JSON."""
    done = validate(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_flags_of_a_run_change_what_is_validated(tmp_path: Path) -> None:
    users = tmp_path / "mine.py"
    users.touch()
    words = ("--url", "http://127.0.0.1:1", "--locustfile", str(users))
    found = document("smoke", *words, "--set", "load.timeout='9s'")

    assert found["asked"]["target"]["url"] == "http://127.0.0.1:1"
    assert "app" not in found["asked"]["target"]
    assert found["asked"]["load"]["locustfile"] == str(users)
    assert found["asked"]["load"]["timeout"] == "9s"
    assert "mix" not in found["asked"]["load"]
    assert any("the locustfile decides" in budget["needs"] for budget in found["budgets"])


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["--database", "postgres"], "database", "postgres"),
        (["--url", "http://127.0.0.1:1", "--accounts", "people.jsonl"], "accounts", None),
    ],
)
def test_a_database_and_accounts_are_those_of_the_run(
    tmp_path: Path, words: list[str], key: str, value: str | None
) -> None:
    people = tmp_path / "people.jsonl"
    people.write_text("{}\n")
    words = [str(people) if word == "people.jsonl" else word for word in words]

    assert document("smoke", *words)["asked"]["target"][key] == (value or str(people))


def test_what_is_printed_for_machines_is_what_a_run_would_be_asked() -> None:
    found = document("smoke")
    (variant,) = NOTHING.load("smoke")

    assert found["valid"]
    assert found["asked"] == json.loads(json.dumps(dict(variant.scenario.raw)))
    assert [budget["assertion"] for budget in found["budgets"]] == [
        budget.assertion.text for budget in load_scenario("smoke").budgets
    ]
    assert found["runs"] == [{}]


def test_mistakes_are_printed_for_machines_all_together() -> None:
    done = validate("smoke", "--url", "ftp://x", "--set", "load.nonsense=1", "--json")
    found = json.loads(done.stdout)

    assert done.exit_code == 2
    assert not found["valid"]
    assert {"target.url", "load.nonsense"} <= {mistake["key"] for mistake in found["mistakes"]}
    assert all(mistake["found"] and mistake["allowed"] for mistake in found["mistakes"])


def test_it_has_every_flag_of_a_run_that_changes_the_scenario() -> None:
    """What is left out says how it is run, or what comes of it."""
    told = validate("--help").output
    how = {"out", "allow", "processes", "inconclusive", "no_report", "as_json", "settings"}

    for name in RunOptions.__slots__:
        assert name in how or f"--{name}" in told
