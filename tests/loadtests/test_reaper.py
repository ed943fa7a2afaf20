"""Requests that take too long are ended, and users that never start are told of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from loadtests.generator.clock import now_ns
from loadtests.generator.reaper import Reaper
from loadtests.generator.recorder import Recorder, Sent
from loadtests.generator.starts import STUCK_S, Starts

S = 1_000_000_000


@pytest.fixture
def sending(tmp_path: Path) -> Any:
    def failed(error: BaseException) -> None:
        raise error

    recorder = Recorder(tmp_path, 0, 2.0, failed)
    return SimpleNamespace(recorder=recorder, timeout_s=10.0, connect_timeout_s=2.0)


def ask(sending: Any, said: list[str], *, connecting: bool = False) -> Sent:
    """A client that waits for its answer, or for its connection, for ever."""
    recorder: Recorder = sending.recorder
    sent: list[Sent] = []

    def wait() -> None:
        sent.append(recorder.sent(recorder.new_user(None), "GET", "/"))
        if connecting:
            recorder.connecting[sent[0].number] = sent[0]
        try:
            gevent.sleep(60)
        except TimeoutError as error:
            said.append(str(error))
            recorder.broke(sent[0], error)

    gevent.spawn(wait)
    gevent.sleep(0)
    return sent[0]


def test_a_request_is_ended_at_its_timeout_and_a_younger_one_is_not(sending: Any) -> None:
    said: list[str] = []
    old, young = ask(sending, said), ask(sending, said)
    old.sent_ns -= 11 * S
    young.sent_ns -= 9 * S
    Reaper(sending).sweep(now_ns())
    gevent.sleep(0)

    assert said == ["no answer within 10 s"]
    assert list(sending.recorder.in_flight) == [young.number]


def test_a_connection_is_given_up_before_the_request_would_be(sending: Any) -> None:
    said: list[str] = []
    sent = ask(sending, said, connecting=True)
    ask(sending, said)
    reaper, began = Reaper(sending), now_ns()
    reaper.sweep(began)
    reaper.sweep(began + S)
    gevent.sleep(0)
    assert said == []

    reaper.sweep(began + 2 * S)
    gevent.sleep(0)
    assert said == ["no connection within 2 s"]
    assert sent.number not in sending.recorder.connecting


def test_each_connection_of_a_request_has_its_own_time(sending: Any) -> None:
    said: list[str] = []
    sent = ask(sending, said, connecting=True)
    reaper, began = Reaper(sending), now_ns()
    reaper.sweep(began)
    del sending.recorder.connecting[sent.number]  # it is made, and a redirect leads elsewhere
    reaper.sweep(began + S)
    sending.recorder.connecting[sent.number] = sent
    reaper.sweep(began + 2 * S)
    reaper.sweep(began + 3 * S)
    gevent.sleep(0)

    assert said == []


def test_users_that_do_not_come_out_of_their_start_are_named_once() -> None:
    class Slow:
        pass

    class Quick:
        pass

    now, told = 100 * S, []
    long_ago = now - round((STUCK_S + 1) * S)
    starting: Any = {Slow(): long_ago, Slow(): long_ago, Quick(): now - S}
    starts = Starts(starting, lambda code, text: told.append((code, text)))
    starts.look(now)
    starts.look(now + S)

    assert [code for code, _ in told] == ["users_starting"]
    assert "2 users of Slow are in on_start for more than 5 s" in told[0][1]
