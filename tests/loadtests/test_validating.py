"""What ``trueload validate`` says that budgets need."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from loadtests.cli import trueload


@pytest.mark.parametrize(
    ("hold", "said"), [("20s", "it lasts 20 s: TOO SHORT\n"), ("5m", "it lasts 300 s\n")]
)
def test_a_drift_needs_a_hold_of_a_minute(hold: str, said: str) -> None:
    told = CliRunner().invoke(
        trueload,
        ["validate", "soak", "--set", f'load.stages=[{{users=5, hold="{hold}"}}]'],
    )

    assert told.exit_code == 0, told.output
    assert f"drift(memory) < 25%; a decision takes a hold of at least 60 s, {said}" in told.output
