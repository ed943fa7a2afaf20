"""What requests say, and how they and their answers are recorded."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from locust.exception import StopUser

from analysis.recording.format import Outcome
from loadtests.generator.client import Response
from loadtests.generator.client.cookies import CookieJar
from tests.support.scripted_server import HELLO, ScriptedServer, answers, once
from tests.support.talk import Talk, ignore, talk, until, with_body

# what is sent


def test_a_request_is_sent_with_its_id_and_the_headers_of_the_run() -> None:
    with talk(answers(HELLO), headers={"X-Tenant": "a"}) as t:
        response = t.get("/customers?page=2", headers={"Accept": "application/json"})
        text = t.server.requests[0].decode()
    assert response.ok
    assert response.content == b"hello"
    lines = text.split("\r\n")
    assert lines[0] == "GET /customers?page=2 HTTP/1.1"
    assert f"Host: 127.0.0.1:{t.server.port}" in lines
    assert "X-Tenant: a" in lines
    assert "X-Request-Id: run-0-1" in lines
    assert [line for line in lines if line.startswith("Accept:")] == ["Accept: application/json"]
    assert lines[-3].startswith("X-Request-Id")
    assert t.last.endpoint == "/customers"


def test_a_caller_cannot_take_the_request_id() -> None:
    with talk(answers(HELLO)) as t:
        t.get("/", headers={"x-request-id": "mine", "Host": "elsewhere"})
        text = t.server.requests[0].decode()
    assert "mine" not in text
    assert text.count("X-Request-Id: run-0-1") == 1
    assert text.count("Host: ") == 1
    assert "Host: elsewhere" in text


@pytest.mark.parametrize(
    ("options", "kind", "body"),
    [
        ({"json": {"a": [1, "ä"]}}, "application/json", b'{"a":[1,"\\u00e4"]}'),
        ({"data": {"a": "b c", "d": 1}}, "application/x-www-form-urlencoded", b"a=b+c&d=1"),
        ({"data": "ä"}, None, "ä".encode()),
        ({"data": b"\x00\xff"}, None, b"\x00\xff"),
        ({"json": 1, "headers": {"content-type": "text/x"}}, "text/x", b"1"),
        ({}, None, b""),
    ],
)
def test_bodies_are_sent_with_their_type_and_length(
    options: dict[str, Any], kind: str | None, body: bytes
) -> None:
    with talk(answers(HELLO)) as t:
        t.session.post("/", **options)
        head, _, sent = t.server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert [line for line in lines if line.startswith("content-type")] == (
        [f"content-type: {kind}"] if kind else []
    )
    assert f"content-length: {len(body)}" in lines
    assert sent == body
    assert t.last.bytes_out == len(body)


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nEvil: b"}, {"X\r\nEvil": "b"}, {"X": "a\nb"}, {"X y": "b"}, {"": "b"}]
)
def test_a_header_that_would_end_its_line_is_refused_and_nothing_is_sent(
    headers: dict[str, str],
) -> None:
    with talk(answers(HELLO)) as t:
        with pytest.raises(ValueError, match="header"):
            t.get("/", headers=headers)
        assert not t.notebook.all
        assert not t.server.requests


def test_what_no_request_can_hold_is_refused_and_neither_sent_nor_recorded() -> None:
    with talk(answers(HELLO)) as t:
        refused: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/", {"headers": {"X-Name": "Łukasz"}}),
            ("GËT", "/", {"headers": {"X-Name": "Ł"}}),
            ("GET", "http://no..name/", {}),
            ("GET", f"http://{'a' * 64}.test/", {}),
            ("GET", "http://a\0b/", {}),
        ]
        for method, path, options in refused:
            with pytest.raises(ValueError, match=r".+"):
                t.session.request(method, path, **options)
        assert t.notebook.all == []
        assert t.sending.asked == 0
        assert t.server.connections == 0
        assert t.get(headers={"X-Name": "Jürgen"}).ok


def test_a_fault_of_the_clients_own_is_not_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault")

    with talk(answers(with_body(b"", b"Set-Cookie: a=1"))) as t:
        monkeypatch.setattr(CookieJar, "store", broken)
        with pytest.raises(RuntimeError, match="a fault"):
            t.get()
        assert t.ended() == (Outcome.CANCELLED, None, "RuntimeError: a fault")
        assert not t.last.killed


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a b\r\nEvil: x", "/a%20b%0D%0AEvil:%20x"),
        ("/über?q=ü", "/%C3%BCber?q=%C3%BC"),
        ("/a%20b?c=%2F", "/a%20b?c=%2F"),
        ("no/slash", "/no/slash"),
        ("/page#part", "/page"),
    ],
)
def test_a_path_cannot_leave_its_line(path: str, sent: str) -> None:
    with talk(answers(HELLO)) as t:
        t.get(path)
        assert t.server.requests[0].split(b"\r\n")[0].decode() == f"GET {sent} HTTP/1.1"


@pytest.mark.parametrize("path", ["", "?x=1"])
def test_an_empty_path_is_the_root(path: str) -> None:
    with talk(answers(HELLO)) as t:
        t.get(path)
        assert t.server.requests[0].startswith(f"GET /{path} HTTP/1.1\r\n".encode())
    assert t.last.endpoint == "/"


def test_the_path_of_the_base_url_comes_first_and_is_not_in_the_name() -> None:
    with ScriptedServer(answers(HELLO)) as server:
        t = Talk(server, url=f"{server.url}/app/")
        t.get("/x?y=1")
        t.session.close()
    assert server.requests[0].startswith(b"GET /app/x?y=1 ")
    assert t.last.endpoint == "/x"


# what is recorded


def test_a_row_holds_the_times_and_sizes_of_its_request() -> None:
    timing = b'Server-Timing: app;dur=3.2, db;dur=1.1, queries;desc="4"'
    with talk(answers(with_body(b"12345", timing))) as t:
        t.get("/", name="/{id}")
        first = t.last
        t.get("/")
        second = t.last
    assert first.endpoint == "/{id}"
    assert (first.outcome, first.status, first.bytes_in) == (Outcome.OK, 200, 5)
    assert first.timing == (3200, 1100, 4)
    assert first.sent_ns <= first.connected_ns <= first.first_byte_ns <= first.done_ns
    assert second.connected_ns == -1
    assert second.attempt == 0
    assert t.server.connections == 1


def test_before_the_run_requests_are_sent_and_not_recorded() -> None:
    with talk(answers(HELLO)) as t:
        t.sending.recording = False
        assert t.get().ok
        other = Talk(t.server)
        other.sending.recording = False
        assert other.get().ok
        other.session.close()
        ids = [request.partition(b"X-Request-Id: ")[2] for request in t.server.requests]
    assert all(each.startswith(b"run-0-before-") for each in ids)
    assert len(set(ids)) == len(ids) == 2
    assert not t.notebook.all


def test_before_the_run_too_a_request_has_its_time() -> None:
    with talk(ignore) as t:
        t.sending.recording = False
        t.session._unrecorded._timeout_s = 0.01
        assert t.get().error == "no answer within 0.01 s"


def test_when_the_run_closes_nothing_is_sent() -> None:
    with talk(answers(HELLO)) as t:
        t.sending.closing = True
        with pytest.raises(StopUser):
            t.get()
    assert not t.server.requests


# how answers are judged


@pytest.mark.parametrize(
    ("status", "expect", "outcome"),
    [
        (b"200 OK", 200, Outcome.OK),
        (b"404 No", {200, 404}, Outcome.OK),
        (b"429 Slow", [429], Outcome.OK),
        (b"429 Slow", 200, Outcome.RATE_LIMITED),
        (b"404 No", 200, Outcome.HTTP_ERROR),
        (b"500 No", {200, 201}, Outcome.HTTP_ERROR),
        (b"201 Made", 200, Outcome.CHECK_FAILED),
        (b"302 There", 200, Outcome.CHECK_FAILED),
    ],
)
def test_a_status_is_judged_by_what_was_expected(
    status: bytes, expect: Any, outcome: Outcome
) -> None:
    with talk(answers(with_body(b"x", status=status))) as t:
        response = t.get(expect=expect, check=lambda _: None)
    assert t.last.outcome is outcome
    assert t.last.status == response.status == int(status[:3])
    assert response.ok == (outcome is Outcome.OK)
    if not response.ok:
        assert (response.error or "").startswith(f"status {response.status} instead of 20")


def test_a_check_says_what_is_wrong() -> None:
    with talk(answers(HELLO)) as t:
        assert not t.get(check=lambda _: "another name came back").ok
        assert t.ended() == (Outcome.CHECK_FAILED, 200, "another name came back")
        assert t.get(check=lambda _: None).ok


def test_a_check_that_raises_finds_fault_with_the_answer() -> None:
    with talk(answers(HELLO)) as t:
        response = t.get(check=lambda r: r.json()["items"])
    outcome, _, error = t.ended()
    assert outcome is Outcome.CHECK_FAILED
    assert error == response.error
    assert (error or "").startswith("the check raised JSONDecodeError: ")


def test_an_answer_whose_check_nobody_waits_for_is_cancelled() -> None:
    checking = []

    def slow(_: Response) -> None:
        checking.append(True)
        gevent.sleep(10)

    with talk(answers(HELLO)) as t:
        getting = gevent.spawn(t.get, check=slow)
        until(lambda: bool(checking))
        getting.kill()
        assert t.ended() == (Outcome.CANCELLED, 200, None)


def test_what_is_wrong_holds_no_secret() -> None:
    with talk(answers(HELLO)) as t:
        t.get(check=lambda _: "token=abc at http://example.com/x")
    assert t.last.error == "<secret> at <url>"


def test_a_body_that_is_no_utf8_is_text_all_the_same() -> None:
    with talk(answers(with_body(b"\xff\xfe"))) as t:
        assert t.get(check=lambda r: None if r.text == "\ufffd\ufffd" else "no mark").ok


def test_text_is_in_the_charset_that_the_headers_name() -> None:
    latin = with_body(b"\xe4", b"Content-Type: text/plain; charset=ISO-8859-1")
    unknown = with_body("ä".encode(), b"Content-Type: text/plain; charset=none-such")
    with talk(once(latin), once(unknown)) as t:
        assert t.get().text == "ä"
        until(lambda: t.kept._spoiled)
        assert t.get().text == "ä"
