"""How a run ends that is interrupted, or cannot be written down."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from loadtests import cli, crm
from loadtests.folder import RunFolder
from loadtests.progress import ConsoleProgress
from loadtests.supervisor import Interrupted, Order, Supervisor
from scenarios.errors import TrueloadError, UsageError
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


@pytest.mark.parametrize("began", [False, True])
def test_a_full_disk_is_told_with_its_place_and_a_run_that_never_began_leaves_nothing(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, began: bool
) -> None:
    def load(folder: RunFolder, _dataset: object) -> None:
        supervisor._origin_ns = int(began)
        assert folder.path.is_dir()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(crm, "find_dataset", lambda _scenario: None)
    monkeypatch.setattr(supervisor, "_load", load)
    with pytest.raises(TrueloadError, match="No space left on device") as raised:
        supervisor.run()

    folders = list(tmp_path.iterdir())
    assert len(folders) == began
    place = folders[0] if began else tmp_path
    assert raised.value.message.startswith(f"{place}: ")
    assert (f"trueload check {place}" in (raised.value.hint or "")) == began
    assert "make room" in (raised.value.hint or "")


def test_a_place_that_is_no_folder_is_refused_before_anything_is_seeded(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seed(_scenario: object) -> None:
        raise AssertionError("seeded")

    (tmp_path / "file").write_text("")
    monkeypatch.setattr(crm, "find_dataset", seed)
    supervisor._order = Order(parent=tmp_path / "file" / "runs", allow=(), folder=tmp_path)
    with pytest.raises(UsageError, match=r"--out .*file, which is not a folder"):
        supervisor.run()


def test_ctrl_c_while_a_run_is_judged_says_how_to_judge_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Supervisor, "run", lambda _self: tmp_path)
    monkeypatch.setattr("analysis.finish.finish", interrupted)
    monkeypatch.setattr(sys, "argv", ["trueload", "run", "smoke"])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 130
    assert f"judge it with: trueload check {tmp_path}" in capsys.readouterr().err
