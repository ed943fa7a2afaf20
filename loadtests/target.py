"""The target: the reference CRM, started and stopped, or a system at a URL."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtests.processes import Child, python, tied
from scenarios.errors import TargetError, TrueloadError
from scenarios.model import Scenario

_READY_S = 20.0
_CONNECT_S = 3.0
_STOP_GRACE_S = 2.0
_OK = 200
_SPARE_CONNECTIONS = 64


@dataclass(slots=True, kw_only=True)
class Target:
    """A target that is ready for load.

    Attributes
    ----------
    base_url : str
        Where load goes.
    child : Child or None
        The server that was started; None for a URL.
    facts : dict
        What the manifest says of it.
    dataset : dict
        Numbers of customers and products, for the personas.
    """

    base_url: str
    child: Child | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    _held: socket.socket | None = None
    _database: Path | None = None

    def lost(self) -> bool:
        """Whether a server that was started has ended."""
        return self.child is not None and self.child.exit_code() is not None

    def stop(self) -> None:
        """Stop what was started; leaves no process and no working copy behind."""
        if self.child is not None:
            self.child.stop(_STOP_GRACE_S)
        if self._held is not None:
            self._held.close()
        if self._database is not None:
            for path in self._database.parent.glob(f"{self._database.name}*"):
                path.unlink(missing_ok=True)


def seed_dataset(scenario: Scenario) -> dict[str, Any]:
    """Find or make the dataset that a scenario asks for.

    Parameters
    ----------
    scenario : Scenario
        Its target's customers and seed are taken.

    Returns
    -------
    dict
        ``dir``, ``database``, ``remark`` and ``manifest``.

    Raises
    ------
    TrueloadError
        When seeding fails.
    """
    target = scenario.target
    command = python("-m", "target_app", "seed", "--json")
    command += ["--customers", str(target.customers), "--seed", str(target.seed)]
    done = _run(command, "the dataset cannot be made")
    found: dict[str, Any] = json.loads(done)
    return found


def start_crm(
    scenario: Scenario, dataset: dict[str, Any], folder: Path, cores: frozenset[int] | None
) -> Target:
    """Start the reference CRM on a free loopback port, on a fresh copy of a dataset.

    Parameters
    ----------
    scenario : Scenario
        Its target settings are taken.
    dataset : dict
        As :func:`seed_dataset` gives it.
    folder : Path
        The run folder: log and working copy lie there.
    cores : frozenset of int or None
        The cores that the server may use.

    Returns
    -------
    Target
        Ready.

    Raises
    ------
    TargetError
        When it does not become ready.
    """
    database = folder / "crm.sqlite"
    command = python("-m", "target_app", "reset", "--data", dataset["dir"], "--to", str(database))
    _run(command, "the dataset cannot be copied")
    held = _hold_port()
    port = held.getsockname()[1]
    instance = secrets.token_hex(8)
    highest = max(stage.users for stage in scenario.load.stages)
    settings = {
        "--database": str(database),
        "--port": port,
        "--workers": scenario.target.workers,
        "--threads": scenario.target.threads,
        "--connections": 2 * highest + _SPARE_CONNECTIONS,
    }
    words = [str(word) for pair in settings.items() for word in pair]
    child = Child(
        python("-m", "target_app", "serve", *words),
        log=folder / "target.log",
        cores=cores,
        environment={"CRM_INSTANCE": instance},
    )
    target = Target(
        base_url=f"http://127.0.0.1:{port}",
        child=child,
        dataset=dict(dataset["manifest"]["rows"]),
        _held=held,
        _database=database,
    )
    try:
        _await_ready(target, instance, folder / "target.log")
        target.facts = _crm_facts(target, scenario, port, dataset)
    except BaseException:
        target.stop()
        raise
    return target


def _run(command: list[str], what: str) -> str:
    done = subprocess.run(tied(command), capture_output=True, text=True, check=False)
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
    """Wait until the health page answers, and proves that it is the server we started.

    Raises
    ------
    TargetError
        When the server ends, or takes too long.
    """
    port = urlsplit(target.base_url).port or 0
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if target.lost():
            raise TargetError(f"the CRM ended while it started; its log: {_tail(log)}")
        try:
            if _get(port, "/healthz").get("instance") == instance:
                return
        except (OSError, ValueError, http.client.HTTPException):
            time.sleep(0.03)
    raise TargetError(f"the CRM was not ready after {_READY_S:g} s; its log: {_tail(log)}")


def _get(port: int, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CONNECT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = json.loads(response.read())
    finally:
        connection.close()
    if response.status != _OK or not isinstance(body, dict):
        raise ValueError(f"{path} answered {response.status}")
    return body


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-5:]
    return " | ".join(lines) or "(empty)"


def _crm_facts(
    target: Target, scenario: Scenario, port: int, dataset: dict[str, Any]
) -> dict[str, Any]:
    version = _get(port, "/version")
    return {
        "app": "crm",
        "url": target.base_url,
        "server": f"granian {version['packages']['granian']}",
        "workers": scenario.target.workers,
        "threads": scenario.target.threads,
        "database": "sqlite",
        "customers": scenario.target.customers,
        "seed": scenario.target.seed,
        "rows": dataset["manifest"]["rows"],
        "dataset_hash": version["dataset_hash"],
        "commit": version["commit"],
        "options": version["options"],
    }


def reach_url(scenario: Scenario) -> Target:
    """Take a system that is already running.

    It is ready when it accepts a connection: refusal is a mistake of the
    configuration, silence afterwards is the target's.

    Parameters
    ----------
    scenario : Scenario
        With a URL.

    Returns
    -------
    Target
        Without a child.

    Raises
    ------
    TargetError
        When nobody listens there.
    """
    url = scenario.target.url or ""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except TimeoutError:
        pass  # silence is load and failed, not a mistake
    except OSError as error:
        raise TargetError(
            f"target.url {url}: nobody answers at {host}:{port} ({error.strerror or error}); "
            "allowed: a system that accepts connections",
            hint="start it first, or leave --url away to load the reference CRM",
        ) from error
    return Target(
        base_url=url,
        facts={"app": None, "url": url, "customers": scenario.target.customers},
        dataset={"customers": scenario.target.customers, "products": 500},
    )
