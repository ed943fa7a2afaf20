"""Feeds the engine's own statistics in bulk, so that its pages, files and reports work.

What it computes for a batch equals, field by field, what the engine computes request by
request (``StatsEntry.log`` and ``log_error``), for a tenth of the cost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from locust.stats import RequestStats, StatsEntry, StatsError

from analysis.recording.format import MAX_ENDPOINTS, OTHER, Outcome
from loadtests.generator.clock import now_ns
from loadtests.generator.routes import Routes
from loadtests.generator.rows import Rows

_US = 1_000
_MOST_ERRORS = 1_000

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
    steps = np.array([1, 10, 100, 1000])
    step = steps[np.searchsorted(np.array([100, 1_000, 10_000]) * _US, us, side="right")]
    whole, rest = np.divmod(us, step * _US)
    half = step * _US // 2
    up = (rest > half) | ((rest == half) & (whole % 2 == 1))
    rounded: Integers = (whole + up) * step
    return rounded


def bound(stats: RequestStats) -> None:
    """Let the engine's statistics hold no more names than the recording does.

    The engine keeps some kilobytes for each name, and anybody's users may make a name of
    every request.

    Parameters
    ----------
    stats : RequestStats
        The engine's.
    """
    log_request, log_error = stats.log_request, stats.log_error

    def known(method: str, name: str) -> str:
        there = (name, method) in stats.entries
        return name if there or len(stats.entries) < MAX_ENDPOINTS else OTHER

    def log(method: str, name: str, response_time: int, content_length: int) -> None:
        log_request(method, known(method, name), response_time, content_length)

    def log_failure(method: str, name: str, error: Exception | str | None) -> None:
        name = known(method, name)
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

    def add(self, rows: Rows, routes: Routes) -> None:
        """Add requests that have ended, in the order in which they did.

        Parameters
        ----------
        rows : ndarray, shape (n,)
            Packed rows, at least one.
        routes : Routes
            Their names.
        """
        to_wall_s = time.time() - now_ns() / 1e9
        done_s = rows["done_ns"] / 1e9 + to_wall_s
        batch = _Batch(rows, done_s)
        batch.add_to(self._stats.total)
        order = np.argsort(rows["route"], kind="stable")
        edges = np.flatnonzero(np.diff(rows["route"][order])) + 1
        for part in np.split(order, edges):
            route = int(rows["route"][part[0]])
            method, name = routes.names[route]
            _Batch(rows[part], done_s[part]).add_to(self._entry(method, name, done_s[part[0]]))
        self._add_errors(rows, done_s, routes)

    def _entry(self, method: str, name: str, first_s: float) -> StatsEntry:
        known = (name, method) in self._stats.entries
        entry = self._stats.entries[name, method]
        if not known:  # it began when its first request ended, not now
            entry.start_time = float(first_s)
            if entry.response_times_cache is not None:
                entry.response_times_cache.clear()
                entry._cache_response_times(int(first_s))
        return entry

    def _add_errors(self, rows: Rows, done_s: npt.NDArray[np.float64], routes: Routes) -> None:
        failed = np.flatnonzero(rows["outcome"] != Outcome.OK)
        counts: dict[tuple[int, int], list[int]] = {}
        for index in failed.tolist():
            key = (int(rows["route"][index]), int(rows["error"][index]))
            counts.setdefault(key, []).append(index)
        for (route, number), indices in counts.items():
            method, name = routes.names[route]
            text = routes.text_of_error(number)
            key_text = StatsError.create_key(method, name, text)
            error = self._stats.errors.get(key_text)
            if error is None:
                error = self._stats.errors[key_text] = StatsError(method, name, text)
            error.occurrences += len(indices)
            if error.first_seen is None:
                error.first_seen = float(done_s[indices[0]])
            error.last_seen = float(done_s[indices[-1]])


class _Batch:
    """Requests of one entry, in order."""

    def __init__(self, rows: Rows, done_s: npt.NDArray[np.float64]) -> None:
        self._done_s = done_s
        self._us: Integers = (rows["done_ns"] - rows["sent_ns"]) // _US
        self._ms = self._us / _US
        self._bytes = np.maximum(rows["bytes_in"], 0)
        self._failed = rows["outcome"] != Outcome.OK

    def add_to(self, entry: StatsEntry) -> None:
        for second, part in self._seconds():
            last = entry.last_request_timestamp
            if entry.use_response_times_cache and last and second > int(last):
                entry._cache_response_times(second - 1)
            self._add(entry, second, part)

    def _seconds(self) -> Iterator[tuple[int, slice]]:
        seconds = self._done_s.astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist(), len(seconds)]
        for start, end in pairwise(edges):
            yield int(seconds[start]), slice(start, end)

    def _add(self, entry: StatsEntry, second: int, part: slice) -> None:
        ms: Any = self._ms[part]
        entry.num_requests += len(ms)
        entry.num_reqs_per_sec[second] += len(ms)
        entry.last_request_timestamp = float(self._done_s[part][-1])
        # one by one from the left, as the engine adds: the same rounding
        total = np.add.accumulate(np.concatenate([[entry.total_response_time], ms]))[-1]
        entry.total_response_time = float(total)  # type: ignore[assignment]
        least, most = float(ms.min()), float(ms.max())
        before = entry.min_response_time
        entry.min_response_time = least if before is None else min(before, least)  # type: ignore[assignment]
        entry.max_response_time = max(entry.max_response_time, most)  # type: ignore[assignment]
        rounded, counts = np.unique(bucket_ms(self._us[part]), return_counts=True)
        for bucket, count in zip(rounded.tolist(), counts.tolist(), strict=True):
            entry.response_times[bucket] += count
        entry.total_content_length += int(self._bytes[part].sum())
        failed = int(np.count_nonzero(self._failed[part]))
        if failed:
            entry.num_failures += failed
            entry.num_fail_per_sec[second] += failed
