"""Hangs the recorder on the engine: every HttpUser and FastHttpUser, ours or anybody's.

The engine reports a request when it completes; one that hangs is in none of its
files. So the clients' ``request`` is wrapped on the classes (get, post,
catch_response, rename_request all pass it): a request is noted when it is sent,
and tied to the engine's event by an object in the event's context, which both
clients hand on unchanged.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

import gevent
import gevent.socket
import geventhttpclient.client
from gevent import getcurrent
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent
from locust.exception import StopUser
from locust.user.task import TaskSet

from loadtests.generator.clock import Alarm, now_ns
from loadtests.generator.guard import Guard
from loadtests.generator.recorder import Recorder, Sent, VirtualUser

_KEY = "trueload"
_PAUSE_WHEN_CLOSED_S = 0.05
_REAP_S = 0.02


class Hooks:
    """Everything that is wrapped in the engine, and its state.

    Parameters
    ----------
    recorder : Recorder
        Where requests are noted.
    guard : Guard
        Which hosts a redirect may lead to.
    alarm : Alarm
        What virtual users sleep on.
    timeout_s : float
        After which a request is ended, in seconds.
    base_url : str
        Of the target.
    request_prefix : str
        What request ids begin with.
    headers : mapping of str to str
        Sent with every request.
    warn : callable
        Called with a warning's kind and its text.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        guard: Guard,
        alarm: Alarm,
        timeout_s: float,
        base_url: str,
        request_prefix: str,
        headers: Mapping[str, str],
        warn: Callable[[str, str], None],
    ) -> None:
        self._recorder = recorder
        self._guard = guard
        self._alarm = alarm
        self._timeout_s = timeout_s
        self._netloc = urlsplit(base_url).netloc
        self._prefix = request_prefix
        self._headers = dict(headers)
        self._warn = warn
        self._nobody = recorder.new_user(None)
        self.users: list[VirtualUser] = [self._nobody]
        self._sleepers: WeakKeyDictionary[Any, VirtualUser] = WeakKeyDictionary()
        self.recording = False
        self.closing = False
        self.judgements = 0

    def install(self) -> None:
        """Wrap the engine's clients, their connections and their waits."""
        self._wrap_client(HttpSession)
        self._wrap_client(FastHttpSession)
        self._wrap_connect()
        self._wrap_redirects()
        self._wrap_waits()
        self._wrap_sleep()
        # Nothing is retried. This client sends a GET up to eleven times when the server
        # drops the connection, and tells nobody: errors would be recorded as ok.
        geventhttpclient.client._may_retry_after_send_error = _never  # type: ignore[assignment]
        # It also decodes the body of every bad answer for a text that nobody reads, and
        # raises where the body is no UTF-8.
        LocustUserAgent._conversation_str = staticmethod(_no_text)  # type: ignore[method-assign]

    # requests

    def user_of(self, user: Any) -> VirtualUser:
        """Virtual user of one of the engine's users (None: a client without a user)."""
        if user is None:
            return self._nobody
        known: VirtualUser | None = getattr(user, "_trueload", None)
        if known is None:
            known = self._recorder.new_user(getattr(user, "persona_name", type(user).__name__))
            user._trueload = known
            self.users.append(known)
        return known

    def _wrap_client(self, session: Any) -> None:
        original = session.request
        positional = [
            name
            for name, parameter in inspect.signature(original).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ][3:]  # after self, method, url

        @functools.wraps(original)
        def request(client: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
            if not self.recording:  # a locustfile that logs in before the start
                return original(client, method, url, *args, **options)
            self._refuse_when_closing()
            options.update(zip(positional, args, strict=False))
            name = options.get("name") or client.request_name or url
            sent = self._recorder.sent(self.user_of(client.user), method, self.endpoint(name))
            options["context"] = {**(options.get("context") or {}), _KEY: sent}
            options["headers"] = self._with_headers(options.get("headers"), sent)
            try:
                response = original(client, method, url, **options)
            except gevent.GreenletExit:
                self._recorder.killed(sent)
                raise
            except BaseException as error:
                self._recorder.broke(sent, error)
                raise
            self._recorder.answered(sent)
            return response

        session.request = request

    def _refuse_when_closing(self) -> None:
        if self.closing:
            gevent.sleep(_PAUSE_WHEN_CLOSED_S)  # a task that swallows StopUser must not spin
            raise StopUser

    def _with_headers(self, headers: Any, sent: Sent) -> dict[str, str]:
        own = dict(headers or {})
        present = {str(name).lower() for name in own}
        added = {**self._headers, "X-Request-Id": f"{self._prefix}{sent.number}"}
        own.update({name: value for name, value in added.items() if name.lower() not in present})
        return own

    def endpoint(self, name: str) -> str:
        """Name of an endpoint: the request's own name without host and query."""
        name = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        if "?" not in name and "://" not in name:
            return name or "/"
        parts = urlsplit(name)
        foreign = parts.netloc.rpartition("@")[2] if parts.netloc != self._netloc else ""
        return f"{foreign}{parts.path}" or "/"

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None = None,
        response_length: int | None = None,
        response: Any = None,
        context: Mapping[str, Any] | None = None,
        exception: BaseException | None = None,
        **_: Any,
    ) -> None:
        """Listen to the engine's event: a request was judged."""
        if not self.recording:
            return
        self.judgements += 1
        sent = (context or {}).get(_KEY)
        if sent is None:  # a client of the locustfile's own: all that is known is its report
            sent = self._recorder.sent(self._nobody, request_type, name)
            sent.sent_ns = sent.intended_ns = now_ns() - round((response_time or 0.0) * 1e6)
            self._recorder.answered(sent)
        elif sent.first_byte_ns < 0 and getattr(response, "elapsed", None) and not _hops(response):
            sent.first_byte_ns = sent.sent_ns + round(response.elapsed.total_seconds() * 1e9)
        self._recorder.judged(
            sent,
            method=str(request_type),
            name=self.endpoint(name),
            exception=exception,
            response=response,
            length=None if response_length is None else int(response_length),
        )

    # connections

    def _wrap_connect(self) -> None:
        original = gevent.socket.socket.connect
        by_greenlet = self._recorder.by_greenlet

        @functools.wraps(original)
        def connect(sock: Any, address: Any) -> Any:
            result = original(sock, address)
            sent = by_greenlet.get(getcurrent())
            if sent is not None:
                sent.connected_ns = now_ns()
            return result

        gevent.socket.socket.connect = connect

    def _wrap_redirects(self) -> None:
        """Leave redirects to other hosts alone: the answer itself is the result."""
        original_target = HttpSession.get_redirect_target
        original_open = LocustUserAgent._urlopen
        by_greenlet = self._recorder.by_greenlet

        def get_redirect_target(session: Any, response: Any) -> str | None:
            location: str | None = original_target(session, response)
            return location if location and self._may_follow(response.url, location) else None

        def urlopen(agent: Any, request: Any) -> Any:
            response = original_open(agent, request)
            sent = by_greenlet.get(getcurrent())
            if sent is not None:
                sent.first_byte_ns = now_ns()
            location = response.headers.get("location")
            if isinstance(location, str) and not self._may_follow(str(request.url), location):
                response.headers.discard("location")
            return response

        HttpSession.get_redirect_target = get_redirect_target  # type: ignore[method-assign, assignment]
        LocustUserAgent._urlopen = urlopen  # type: ignore[method-assign]

    def _may_follow(self, url: str, location: str) -> bool:
        host = urlsplit(urljoin(url, location)).hostname or ""
        if self._guard.allows(host):
            return True
        self._warn("redirect_not_followed", f"a redirect to the host {host} was not followed")
        return False

    # waits

    def _wrap_waits(self) -> None:
        """Make the end of a think time the intended start of the next click."""

        def sleep(tasks: Any, seconds: float) -> None:
            intended_ns = now_ns() + round(max(seconds, 0.0) * 1e9)
            user = self.user_of(tasks.user)
            self._sleepers[getcurrent()] = user
            self._recorder.begin_transaction(user, None)
            self._alarm.sleep_until(intended_ns)
            user.intended_ns = intended_ns

        TaskSet._sleep = sleep  # type: ignore[method-assign]

    def _wrap_sleep(self) -> None:
        """Take the end of a task's own sleep for the intended start of its first request."""
        original = gevent.sleep
        sleepers = self._sleepers

        @functools.wraps(original)
        def sleep(seconds: float = 0, ref: bool = True) -> None:
            user = sleepers.get(getcurrent())
            if user is None or user.intended_ns is None:
                original(seconds, ref)
                return
            intended_ns = now_ns() + round(max(seconds, 0.0) * 1e9)
            original(seconds, ref)
            user.intended_ns = intended_ns

        gevent.sleep = gevent.hub.sleep = sleep
        if time.sleep is original:  # the engine has patched it
            time.sleep = sleep  # type: ignore[assignment]

    # timeouts

    def reap_for_ever(self) -> None:
        """End requests that are older than the timeout; a greenlet of its own.

        One sweep over the oldest requests costs nothing per request, as a timer
        for each would.
        """
        timeout_ns = round(self._timeout_s * 1e9)
        loop = gevent.get_hub().loop
        while True:
            gevent.sleep(_REAP_S)
            too_old = now_ns() - timeout_ns
            for sent in list(self._recorder.in_flight.values()):
                if sent.sent_ns > too_old:
                    break  # in order of sending
                loop.run_callback(self._time_out, sent)

    def _time_out(self, sent: Sent) -> None:
        if sent.number in self._recorder.in_flight and not sent.greenlet.dead:
            sent.greenlet.throw(TimeoutError(f"no answer within {self._timeout_s:g} s"))


def _never(_method: str) -> bool:
    return False


def _no_text(*_: Any, **__: Any) -> str:
    return ""


def _hops(response: Any) -> bool:
    return bool(getattr(response, "history", None))
