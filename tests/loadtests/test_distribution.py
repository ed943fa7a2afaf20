"""The engine's master and workers as we use them: fixed shares, known workers, own clocks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from locust import User, argument_parser, runners
from locust.rpc.protocol import Message
from locust.runners import MasterRunner, WorkerNode, WorkerRunner

from loadtests.generator.distribution import (
    FixedShares,
    Master,
    Worker,
    prepare_engine,
    worker_id,
)


class Often(User):
    weight = 3


class Seldom(User):
    weight = 1


def dealt(dispatcher: FixedShares, users: int) -> dict[str, int]:
    """How many users each worker has when so many are asked for."""
    dispatcher.new_dispatch(users, spawn_rate=1e6)
    *_, shares = dispatcher
    return {worker: sum(kinds.values()) for worker, kinds in shares.items()}


def test_a_worker_does_not_build_a_parser_for_each_order_of_its_master(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HEARTBEAT_INTERVAL", "HEARTBEAT_LIVENESS", "HEARTBEAT_DEAD_INTERNAL"):
        monkeypatch.setattr(runners, name, getattr(runners, name))
    for name in ("WORKER_REPORT_INTERVAL", "WORKER_LOG_REPORT_INTERVAL"):
        monkeypatch.setattr(runners, name, getattr(runners, name))
    monkeypatch.setattr(argument_parser, "default_args_dict", argument_parser.default_args_dict)
    before = argument_parser.default_args_dict()
    prepare_engine()

    assert vars(runners)["argument_parser"] is argument_parser  # what a worker asks
    assert argument_parser.default_args_dict() is argument_parser.default_args_dict()
    assert argument_parser.default_args_dict() == before


def test_a_worker_that_is_lost_keeps_its_share_to_itself() -> None:
    nodes = [WorkerNode(worker_id("key", process)) for process in range(2)]
    dispatcher = FixedShares(nodes, [Often, Seldom])
    before = dealt(dispatcher, 7)
    dispatcher.remove_worker(nodes[1])
    after = dealt(dispatcher, 10)
    dispatcher.add_worker(nodes[1])

    assert before == {nodes[0].id: 4, nodes[1].id: 3}
    assert after == {nodes[0].id: 5, nodes[1].id: 5}
    assert dealt(dispatcher, 7) == before


def test_the_first_of_many_workers_is_the_first_to_get_a_user() -> None:
    nodes = [WorkerNode(worker_id("key", process)) for process in reversed(range(12))]

    assert dealt(FixedShares(nodes, [Often]), 1)[worker_id("key", 0)] == 1


@pytest.mark.parametrize(
    ("client", "node", "heard"),
    [
        ("key_0001", "key_0001", True),
        ("key_0002", "key_0002", False),
        ("stranger", "stranger", False),
        ("stranger", "key_0001", False),  # who says that it is somebody else
    ],
)
def test_the_master_hears_nobody_but_its_workers(
    monkeypatch: pytest.MonkeyPatch, client: str, node: str, heard: bool
) -> None:
    heard_of: list[str] = []
    monkeypatch.setattr(
        MasterRunner, "handle_message", lambda _self, client, _msg: heard_of.append(client)
    )
    master = object.__new__(Master)
    master.greenlet = None
    master.expect("key", 2)
    master.handle_message(client, Message("client_ready", None, node))

    assert heard_of == ([client] if heard else [])
    assert master.worker_indexes == {"key_0000": 0, "key_0001": 1}


def test_the_master_hands_on_that_a_locustfile_stops_but_not_that_all_have_ended() -> None:
    master = object.__new__(Master)
    master.greenlet = None
    asked: list[str] = []
    master.asked_to_stop = lambda: asked.append("stop")
    master.clients = SimpleNamespace(ready=[], spawning=[], running=["one"])  # type: ignore[assignment]
    master.quit()
    master.clients = SimpleNamespace(ready=[], spawning=[], running=[])  # type: ignore[assignment]
    master.stop()

    assert asked == ["stop"]


def test_a_worker_counts_the_silence_of_its_master_whatever_the_wall_clock_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(WorkerRunner, "handle_message", lambda _self, _msg: None)
    worker = object.__new__(Worker)
    worker.greenlet = None
    slept: list[float] = []
    lost: list[int] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:  # a heartbeat comes just in time
            worker.handle_message(Message("heartbeat", None, "any"))

    def master_lost() -> None:
        lost.append(len(slept))

    worker.master_lost = master_lost
    namespace: dict[str, Any] = {"sleep": sleep}
    monkeypatch.setattr("loadtests.generator.distribution.gevent", SimpleNamespace(**namespace))
    worker.heartbeat_timeout_checker()

    assert lost == [6]
