"""Servers that end, break or delay their answers, and how each is recorded."""

from __future__ import annotations

import errno
import gzip
import resource
import socket
import time
from typing import Any

import gevent
import pytest

from analysis.recording.format import Outcome
from loadtests.generator.client import Session
from loadtests.generator.open_files import allow_many
from tests.support.scripted_server import HELLO, Peer, Script, answers, once
from tests.support.sending import Noted, sending_to
from tests.support.talk import ignore, talk, until, with_body

# how connections end


def test_a_refused_connection_is_an_error_of_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sending, notebook = sending_to(url)
    response = Session(sending).get("/")
    assert (response.status, response.error, response.ok) == (0, "refused", False)
    assert notebook.last.outcome is Outcome.CONNECTION_ERROR
    assert notebook.last.done_ns >= notebook.last.sent_ns
    assert not notebook.connecting


CUTS: dict[str, tuple[Script, str]] = {
    "before an answer": (once(), "closed: before an answer"),
    "in the headers": (once(b"HTTP/1.1 200 OK\r\nCont"), "closed: in the headers"),
    "in the body": (once(HELLO[:-1]), "closed: in the body"),
    "in a chunk": (
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        "closed: in the body",
    ),
    "no HTTP": (once(b"hello\r\n\r\n"), "protocol: Expected HTTP/, RTSP/ or ICE/"),
    "two answers": (answers(HELLO + HELLO), "protocol: more than one answer"),
    "line feeds alone": (
        once(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        "protocol: Missing expected CR after response line",
    ),
    "endless headers": (
        once(b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n" * 20_000] * 3),
        "protocol: headers of more than 64 KiB",
    ),
    "a packed body in too many layers": (
        answers(with_body(b"hello", b"Content-Encoding: gzip, gzip, gzip")),
        "protocol: more than two content encodings",
    ),
    "a packed body cut off": (
        answers(with_body(gzip.compress(b"x" * 999)[:-9], b"Content-Encoding: gzip")),
        "protocol: the packed body is cut off",
    ),
    "a packed body that is none": (
        answers(with_body(b"hello", b"Content-Encoding: gzip")),
        "protocol: gzip: the body is broken",
    ),
    "an encoding unasked for": (
        answers(with_body(b"hello", b"Content-Encoding: br")),
        "protocol: content encoding br was not asked for",
    ),
}


@pytest.mark.parametrize("name", CUTS)
def test_what_is_no_whole_answer_is_an_error_of_the_connection(name: str) -> None:
    script, error = CUTS[name]
    with talk(script, answers(HELLO)) as t:
        response = t.get()
        assert t.ended() == (Outcome.CONNECTION_ERROR, None, error)
        assert response.error == error
        assert len(t.server.requests) == 1  # nothing is sent twice


def test_a_reset_in_the_body_is_an_error_of_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.say(HELLO[:-1])
        time.sleep(0.005)
        peer.reset()

    with talk(script) as t:
        assert t.get().error == "reset"
        assert t.last.outcome is Outcome.CONNECTION_ERROR
        assert t.last.first_byte_ns > 0


def test_a_broken_connection_is_not_used_again() -> None:
    with talk(once(HELLO[:-1]), answers(HELLO)) as t:
        assert not t.get().ok
        assert t.get().ok
        assert t.last.attempt == 0  # a new connection, not a stale one
        assert t.last.connected_ns > 0


# time


def throw_into(noted: Noted, error: BaseException) -> None:
    gevent.get_hub().loop.run_callback(noted.greenlet.throw, error)


def test_a_request_whose_time_is_up_is_a_timeout_and_its_connection_is_closed() -> None:
    with talk(ignore, answers(HELLO)) as t:
        getting = gevent.spawn(t.get)
        until(lambda: bool(t.server.requests))
        throw_into(t.notebook.last, TimeoutError("no answer within 5 s"))
        response = getting.get(timeout=5)
        assert t.ended() == (Outcome.TIMEOUT, None, "no answer within 5 s")
        assert response.error == "no answer within 5 s"
        assert t.get().ok
        assert t.last.attempt == 0
        assert t.server.connections == 2


def test_connecting_has_its_time_too() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):  # the queue of a listener that never accepts
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        sending, notebook = sending_to(f"http://127.0.0.1:{address[1]}")
        getting = gevent.spawn(Session(sending).get, "/")
        until(lambda: bool(notebook.connecting))
        (connecting,) = notebook.connecting.values()
        throw_into(connecting, TimeoutError("no connection within 5 s"))
        assert getting.get(timeout=5).error == "no connection within 5 s"
        assert notebook.last.outcome is Outcome.TIMEOUT
        assert not notebook.connecting
        for sock in waiting:
            sock.close()


def test_a_user_that_is_killed_leaves_its_request_to_the_recorder() -> None:
    with talk(ignore) as t:
        getting = gevent.spawn(t.get)
        until(lambda: bool(t.server.requests))
        getting.kill()
        assert t.last.killed
        assert t.last.outcome is None


def test_a_user_may_have_a_timer_of_its_own() -> None:
    with talk(ignore) as t:
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
            t.get()
        assert t.last.outcome is Outcome.TIMEOUT


def test_what_the_generator_itself_is_short_of_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    warnings: list[str] = []
    events: list[str] = []
    with talk(answers(HELLO), warnings=warnings, events=events) as t:
        monkeypatch.setattr("gevent.socket.socket", none_left)
        for _ in range(2):
            assert t.get().error == "EMFILE: Too many open files"
        assert t.last.outcome is Outcome.CONNECTION_ERROR
        assert events == ["generator_limit"]
        t.sending._limited_ns -= 200_000_000
        t.get()
        assert events == ["generator_limit"] * 2
    assert set(warnings) == {
        "the generator could open no more connections, which is no fault of the target's: "
        "Too many open files"
    }


def test_a_generator_takes_all_the_connections_that_it_may_have() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        allowed = allow_many()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (allowed, before[1])
        assert allowed > 512
        assert allow_many() == allowed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
