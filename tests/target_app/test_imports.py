"""What a server does not import: what it would cost to start, and to keep."""

import subprocess
import sys
from pathlib import Path

import pytest

from target_app import extensions, seeding

pytestmark = pytest.mark.costly  # a process is started


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules of a process that has the application and all its commands."""
    code = "import sys, target_app, target_app.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert {"target_app", "target_app.seeding.commands"} <= found
    return found


@pytest.mark.costly
def test_the_commands_cost_a_server_neither_faker_nor_numpy(imported: set[str]) -> None:
    assert not imported & {"faker", "numpy"}


@pytest.mark.slow
def test_to_copy_a_dataset_or_to_find_it_costs_neither_of_them(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from target_app import seeding
data = Path(sys.argv[1])
assert seeding.seed(data, customers=1, seed=1, accounts=1).remark == "reused"
seeding.copy_dataset(data, data / "copy.sqlite")
print(*sys.modules)
"""
    seeding.seed(tmp_path, customers=1, seed=1, accounts=1)
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert not set(done.stdout.split()) & {"faker", "numpy"}


def test_what_is_not_switched_on_is_not_imported(imported: set[str]) -> None:
    assert extensions.names() == ["loyalty"]
    assert "target_app.extensions.loyalty" not in imported
