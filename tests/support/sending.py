"""What a client's session needs, with a recorder that keeps what it is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gevent import getcurrent
from locust.event import Events

from analysis.recording.format import Outcome
from loadtests.generator.clock import now_ns
from loadtests.generator.guard import Guard
from loadtests.generator.recorder import Recorder
from loadtests.generator.sending import Sending


@dataclass
class Noted:
    """A request as the client told of it."""

    number: int
    user: Any
    method: str
    endpoint: str
    greenlet: Any = field(default_factory=getcurrent)
    sent_ns: int = field(default_factory=now_ns)
    connected_ns: int = -1
    first_byte_ns: int = -1
    done_ns: int = -1
    attempt: int = 0
    outcome: Outcome | None = None
    status: int | None = None
    error: str | None = None
    bytes_out: int = -1
    bytes_in: int = -1
    timing: tuple[int, int, int] = (-1, -1, -1)
    is_replayed: bool = False
    killed: bool = False


class Notebook:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[Noted] = []
        self.in_flight: dict[int, Noted] = {}
        self.connecting: dict[int, Noted] = {}
        self._users = itertools.count()

    @property
    def last(self) -> Noted:
        return self.all[-1]

    def new_user(self, _: str | None) -> int:
        return next(self._users)

    def sent(self, user: Any, method: str, endpoint: str) -> Noted:
        noted = Noted(len(self.all) + 1, user, method, endpoint)
        self.all.append(noted)
        self.in_flight[noted.number] = noted
        return noted

    def finished(
        self,
        sent: Noted,
        outcome: Outcome,
        status: int | None = None,
        error: str | None = None,
        bytes_out: int = -1,
        bytes_in: int = -1,
        timing: tuple[int, int, int] = (-1, -1, -1),
        is_replayed: bool = False,
    ) -> None:
        del self.in_flight[sent.number]
        assert sent.outcome is None
        sent.outcome, sent.status, sent.error = outcome, status, error
        sent.bytes_out, sent.bytes_in, sent.timing = bytes_out, bytes_in, timing
        sent.is_replayed = is_replayed

    def killed(self, sent: Noted) -> None:
        del self.in_flight[sent.number]
        sent.killed = True


def sending_to(
    url: str,
    *,
    recorder: Any = None,
    allowed: Iterable[str] = (),
    headers: dict[str, str] | None = None,
    ca: Path | None = None,
    warnings: list[str] | None = None,
    events: list[str] | None = None,
) -> tuple[Sending, Notebook]:
    """Make what a session needs to send to a server, and the recorder that it tells."""
    notebook = recorder or Notebook()
    told: list[str] = [] if warnings is None else warnings
    sending = Sending(
        recorder=cast(Recorder, notebook),
        guard=Guard(allowed, told.append),
        events=Events(),
        base_url=url,
        prefix="run-0-",
        headers=headers or {},
        timeout_s=5.0,
        connect_timeout_s=5.0,
        warn=lambda _, text: told.append(text),
        event=lambda kind, **_: None if events is None else events.append(kind),
        ca=ca,
    )
    sending.recording = True
    return sending, notebook
