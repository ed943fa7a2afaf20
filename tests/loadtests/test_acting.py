"""Who acts on a run, by what its scenario asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.acting import acting, acts
from loadtests.crm import CrmTarget
from loadtests.processes import Child
from loadtests.target import Target
from scenarios.loading import parse_scenario
from scenarios.model import Scenario

ASKED = {
    "faults": [
        {"kind": "kill", "at": "9s", "lasts": "1s"},
        {"kind": "kill", "process": "worker", "at": "4s"},
    ],
    "stop": {"when": "error_ratio > 50% for 10s"},
}


def scenario(**asked: object) -> Scenario:
    load = {"stages": [{"users": 5, "hold": "20s"}]}
    document = {"load": load, "budgets": {"all": ["p(95) < 1s"]}, **asked}
    return parse_scenario(document, name="test", folder=None)


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmTarget]:
    """A CRM that was never started."""
    child = object.__new__(Child)
    with socket.socket() as held:
        yield CrmTarget(
            base_url="http://127.0.0.1:1",
            child=child,
            folder=tmp_path,
            held=held,
            launch=lambda _instance: child,
        )


def names(asked: Scenario, target: Target, folder: Path) -> list[str]:
    return [type(watcher).__name__ for watcher in acting(asked, target, folder, 1)]


def test_a_crm_is_looked_at_closer_and_faults_come_first(tmp_path: Path, crm: CrmTarget) -> None:
    load = {"mix": {"sales_rep": 1}, "stages": [{"users": 5, "hold": "20s"}], "extend": "9s"}
    everything = scenario(**ASKED, load=load)

    assert names(everything, crm, tmp_path) == [
        "Faults",
        "Workers",
        "Gauges",
        "StopsLoad",
        "Extension",
    ]


def test_somebody_elses_system_is_asked_for_no_gauges(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").touch()
    load = {"locustfile": str(tmp_path / "theirs.py"), "stages": [{"users": 5, "hold": "20s"}]}
    theirs = scenario(load=load, target={"url": "http://127.0.0.1:1"})

    assert names(theirs, Target(base_url="http://127.0.0.1:1"), tmp_path) == []


def test_what_a_scenario_will_do_is_said_in_the_order_of_time() -> None:
    load = {"mix": {"sales_rep": 1}, "stages": [{"users": 5, "hold": "20s"}], "extend": "9s"}

    assert acts(scenario(**ASKED, load=load)) == [
        "fault: kill the worker at 4 s",
        "fault: kill the server at 9 s, for 1 s",
        "the load ends early when error_ratio > 50% for 10s",
        "5 users: held on for up to 9 s more while a budget is undecided",
    ]
