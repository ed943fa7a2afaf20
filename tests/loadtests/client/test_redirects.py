"""Redirects: where they lead, and what goes along."""

from __future__ import annotations

from typing import Any

import pytest
from locust.exception import StopUser

from analysis.recording.format import Outcome
from tests.support.scripted_server import HELLO, Peer, ScriptedServer, answers
from tests.support.talk import Talk, talk, with_body


def redirect(location: str, status: int = 302, *headers: bytes) -> bytes:
    to = f"Location: {location}".encode()
    return with_body(b"", to, *headers, status=b"%d Elsewhere" % status)


def routes(**answer: bytes) -> Any:
    """Answer each path with its own text; what is not named with hello."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            path = request.split()[1].decode().lstrip("/").partition("?")[0]
            peer.say(answer.get(path, HELLO))

    return script


def test_a_redirect_is_not_followed_unless_asked_for() -> None:
    with talk(routes(a=redirect("/b"))) as t:
        response = t.get("/a", expect=302)
        assert response.ok
        assert response.headers["Location"] == "/b"
        assert len(t.notebook.all) == 1


def test_each_hop_is_a_request_of_its_own() -> None:
    with talk(routes(a=redirect("b?x=1", 301), b=redirect("/deep/c", 307))) as t:
        response = t.get("/a", name="/start", allow_redirects=True)
        assert response.ok
        assert response.content == b"hello"
        assert response.url == f"{t.server.url}/deep/c"
    rows = [(row.endpoint, row.status, row.outcome) for row in t.notebook.all]
    assert rows == [
        ("/start", 301, Outcome.OK),
        ("/b", 307, Outcome.OK),
        ("/deep/c", 200, Outcome.OK),
    ]
    ids = [request.partition(b"X-Request-Id: ")[2][:7] for request in t.server.requests]
    assert ids == [b"run-0-1", b"run-0-2", b"run-0-3"]
    assert t.sending.asked == 3


def test_the_last_answer_is_what_is_checked() -> None:
    with talk(routes(a=redirect("/b"))) as t:
        assert not t.get("/a", allow_redirects=True, expect=404).ok
        assert [row.outcome for row in t.notebook.all] == [Outcome.OK, Outcome.CHECK_FAILED]
        assert t.get("/a", allow_redirects=True, check=lambda r: r.text[5:] or None).ok


@pytest.mark.parametrize(
    ("status", "method", "after", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (302, "PUT", "PUT", b'{"a":1}'),
        (303, "POST", "GET", b""),
        (303, "HEAD", "HEAD", b""),
        (307, "POST", "POST", b'{"a":1}'),
        (308, "POST", "POST", b'{"a":1}'),
    ],
)
def test_the_method_changes_as_the_standard_says(
    status: int, method: str, after: str, body: bytes
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.say(redirect("/b", status))
        peer.request()
        peer.say(HELLO[:-5] if after == "HEAD" else HELLO)

    with talk(script) as t:
        sent = None if method == "HEAD" else {"a": 1}
        assert t.session.request(method, "/a", json=sent, allow_redirects=True).ok
        head, _, sent_again = t.server.requests[1].partition(b"\r\n\r\n")
    assert head.startswith(f"{after} /b ".encode())
    assert sent_again == body
    assert (b"Content-Type: application/json" in head) == bool(body)


def test_a_redirect_is_not_followed_once_the_load_has_ended() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        t.sending.closing = True
        peer.say(redirect("/b"))
        peer.request()

    with talk(script) as t:
        with pytest.raises(StopUser):
            t.get("/a", allow_redirects=True)
        assert len(t.server.requests) == 1
        assert t.ended() == (Outcome.OK, 302, None)
        assert t.sending.asked == 1


def test_what_goes_in_circles_ends() -> None:
    with talk(routes(a=redirect("/a"))) as t:
        response = t.get("/a", allow_redirects=True)
        assert response.error == "status 302 instead of 200"
        assert len(t.notebook.all) == 11
        assert [row.outcome for row in t.notebook.all][-2:] == [Outcome.OK, Outcome.CHECK_FAILED]


@pytest.mark.parametrize(
    "location", ["http://elsewhere.invalid/b", "//elsewhere.invalid/b", "http://8.8.8.8:1/"]
)
def test_a_redirect_to_another_host_is_not_followed_and_nothing_is_looked_up(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[Any] = []
    monkeypatch.setattr("gevent.socket.getaddrinfo", lambda *a, **_: looked_up.append(a))
    warnings: list[str] = []
    with talk(routes(a=redirect(location)), warnings=warnings) as t:
        response = t.get("/a", allow_redirects=True)
        assert response.error == "status 302 instead of 200"
        assert len(t.notebook.all) == 1
    assert not looked_up
    assert len(warnings) == 1
    assert "was not followed" in warnings[0]


@pytest.mark.parametrize(
    "location", ["", "http://[broken", "javascript:alert(1)", "ftp://x/y", "http://no..name/"]
)
def test_a_redirect_to_what_is_no_address_is_not_followed(location: str) -> None:
    with talk(routes(a=redirect(location))) as t:
        assert not t.get("/a", allow_redirects=True).ok
        assert len(t.notebook.all) == 1


def test_another_server_gets_no_secret_of_the_target() -> None:
    with ScriptedServer(answers(HELLO)) as other:
        away = redirect(f"{other.url}/there", 302, b"Set-Cookie: session=1; Path=/")
        with talk(routes(a=away), headers={"X-Key": "secret"}) as t:
            headers = {"Authorization": "Bearer secret", "X-Colour": "red"}
            response = t.get("/a", headers=headers, allow_redirects=True)
            assert response.ok
            t.session.close()
        there = other.requests[0].decode()
    assert "secret" not in there
    assert "X-Colour: red" in there
    assert "X-Request-Id: run-0-2" in there
    assert f"Host: 127.0.0.1:{other.port}" in there
    assert t.last.endpoint == f"127.0.0.1:{other.port}/there"
    # cookies know hosts, not ports (RFC 6265, 8.5)
    assert "Cookie: session=1" in there


def test_an_absolute_url_on_the_target_is_a_path() -> None:
    with talk(answers(HELLO), headers={"X-Key": "1"}) as t:
        assert t.get(f"{t.server.url}/x?y=1").ok
        assert b"X-Key: 1" in t.server.requests[0]
    assert t.last.endpoint == "/x"


def test_cookies_come_back_to_who_set_them() -> None:
    first = with_body(b"", b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2; Path=/x")
    with talk(routes(login=first)) as t:
        for path in ("/login", "/y", "/x/z"):
            assert t.get(path).ok
        cookies = [
            [line for line in request.split(b"\r\n") if line.startswith(b"Cookie")]
            for request in t.server.requests
        ]
    assert cookies == [[], [b"Cookie: a=1"], [b"Cookie: b=2; a=1"]]


def test_two_sessions_have_each_their_own_cookies() -> None:
    with talk(answers(with_body(b"", b"Set-Cookie: a=1; Path=/"))) as t:
        t.get()
        other = Talk(t.server)
        other.get()
        other.session.close()
        assert b"Cookie" not in t.server.requests[1]
