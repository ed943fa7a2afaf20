"""Generators that cannot begin, or must end at once: a clear message, and nothing is sent."""

from __future__ import annotations

import json
import os
import signal

import pytest

from loadtests import generators
from tests.support.harness import (
    Done,
    Harness,
    finish,
    hanging_server,
    wait_for_event,
    wait_for_load,
    wait_for_run,
)

pytestmark = pytest.mark.slow

USERS = """
from locust import HttpUser, constant, task


class Visitor(HttpUser):
    wait_time = constant(0.05)

    @task
    def index(self):
        self.client.get("/")
"""
ONE_RAISES = f"""
import os
import pathlib

try:
    os.mkdir(pathlib.Path(__file__).parent / "first")
except FileExistsError:
    raise RuntimeError("somebody was here before me")
{USERS}
"""
ONE_HANGS = f"""
import os
import pathlib
import time

try:
    os.mkdir(pathlib.Path(__file__).parent / "first")
except FileExistsError:
    time.sleep(60)
{USERS}
"""
ONE_DIES = f"""
import os
import sys
import pathlib

try:
    os.mkdir(pathlib.Path(__file__).parent / "first")
except FileExistsError:
    sys.stderr.write("no licence for a second one\\n")
    sys.stderr.flush()
    os._exit(3)
{USERS}
"""


def run_with(harness: Harness, url: str, text: str, processes: int) -> Done:
    """Run somebody's locustfile within this process."""
    (harness.folder / "theirs.py").write_text(text)
    words = ["--locustfile", "theirs.py", "--processes", str(processes)]
    return harness.here("run", "smoke", "--url", url, *words)


@pytest.mark.parametrize(
    ("text", "ready_s", "code", "said"),
    [
        pytest.param(ONE_RAISES, 60.0, 2, "somebody was here before me", id="raises"),
        pytest.param(ONE_HANGS, 6.0, 2, "the users were not loaded within 6 s", id="hangs"),
        pytest.param(ONE_DIES, 60.0, 1, "exit code 3", id="dies"),
    ],
)
def test_one_of_several_that_cannot_begin_stops_them_all_before_anything_is_sent(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    ready_s: float,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(generators, "READY_S", ready_s)
    log = harness.folder / "server.log"
    with hanging_server(log, 60) as url:
        done = run_with(harness, url, text, 2)

    assert done.code == code, done
    assert said in done.err
    # the log goes with the folder: its last lines are told
    assert ("no licence for a second one" in done.err) == (text == ONE_DIES)
    assert "Traceback" not in done.err
    assert log.read_text() == ""
    assert harness.runs() == []
    assert harness.processes() == []


def test_one_alone_that_hangs_while_it_loads_is_given_up(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generators, "READY_S", 3.0)
    (harness.folder / "first").mkdir()
    with hanging_server(harness.folder / "server.log", 60) as url:
        done = run_with(harness, url, ONE_HANGS, 1)

    assert done.code == 2, done
    assert "a locustfile must not wait" in done.err
    assert harness.processes() == []


@pytest.mark.parametrize("number", ["0", "65", "two"])
def test_a_number_of_processes_that_cannot_be_is_refused(harness: Harness, number: str) -> None:
    done = harness.here("run", "smoke", "--processes", number)

    assert done.code == 2, done
    assert "--processes" in done.err
    assert harness.runs() == []


def test_a_second_interrupt_ends_everything_at_once(harness: Harness) -> None:
    (harness.folder / "theirs.py").write_text(USERS)
    words = ["--locustfile", "theirs.py", "--processes", "2"]
    with hanging_server(harness.folder / "server.log", 60) as url:
        process = harness.start("run", "smoke", "--url", url, *words)
        run = wait_for_run(harness)
        wait_for_load(run, 2)
        generator = json.loads((run / "manifest.json").read_text())["generators"][1]
        os.kill(generator["pid"], signal.SIGSTOP)  # after the first one it would be waited for
        process.send_signal(signal.SIGINT)
        wait_for_event(run, "interrupted")
        process.send_signal(signal.SIGINT)
        gone = harness.children_gone_within(3, supervisor=process.pid)
        done = finish(process)

    assert gone is not None
    assert done.code == 130, done
    assert (run / "verdict.json").is_file()
