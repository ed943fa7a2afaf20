"""Anybody's clients: what is sent beside what the locustfile asks for, to whom, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from locust import FastHttpUser, HttpUser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent
from locust.env import Environment
from locust.exception import StopUser

from analysis.recording.format import Outcome
from loadtests.generator.clock import Alarm
from loadtests.generator.hooks import Hooks
from tests.support.scripted_server import HELLO, Peer, ScriptedServer, answers
from tests.support.sending import Notebook, sending_to
from tests.support.talk import with_body

CLIENTS = pytest.mark.parametrize("kind", [HttpUser, FastHttpUser])
SECRET = {"X-Key": "secret"}


class ForeignNotebook(Notebook):
    """Keeps what is told of requests of the engine's own clients."""

    def answered(self, sent: Any) -> None:
        self.finished(sent, Outcome.OK)

    def cancelled(self, sent: Any) -> None:
        self.finished(sent, Outcome.CANCELLED)

    def broke(self, _: Any, error: BaseException) -> None:
        raise error


Start = Callable[..., SimpleNamespace]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make a client of the engine's, wrapped, for a target; the engine is as it was afterwards."""
    for kind, names in (
        (HttpSession, ("request", "send", "get_redirect_target")),
        (FastHttpSession, ("request",)),
        (LocustUserAgent, ("_urlopen",)),
    ):
        for name in names:
            monkeypatch.setattr(kind, name, getattr(kind, name))

    made: list[Any] = []

    def make(kind: Any, url: str, headers: dict[str, str] | None = None) -> SimpleNamespace:
        warnings: list[str] = []
        notebook = ForeignNotebook()
        sending, _ = sending_to(url, recorder=notebook, headers=headers, warnings=warnings)
        hooks = Hooks(sending, Alarm())
        hooks._wrap_client(HttpSession)
        hooks._wrap_client(FastHttpSession)
        hooks._hops.install()
        visitor: Any = type("Visitor", (kind,), {"host": url})(Environment())
        made.append(visitor.client)
        return SimpleNamespace(
            client=visitor.client, sending=sending, notebook=notebook, warnings=warnings
        )

    yield make
    for client in made:
        if isinstance(client, HttpSession):
            client.close()
        else:
            client.client.clientpool.close()


def ids_in(request: bytes) -> list[bytes]:
    lines = request.split(b"\r\n")
    return [line for line in lines if line.lower().startswith(b"x-request-id:")]


@CLIENTS
def test_the_request_id_is_the_runs_whatever_the_locustfile_sends(kind: Any, start: Start) -> None:
    with ScriptedServer(answers(HELLO)) as server:
        run = start(kind, server.url)
        for name in ("X-Request-Id", "x-request-id"):
            run.client.get("/", headers={name: "mine", "X-Colour": "red"})
        session = run.client if kind is HttpUser else run.client.client
        lasting = session.headers if kind is HttpUser else session.default_headers
        lasting["X-Request-Id"] = "mine"
        run.client.get("/")
    assert [ids_in(request) for request in server.requests] == [
        [b"X-Request-Id: run-0-1"],
        [b"X-Request-Id: run-0-2"],
        [b"X-Request-Id: run-0-3"],
    ]
    assert b"X-Colour: red" in server.requests[0]
    assert set(run.warnings) == {
        "the header X-Request-Id is the run's: that of the locustfile is not sent"
    }


@CLIENTS
def test_the_runs_headers_are_for_the_target_alone(kind: Any, start: Start) -> None:
    with ScriptedServer(answers(HELLO)) as target, ScriptedServer(answers(HELLO)) as other:
        run = start(kind, target.url, SECRET)
        run.client.get("/go?to=http://127.0.0.1/")
        run.client.get(f"{target.url}/there")
        run.client.get(f"{other.url}/there", headers={"X-Colour": "red"})
    assert [b"X-Key: secret" in request for request in target.requests] == [True, True]
    assert b"secret" not in other.requests[0]
    assert b"X-Colour: red" in other.requests[0]
    assert ids_in(other.requests[0]) == [b"X-Request-Id: run-0-3"]


@CLIENTS
def test_a_redirect_takes_the_runs_headers_to_no_other_server(kind: Any, start: Start) -> None:
    with ScriptedServer(answers(HELLO)) as other:
        to = f"Location: {other.url}/there".encode()
        with ScriptedServer(answers(with_body(b"", to, status=b"302 There"))) as target:
            run = start(kind, target.url, SECRET)
            assert run.client.get("/").status_code == 200
    assert b"X-Key: secret" in target.requests[0]
    assert b"secret" not in other.requests[0]


@CLIENTS
def test_a_redirect_is_not_followed_once_the_load_has_ended(kind: Any, start: Start) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        run.sending.closing = True
        peer.say(with_body(b"", b"Location: /b", status=b"302 There"))
        peer.request()

    with ScriptedServer(script) as server:
        run = start(kind, server.url)
        with pytest.raises(StopUser):
            run.client.get("/a")
        assert len(server.requests) == 1
        assert [each.outcome for each in run.notebook.all] == [Outcome.CANCELLED]


@CLIENTS
def test_an_answer_of_which_nothing_follows_counts_after_the_load_has_ended(
    kind: Any, start: Start
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        run.sending.closing = True
        peer.say(with_body(b"", b"Location: /b", status=b"302 There"))

    with ScriptedServer(script) as server:
        run = start(kind, server.url)
        assert run.client.get("/a", allow_redirects=False).status_code == 302
        assert [each.outcome for each in run.notebook.all] == [Outcome.OK]
