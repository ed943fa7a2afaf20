"""What every request of this process is sent with, whatever client sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from locust.event import Events

from loadtests.generator.clock import now_ns
from loadtests.generator.guard import Guard
from loadtests.generator.recorder import ENGINES_OWN, Recorder, VirtualUser

__all__ = ["ENGINES_OWN", "KEY", "Sending"]

KEY = "trueload"
"""Our own client puts this key into the context of the engine's event: the recorder knows
the request already."""

_NO_FAULT = "the generator could open no more connections, which is no fault of the target's"
_LIMITED_EACH_NS = 100_000_000
"""Connections that fail come in thousands: an event in so long says when."""


class Sending:
    """What clients need to know of the run.

    Parameters
    ----------
    recorder : Recorder
        Where requests are noted.
    guard : Guard
        Which hosts a redirect may lead to.
    events : Events
        The engine's.
    base_url : str
        Of the target.
    prefix : str
        What request ids begin with; the request's number follows.
    headers : mapping of str to str
        Sent with every request.
    timeout_s, connect_timeout_s : float
        After which a request, or the connecting for it, is ended, in seconds. The clients
        need no timers: a sweep over what is in flight throws ``TimeoutError`` into the
        greenlet that sent the request.
    ca : Path or None
        Certificate authorities that are trusted beside the system's.
    warn : callable
        Called with a warning's kind and its text.
    event : callable
        Called with an event's kind, and what it says by name.

    Attributes
    ----------
    recording : bool
        Whether the run has started; requests before are sent and not recorded.
    closing : bool
        Whether no new request may start.
    asked : int
        Requests that clients were asked for while recording. Each client counts for
        itself, where it is entered: what a recorder lost could not be in its own count.
    users : list of VirtualUser
        All that there were; the first one stands for clients without a user.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        guard: Guard,
        events: Events,
        base_url: str,
        prefix: str,
        headers: Mapping[str, str],
        timeout_s: float,
        connect_timeout_s: float,
        warn: Callable[[str, str], None],
        event: Callable[..., None],
        ca: Path | None = None,
    ) -> None:
        self.recorder = recorder
        self.events = events
        self.base_url = base_url
        self.prefix = prefix
        self.headers = dict(headers)
        self.timeout_s = timeout_s
        self.connect_timeout_s = connect_timeout_s
        self.ca = ca
        self.recording = False
        self.closing = False
        self.asked = 0
        self.nobody = recorder.new_user(None)
        self.users: list[VirtualUser] = [self.nobody]
        self._guard = guard
        self._warn = warn
        self._event = event
        self._limited_ns = -_LIMITED_EACH_NS
        recorder.listeners = events.request._handlers

    def user_of(self, user: Any) -> VirtualUser:
        """Virtual user of one of the engine's users (None: a client without a user)."""
        if user is None:
            return self.nobody
        known: VirtualUser | None = getattr(user, "_trueload", None)
        if known is None:
            known = self.recorder.new_user(getattr(user, "persona_name", type(user).__name__))
            user._trueload = known
            self.users.append(known)
        return known

    def may_follow(self, url: str, location: str) -> bool:
        """Tell whether a redirect may be followed; one that may not is warned of.

        Parameters
        ----------
        url : str
            What was asked for.
        location : str
            As the answer's header has it.

        Returns
        -------
        bool
            True when its host is allowed.
        """
        host = urlsplit(urljoin(url, location)).hostname or ""
        if self._guard.allows(host):
            return True
        self._warn("redirect_not_followed", f"a redirect to the host {host} was not followed")
        return False

    def warn(self, kind: str, text: str) -> None:
        """Warn of something; the same text is told once."""
        self._warn(kind, text)

    def limited(self, why: str) -> None:
        """Tell that this process could connect no more, which is no fault of the target's.

        Parameters
        ----------
        why : str
            Which limit was reached.
        """
        self._warn("generator_limit", f"{_NO_FAULT}: {why}")
        now = now_ns()
        if now - self._limited_ns >= _LIMITED_EACH_NS:
            self._limited_ns = now
            self._event("generator_limit", text=why)
