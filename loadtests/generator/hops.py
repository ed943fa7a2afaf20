"""Requests of anybody's clients on their way out, each hop of a redirect by itself.

Both of the engine's clients follow redirects inside of one request, which is one row. What
is decided for each hop is decided here: whether it may be sent, and with which headers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import gevent
from gevent import getcurrent
from locust.clients import HttpSession
from locust.contrib.fasthttp import LocustUserAgent

from loadtests.generator.client.origin import Origin
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import Sent
from loadtests.generator.sending import Sending


class LoadEnded(gevent.GreenletExit):
    """The next hop of a redirect was to be sent when the load had ended."""


class Hops:
    """Wraps what the engine's clients send one hop with.

    Parameters
    ----------
    sending : Sending
        What requests are sent with.
    by_greenlet : mapping of greenlet to Sent
        Requests that are recorded, by who waits for them.
    """

    def __init__(self, sending: Sending, by_greenlet: Mapping[Any, Sent]) -> None:
        self._sending = sending
        self._by_greenlet = by_greenlet
        self._target = Origin.of(sending.base_url)

    def install(self) -> None:
        """Wrap the engine's clients.

        Redirects to hosts that are not allowed are left alone: the answer itself is the
        result. Where one is followed to another server, the run's own headers stay behind.
        """
        self._wrap_session()
        self._wrap_agent()

    def _wrap_session(self) -> None:
        original_target = HttpSession.get_redirect_target
        original_send = HttpSession.send

        def get_redirect_target(session: Any, response: Any) -> str | None:
            location: str | None = original_target(session, response)
            return (
                location if location and self._sending.may_follow(response.url, location) else None
            )

        @functools.wraps(original_send)
        def send(session: Any, request: Any, **options: Any) -> Any:
            self._look_at(str(request.url), request.headers)
            return original_send(session, request, **options)

        HttpSession.get_redirect_target = get_redirect_target  # type: ignore[method-assign, assignment]
        HttpSession.send = send  # type: ignore[method-assign, assignment]

    def _wrap_agent(self) -> None:
        original = LocustUserAgent._urlopen

        def urlopen(agent: Any, request: Any) -> Any:
            self._look_at(str(request.url), request.headers)
            response = original(agent, request)
            sent = self._by_greenlet.get(getcurrent())
            if sent is not None:
                sent.first_byte_ns = now_ns()
            location = response.headers.get("location")
            if isinstance(location, str) and not self._sending.may_follow(
                str(request.url), location
            ):
                response.headers.discard("location")
            return response

        LocustUserAgent._urlopen = urlopen  # type: ignore[method-assign]

    def _look_at(self, url: str, headers: Any) -> None:
        """Look at a request that is sent now, whether or not a redirect led to it.

        Raises
        ------
        LoadEnded
            When no new request may start.
        """
        if getcurrent() not in self._by_greenlet:
            return
        if self._sending.closing:
            raise LoadEnded
        if self._sending.headers and not self._is_target(url):
            for name, value in self._sending.headers.items():
                if name in headers and text_of(headers[name]) == value:
                    del headers[name]

    def _is_target(self, url: str) -> bool:
        try:
            return Origin.of(url) == self._target
        except ValueError:
            return False


def text_of(value: Any) -> str:
    """Read a header's name or value, which clients take as bytes too.

    Parameters
    ----------
    value : str, bytes or object
        As it was given.

    Returns
    -------
    str
        As text.
    """
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
