"""The engine's master and workers, as several generator processes use them.

The master deals the virtual users out; what is sent, when it ends and what is recorded
is each worker's own, by the schedule that all of them know. Every worker keeps its share:
the accounts and the arrivals of a worker that is lost are nobody else's.

The engine has no authentication: the master listens on loopback, on a port that is new
each time, and knows its workers by a secret that the supervisor hands them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import locust.runners
from locust import argument_parser
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_STOPPING, MasterRunner, WorkerNode, WorkerRunner
from locust.user import User

LOOPBACK = "127.0.0.1"
MASTER_SILENT_S = 3

_BEAT_S = 0.5
_BEATS_MISSED = 3
_NEVER = -(10**9)
_REPORT_S = 1.0
_LINGER_MS = 1_000
_KILL_S = 1.0


def prepare_engine() -> None:
    """Have the engine notice within two seconds that a process is silent, and be quick.

    A worker builds the engine's whole parser of options again for each option of each order
    of its master, to know the defaults: half a second or more in which its loop stands still,
    at every step of a ramp. They are built once.
    """
    defaults = argument_parser.default_args_dict()
    argument_parser.default_args_dict = lambda: defaults
    runners = locust.runners
    runners.HEARTBEAT_INTERVAL = _BEAT_S  # type: ignore[assignment]
    runners.HEARTBEAT_LIVENESS = _BEATS_MISSED
    runners.HEARTBEAT_DEAD_INTERNAL = _NEVER  # a silent worker keeps its share
    runners.WORKER_REPORT_INTERVAL = _REPORT_S
    runners.WORKER_LOG_REPORT_INTERVAL = -1  # all write to one file already


def worker_id(key: str, process: int) -> str:
    """Name a worker towards the master: in the order of its number, and not to be guessed."""
    return f"{key}_{process:04}"


class FixedShares(UsersDispatcher):
    """Deals users out to the workers that were there at the start, for the whole run."""

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Let a worker that was silent go on with its share."""

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """Leave the share of a worker that is lost to nobody."""


class Master(MasterRunner):
    """The engine's master; it ends no test by itself.

    Attributes
    ----------
    key : str
        What its workers know.
    asked_to_stop : callable
        Called when a locustfile ends the test here.
    """

    key = ""
    asked_to_stop: Callable[[], None] = staticmethod(lambda: None)

    def expect(self, key: str, processes: int) -> None:
        """Take only these workers, each with its own number as the engine's index."""
        self.key = key
        self.worker_indexes = {worker_id(key, number): number for number in range(processes)}
        self.worker_index_max = processes

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Handle a message of a worker; leave strangers alone."""
        if client_id in self.worker_indexes and msg.node_id == client_id:
            super().handle_message(client_id, msg)

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: list[type[User]] | None = None,
    ) -> None:
        """Deal users out; the last wish counts while the workers still spawn.

        Parameters
        ----------
        user_count, spawn_rate, wait, user_classes
            As the engine has them.
        """
        if self.spawning_greenlet:
            self.spawning_greenlet.kill(block=True)
        start = super().start
        self.spawning_greenlet = self.greenlet.spawn(
            start, user_count, spawn_rate, wait=wait, user_classes=user_classes
        )

    def stop(self, send_stop_to_client: bool = True) -> None:  # noqa: ARG002 - the engine's
        """Tell the supervisor that somebody wants the test to end, unless all have ended."""
        if self.worker_count > 0:
            self.asked_to_stop()

    def quit(self) -> None:
        """Do as :meth:`stop`: the supervisor ends processes."""
        self.stop()

    def settle(self) -> None:
        """Deal no more users out: the load has ended."""
        if self.spawning_greenlet:
            self.spawning_greenlet.kill(block=True)
        self._users_dispatcher = None

    def finish(self) -> None:
        """Tell the listeners of a locustfile that the test is over."""
        events = self.environment.events
        if self.state != STATE_STOPPING:
            events.test_stopping.fire(environment=self.environment)
            self.update_state(STATE_STOPPING)
            events.test_stop.fire(environment=self.environment)


class Worker(WorkerRunner):
    """One of the engine's workers.

    Attributes
    ----------
    number : str
        Its name towards the master.
    master_lost : callable
        Called when the master has been silent for too long.
    """

    number = ""
    master_lost: Callable[[], None] = staticmethod(lambda: None)
    _silent_s = 0

    @property
    def client_id(self) -> str:
        """Its name; the engine would draw one."""
        return self.number

    @client_id.setter
    def client_id(self, _drawn: str) -> None:
        """Keep the name."""

    def handle_message(self, msg: Message) -> None:
        """Handle a message of the master."""
        self._silent_s = 0
        super().handle_message(msg)

    def heartbeat_timeout_checker(self) -> None:  # type: ignore[override]
        """Count the seconds of silence: the engine's own look compares wall clocks.

        A process that was stopped meanwhile counts one.
        """
        while True:
            gevent.sleep(1)
            self._silent_s += 1
            if self._silent_s > MASTER_SILENT_S:
                self.master_lost()
                return

    def send_last_report(self) -> None:
        """Send what the master has not heard of, and wait until it is sent."""
        self.greenlet.kill(timeout=_KILL_S)  # they would read and write a closed socket
        self._send_stats()
        sent = self.client.socket.context
        self.client.close(linger=_LINGER_MS)
        sent.term()


def listen(environment: Environment, key: str, processes: int) -> Master:
    """Make the master of an environment.

    Parameters
    ----------
    environment : Environment
        The engine's.
    key : str
        What its workers will know.
    processes : int
        How many there will be.

    Returns
    -------
    Master
        Listening on a free port of loopback: ``server.port``.
    """
    prepare_engine()
    environment.dispatcher_class = FixedShares
    master = environment._create_runner(Master, LOOPBACK, 0)
    master.expect(key, processes)
    return master


def connect(environment: Environment, *, port: int, key: str, process: int) -> Worker:
    """Make a worker of an environment.

    Parameters
    ----------
    environment : Environment
        The engine's.
    port : int
        Of the master.
    key : str
        What the master knows it by.
    process : int
        Its number.

    Returns
    -------
    Worker
        Connected.
    """
    prepare_engine()
    kind: Any = type("Worker", (Worker,), {"number": worker_id(key, process)})
    worker: Worker = environment._create_runner(kind, LOOPBACK, port)
    return worker
