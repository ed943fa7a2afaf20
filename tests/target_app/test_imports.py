"""What a server does not import: what it would cost to start, and to keep."""

import subprocess
import sys

import pytest

from target_app import extensions


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules of a process that has the application and all its commands."""
    code = "import sys, target_app, target_app.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert {"target_app", "target_app.seeding.commands"} <= found
    return found


def test_the_commands_cost_a_server_neither_faker_nor_numpy(imported: set[str]) -> None:
    assert not imported & {"faker", "numpy"}


def test_what_is_not_switched_on_is_not_imported(imported: set[str]) -> None:
    assert extensions.names() == ["loyalty"]
    assert "target_app.extensions.loyalty" not in imported
