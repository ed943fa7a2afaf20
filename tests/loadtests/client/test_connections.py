"""Connections: which are kept, which are opened anew, and to whom."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import gevent
import pytest

from analysis.recording.format import Outcome
from loadtests.generator.client import Session
from loadtests.generator.client.connection import IDLE_NS
from tests.support.scripted_server import HELLO, Peer, ScriptedServer, answers, once
from tests.support.sending import sending_to
from tests.support.talk import TLS, Talk, ignore, talk, until, with_body

# kept connections


def test_a_kept_connection_that_the_server_closed_is_opened_anew_and_counted() -> None:
    with talk(once(HELLO), answers(HELLO)) as t:
        assert t.get().ok
        until(lambda: t.kept._spoiled)
        assert t.get().ok
        assert t.last.attempt == 1
        assert t.last.connected_ns > 0
        assert t.get().ok
        assert t.last.attempt == 0
        assert (t.server.connections, len(t.server.requests)) == (2, 3)


@pytest.mark.costly
def test_a_closed_connection_is_noticed_though_the_loop_had_no_turn() -> None:
    closed = []

    def script(peer: Peer) -> None:
        peer.request()
        peer.say(HELLO)
        peer.sock.shutdown(socket.SHUT_WR)
        closed.append(True)

    with talk(script, answers(HELLO)) as t:
        assert t.get().ok
        while not closed:
            time.sleep(0.001)  # without the loop
        time.sleep(2 * IDLE_NS / 1e9)
        assert t.get().ok
        assert t.last.attempt == 1


def test_a_connection_that_was_reset_before_a_byte_was_sent_is_opened_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reset = Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.say(HELLO)
        peer.reset()
        reset.set()

    monkeypatch.setattr("loadtests.generator.client.connection.IDLE_NS", 10**12)
    with talk(script, answers(HELLO)) as t:
        assert t.get().ok
        assert reset.wait(5)  # without the loop, and nobody looks: only sending tells
        assert t.session.post("/", data="once").ok
        assert t.last.attempt == 1
        assert len(t.server.requests) == 2


def test_a_closed_session_leaves_nothing_in_the_loop() -> None:
    loop = gevent.get_hub().loop
    before = loop.activecnt
    with talk(answers(HELLO)) as t:
        assert t.get().ok
        assert loop.activecnt == before + 2  # the connection's watcher, and the timer of `talk`
        t.session.close()
        assert loop.activecnt == before + 1
        assert t.get().ok


def test_a_connection_that_says_something_unasked_is_not_used_again() -> None:
    answered = Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.say(HELLO)
        answered.wait(5)
        peer.say(HELLO)
        peer.request()

    with talk(script, answers(HELLO)) as t:
        assert t.get().content == b"hello"
        answered.set()
        until(lambda: t.kept._spoiled)
        assert t.get().ok
        assert t.last.attempt == 1


def test_nothing_is_sent_again_once_a_byte_has_left() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.say(HELLO)
        peer.request()  # and closes without an answer

    with talk(script, answers(HELLO)) as t:
        assert t.get().ok
        assert t.session.post("/", data="once").error == "closed: before an answer"
        assert t.last.attempt == 0
        assert len(t.server.requests) == 2


def test_a_connection_that_is_announced_to_close_is_not_kept() -> None:
    with talk(answers(with_body(b"x", b"Connection: close"))) as t:
        assert t.get().ok
        assert t.get().ok
        assert t.last.attempt == 0
        assert t.server.connections == 2


def test_after_head_the_connection_serves_other_requests() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.say(HELLO[:-5] if request.startswith(b"HEAD") else HELLO)

    with talk(script) as t:
        for method in ("HEAD", "GET", "HEAD", "HEAD", "GET"):
            assert t.session.request(method, "/").ok
        assert t.server.connections == 1


def test_a_body_may_end_with_the_connection() -> None:
    with talk(once(b"HTTP/1.1 200 OK\r\n\r\nall", b" of it"), answers(HELLO)) as t:
        assert t.get().content == b"all of it"
        assert t.get().ok
        assert t.last.attempt == 0


def test_announcements_are_passed_over() -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    with talk(answers(hint + hint, HELLO[:20], HELLO[20:])) as t:
        assert t.get().content == b"hello"


def test_two_requests_at_once_have_a_connection_each() -> None:
    together = Barrier(3)

    def script(peer: Peer) -> None:
        request = peer.request()
        together.wait(5)
        peer.say(with_body(request.split()[1]))
        peer.request()

    with talk(script) as t:
        getting = [gevent.spawn(t.get, f"/{number}") for number in range(3)]
        gevent.joinall(getting, timeout=5)
        assert [g.value.content for g in getting] == [b"/0", b"/1", b"/2"]
        assert t.server.connections == 3


def test_a_large_body_goes_out_in_parts() -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.01)
        peer.say(with_body(b"%d" % len(peer.request())))

    with talk(script) as t:
        response = t.session.post("/", data=b"x" * 8_000_000)
    assert response.ok
    assert int(response.content) > 8_000_000


@pytest.mark.parametrize("first", [b"HTTP/1.1 100 Continue\r\n\r\n", HELLO[:30]])
def test_who_says_something_while_it_is_sent_to_gets_the_rest_all_the_same(first: bytes) -> None:
    last = HELLO if first.startswith(b"HTTP/1.1 100") else HELLO[30:]

    def script(peer: Peer) -> None:
        while request := peer.request(first):
            peer.say(b"" if len(request) > 8_000_000 else first, last)

    with talk(script) as t:
        for size in (8_000_000, 1, 8_000_000):
            response = t.session.post("/", data=b"x" * size)
            assert response.content == b"hello"
        assert t.server.connections == 1


@pytest.mark.parametrize("ends", [True, False])
def test_an_answer_that_comes_before_the_whole_body_went_out_counts(ends: bool) -> None:
    answered = Event()

    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.say(with_body(b"", status=b"413 Too Large"))
        if not ends:
            answered.wait(5)

    with talk(script, answers(HELLO)) as t:
        response = t.session.post("/", data=b"x" * 8_000_000)
        answered.set()
        if not ends or response.status:  # a reset may overtake the answer
            assert t.ended()[:2] == (Outcome.HTTP_ERROR, 413)
        else:
            assert response.error == "reset"
        assert t.get().ok
        assert t.server.connections == 2


# TLS and addresses


def test_a_certificate_of_a_known_authority_is_trusted() -> None:
    with ScriptedServer(answers(HELLO), certificate=str(TLS / "server.pem")) as server:
        t = Talk(server, url=f"https://localhost:{server.port}", ca=TLS / "ca.pem")
        assert t.get().content == b"hello"
        assert t.session.post("/", data=b"x" * 300_000).ok
        assert server.connections == 1
        assert t.last.attempt == 0
        t.session.close()


def test_a_kept_tls_connection_that_the_server_closed_is_opened_anew_and_counted() -> None:
    with ScriptedServer(once(HELLO), answers(HELLO), certificate=str(TLS / "server.pem")) as server:
        t = Talk(server, url=f"https://localhost:{server.port}", ca=TLS / "ca.pem")
        assert t.get().ok
        until(lambda: bool(t.kept._look(0)))
        assert t.get().ok
        assert t.last.attempt == 1
        assert len(server.requests) == server.connections == 2
        t.session.close()


@pytest.mark.parametrize(
    ("host", "ca", "error"),
    [
        ("localhost", None, "unable to get local issuer certificate"),
        ("127.0.0.1", TLS / "ca.pem", "IP address mismatch, certificate is not valid for"),
    ],
)
def test_other_certificates_are_not(host: str, ca: Path | None, error: str) -> None:
    with ScriptedServer(answers(HELLO), certificate=str(TLS / "server.pem")) as server:
        t = Talk(server, url=f"https://{host}:{server.port}", ca=ca)
        found = t.get().error or ""
    assert found.startswith(f"tls: certificate verify failed: {error}")
    assert t.last.outcome is Outcome.CONNECTION_ERROR
    assert not server.requests


def test_shaking_hands_has_its_time_too() -> None:
    with ScriptedServer(ignore) as server:
        t = Talk(server, url=f"https://127.0.0.1:{server.port}")
        getting = gevent.spawn(t.get)
        until(lambda: bool(t.notebook.connecting) and server.connections == 1)
        (connecting,) = t.notebook.connecting.values()
        error = TimeoutError("no connection within 5 s")
        gevent.get_hub().loop.run_callback(connecting.greenlet.throw, error)
        assert getting.get(timeout=5).error == "no connection within 5 s"
        assert t.last.outcome is Outcome.TIMEOUT


def test_what_speaks_no_tls_is_an_error_of_the_connection() -> None:
    with ScriptedServer(lambda peer: peer.say(HELLO)) as server:
        t = Talk(server, url=f"https://127.0.0.1:{server.port}")
        assert (t.get().error or "").startswith("tls: ")


def test_ipv6_is_spoken() -> None:
    with ScriptedServer(answers(HELLO), host="::1") as server:
        t = Talk(server)
        assert t.get().ok
        assert f"Host: [::1]:{server.port}".encode() in server.requests[0]
        t.session.close()


def test_a_name_is_tried_at_each_of_its_addresses() -> None:
    with ScriptedServer(answers(HELLO)) as server:  # not at ::1, which may come first
        t = Talk(server, url=f"http://localhost:{server.port}")
        assert t.get().ok
        t.session.close()


def test_a_name_that_is_none_is_an_error_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("gevent.socket.getaddrinfo", lookup)
    sending, notebook = sending_to("http://nowhere.invalid")
    assert Session(sending).get("/").error == "dns: Name or service not known"
    assert notebook.last.outcome is Outcome.CONNECTION_ERROR
