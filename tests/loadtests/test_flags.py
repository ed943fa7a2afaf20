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
from scenarios.errors import ScenarioError, TrueloadError, UsageError
from scenarios.loading import builtin_scenarios
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


AT_A_URL = replace(
    NOTHING,
    url="http://127.0.0.1:1",
    locustfile=Path(__file__).parents[1] / "support/zoo_locustfile.py",
)


@pytest.mark.parametrize("name", builtin_scenarios())
def test_every_scenario_without_faults_can_be_pointed_at_a_url(name: str) -> None:
    """What sets up the CRM is the file's, and gone beside the flag."""
    loaded = replace(AT_A_URL, settings=("faults=[]",)).load(name)[0].scenario

    assert loaded.target.url == AT_A_URL.url
    target = loaded.raw["target"]
    assert isinstance(target, dict)
    assert set(target) <= {"url", "seed"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(AT_A_URL, settings=("target.workers=2",)), "target.workers: found workers beside"),
        (replace(AT_A_URL, database="sqlite"), "--database: target.database: found database"),
        (replace(NOTHING, url="ftp://x"), "--url: target.url: found 'ftp://x'"),
        (
            replace(NOTHING, database="postgres", settings=('target.database="sqlite"',)),
            "--set: target.database: found --database beside it",
        ),
    ],
)
def test_a_mistake_of_a_flag_is_told_under_it_and_is_not_looked_for_in_the_file(
    asked: RunOptions, said: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        asked.load("smoke")

    assert said in caught.value.message
    assert caught.value.hint == "smoke by itself is valid: mend what the command line sets"


@pytest.mark.parametrize(
    ("vary", "asked", "said"),
    [
        ((), AT_A_URL, "nothing left to vary: the command line sets or replaces target.customers"),
        (("target.customers=100,200",), AT_A_URL, "--url beside it"),
        (("target.database='sqlite'",), replace(NOTHING, database="sqlite"), "--database beside"),
        (("load.seed=1,2",), replace(NOTHING, settings=("load.seed=3",)), "--set beside it"),
    ],
)
def test_what_is_varied_and_set_as_well_is_refused(
    vary: tuple[str, ...], asked: RunOptions, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        cli._varied("data_growth", vary, asked)


def test_what_the_command_line_takes_from_the_table_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    variants = AT_A_URL.load("data_growth")
    cli._tell_what_is_not_varied("data_growth", variants)

    assert len(variants) == 1
    assert "not varied: target.customers" in capsys.readouterr().err
