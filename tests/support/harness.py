"""Runs the real ``trueload`` as a user would, and looks at what it leaves behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from loadtests import cli

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
_MARK = "TRUELOAD_TEST_MARK"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Harness:
    """Starts ``trueload`` in a folder of its own and knows every process that came of it."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.environment = {
            **os.environ,
            _MARK: self.mark,
            "XDG_CACHE_HOME": str(cache),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        self.environment.pop("LOCUST_SKIP_MONKEY_PATCH", None)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "loadtests.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, timeout_s: float = 120) -> Done:
        """Run a command to its end."""
        process = self.start(*arguments)
        return finish(process, timeout_s)

    def here(self, *arguments: str) -> Done:
        """Run a command within this process: seconds cheaper, for one that starts nothing."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", ["trueload", *arguments]),
        ):
            try:
                cli.main()
            except SystemExit as ended:
                return Done(code=int(str(ended.code)), out=out.getvalue(), err=err.getvalue())
        raise AssertionError("a command ends by leaving")

    def processes(self) -> list[psutil.Process]:
        """Every living process that descends from a command, zombies aside."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            # PostgreSQL's processes write their titles over their environment
            if Path(process.cwd().removesuffix(" (deleted)")).is_relative_to(self.folder / "runs"):
                return True
            return process.environ().get(_MARK) == self.mark
        return False

    def databases(self) -> list[psutil.Process]:
        """The processes of PostgreSQL among them."""
        return [each for each in self.processes() if each.name() == "postgres"]

    def role(self, word: str) -> psutil.Process:
        """The one process whose command line has a word."""
        (process,) = [each for each in self.processes() if word in " ".join(each.cmdline())]
        return process

    def all_gone_within(self, seconds: float) -> float | None:
        """Seconds until no process is left; None when some are."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if not self.processes():
                return time.monotonic() - began
            time.sleep(0.02)
        return None

    def children_gone_within(self, seconds: float, *, supervisor: int) -> float | None:
        """Seconds until no process but the supervisor is left; None when some are."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if not [each for each in self.processes() if each.pid != supervisor]:
                return time.monotonic() - began
            time.sleep(0.02)
        return None

    def runs(self) -> list[Path]:
        """Run folders, in order of time."""
        return sorted(path for path in (self.folder / "runs").glob("*") if path.is_dir())

    def the_run(self) -> Path:
        """The one run folder there is."""
        (folder,) = self.runs()
        return folder

    def verdict(self, run: Path | None = None) -> dict[str, Any]:
        """verdict.json of a run."""
        text = ((run or self.the_run()) / "verdict.json").read_text()
        document: dict[str, Any] = json.loads(text)
        return document

    def clean(self) -> None:
        """End whatever is left."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()


def finish(process: subprocess.Popen[str], timeout_s: float = 120) -> Done:
    """Wait for a command."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Done(code=process.returncode, out=out, err=err)


def wait_for_load(run_folder: Path, seconds: float, *, patience_s: float = 60) -> None:
    """Wait until a run's timeline has reached a second."""
    deadline = time.monotonic() + patience_s
    path = run_folder / "timeline.jsonl"
    while time.monotonic() < deadline:
        if path.is_file() and len(path.read_text().splitlines()) >= seconds:
            return
        time.sleep(0.05)
    raise AssertionError(f"no load for {seconds} s within {patience_s} s")


def wait_for_event(run_folder: Path, kind: str, *, patience_s: float = 30) -> None:
    """Wait until a run has noted an event of a kind."""
    deadline = time.monotonic() + patience_s
    path = run_folder / "events.jsonl"
    while time.monotonic() < deadline:
        if path.is_file() and f'"kind":"{kind}"' in path.read_text().replace(" ", ""):
            return
        time.sleep(0.02)
    raise AssertionError(f"no event {kind} within {patience_s} s")


def wait_for_run(harness: Harness, *, patience_s: float = 60) -> Path:
    """Wait until a run folder is there."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if harness.runs():
            return harness.the_run()
        time.sleep(0.05)
    raise AssertionError("no run folder came")


def wait_for_process(harness: Harness, word: str, *, patience_s: float = 60) -> None:
    """Wait until a command has started a process whose command line has a word."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        for process in harness.processes():
            with contextlib.suppress(psutil.Error):
                if word in process.cmdline():
                    return
        time.sleep(0.02)
    raise AssertionError(f"no process with {word} came")


@contextlib.contextmanager
def hanging_server(log: Path, answers_s: float) -> Iterator[str]:
    """A server that answers for some seconds after its first request, then hangs; its URL."""
    with troubled_server(log, 0.005, f"hang:{answers_s}:") as url:
        yield url


@contextlib.contextmanager
def troubled_server(log: Path, delay_s: float, *rules: str) -> Iterator[str]:
    """A server that does what a script says, by the time since its first request; its URL."""
    command = [sys.executable, str(SUPPORT / "troubled_server.py"), str(log), str(delay_s), *rules]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()
