"""A virtual user's session: sends requests, judges the answers, records each.

::

    request ──> in flight ──> answer ──> status expected? ──> check ──> one row
                   │
                   └─ refused, reset, timeout, no HTTP, ... ──────────> one row

A request that fails raises nothing: what is wrong stands in the response.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust.exception import CatchResponseError, StopUser

from analysis.recording.format import Outcome
from loadtests.generator import server_timing
from loadtests.generator.client.answer import AGAIN, COOKIE, TIMING, Answer
from loadtests.generator.client.coding import unpack
from loadtests.generator.client.connections import Connections
from loadtests.generator.client.cookies import CookieJar
from loadtests.generator.client.failures import ExchangeError, explain
from loadtests.generator.client.judging import Check, judge
from loadtests.generator.client.message import REQUEST_ID, Head, Request, body_of, target_of
from loadtests.generator.client.origin import Origin
from loadtests.generator.client.redirects import (
    MAX_REDIRECTS,
    Redirects,
    headers_after,
    method_after,
)
from loadtests.generator.client.response import Response
from loadtests.generator.client.unrecorded import Unrecorded
from loadtests.generator.clock import now_ns
from loadtests.generator.outcomes import clean_error
from loadtests.generator.sending import ENGINES_OWN, KEY, Sending

_PAUSE_WHEN_CLOSED_S = 0.05
_NO_TIMING = (-1, -1, -1)


class Session:
    """What one virtual user sends its requests with.

    Parameters
    ----------
    sending : Sending
        What all requests of the process are sent with.
    user : User or None
        Whose requests they are.

    Attributes
    ----------
    cookies : CookieJar
        What servers have asked to send along.
    """

    def __init__(self, sending: Sending, user: Any = None) -> None:
        self._sending = sending
        self._recorder: Any = sending.recorder
        self._listeners = sending.events.request._handlers
        self._user = user
        self._virtual_user = sending.user_of(user)
        self._origin = Origin.of(sending.base_url)
        self._root = urlsplit(sending.base_url).path.rstrip("/")
        self._head = Head(self._origin, sending.headers)
        self._id = f"{REQUEST_ID}: {sending.prefix}"
        self._connections = Connections(sending)
        self._unrecorded = Unrecorded(sending.timeout_s)
        self.cookies = CookieJar()

    def close(self) -> None:
        """Close its connections; a later request opens new ones."""
        self._connections.close()

    # requests

    def get(self, path: str, **options: Any) -> Response:
        """Send a GET; options as of :meth:`request`."""
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Any) -> Response:
        """Send a HEAD; options as of :meth:`request`."""
        return self.request("HEAD", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Send a POST; options as of :meth:`request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """Send a PUT; options as of :meth:`request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """Send a PATCH; options as of :meth:`request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """Send a DELETE; options as of :meth:`request`."""
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | str | bytes | None = None,
        expect: int | Collection[int] = 200,
        check: Check | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send a request, judge its answer, record both.

        Parameters
        ----------
        method : str
            In capitals.
        path : str
            Path and query below the target's base URL; or an absolute URL.
        name : str or None
            What it is counted under, with placeholders; the path without query when None.
        headers : mapping of str to str or None
            Beside those of the run; the request's id is always the run's.
        json : object
            Sent as JSON.
        data : mapping, str or bytes or None
            Sent as it is, a mapping as a form; takes precedence over `json`.
        expect : int or collection of int
            The status that is right, or several.
        check : callable or None
            Given the response, says what is wrong with it, or None. Not asked when the
            status is another than expected.
        allow_redirects : bool
            Whether redirects are followed, to hosts where load may go. Each is a
            request of its own; `expect` and `check` are for the last one.

        Returns
        -------
        Response
            With `ok`, `error`, and a `status` of 0 when there is no answer.

        Raises
        ------
        StopUser
            When the load has ended and no new request may start, the next one of a redirect
            included.
        ValueError, TypeError
            When it cannot be written down, a header with a line end or a letter beyond
            Latin-1 for one: nothing is sent, and nothing recorded.
        """
        self._refuse_when_closing()
        origin, head = self._origin, self._head
        if "://" in path:
            origin, head, path, name = self._elsewhere(path, name)
        elif self._root:
            name = name or path.partition("?")[0] or "/"
            path = self._root + path
        body, about = b"", ""
        if data is not None or json is not None or method != "GET":
            body, about = body_of(method, data, json, headers)
        lines = head.text_with(headers) if headers else head.text
        endpoint = name or path.partition("?")[0] or "/"
        request = Request(method, origin, target_of(path), endpoint, lines, body, about)
        if not allow_redirects:
            return self._send(request, expect, check, None)
        redirects = Redirects(self._sending.may_follow)
        for _ in range(MAX_REDIRECTS):
            response = self._send(request, expect, check, redirects)
            url = redirects.take()
            if url is None:
                return response
            self._refuse_when_closing()
            request = self._redirected(request, response.status, url, headers or {})
        return self._send(request, expect, check, None)

    def _refuse_when_closing(self) -> None:
        if self._sending.closing:
            gevent.sleep(_PAUSE_WHEN_CLOSED_S)  # a task that swallows StopUser must not spin
            raise StopUser

    def _elsewhere(self, url: str, name: str | None) -> tuple[Origin, Head, str, str]:
        """Take an absolute URL apart; another server gets no header that is the target's."""
        origin = Origin.of(url)
        parts = urlsplit(url)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        if origin == self._origin:
            return self._origin, self._head, target, name or path
        return origin, Head(origin, {}), target, name or f"{origin.netloc}{path}"

    def _redirected(
        self, before: Request, status: int, url: str, headers: Mapping[str, str]
    ) -> Request:
        origin, head, path, endpoint = self._elsewhere(url, None)
        method, keeps_body = method_after(status, before.method)
        kept = headers_after(headers, keeps_body=keeps_body, same_origin=origin == self._origin)
        request = Request(method, origin, target_of(path), endpoint, head.text_with(kept))
        if keeps_body:
            request.body, request.about = before.body, before.about
        return request

    # one of them

    def _send(
        self,
        request: Request,
        expect: int | Collection[int],
        check: Check | None,
        redirects: Redirects | None,
    ) -> Response:
        head = self._write(request)  # raises before anything is recorded
        if self._sending.recording:
            recorder = self._recorder
            self._sending.asked += 1  # a count of our own, held against the rows
        else:
            recorder = self._unrecorded
        sent = recorder.sent(self._virtual_user, request.method, request.endpoint)
        timing, is_replayed = _NO_TIMING, False
        failure: BaseException | None = None
        try:
            message = b"%s%s\r\n\r\n%s" % (head, str(sent.number).encode(), request.body)
            is_head = request.method == "HEAD"
            answer = self._connections.exchange(request.origin, message, sent, head=is_head)
            response, timing, is_replayed = self._read(request, answer)
        except (OSError, ExchangeError) as error:
            if sent.done_ns < 0:
                sent.done_ns = now_ns()
            failure = error
            outcome, why = explain(error)
            response = Response(request, error=why)
        except gevent.Timeout as timeout:
            recorder.finished(sent, Outcome.TIMEOUT, None, f"the user's own: {timeout}")
            raise
        except Exception as error:  # a fault of ours, which nobody may take for the target's
            recorder.finished(sent, Outcome.CANCELLED, None, clean_error(error))
            raise
        except BaseException:
            recorder.killed(sent)
            raise
        else:
            try:
                outcome, response.error = judge(response, expect, check, redirects)
            except BaseException:  # ended while a check of its own making waited
                recorder.finished(sent, Outcome.CANCELLED, response.status)
                raise
        recorder.finished(
            sent,
            outcome,
            response.status or None,
            response.error,
            len(request.body),
            len(response.content) if response.status else -1,
            timing,
            is_replayed,
        )
        if len(self._listeners) > ENGINES_OWN and recorder is self._recorder:
            self._tell(sent, response, failure)
        return response

    def _write(self, request: Request) -> bytes:
        """Write its head, up to the number in its id.

        Raises
        ------
        ValueError
            When it holds what no head can hold.
        """
        cookies = ""
        if self.cookies and (line := self.cookies.line(request.origin, request.target)):
            cookies = f"Cookie: {line}\r\n"
        head = (
            f"{request.method} {request.target} HTTP/1.1\r\n{request.lines}{request.about}"
            f"{cookies}{self._id}"
        )
        try:
            return head.encode("latin-1")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"a header, cookie or method holds {head[error.start]!r}; allowed: Latin-1"
            ) from None

    def _read(
        self, request: Request, answer: Answer
    ) -> tuple[Response, tuple[int, int, int], bool]:
        chunks = answer.chunks
        content = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        timing, is_replayed = _NO_TIMING, False
        encodings = ""
        for kind, value in answer.special:
            if kind == COOKIE:
                self.cookies.store(value, request.origin, request.target)
            elif kind == TIMING:
                timing = server_timing.parse(value.decode("latin-1"))
            elif kind == AGAIN:
                is_replayed = value == b"true"
            else:
                encodings += f"{value.decode('latin-1')},"
        if encodings and content:
            content = unpack(content, encodings)
        return Response(request, answer.status, answer.headers, content), timing, is_replayed

    def _tell(self, sent: Any, response: Response, failure: BaseException | None) -> None:
        """Fire the engine's event, as its own clients do."""
        if failure is None and response.error is not None:
            failure = CatchResponseError(response.error)
        duration_ns = sent.done_ns - sent.sent_ns
        context = {} if self._user is None else self._user.context()
        self._sending.events.request.fire(
            request_type=response.request.method,
            name=response.request.endpoint,
            response_time=duration_ns / 1e6,
            response_length=len(response.content),
            response=response,
            context={**context, KEY: sent},
            exception=failure,
            start_time=time.time() - (now_ns() - sent.sent_ns) / 1e9,
            url=response.url,
        )
