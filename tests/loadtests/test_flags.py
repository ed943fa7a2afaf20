"""What the flags of a run make of its scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests import cli, one_run
from loadtests.options import RunOptions
from loadtests.progress import ConsoleProgress
from loadtests.supervisor import Order
from scenarios.errors import TrueloadError
from scenarios.model import Scenario
from scenarios.variation import Variant

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


def test_each_variant_may_load_the_hosts_that_it_names_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed: list[tuple[str, ...]] = []

    class Refuses:
        """Notes where a run may load, and runs nothing."""

        def __init__(self, _: Scenario, order: Order, __: ConsoleProgress) -> None:
            allowed.append(order.allow)

        def run(self) -> Path:
            raise TrueloadError("this is a test")

    def run_all(variants: list[Variant], run_one: Callable[[Variant], object], **_: object) -> None:
        for variant in variants:
            with pytest.raises(TrueloadError, match="this is a test"):
                run_one(variant)
        raise TrueloadError("all were tried")

    monkeypatch.setattr(one_run, "Supervisor", Refuses)
    monkeypatch.setattr(cli, "run_all", run_all)
    options = replace(NOTHING, allow=("one.example", "another.example"))
    values = {"target.allow": [["one.example"], ["another.example"], []]}

    with pytest.raises(TrueloadError, match="all were tried"):
        cli._run("smoke", options.load("smoke", values), options)

    assert allowed == [("one.example",), ("another.example",), ()]
