"""Caching of answers: off, as it was published (wrong), or with a time to live.

``naive`` is the decorator that was published as an optimisation: it remembers what a view answered
under the view's address rule and arguments, for a minute. The method, the query and who asks are no
part of that key. So a POST to an address whose GET is remembered is answered 200 with what the GET
got, and nothing is stored; and one user sees what another one asked for, signed in or not. It is
wrong on purpose: latency improves, no error is seen, and what was acknowledged is not there.

``ttl`` remembers answers to GET alone, and only 200, under all that they depend on: path, query,
and what the account may see. It is asked after the account has been found and its role checked. A
write clears what its worker remembers of the resources that it writes to, so who writes through one
worker reads what was written. Other workers, and other resources that show the same rows (a search,
a report), may answer as things were so many seconds ago as the view allows, and no more.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask_caching import Cache

from target_app import metrics
from target_app.accounts import Account
from target_app.config import Config

T = TypeVar("T")

ENTRIES_MOST = 2000
NAIVE_S = 60.0
_BESIDE = "crm_written_beside"
_OK = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, as it can be given again."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, answer: Response) -> Kept:
        """Take what an answer says."""
        return cls(answer.status_code, list(answer.headers), answer.get_data())

    def answer(self) -> Response:
        """Give it again."""
        return Response(self.body, self.status, self.headers)


@dataclass(slots=True)
class Memory:
    """What one worker remembers."""

    fresh: Cache
    """Of ``ttl``: until when, by our own clock, and what."""
    published: dict[Hashable, tuple[float, Kept]] = field(default_factory=dict)
    """Of ``naive``: until when, and what."""
    writes: dict[str, int] = field(default_factory=dict)
    """How often each resource was written to. It is part of the key: what was read before a write,
    but remembered after it, is never found."""
    lock: Lock = field(default_factory=Lock)


def install(app: Flask, config: Config) -> None:
    """
    Give an application its memory.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Says which kind of caching is switched on.
    """
    if config.options.cache == "off":
        return
    settings = {
        "CACHE_TYPE": "SimpleCache",
        "CACHE_THRESHOLD": ENTRIES_MOST,
        "CACHE_KEY_PREFIX": "",
    }
    app.extensions["crm_cache"] = Memory(Cache(app, config=settings))


def cached(view: Callable[..., Response], seconds: float | None) -> Callable[..., Response]:
    """
    Surround a view with the published cache, which works when ``cache`` is ``naive``.

    Parameters
    ----------
    view : callable
        Gives an answer; whatever it checks is not checked when there is one already.
    seconds : float or None
        How old its answers may be; None for a view that is never to be cached. The published
        decorator knows neither: it keeps for a minute, and serves whatever has the same rule.

    Returns
    -------
    callable
    """

    @functools.wraps(view)
    def serve(**arguments: Any) -> Response:
        config: Config = current_app.extensions["crm"]
        if config.options.cache != "naive":
            return view(**arguments)
        key = (str(request.url_rule), *sorted(arguments.items()))
        published = _memory().published
        until, kept = published.get(key, (0.0, None))
        hit = kept is not None and time.monotonic() < until
        if hit or seconds is not None:
            _count(str(request.url_rule), hit=hit)
        if kept is not None and hit:
            return kept.answer()
        answer = view(**arguments)
        if seconds is not None:
            published[key] = (time.monotonic() + NAIVE_S, Kept.of(answer))
        return answer

    return serve


def answered(
    resource: str, seconds: float | None, account: Account, view: Callable[[], Response]
) -> Response:
    """
    Answer a request that reads out of the cache, where ``cache`` is ``ttl``.

    Accounts that may see the same get the same answer: a cached view may not tell them apart.

    Parameters
    ----------
    resource : str
        What is read.
    seconds : float or None
        How old the answer may be; None for a view that is never cached.
    account : Account
        Who asks, and may.
    view : callable
        Gives the answer.

    Returns
    -------
    Response
    """
    if seconds is None or request.method != "GET":
        return view()
    asked = (request.path, *sorted(request.args.items(multi=True)))
    seen_by = (account.role, account.portfolio, account.customer_id)
    fresh: list[Response] = []

    def compute() -> Kept | None:
        fresh.append(view())
        return Kept.of(fresh[0]) if fresh[0].status_code == _OK else None

    kept = remember((resource, "answer", asked, seen_by), seconds, compute)
    return fresh[0] if fresh or kept is None else kept.answer()


def remember(key: tuple[Hashable, ...], seconds: float, compute: Callable[[], T]) -> T:
    """
    Give a value out of the cache, where ``cache`` is ``ttl``; compute it otherwise.

    Parameters
    ----------
    key : tuple
        First the name of the resource whose writes make it stale; then all that the value depends
        on, who may see it included. Of text, numbers, None and tuples of those.
    seconds : float
        How old it may be.
    compute : callable
        Gives the value, which can be pickled; None is not kept.

    Returns
    -------
    object
        As `compute` gave it, now or before; a copy of its own each time.
    """
    config: Config = current_app.extensions["crm"]
    if config.options.cache != "ttl":
        return compute()
    memory, resource = _memory(), str(key[0])
    # Both read before the value is computed: it is as old as that, and a write in between makes
    # this the key of something past.
    began = time.monotonic()
    name = repr((memory.writes.get(resource, 0), key))
    until, kept = memory.fresh.get(name) or (0.0, None)
    hit = until > began
    _count(resource, hit=hit)
    if hit:
        return cast(T, kept)
    value = compute()
    if value is not None:
        # The library counts by the wall clock, and in whole seconds: enough for tidying up.
        memory.fresh.set(name, (began + seconds, value), timeout=math.ceil(seconds) + 1)
    return value


def wrote(resource: str) -> None:
    """
    Forget what was remembered of a resource, because it has been written to.

    To be called when the write is committed, before it is acknowledged. What the request has
    written beside it (`writes_also`) is forgotten as well.

    Parameters
    ----------
    resource : str
        Its name.
    """
    memory: Memory | None = current_app.extensions.get("crm_cache")
    if memory is not None:
        with memory.lock:
            for each in {resource, *g.pop(_BESIDE, ())}:
                memory.writes[each] = memory.writes.get(each, 0) + 1


def writes_also(*resources: str) -> None:
    """
    Note that the current request writes to more than the resource that it is about.

    Parameters
    ----------
    *resources : str
        Their names.
    """
    g.setdefault(_BESIDE, set()).update(resources)


def _count(resource: str, *, hit: bool) -> None:
    """Let the metrics know of a look into the cache."""
    metrics.of(current_app).looked_up(resource, hit=hit)


def _memory() -> Memory:
    """Give the memory of the application that serves this request."""
    memory: Memory = current_app.extensions["crm_cache"]
    return memory
