"""``/metrics``: what this server counts and measures, for Prometheus.

With several workers each counts into files of its own, in the folder that
``PROMETHEUS_MULTIPROC_DIR`` names, and whichever worker is asked adds them up. What a worker had
counted stays when it is killed, so no counter ever goes back while the server runs. What a worker
*is* (its memory, its pool, what it is serving) it writes down every second, and is dropped once it
is gone.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from flask import Flask
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine

from target_app.config import Config
from target_app.pools import WatchedPool

CONTENT_TYPE = CONTENT_TYPE_LATEST

_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # as prometheus_client read it just now
_SAMPLED_EVERY_S = 1.0
_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "(other)"
NO_ROUTE = "(none)"
"""The route of what nothing answers to; the path itself would be a label without end."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter

_Bound = tuple[
    Callable[[], None], Callable[[float], None], Callable[[float], None], Callable[[float], None]
]


class Metrics:
    """
    The metrics of one application.

    Parameters
    ----------
    config : Config
        Told by ``crm_info``.
    engine : Engine
        The application's.
    """

    def __init__(self, config: Config, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self.open: set[object] = set()
        """What is being served: whoever begins adds itself, and removes itself at the end."""
        self._gauges: set[str] = set()
        self._engine = engine
        self._process = psutil.Process()
        self._bound: dict[tuple[str, str, str], _Bound] = {}
        self._requests = Counter(
            "crm_requests", "Answers given.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = self._histogram(
            "crm_request_seconds", "Time from taking a request to having its answer."
        )
        self._database_seconds = self._histogram(
            "crm_database_seconds", "Of that, waiting for the database, where it was asked."
        )
        self._queries = Counter(
            "crm_queries", "Statements run.", ["method", "route"], registry=self.registry
        )
        self._hits = Counter(
            "crm_cache_hits", "Answers out of the cache.", ["resource"], registry=self.registry
        )
        self._misses = Counter(
            "crm_cache_misses", "Answers not in the cache.", ["resource"], registry=self.registry
        )
        self._in_flight = self._gauge("crm_in_flight", "Requests being served.")
        self._pool_size = self._gauge("crm_pool_size", "Connections that the pool may hold.")
        self._pool_used = self._gauge("crm_pool_checked_out", "Connections in use.")
        self._pool_waits = self._gauge(
            "crm_pool_waits", "Requests that found no free connection and waited, so far."
        )
        self._memory = self._gauge("crm_process_resident_bytes", "Resident memory.")
        self._threads = self._gauge("crm_process_threads", "Threads.")
        self._cpu = self._gauge("crm_process_cpu_seconds", "Processor time used, so far.")
        self._inform(config)
        self.sample()

    def record(
        self, method: str, route: str, status: str, seconds: float, database: tuple[float, int]
    ) -> None:
        """
        Count one answer.

        Parameters
        ----------
        method : str
            HTTP method.
        route : str
            The rule that the path matched, or `NO_ROUTE`.
        status : str
            Three digits.
        seconds : float
            From taking the request to having the answer.
        database : tuple of float and int
            Seconds of waiting for the database, and statements run.
        """
        # Finding the children by their labels costs more than counting: so they are kept.
        bound = self._bound.get((method, route, status)) or self._bind(method, route, status)
        count, observe, observe_database, count_queries = bound
        count()
        observe(seconds)
        database_seconds, queries = database
        if queries:
            observe_database(database_seconds)
            count_queries(queries)

    def looked_up(self, resource: str, *, hit: bool) -> None:
        """
        Count a look into the cache.

        Parameters
        ----------
        resource : str
            Of what.
        hit : bool
            Whether it was there.
        """
        (self._hits if hit else self._misses).labels(resource).inc()

    def sample(self) -> None:
        """Write down what this process is at the moment."""
        self._in_flight.set(len(self.open))
        pool = self._engine.pool
        if isinstance(pool, WatchedPool):
            self._pool_size.set(pool.size())
            self._pool_used.set(pool.checkedout())
            self._pool_waits.set(pool.waits)
        with self._process.oneshot():
            self._memory.set(self._process.memory_info().rss)
            self._threads.set(self._process.num_threads())
            used = self._process.cpu_times()
            self._cpu.set(used.user + used.system)

    def keep_sampling(self) -> None:
        """Sample every second from now on, for when another worker is asked."""

        def sample() -> None:
            pause = threading.Event()
            while not pause.wait(_SAMPLED_EVERY_S):
                _allocate()
                self.sample()

        threading.Thread(target=sample, name="metrics", daemon=True).start()

    def expose(self, names: frozenset[str] = frozenset()) -> bytes:
        """
        Write it down, that of the other workers included.

        Parameters
        ----------
        names : frozenset of str
            Of metrics; all when it is empty. Who asks for gauges of the workers alone, every
            second, is answered without all that was counted being added up.

        Returns
        -------
        bytes
            In the format that `CONTENT_TYPE` names.
        """
        self.sample()
        if _FOLDER is None:
            found = self.registry.restricted_registry(names) if names else self.registry
            return generate_latest(found)
        files = "gauge_liveall_*.db" if names and names <= self._gauges else "*.db"
        registry = CollectorRegistry()
        registry.register(_Workers(Path(_FOLDER), files, names))
        return generate_latest(registry)

    def _bind(self, method: str, route: str, status: str) -> _Bound:
        """Find what counts for some labels, and keep it."""
        name = method if method in _METHODS else _OTHER
        bound = (
            self._requests.labels(name, route, status).inc,
            self._seconds.labels(name, route).observe,
            self._database_seconds.labels(name, route).observe,
            self._queries.labels(name, route).inc,
        )
        if method == name:  # what callers make up is not kept
            self._bound[method, route, status] = bound
        return bound

    def _histogram(self, name: str, about: str) -> Histogram:
        labels = ["method", "route"]
        return Histogram(name, about, labels, buckets=_BUCKETS_S, registry=self.registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        """Make a gauge of this process; with several, its pid is a label."""
        self._gauges.add(name)
        return Gauge(name, about, multiprocess_mode="liveall", registry=self.registry)

    def _inform(self, config: Config) -> None:
        """Say what is running, as labels of a 1."""
        facts: dict[str, Any] = {
            "commit": config.commit or "",
            "database": "sqlite" if config.postgres_url is None else "postgres",
            "workers": config.workers,
            "threads": config.threads,
            "extensions": ",".join(config.extensions),
        } | config.options.to_json()
        info = Gauge(
            "crm_info",
            "What runs here.",
            list(facts),
            multiprocess_mode="livemax",
            registry=self.registry,
        )
        info.labels(*map(_word, facts.values())).set(1)


class _Workers(Collector):
    """
    Adds up the files of all workers.

    The library's own collector, but for two things: it looks for files with a pattern into which
    the folder's name goes unquoted, and it does not notice by itself that a worker is gone.
    """

    def __init__(self, folder: Path, files: str, names: frozenset[str]) -> None:
        self._folder = folder
        self._files = files
        self._names = names

    def collect(self) -> Iterable[Any]:
        """
        Add up.

        Returns
        -------
        iterable of Metric
        """
        for file in self._folder.glob("gauge_live*_*.db"):
            if not _lives(int(file.stem.rpartition("_")[2])):
                # Another worker may be asked at the same moment.
                with contextlib.suppress(FileNotFoundError):
                    file.unlink()
        files = [str(file) for file in self._folder.glob(self._files)]
        merged: Iterable[Any] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return [metric for metric in merged if not self._names or metric.name in self._names]


def install(app: Flask, config: Config, engine: Engine) -> Metrics:
    """
    Give an application its metrics.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Its settings.
    engine : Engine
        Its engine.

    Returns
    -------
    Metrics
    """
    metrics = Metrics(config, engine)
    _allocate()
    app.extensions["crm_metrics"] = metrics
    return metrics


def _allocate() -> None:
    """
    Have the disk set aside what this process's files are going to hold.

    They are mapped into memory and full of holes: a write to one that a full disk has no room for
    would end the process (SIGBUS), where a write to a file would only fail.
    """
    if _FOLDER is None:
        return
    for file in Path(_FOLDER).glob(f"*_{os.getpid()}.db"):
        with contextlib.suppress(OSError), file.open("r+b") as opened:  # full already: as it is
            os.posix_fallocate(opened.fileno(), 0, os.fstat(opened.fileno()).st_size)


def of(app: Flask) -> Metrics:
    """
    Give the metrics of an application.

    Parameters
    ----------
    app : Flask
        The application.

    Returns
    -------
    Metrics
    """
    metrics: Metrics = app.extensions["crm_metrics"]
    return metrics


def _word(value: object) -> str:
    """Write a setting as the command line does."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lives(pid: int) -> bool:
    """Tell whether a process is there; one that has ended and was not waited for is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
