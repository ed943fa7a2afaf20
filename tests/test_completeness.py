"""What belongs together is all there: commands and README, errors and exit codes, decisions."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import click
import pytest

from loadtests.cli import trueload
from scenarios import errors
from scenarios.errors import ExitCode, TrueloadError
from scenarios.loading import builtin_scenarios, parse_scenario

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = trueload.list_commands(click.Context(trueload))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    command = trueload.get_command(click.Context(trueload), name)

    assert command is not None
    assert command.help
    assert re.search(rf"^trueload {name}\b", README, re.M)


def test_every_error_has_an_exit_code_and_stands_in_the_drawn_tree() -> None:
    tree = errors.__doc__ or ""
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, TrueloadError)
    ]

    assert len(kinds) >= 6
    for kind in kinds:
        assert isinstance(kind.exit_code, ExitCode)
        assert re.search(rf"\b{kind.__name__} +{int(kind.exit_code)}\b", tree), kind


def test_the_readmes_scenario_is_one() -> None:
    text, crm = re.findall(r"```toml\n(.*?)```", README, re.S)
    document = tomllib.loads(text)
    scenario = parse_scenario(document, name="README.md", folder=None)
    document["target"] = tomllib.loads(crm)["target"]

    assert scenario.load.required == 50
    assert parse_scenario(document, name="README.md", folder=None).target.database == "postgres"


def test_every_scenario_stands_in_the_readmes_table() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.M)) == set(builtin_scenarios())


def test_the_readmes_exit_codes_are_those_there_are() -> None:
    written = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.M)}

    assert written == {int(code) for code in ExitCode}


def test_every_file_that_the_documents_link_to_is_there() -> None:
    for document in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (document.parent / link).exists(), f"{document}: {link}"


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_no_file_names_a_package_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "--hash=sha256:" in lock
    assert not re.search(r"https?://|--index|--find-links|--extra-index", lock)
