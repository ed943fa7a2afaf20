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
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import gevent
import gevent.socket
import geventhttpclient.client
from gevent import getcurrent
from locust import User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent
from locust.exception import StopUser
from locust.user.task import TaskSet

from loadtests.generator.clock import Alarm, now_ns
from loadtests.generator.hops import Hops, LoadEnded, text_of
from loadtests.generator.in_flight import Sent, VirtualUser
from loadtests.generator.outcomes import own_limit
from loadtests.generator.pacing import Pacing, Place
from loadtests.generator.sending import KEY, Sending

_FOREIGN = f"{KEY}.foreign"
_REQUEST_ID = "X-Request-Id"
_PAUSE_WHEN_CLOSED_S = 0.05
_MAX_BYTES = 2**62


class Hooks:
    """Everything that is wrapped in the engine, and its state.

    Parameters
    ----------
    sending : Sending
        What requests are sent with, and where they are noted.
    alarm : Alarm
        What virtual users sleep on.

    Attributes
    ----------
    judgements : int
        Requests that anybody's client told the engine of.
    told : bool
        Whether our own client told it of any.
    starting : dict of User to int
        Users that are in ``on_start``, and since when, on the monotonic clock.
    """

    def __init__(self, sending: Sending, alarm: Alarm) -> None:
        self._sending = sending
        self._recorder = sending.recorder
        self._alarm = alarm
        self._netloc = urlsplit(sending.base_url).netloc
        self._pacing = Pacing(sending.recorder, sending.user_of, sending.timeout_s)
        self._sleepers: WeakKeyDictionary[Any, VirtualUser] = WeakKeyDictionary()
        self._by_greenlet: dict[Any, Sent] = {}
        self._hops = Hops(sending, self._by_greenlet)
        self.judgements = 0
        self.told = False
        self.starting: dict[User, int] = {}

    def install(self) -> None:
        """Wrap the engine's clients, their connections and their waits."""
        self._wrap_client(HttpSession)
        self._wrap_client(FastHttpSession)
        self._wrap_connect()
        self._hops.install()
        self._wrap_waits()
        self._wrap_sleep()
        self._wrap_users()
        self._pacing.install()
        # Nothing is retried. This client sends a GET up to eleven times when the server
        # drops the connection, and tells nobody: errors would be recorded as ok.
        geventhttpclient.client._may_retry_after_send_error = _never  # type: ignore[assignment]
        # It also decodes the body of every bad answer for a text that nobody reads, and
        # raises where the body is no UTF-8.
        LocustUserAgent._conversation_str = staticmethod(_no_text)  # type: ignore[method-assign]

    def close(self) -> None:
        """Let no new request start; what users had due by now is missed."""
        self._sending.closing = True
        self._pacing.close(self._recorder.in_flight.values())

    def count_starting(self) -> int:
        """Count users that are in ``on_start`` and wait for no answer there."""
        asking = {sent.user for sent in self._recorder.in_flight.values()}
        return sum(self._sending.user_of(user) not in asking for user in self.starting)

    # requests

    def _wrap_client(self, session: Any) -> None:
        original = session.request
        positional = [
            name
            for name, parameter in inspect.signature(original).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ][3:]  # after self, method, url

        @functools.wraps(original)
        def request(client: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
            if not self._sending.recording:  # a locustfile that logs in before the start
                return original(client, method, url, *args, **options)
            self._refuse_when_closing()
            self._sending.asked += 1
            options.update(zip(positional, args, strict=False))
            name = options.get("name") or client.request_name or url
            sent = self._recorder.sent(
                self._sending.user_of(client.user), method, self.endpoint(name)
            )
            self._by_greenlet[sent.greenlet] = sent
            options["context"] = {**(options.get("context") or {}), _FOREIGN: sent}
            options["headers"] = self._with_headers(options.get("headers"), sent)
            try:
                response = original(client, method, url, **options)
            except LoadEnded:
                self._recorder.cancelled(sent)
                raise StopUser from None
            except gevent.GreenletExit:
                self._recorder.killed(sent)
                raise
            except BaseException as error:
                if why := own_limit(error):
                    self._sending.limited(why)
                self._recorder.broke(sent, error)
                raise
            finally:
                self._by_greenlet.pop(sent.greenlet, None)
            self._recorder.answered(sent)
            return response

        session.request = request

    def _refuse_when_closing(self) -> None:
        if self._sending.closing:
            gevent.sleep(_PAUSE_WHEN_CLOSED_S)  # a task that swallows StopUser must not spin
            raise StopUser

    def _with_headers(self, headers: Any, sent: Sent) -> dict[str, str]:
        own = {text_of(name): value for name, value in dict(headers or {}).items()}
        present = {name.lower(): name for name in own}
        ours = self._sending.headers.items()
        own.update({name: value for name, value in ours if name.lower() not in present})
        if (taken := present.get(_REQUEST_ID.lower())) is not None:
            # by it a target is asked after the run what became of its writes
            del own[taken]
            self._sending.warn(
                "request_id_replaced",
                f"the header {_REQUEST_ID} is the run's: that of the locustfile is not sent",
            )
        own[_REQUEST_ID] = f"{self._sending.prefix}{sent.number}"
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
        if not self._sending.recording:
            return
        context = context or {}
        if KEY in context:  # our own client has told the recorder, and now the engine
            self.told = True
            return
        self.judgements += 1
        if exception is not None and (why := own_limit(exception)):
            self._sending.limited(why)
        sent = context.get(_FOREIGN)
        if sent is None:  # a client of the locustfile's own: all that is known is its report
            self._sending.asked += 1
            sent = self._recorder.sent(self._sending.nobody, str(request_type), str(name))
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
            length=_bytes(response_length),
        )

    # connections

    def _wrap_connect(self) -> None:
        original = gevent.socket.socket.connect
        by_greenlet, connecting = self._by_greenlet, self._recorder.connecting

        @functools.wraps(original)
        def connect(sock: Any, address: Any) -> Any:
            sent = by_greenlet.get(getcurrent())
            if sent is None:
                return original(sock, address)
            connecting[sent.number] = sent
            try:
                result = original(sock, address)
            finally:
                connecting.pop(sent.number, None)
            sent.connected_ns = now_ns()
            return result

        gevent.socket.socket.connect = connect

    # waits

    def _wrap_waits(self) -> None:
        """Make the end of a think time the intended start of the next click."""

        def sleep(tasks: Any, seconds: float) -> None:
            place = seconds if isinstance(seconds, Place) else None
            now = now_ns()
            due_ns = now + round(max(seconds, 0.0) * 1e9) if place is None else place.due_ns
            self.starting.pop(tasks.user, None)  # whoever waits has come out of its start
            user = self._sending.user_of(tasks.user)
            self._sleepers[getcurrent()] = user
            self._recorder.begin_transaction(user, None)
            if place is None:
                self._alarm.sleep_until(due_ns)
            else:
                place.grid.waiting = True
                self._recorder.late_arrivals += due_ns < now
                self._alarm.sleep_until(due_ns)
                place.grid.waiting = False
            user.intended_ns = due_ns
            user.paced = place is not None

        TaskSet._sleep = sleep  # type: ignore[method-assign]

    def at_work(self, user: VirtualUser) -> None:
        """Note that the current greenlet does a task of a user: it may sleep in it."""
        self._sleepers[getcurrent()] = user

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
            # an overdue start stays overdue
            from_ns = user.intended_ns if user.paced else now_ns()
            original(seconds, ref)
            user.intended_ns = from_ns + round(max(seconds, 0.0) * 1e9)

        gevent.sleep = gevent.hub.sleep = sleep
        if time.sleep is original:  # the engine has patched it
            time.sleep = sleep  # type: ignore[assignment]

    # users

    def _wrap_users(self) -> None:
        """Notice who is in ``on_start``, when its tasks begin, and when it is asked to leave."""
        run, stop = User.run, User.stop

        @functools.wraps(run)
        def run_user(user: User) -> None:
            on_start = user.on_start

            def start() -> None:
                self.starting[user] = now_ns()
                try:
                    on_start()
                finally:
                    self.starting.pop(user, None)
                    self._pacing.begin(self._sending.user_of(user))

            user.on_start = start  # type: ignore[method-assign]
            try:
                run(user)
            finally:
                self._pacing.forget(self._sending.user_of(user))

        @functools.wraps(stop)
        def stop_user(user: User, force: bool = False) -> Any:
            known = self._sending.user_of(user)
            self._pacing.leave(known, self._recorder.in_flight.values())
            return stop(user, force)

        User.run = run_user  # type: ignore[method-assign, misc]
        User.stop = stop_user  # type: ignore[method-assign, assignment]


def _bytes(length: Any) -> int | None:
    """Take what a client reports, when it is a number of bytes."""
    try:
        return int(length) if 0 <= int(length) <= _MAX_BYTES else None
    except (TypeError, ValueError, OverflowError):
        return None


def _never(_method: str) -> bool:
    return False


def _no_text(*_: Any, **__: Any) -> str:
    return ""


def _hops(response: Any) -> bool:
    return bool(getattr(response, "history", None))
