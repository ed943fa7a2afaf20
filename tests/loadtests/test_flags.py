"""What the flags of a run make of its scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadtests.options import RunOptions

NOTHING = RunOptions(
    url=None,
    database=None,
    accounts=None,
    settings=(),
    out=Path("runs"),
    locustfile=None,
    allow=(),
    processes=1,
    inconclusive=None,
    no_report=False,
    as_json=False,
)


def test_a_locustfile_replaces_the_mix_and_everything_that_is_said_of_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("")
    options = replace(NOTHING, url="http://127.0.0.1:1", locustfile=path)
    loaded = options.load("smoke")[0].scenario

    assert loaded.load.mix == {}
    assert loaded.load.think_scale == 1.0
    assert loaded.load.locustfile == path
    assert (loaded.name, loaded.title, loaded.question) == ("smoke", "smoke", "")
    assert loaded.target.app is None


def test_without_flags_a_scenario_is_as_it_is_written() -> None:
    (variant,) = NOTHING.load("smoke")
    loaded = variant.scenario

    assert loaded.target.app == "crm"
    assert loaded.load.think_scale == 0.02
