"""The authorities of ``target.ca`` hold for everything that we ask a target ourselves."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.connecting import trusting
from loadtests.gauges import Gauges
from loadtests.goodput import Auditor
from loadtests.patience import Patience
from loadtests.target import Target, ask, reach_url
from scenarios.loading import parse_scenario
from scenarios.model import Scenario
from tests.support.scripted_server import ScriptedServer, answers

TLS = Path(__file__).parents[1] / "support" / "tls"
CA = TLS / "ca.pem"
GAUGES = 'crm_in_flight{pid="41"} 3\n'


def answer(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def server_of(text: str) -> ScriptedServer:
    return ScriptedServer(answers(answer(text)), certificate=str(TLS / "server.pem"))


def url_of(server: ScriptedServer) -> str:
    return f"https://localhost:{server.port}"


def scenario_of(url: str) -> Scenario:
    """Personas against a URL, with our authority."""
    document = {
        "target": {"url": url, "ca": str(CA)},
        "load": {"mix": {"sales_rep": 1}, "stages": [{"users": 1, "hold": "5s"}]},
        "budgets": {"all": ["p(95) < 2s"]},
    }
    return parse_scenario(document, name="signed", folder=None)


def test_authorities_come_beside_those_of_the_system_not_instead_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[ssl.SSLContext] = []
    original = ssl.SSLContext.load_default_certs

    def load(self: ssl.SSLContext, *arguments: Any) -> None:
        loaded.append(self)
        original(self, *arguments)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    context = trusting(CA)

    assert loaded == [context]
    assert context.get_ca_certs()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_target_is_asked_that_only_our_authority_has_signed() -> None:
    with server_of('{"status": "ok"}') as server:
        assert ask(url_of(server), "/version", ca=CA) == {"status": "ok"}
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(url_of(server), "/version")


def test_the_gauges_of_such_a_target_are_read(tmp_path: Path) -> None:
    path, began = tmp_path / "resources.jsonl", time.monotonic()
    with server_of(GAUGES) as server:
        watcher = Gauges(url_of(server), tmp_path, {}, ca=CA, every_s=0.02)
        run: Any = SimpleNamespace(now_s=lambda: time.monotonic() - began)
        watcher.look(run, 0.0)
        while not path.is_file() or not path.read_text().endswith("\n"):
            assert time.monotonic() - began < 10
            time.sleep(0.005)
        watcher.close(run)

    assert json.loads(path.read_text().splitlines()[0])["in_flight"] == 3


def test_its_audit_is_asked(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.jsonl"
    accounts.write_text('{"format": 1}\n{"role": "admin", "token": "a"}\n')
    with server_of(json.dumps({"found": {"1a-0-0": 1}})) as server:
        scenario = scenario_of(url_of(server))
        patience = Patience(10.0, hurried_s=1.0, interrupts=lambda: 0)
        system = Target(base_url=url_of(server), accounts=accounts)
        with contextlib.closing(Auditor(system, scenario, patience)) as auditor:
            assert auditor.found(["1a-0-0"]) == [1]


def test_personas_find_the_rows_of_such_a_target() -> None:
    with server_of(json.dumps({"dataset": {"rows": {"customers": 7}}})) as server:
        assert reach_url(scenario_of(url_of(server))).rows == {"customers": 7}
