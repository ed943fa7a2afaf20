"""Asking a target what it has stored: a small server stands for one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from analysis.recording.audit import read_audit
from analysis.recording.format import Outcome
from loadtests.goodput import audit
from loadtests.target import Target
from scenarios.loading import parse_scenario
from scenarios.model import Scenario
from tests.analysis.synthetic import RunBuilder, scenario_of

Reply = tuple[int, Any]


@dataclass
class Asked:
    """What came to the server."""

    ids: list[list[str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)


@contextmanager
def serving(reply: Callable[[str, Any], Reply | None]) -> Iterator[tuple[str, Asked]]:
    """A server that replies as it is told; None: it closes the connection."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "0")
            asked.headers.append(dict(self.headers))
            asked.connections.add(self.client_address)
            if body:
                asked.ids.append(body["request_ids"])
            found = reply(self.command, body)
            self.close_connection = found is None
            if found is not None:
                text = found[1] if isinstance(found[1], bytes) else json.dumps(found[1]).encode()
                self.send_response(found[0])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        do_GET = do_POST = _serve  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def right(method: str, body: Any) -> Reply:
    """Everything is stored once, and nothing is broken."""
    if method == "POST":
        return 200, {"found": dict.fromkeys(body["request_ids"], 1)}
    broken = {"name": "b", "violations": 2, "examples": [1, 2]}
    return 200, {"holds": False, "rows": {}, "invariants": [broken, {**broken, "violations": 0}]}


ACCOUNTS = (
    {"role": "sales", "token": "s"},
    {"role": "manager", "token": "m"},
    {"role": "admin", "token": "read", "note": "may read only"},
    {"role": "admin", "token": "a"},
)


def accounts(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "accounts.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in ({"format": 1}, *lines)) + "\n")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 12 reads and writes: ids 1a2b3c-0-1 ... 1a2b3c-0-11."""
    document = scenario_of([(1, 10.0)])
    build = RunBuilder(tmp_path / "run", document)
    for n in range(11):
        build.add(0.1 * n, 0.05, name="POST /api/v1/orders")
    build.add(2.0, 0.1, name="GET /api/v1/orders")
    build.add(3.0, None, sent_s=-1e-6, seen_s=3.0, name="POST /x", outcome=Outcome.MISSED)
    folder = build.finish(ended_s=10.0)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "id": "1a2b3c"}))
    return folder


def scenario(**target: Any) -> Scenario:
    document = scenario_of([(1, 10.0)])
    document["target"] |= target
    return parse_scenario(document, name="synthetic", folder=None)


def asked_of(run: Path, url: str, **more: Any) -> dict[str, Any]:
    system = Target(base_url=url, accounts=accounts(run.parent, *ACCOUNTS))
    document = audit(run, system, scenario(), **more)
    assert document is not None
    assert read_audit(run).as_dict() == document == json.loads((run / "goodput.json").read_text())
    return document


@pytest.mark.costly
def test_each_write_that_was_sent_is_asked_for_once_in_parts(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.goodput.IDS_AT_ONCE", 4)
    with serving(right) as (url, asked):
        document = asked_of(run, url)

    assert [len(part) for part in asked.ids] == [4, 4, 3]
    assert sorted(chain.from_iterable(asked.ids)) == sorted(f"1a2b3c-0-{n}" for n in range(1, 12))
    assert len(asked.connections) == 1
    assert document["assessed"] is True
    assert read_audit(run).found.column("found").to_pylist() == [1] * 11
    assert document["invariants"] == {
        "checked": 2,
        "broken": [{"name": "b", "violations": 2, "examples": [1, 2]}],
        "why": None,
    }


def test_the_admin_asks_with_what_the_scenario_sends_and_without_its_authorization(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "k")
    headers = {name: {"env": "KEY"} for name in ("authorization", "X-Stage")}
    with serving(right) as (url, asked):
        system = Target(base_url=f"{url}/", accounts=accounts(run.parent, *ACCOUNTS))
        audit(run, system, scenario(headers=headers))

    sent = {name.lower(): value for name, value in asked.headers[0].items()}
    assert sent["authorization"] == "Bearer a"
    assert sent["x-stage"] == "k"
    written = (run / "goodput.json").read_text()
    assert "Bearer" not in written


@pytest.mark.costly
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((401, {}), "account"),
        ((403, {}), "account"),
        ((404, {}), "test mode"),
        ((500, {}), "500"),
        ((200, []), "something else"),
        ((200, b"<html>"), "something else"),
        ((200, {"found": {}}), "something else"),
        (None, "no connections"),
    ],
)
def test_whatever_is_wrong_is_told(run: Path, reply: Reply | None, why: str) -> None:
    with serving(lambda *_: reply) as (url, _):
        document = asked_of(run, url)

    assert document["assessed"] is False
    assert why in document["why"]
    assert document["invariants"]["why"] == document["why"]


@pytest.mark.costly
def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_said(run: Path) -> None:
    over = threading.Event()
    with serving(lambda *_: (over.wait(20), None)[1]) as (url, _):
        began = time.monotonic()
        document = asked_of(run, url, patience_s=0.3)
        took_s = time.monotonic() - began
        over.set()

    assert took_s < 5  # it would be 20
    assert "in time" in document["why"]


@pytest.mark.costly
def test_what_was_answered_before_the_target_fell_silent_is_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.goodput.IDS_AT_ONCE", 4)
    counted = iter(range(9))
    with serving(lambda m, b: right(m, b) if next(counted) < 2 else (500, {})) as (url, _):
        document = asked_of(run, url)

    assert document["assessed"] is False
    assert read_audit(run).found.num_rows == 8


@pytest.mark.costly
def test_a_busy_target_is_asked_again(run: Path) -> None:
    counted = iter(range(9))
    with serving(lambda m, b: (503, {}) if next(counted) < 2 else right(m, b)) as (url, _):
        assert asked_of(run, url)["assessed"] is True


@pytest.mark.costly
def test_a_connection_that_breaks_is_replaced(run: Path) -> None:
    counted = iter(range(9))
    with serving(lambda m, b: None if next(counted) < 1 else right(m, b)) as (url, asked):
        assert asked_of(run, url)["assessed"] is True

    assert len(asked.connections) == 2


class Coming(Target):
    """A target that was started again, and serves after so many looks."""

    looks = 5

    def is_coming(self) -> bool:
        type(self).looks -= 1
        return self.looks > 0


@pytest.mark.costly
def test_a_server_that_is_coming_back_is_waited_for(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.goodput._PAUSE_S", 0.01)
    monkeypatch.setattr(Coming, "looks", 5)
    counted = iter(range(99))
    # the fifth look says that it serves; two more connections may still break
    with serving(lambda m, b: None if next(counted) < 6 else right(m, b)) as (url, _):
        system = Coming(base_url=url, accounts=accounts(run.parent, *ACCOUNTS))
        document = audit(run, system, scenario())

    assert document is not None
    assert document["assessed"] is True, document


@pytest.mark.costly
def test_ctrl_c_leaves_a_silent_target_little_time_and_a_second_one_none(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.goodput.HURRIED_S", 0.3)
    over, asked = threading.Event(), threading.Event()

    def silent(*_: object) -> None:
        asked.set()
        over.wait(20)

    with serving(silent) as (url, _):
        whys, took_s = [], []
        for presses in (1, 2):
            asked.clear()
            began = time.monotonic()
            # pressed when the question was asked, not before
            pressed = asked_of(run, url, interrupts=lambda p=presses: p * asked.is_set())
            whys.append(pressed["why"])
            took_s.append(time.monotonic() - began)
        over.set()

    assert max(took_s) < 10  # it would be 20
    assert "in time" in whys[0]
    assert took_s[0] >= 0.3
    assert "interrupted" in whys[1]


def test_invariants_that_are_not_told_leave_the_writes_as_they_are(run: Path) -> None:
    with serving(lambda m, b: right(m, b) if m == "POST" else (500, {})) as (url, _):
        document = asked_of(run, url)

    assert document["assessed"] is True
    assert "500" in document["invariants"]["why"]


class Lost(Target):
    """A target that has ended."""

    def lost(self) -> bool:
        return True


def test_nobody_is_asked_who_is_no_crm_or_has_ended(run: Path, tmp_path: Path) -> None:
    path = accounts(tmp_path, *ACCOUNTS)
    with serving(right) as (url, asked):
        told = [
            audit(run, system, scenario())
            for system in (
                Target(base_url=url),
                Lost(base_url=url, accounts=path),
                Target(base_url=url, accounts=accounts(run, ACCOUNTS[0])),
                Target(base_url=url, accounts=tmp_path / "missing.jsonl"),
            )
        ]

    whys = [document["why"] for document in told if document is not None]
    assert len(whys) == 4
    for why, word in zip(whys, ("no accounts", "ended", "none of", "cannot be read"), strict=True):
        assert word in why
    assert asked.headers == []


def test_records_that_cannot_be_read_are_told_of(run: Path) -> None:
    (run / "samples" / "names.jsonl").write_text("{\n{\n")
    with serving(right) as (url, _):
        document = asked_of(run, url)

    assert "cannot be read" in document["why"]


def test_a_folder_that_takes_nothing_is_no_error(run: Path) -> None:
    (run / "goodput.parquet.part").mkdir()
    with serving(right) as (url, _):
        system = Target(base_url=url, accounts=accounts(run.parent, *ACCOUNTS))
        assert audit(run, system, scenario()) is None
