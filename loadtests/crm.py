"""The reference CRM as a target: its dataset, its working copy, its server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from loadtests.databases import Database, database_of
from loadtests.family import children, is_database, lives
from loadtests.processes import Child, python, tied
from loadtests.target import Target, ask
from scenarios.crm_options import as_settings
from scenarios.errors import TargetError, TrueloadError
from scenarios.model import Scenario

ACCOUNTS_LEAST, ACCOUNTS_MOST = 500, 5_000
_SPARE_ACCOUNTS = 1.25
"""Of each role: so that datasets are shared by scenarios; and what the CRM can make."""

_COPY = {"sqlite": "crm.sqlite", "postgres": "crm.postgres"}
_COPIES = ("crm.*", ".crm.*")
_TEMPORARY = "crm.tmp"
_LOG = "target.log"
_READY_S = 60.0
_STOP_GRACE_S = 2.0
_GONE_S = 10.0
_POLL_S = 0.03
_SPARE_CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset that is there.

    Attributes
    ----------
    folder : str
        Where.
    accounts : Path
        Who may sign in, tokens included: only this path is ever written down.
    rows : dict of str to int
        Rows of each table.
    """

    folder: str
    accounts: Path
    rows: dict[str, int]


def find_dataset(scenario: Scenario) -> Dataset:
    """Find or make the dataset that a scenario asks for.

    Parameters
    ----------
    scenario : Scenario
        Its target's customers, seed and database are taken, and its users: each
        gets an account of its own.

    Returns
    -------
    Dataset
        Ready to be copied.
    """
    target, database = scenario.target, database_of(scenario.target)
    # some to spare: who leaves in a request keeps its account until it is answered
    users = round(_SPARE_ACCOUNTS * scenario.peak_users)
    accounts = min(max(ACCOUNTS_LEAST, users), ACCOUNTS_MOST)
    words = ["seed", "--json", "--customers", str(target.customers), "--seed", str(target.seed)]
    words += ["--accounts", str(accounts)]
    environment = {"CRM_SEED_DATABASE": database.url or database.kind}
    found = json.loads(_run(words, environment, "the dataset cannot be made"))
    return Dataset(
        folder=found["dir"], accounts=Path(found["accounts"]), rows=found["manifest"]["rows"]
    )


@dataclass(slots=True, kw_only=True)
class CrmTarget(Target):
    """A CRM that we started.

    Attributes
    ----------
    child : Child
        Its server.
    folder : Path
        The run folder, where the working copy lies.
    held : socket
        Keeps the port, also while no server listens on it.
    launch : callable
        Starts the server as an instance: on the same port, on the same working copy.
    """

    child: Child
    folder: Path
    held: socket.socket
    launch: Callable[[str], Child]
    _started: list[psutil.Process] = field(default_factory=list, init=False)
    _coming: _Coming | None = field(default=None, init=False)

    @property
    def server(self) -> int | None:
        """Process id of the server."""
        return self.child.pid

    def lost(self) -> bool:
        """Whether the server has ended."""
        return self.child.exit_code() is not None

    def is_coming(self) -> bool:
        """Whether a server was started again, and does not serve yet."""
        return self._coming is not None and self._coming.is_alive()

    def workers(self) -> list[int]:
        """Process ids of the server's workers, the oldest first."""
        return [pid for pid in children(self.child.pid) if not is_database(pid)]

    def crash(self) -> None:
        """Kill the server with its workers; a database of our own ends with it, as in a crash."""
        self.child.kill()

    def is_gone(self) -> bool:
        """Whether nothing is left of a server that crashed."""
        return self.lost() and not any(lives(process.pid) for process in self._started)

    def start_again(self) -> None:
        """Start the server again; what it had committed is there. Ask :meth:`is_up` then."""
        instance = secrets.token_hex(8)
        self._started = []
        self.child = self.launch(instance)
        self._coming = _Coming(self, instance)
        self._coming.start()

    def is_up(self) -> bool:
        """Whether a server that was started again serves.

        Returns
        -------
        bool
            Without waiting.

        Raises
        ------
        TargetError
            When it does not come up.
        """
        coming = self._coming
        if coming is None or coming.is_alive():
            return False
        self._coming = None
        if coming.error is not None:
            raise coming.error
        self.note_processes()
        return True

    def note_processes(self) -> None:
        """Note what the server has started: a database of our own ends after it, by itself."""
        with contextlib.suppress(psutil.Error):
            known = {process.pid for process in self._started}
            family = psutil.Process(self.child.pid).children(recursive=True)
            self._started += [process for process in family if process.pid not in known]

    def stop(self) -> None:
        """Stop the server and its database; leaves no process and no working copy behind."""
        self.note_processes()
        self.child.stop(_STOP_GRACE_S)
        _await_end(self._started)
        self.held.close()
        for pattern in _COPIES:
            for path in self.folder.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


class _Coming(threading.Thread):
    """Waits for a server while the run is watched."""

    def __init__(self, target: CrmTarget, instance: str) -> None:
        super().__init__(name="target", daemon=True)
        self._target = target
        self._instance = instance
        self.error: TrueloadError | None = None

    def run(self) -> None:
        """Wait; what went wrong is kept."""
        try:
            _await_ready(self._target, self._instance, self._target.folder / _LOG)
        except TrueloadError as error:
            self.error = error


def _await_end(processes: list[psutil.Process]) -> None:
    """Wait until processes have ended; those that do not are ended."""
    deadline = time.monotonic() + _GONE_S
    while any(map(_lives, processes)):
        if time.monotonic() > deadline:
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            return
        time.sleep(_POLL_S)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def start_crm(
    scenario: Scenario, dataset: Dataset, folder: Path, cores: frozenset[int] | None
) -> Target:
    """Start the reference CRM on a free loopback port, on a fresh copy of a dataset.

    Parameters
    ----------
    scenario : Scenario
        Its target settings are taken.
    dataset : Dataset
        What to copy.
    folder : Path
        The run folder: log and working copy lie there.
    cores : frozenset of int or None
        The cores that the server, and a database of our own, may use.

    Returns
    -------
    Target
        Ready.

    Raises
    ------
    TargetError
        When it does not become ready.
    """
    database = database_of(scenario.target)
    copy = database.url or str(folder / _COPY[database.kind])
    words = ["reset", "--data", dataset.folder]
    _run(words, {"CRM_RESET_TO": copy}, f"the dataset cannot be copied for {folder}")
    held = _hold_port()
    port = held.getsockname()[1]
    # one that is started again keeps its secret, or forms that were open would break by our doing
    secret = os.environ.get("CRM_SECRET_KEY") or secrets.token_hex(32)
    environment = {"CRM_DATABASE": copy, "CRM_SECRET_KEY": secret}
    if database.url is not None:  # what the server would put beside its database
        environment["TMPDIR"] = str(folder / _TEMPORARY)
        (folder / _TEMPORARY).mkdir()

    def launch(instance: str) -> Child:
        return Child(
            python("-m", "target_app", "serve", *_serve_words(scenario, port)),
            log=folder / _LOG,
            cores=cores,
            environment={**environment, "CRM_INSTANCE": instance},
        )

    instance = secrets.token_hex(8)
    target = CrmTarget(
        base_url=f"http://127.0.0.1:{port}",
        child=launch(instance),
        folder=folder,
        held=held,
        launch=launch,
        rows=dataset.rows,
        accounts=dataset.accounts,
    )
    try:
        _await_ready(target, instance, folder / _LOG)
        target.note_processes()
        target.facts = _facts(target.base_url, scenario, database, dataset)
    except BaseException:
        target.stop()
        raise
    return target


def _serve_words(scenario: Scenario, port: int) -> list[str]:
    target = scenario.target
    settings = {
        "--port": port,
        "--workers": target.workers,
        "--threads": target.threads,
        "--connections": 2 * scenario.peak_users + _SPARE_CONNECTIONS,
    }
    words = [str(word) for pair in settings.items() for word in pair]
    for setting in as_settings(target.options):
        words += ["--option", setting]
    for extension in target.extensions:
        words += ["--extension", extension]
    return [*words, "--test-mode"]


def _run(words: list[str], environment: Mapping[str, str], what: str) -> str:
    done = subprocess.run(
        tied(python("-m", "target_app", *words)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise TrueloadError(f"{what}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _hold_port() -> socket.socket:
    """Bind a port without listening: nobody else gets it, and granian may share it."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held


def _await_ready(target: Target, instance: str, log: Path) -> None:
    """Wait until the readiness page answers, and proves that it is the server we started.

    Raises
    ------
    TargetError
        When the server ends, or takes too long.
    """
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if target.lost():
            raise TargetError(f"the CRM ended while it started; its log: {_tail(log)}")
        try:
            if ask(target.base_url, "/readyz").get("instance") == instance:
                return
        except (OSError, ValueError, http.client.HTTPException):
            time.sleep(_POLL_S)
    raise TargetError(f"the CRM was not ready after {_READY_S:g} s; its log: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-5:]
    return " | ".join(lines) or "(empty)"


def _facts(
    base_url: str, scenario: Scenario, database: Database, dataset: Dataset
) -> dict[str, Any]:
    """Gather what the manifest says of the target, most of it from the target itself."""
    version = ask(base_url, "/version")
    return {
        "app": "crm",
        "url": base_url,
        "server": f"granian {version['packages']['granian']}",
        "workers": version["workers"],
        "threads": version["threads"],
        "database": version["database"]["kind"],
        "database_version": version["database"]["version"],
        "database_url": database.masked,
        "customers": scenario.target.customers,
        "seed": scenario.target.seed,
        "rows": dataset.rows,
        "dataset_hash": version["dataset_hash"],
        "commit": version["commit"],
        "options": version["options"],
        "extensions": version["extensions"],
        "test_mode": version["test_mode"],
    }
