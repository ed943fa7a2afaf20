"""Which signals end a run cleanly."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from loadtests.progress import ConsoleProgress
from loadtests.supervisor import Interrupted, Order, Supervisor
from scenarios.loading import parse_scenario


@pytest.fixture(name="supervisor")
def supervisor_(tmp_path: Path) -> Supervisor:
    raw = {"load": {"mix": {"sales_rep": 1}, "stages": [{"users": 1, "hold": "1s"}]}}
    scenario = parse_scenario(raw, name="signals", folder=None)
    order = Order(parent=tmp_path, allow=(), folder=tmp_path)
    return Supervisor(scenario, order, ConsoleProgress(Console(quiet=True)))


@pytest.fixture(autouse=True)
def hangup_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_a_service_manager_and_a_closed_terminal_interrupt(
    supervisor: Supervisor, number: signal.Signals
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    before = signal.getsignal(number)
    with supervisor._signals():
        os.kill(os.getpid(), number)

    assert signal.getsignal(number) is before
    with pytest.raises(Interrupted):
        supervisor._stop_if_interrupted()


def test_under_nohup_a_closed_terminal_changes_nothing(supervisor: Supervisor) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with supervisor._signals():
        os.kill(os.getpid(), signal.SIGHUP)

    supervisor._stop_if_interrupted()
