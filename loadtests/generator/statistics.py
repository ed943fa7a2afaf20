"""Feeds the engine's own statistics in bulk, so that its pages, files and reports work.

What it computes for a batch equals, field by field, what the engine computes request by
request (``StatsEntry.log`` and ``log_error``), for a tenth of the cost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from locust.stats import RequestStats, StatsEntry, StatsError

from analysis.recording.format import MAX_ENDPOINTS, OTHER, Outcome
from analysis.recording.writer import writable
from loadtests.generator.clock import now_ns
from loadtests.generator.routes import Routes
from loadtests.generator.rows import Rows

_US = 1_000
_MOST_ERRORS = 1_000
_SHIFT = 32
_MASK = (1 << _SHIFT) - 1
_STEPS = np.array([1, 10, 100, 1000])
_FROM_US = np.array([100, 1_000, 10_000]) * _US

Integers = npt.NDArray[np.int64]


def bucket_ms(us: Integers) -> Integers:
    """Round response times as the engine's histogram does.

    To 1 ms below 100 ms, then to two digits, halves to the even neighbour
    (``locust.stats.bucket_response_time``).

    Parameters
    ----------
    us : ndarray
        Response times in whole microseconds.

    Returns
    -------
    ndarray
        Milliseconds.
    """
    step = _STEPS[np.searchsorted(_FROM_US, us, side="right")]
    whole, rest = np.divmod(us, step * _US)
    half = step * _US // 2
    up = (rest > half) | ((rest == half) & (whole % 2 == 1))
    rounded: Integers = (whole + up) * step
    return rounded


def bound(stats: RequestStats) -> None:
    """Let the engine's statistics hold no other names, and no more, than the recording does.

    The engine keeps some kilobytes for each name, and anybody's users may make a name of
    every request. And one that cannot be written down ends a worker when it reports to its
    master.

    Parameters
    ----------
    stats : RequestStats
        The engine's.
    """
    log_request, log_error = stats.log_request, stats.log_error

    def known(method: str, name: str) -> tuple[str, str]:
        method, name = writable(method), writable(name)
        there = (name, method) in stats.entries
        return method, name if there or len(stats.entries) < MAX_ENDPOINTS else OTHER

    def log(method: str, name: str, response_time: int, content_length: int) -> None:
        method, name = known(method, name)
        log_request(method, name, response_time, content_length)

    def log_failure(method: str, name: str, error: Exception | str | None) -> None:
        method, name = known(method, name)
        error = writable(error) if isinstance(error, str) else error
        if len(stats.errors) >= _MOST_ERRORS:
            there = StatsError.create_key(method, name, error) in stats.errors
            error = error if there else OTHER
        log_error(method, name, error)

    stats.log_request, stats.log_error = log, log_failure  # type: ignore[method-assign]


class BulkStatistics:
    """The engine's statistics, fed with batches.

    Parameters
    ----------
    stats : RequestStats
        The engine's.
    """

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats
        self._keys: dict[tuple[str, str, str], str] = {}

    def add(self, rows: Rows, routes: Routes) -> None:
        """Add requests that have ended, in the order in which they did.

        Parameters
        ----------
        rows : ndarray, shape (n,)
            Packed rows, at least one.
        routes : Routes
            Their names.
        """
        requests = _Requests(rows)
        for part in requests.parts(None):
            part.add_to(self._stats.total)
        for part in requests.parts(np.argsort(requests.route, kind="stable")):
            method, name = routes.names[part.route]
            part.add_to(self._entry(method, name, part.first_s))
        for index in np.flatnonzero(requests.failed).tolist():
            method, name = routes.names[requests.route[index]]
            text = routes.text_of_error(int(rows["error"][index]))
            self._add_error(method, name, text, float(requests.done_s[index]))

    def _entry(self, method: str, name: str, first_s: float) -> StatsEntry:
        known = (name, method) in self._stats.entries
        entry = self._stats.entries[name, method]
        if not known:  # it began when its first request ended, not now
            entry.start_time = first_s
            if entry.response_times_cache is not None:
                entry.response_times_cache.clear()
                entry._cache_response_times(int(first_s))
        return entry

    def _add_error(self, method: str, name: str, text: str, at_s: float) -> None:
        key = self._keys.get((method, name, text))
        if key is None:
            key = StatsError.create_key(method, name, text)
            if len(self._keys) < _MOST_ERRORS:
                self._keys[method, name, text] = key
        error = self._stats.errors.get(key)
        if error is None:
            error = self._stats.errors[key] = StatsError(method, name, text)
        error.occurrences += 1
        error.first_seen = at_s if error.first_seen is None else error.first_seen
        error.last_seen = at_s


@dataclass(slots=True)
class _Part:
    """Requests of one route that ended within one second of the wall clock."""

    route: int
    second: int
    first_s: float
    last_s: float
    count: int
    failed: int
    total_us: int
    min_us: int
    max_us: int
    length: int
    buckets: list[tuple[int, int]] = field(default_factory=list)

    def add_to(self, entry: StatsEntry) -> None:
        """Add them to an entry, as if one by one."""
        last = entry.last_request_timestamp
        if entry.use_response_times_cache and last and self.second > int(last):
            entry._cache_response_times(self.second - 1)
        entry.num_requests += self.count
        entry.num_reqs_per_sec[self.second] += self.count
        entry.last_request_timestamp = self.last_s
        # the engine annotates whole milliseconds, and adds what clients give: fractions
        least: Any = self.min_us / _US
        most: Any = self.max_us / _US
        total: Any = (round(entry.total_response_time * _US) + self.total_us) / _US
        entry.total_response_time = total
        before = entry.min_response_time
        entry.min_response_time = least if before is None else min(before, least)
        entry.max_response_time = max(entry.max_response_time, most)
        for bucket, count in self.buckets:
            entry.response_times[bucket] += count
        entry.total_content_length += self.length
        if self.failed:
            entry.num_failures += self.failed
            entry.num_fail_per_sec[self.second] += self.failed


class _Requests:
    """What the statistics take of packed rows, column by column."""

    def __init__(self, rows: Rows) -> None:
        to_wall_s = time.time() - now_ns() / 1e9
        self.route = np.ascontiguousarray(rows["route"])
        self.failed = rows["outcome"] != Outcome.OK
        self.done_s = rows["done_ns"] / 1e9 + to_wall_s
        self._second = self.done_s.astype(np.int64)
        self._us: Integers = (rows["done_ns"] - rows["sent_ns"]) // _US
        self._bucket = bucket_ms(self._us)
        self._length = np.maximum(rows["bytes_in"], 0)

    def parts(self, order: npt.NDArray[np.intp] | None) -> list[_Part]:
        """Divide the requests, in an order, wherever route or second change.

        Parameters
        ----------
        order : ndarray or None
            Indices, by route; None: as they came, whatever their route.

        Returns
        -------
        list of _Part
            In that order.
        """
        take = slice(None) if order is None else order
        second, route, us = self._second[take], self.route[take], self._us[take]
        changes = np.diff(second) != 0
        if order is not None:
            changes |= np.diff(route) != 0
        starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
        done_s = self.done_s[take]
        columns = (
            route[starts],
            second[starts],
            done_s[starts],
            done_s[np.append(starts[1:], len(second)) - 1],
            np.diff(np.append(starts, len(second))),
            np.add.reduceat(self.failed[take].astype(np.int64), starts),
            np.add.reduceat(us, starts),
            np.minimum.reduceat(us, starts),
            np.maximum.reduceat(us, starts),
            np.add.reduceat(self._length[take], starts),
        )
        parts = [_Part(*values) for values in zip(*(c.tolist() for c in columns), strict=True)]
        number = np.concatenate([[0], np.cumsum(changes)])
        keys, counts = np.unique(number << _SHIFT | self._bucket[take], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            parts[key >> _SHIFT].buckets.append((key & _MASK, count))
        return parts
