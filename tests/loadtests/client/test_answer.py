"""Answers as they are parsed, whatever pieces they come in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.generator.client import answer as answers
from loadtests.generator.client.answer import COOKIE, ENCODING, TIMING, Answer
from loadtests.generator.client.failures import ConnectionLost, ProtocolError


@dataclass(frozen=True)
class Case:
    """Bytes, and what they say."""

    text: bytes
    status: int
    body: bytes
    keep: bool = True
    head: bool = False
    to_the_end: bool = False


CASES = {
    "with a length": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
    "without a body": Case(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, b""),
    "not modified": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "to HEAD": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, b"", head=True),
    "to HEAD, chunked": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, b"", head=True
    ),
    "chunked": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
        200,
        b"hello",
    ),
    "after announcements": Case(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        404,
        b"no",
    ),
    "that is the last": Case(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        200,
        b"ok",
        keep=False,
    ),
    "that ends with the connection": Case(
        b"HTTP/1.1 200 OK\r\n\r\nall of it", 200, b"all of it", keep=False, to_the_end=True
    ),
    "of HTTP/1.0": Case(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", keep=False),
    "that is no text": Case(
        b"HTTP/1.1 500 \xff\xfe\r\nX-\x41: \xe4\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        500,
        b"\xff\xfe",
    ),
}

BROKEN = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a second answer": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
    "a second answer after none": b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "more than the last": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok!",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n",
    "large headers": b"HTTP/1.1 200 OK\r\nA: " + b"b" * answers.MAX_HEADER_BYTES + b"\r\n\r\n",
    "a status below 100": b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
}

CUT = {
    "before an answer": b"",
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "after an announcement": b"HTTP/1.1 100 Continue\r\n\r\n",
}


def feed(
    text: bytes, cuts: list[int], *, head: bool = False, answer: Answer | None = None
) -> Answer:
    answer = answer or Answer()
    answer.expect(head)
    edges = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    for begin, end in itertools.pairwise(edges):
        if begin != end:
            answer.feed(memoryview(text)[begin:end])
    return answer


def is_as_said(answer: Answer, case: Case) -> bool:
    if case.to_the_end:
        assert not answer.done
        answer.end()
    said = (answer.done, answer.status, b"".join(answer.chunks), answer.keep)
    return said == (True, case.status, case.body, case.keep)


@settings(max_examples=100)
@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(0, 300), max_size=8))
def test_an_answer_means_the_same_in_whatever_pieces_it_comes(name: str, cuts: list[int]) -> None:
    case = CASES[name]
    assert is_as_said(feed(case.text, cuts, head=case.head), case)


@pytest.mark.parametrize("name", CASES)
def test_an_answer_may_come_byte_by_byte(name: str) -> None:
    case = CASES[name]
    assert is_as_said(feed(case.text, list(range(len(case.text))), head=case.head), case)


@settings(max_examples=30)
@given(st.lists(st.sampled_from([case for case in CASES.values() if case.keep]), max_size=6))
def test_answers_follow_each_other_on_one_parser(cases: list[Case]) -> None:
    answer = Answer()
    for case in cases:
        assert is_as_said(feed(case.text, [7, 40], head=case.head, answer=answer), case)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("cuts", [[], [1, 20], [40, 41, 60]])
def test_what_is_no_single_answer_is_an_error(name: str, cuts: list[int]) -> None:
    if "second" in name or "more than" in name:
        cuts = []  # what comes in a later piece is seen before the next request instead
    with pytest.raises(ProtocolError):
        feed(BROKEN[name], cuts)


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(CASES)), st.integers(0, 300), st.integers(0, 300), st.binary(max_size=30)
)
def test_whatever_comes_is_an_answer_or_an_error(
    name: str, begin: int, end: int, noise: bytes
) -> None:
    text = CASES[name].text
    text = text[: begin % len(text)] + noise + text[end % len(text) :]
    answer = Answer()
    answer.expect(False)
    try:
        answer.feed(memoryview(text))
        if not answer.done:
            answer.end()
    except (ProtocolError, ConnectionLost):
        return
    assert answer.done
    assert 200 <= answer.status <= 999


@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_off_is_lost(name: str) -> None:
    answer = feed(CUT[name], [])
    assert not answer.done
    with pytest.raises(ConnectionLost, match=r"before an answer|in the (headers|body)"):
        answer.end()


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((b"HTTP/1.1 200 OK\r\n", b"A: bbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"), id="headers"),
        pytest.param((b"HTTP/1.1 200 OK\r\nA: ", b"b" * 32), id="one header"),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="announcements"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
            id="trailers",
        ),
    ],
)
def test_what_never_ends_is_ended(endless: tuple[bytes, bytes]) -> None:
    begin, more = endless
    answer = Answer()
    answer.expect(False)
    fed = len(begin)
    with pytest.raises(ProtocolError, match="more than"):  # noqa: PT012 - until it is too much
        answer.feed(memoryview(begin))
        while fed < 2 * answers.MAX_HEADER_BYTES:
            answer.feed(memoryview(more * 100))
            fed += len(more) * 100
    assert fed <= 1.1 * answers.MAX_HEADER_BYTES


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 2**20)
    with pytest.raises(ProtocolError, match="more than 1 MiB"):
        feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2**21, [20_000])


def test_special_headers_are_known_however_they_are_spelt() -> None:
    answer = feed(
        b"HTTP/1.1 200 OK\r\nSET-COOKIE: a=1\r\nset-cookie: b=2\r\nServer-timing: app;dur=1\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        [],
    )
    assert answer.special == [
        (COOKIE, b"a=1"),
        (COOKIE, b"b=2"),
        (TIMING, b"app;dur=1"),
        (ENCODING, b"gzip"),
    ]


@pytest.mark.costly
def test_names_that_a_server_makes_up_do_not_fill_the_memory() -> None:
    for number in range(5_000):
        feed(b"HTTP/1.1 204 x\r\nX-%d: y\r\n\r\n" % number, [])
    assert len(answers._spellings) <= answers._MAX_SPELLINGS
