"""The client under the engine: its users, its events, the recorder; and what of gevent it uses."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
import httptools
import pytest
from gevent.pool import Group
from locust import FastHttpUser, task
from locust.env import Environment
from locust.exception import CatchResponseError, StopUser

from analysis.recording.format import REPLAYED, Outcome
from analysis.recording.streams import read_samples
from loadtests.generator.client import LoadUser
from loadtests.generator.recorder import Recorder
from loadtests.generator.sending import ENGINES_OWN, KEY
from tests.support.scripted_server import HELLO, ScriptedServer, answers, once
from tests.support.sending import sending_to
from tests.support.talk import talk, until, with_body

THERE = "{name} is gone: the client waits for its connections by it; see connection.py"


def test_what_the_client_uses_of_gevents_privates_is_there() -> None:
    with gevent.socket.socket() as sock:
        raw = getattr(sock, "_sock", None)
        assert raw is not None, THERE.format(name="gevent.socket.socket._sock")
        assert raw.gettimeout() == 0.0, "gevent's raw sockets block now: the loop would stop"
    hub = gevent.get_hub()
    assert callable(getattr(hub, "switch", None)), THERE.format(name="Hub.switch")
    watcher = hub.loop.io(0, 1)
    for name in ("start", "stop", "close"):
        assert callable(getattr(watcher, name, None)), THERE.format(name=f"loop.io().{name}")
    watcher.close()
    poll = gevent.monkey.get_original("select", "poll")
    assert poll.__module__ == "select" or inspect.isbuiltin(poll), "the unpatched poll is gone"


def test_the_parser_tells_what_the_client_listens_to() -> None:
    parser = httptools.HttpResponseParser(object())
    for name in ("feed_data", "get_status_code", "should_keep_alive"):
        assert callable(getattr(parser, name, None)), f"httptools' {name} is gone: see answer.py"


def test_a_load_user_alone_says_how_it_is_run() -> None:
    class Alone(LoadUser):
        @task
        def nothing(self) -> None: ...

    with pytest.raises(RuntimeError, match="Alone: a LoadUser records to Trueload: start it with"):
        Alone(Environment(user_classes=[Alone]))


def test_a_load_user_runs_like_any_other_and_its_connections_end_with_it() -> None:
    with ScriptedServer(answers(HELLO)) as server:
        sending, notebook = sending_to(server.url)

        class Reader(LoadUser):
            @task
            def read(self) -> None:
                assert self.client.get("/").ok
                if len(notebook.all) == 3:
                    raise StopUser

        Reader.sending = sending
        user = Reader(Environment(user_classes=[Reader]))
        user.start(Group()).join(timeout=5)
        assert [row.outcome for row in notebook.all] == [Outcome.OK] * 3
        assert {row.user for row in notebook.all} == {1}  # the first one stands for nobody
        assert server.connections == 1
        until(lambda: not user.client._connections._kept[user.client._origin.text].is_open)


def test_the_engine_is_told_only_when_somebody_listens() -> None:
    with talk(answers(HELLO)) as t:
        events: list[dict[str, Any]] = []
        for _ in range(ENGINES_OWN):
            t.sending.events.request.add_listener(lambda **event: events.append(event))
        assert t.get().ok
        assert not events
        t.sending.events.request.add_listener(lambda **_: None)
        assert t.get().ok
        assert len(events) == ENGINES_OWN
        t.sending.recording = False
        assert t.get().ok
        assert len(events) == ENGINES_OWN


def test_the_engine_is_told_what_its_own_client_tells() -> None:
    bad = with_body(b"no", status=b"500 No")
    ours_told: list[dict[str, Any]] = []
    theirs_told: list[dict[str, Any]] = []
    with ScriptedServer(answers(HELLO), answers(bad), once(HELLO[:-1])) as server:
        for kind, told in ((LoadUser, ours_told), (FastHttpUser, theirs_told)):
            sending, _ = sending_to(server.url)
            listeners = sending.events.request._handlers
            listeners += [lambda **_: None] * ENGINES_OWN
            listeners.append(lambda told=told, **event: told.append(event))
            environment = Environment(events=sending.events, host=server.url)
            server.connections = 0
            for _ in range(3):
                visitor: Any = type("Visitor", (kind,), {"sending": sending, "host": server.url})
                visitor.context = lambda _: {"colour": "red"}
                client = visitor(environment).client
                client.get("/x?y=1", name="/x")
                (client if kind is LoadUser else client.client.clientpool).close()
    assert len(ours_told) == len(theirs_told) == 3
    for ours, theirs in zip(ours_told, theirs_told, strict=True):
        assert ours.keys() == theirs.keys()
        assert ours["context"].pop(KEY).endpoint == "/x"
        for same in ("request_type", "name", "context", "url"):
            assert ours[same] == theirs[same]
        assert abs(ours["start_time"] - theirs["start_time"]) < 5
        if ours["exception"] is None or isinstance(ours["exception"], CatchResponseError):
            assert ours["response"].status_code == theirs["response"].status_code
        assert type(ours["response_time"]) is type(theirs["response_time"]) is float
        assert (ours["exception"] is None) == (theirs["exception"] is None)
    assert [event["response_length"] for event in ours_told] == [5, 2, 0]
    assert isinstance(ours_told[1]["exception"], CatchResponseError)
    assert str(ours_told[1]["exception"]) == "status 500 instead of 200"


def test_a_listener_may_stop_the_user() -> None:
    with talk(answers(HELLO)) as t:

        def stop(**_: Any) -> None:
            raise StopUser

        for _ in range(ENGINES_OWN + 1):
            t.sending.events.request.add_listener(stop)
        with pytest.raises(StopUser):
            t.get()
        assert t.last.outcome is Outcome.OK


def test_the_recorder_writes_what_the_client_tells(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()

    def failed(error: BaseException) -> None:
        raise error

    recorder = Recorder(tmp_path, 0, 2.0, failed)
    timing = b'Server-Timing: app;dur=3.2, db;dur=1.1, queries;desc="4"'
    again = b"Idempotency-Replayed: true"
    with talk(answers(with_body(b"12345", timing, again)), recorder=recorder) as t:
        assert t.session.post("/a", data="xyz", name="/{id}").ok
        assert not t.get("/b", expect=201).ok
    assert recorder.close() == 2
    table, _ = read_samples(tmp_path)
    first, second = table.to_pylist()
    assert (first["method"], first["endpoint"], first["outcome"]) == ("POST", "/{id}", "ok")
    assert (first["bytes_out"], first["bytes_in"], first["status"]) == (3, 5, 200)
    assert (first["server_us"], first["database_us"], first["queries"]) == (3200, 1100, 4)
    times = [first[f"{name}_us"] for name in ("sent", "connected", "first_byte", "done")]
    assert times == sorted(times)
    assert first["tags"] == second["tags"] == REPLAYED
    assert second["connected_us"] is None
    assert (second["outcome"], second["error"]) == ("check_failed", "status 200 instead of 201")
    assert second["intended_us"] == first["done_us"]
