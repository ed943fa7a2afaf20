"""The queue of known truth has the truth that it is said to have."""

from __future__ import annotations

import math
import random
import re
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from target_app.options import Options
from target_app.synthetic import SERVERS_MOST, UNIT_MEAN, Queue
from tests.support.queues import mmc_tail

CHANCES = 4.5
"""Standard errors; beyond so many lies less than one in 100,000."""


@pytest.fixture
def synthetic(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(
        options=Options(synthetic=True, synthetic_mean_ms=1.0, synthetic_seed=1)
    ).test_client()


def server_timing(answer: TestResponse) -> str:
    return answer.headers["Server-Timing"]


def arrivals(gaps_s: list[float]) -> Callable[[], float]:
    """A clock that has gone on by the next gap each time it is asked."""
    moments: Iterator[float] = iter(np.cumsum(gaps_s).tolist())
    return lambda: next(moments)


@pytest.mark.parametrize(
    ("dist", "scv"),
    [("exp", 1.0), ("det", 0.0), ("erlang", 0.25), ("hyper", 4.0), ("lognormal", math.e - 1)],
)
def test_service_times_have_the_mean_and_the_variation_of_their_name(dist: str, scv: float) -> None:
    draw, n = random.Random(1), 60_000
    times = np.array([UNIT_MEAN[dist](draw) for _ in range(n)])

    assert abs(times.mean() - 1) <= CHANCES * math.sqrt(scv / n)
    # the variance of a variance by its own fourth moment: the tails are long
    squares = (times - 1) ** 2
    assert abs(squares.mean() - scv) <= CHANCES * squares.std() / math.sqrt(n)


@pytest.mark.simulation
@pytest.mark.parametrize("rho", [0.5, 0.7])
def test_four_exponential_servers_wait_as_theory_says(rho: float) -> None:
    draw = random.Random(2)
    servers, n, batches = 4, 60_000, 40
    queue, rate = Queue(servers, seed=3), rho * servers
    clock = arrivals([draw.expovariate(rate) for _ in range(n)])
    served = [queue.come(clock, "exp", 1.0) for _ in range(n)]
    responses = np.array([each.ends_s - each.came_s for each in served])

    for limit in (1.0, 2.5, 4.0):
        beyond = (responses > limit).reshape(batches, -1).mean(axis=1)
        # means of 1,500 neighbours are next to independent at these utilisations
        error = beyond.std(ddof=1) / math.sqrt(batches)
        truth = mmc_tail(limit, rate, 1.0, servers)
        assert abs(beyond.mean() - truth) <= (CHANCES + 0.5) * error  # Student's, 39 df


@given(
    gaps_s=st.lists(st.floats(0, 10), min_size=1, max_size=60),
    servers=st.integers(1, 5),
    dist=st.sampled_from(sorted(UNIT_MEAN)),
)
def test_who_came_first_is_served_first_by_as_many_servers_as_there_are(
    gaps_s: list[float], servers: int, dist: str
) -> None:
    queue, clock = Queue(servers, seed=4), arrivals(gaps_s)
    served = [queue.come(clock, dist, 1.0) for _ in gaps_s]

    assert [each.seq for each in served] == list(range(len(served)))
    begins = [each.begins_s for each in served]
    assert begins == sorted(begins)
    for each in served:
        at_work = [o for o in served if o.begins_s <= each.begins_s < o.ends_s]
        assert len(at_work) <= servers
        # nobody waits while a server is free
        waits = each.begins_s > each.came_s
        busy = [o for o in served[: each.seq] if o.begins_s <= each.came_s < o.ends_s]
        assert not waits or len(busy) == servers


def test_the_same_seed_serves_the_same_times_scaled_by_the_mean() -> None:
    def lengths(mean_s: float) -> list[float]:
        queue = Queue(1, seed=5)
        served = [queue.come(lambda: 0.0, "exp", mean_s) for _ in range(50)]
        return [each.ends_s - each.begins_s for each in served]

    assert lengths(1.15) == pytest.approx([1.15 * length for length in lengths(1.0)])


def test_an_answer_takes_as_long_as_it_says(synthetic: FlaskClient) -> None:
    answer = synthetic.get("/synthetic?dist=det&mean=20&servers=2")
    told = answer.get_json()

    assert answer.status_code == 200, answer.text
    assert told == {"wait_ms": 0.0, "service_ms": 20.0, "seq": 0}
    timing = re.fullmatch(r'app;dur=(.+), db;dur=0.000, queries;desc="0"', server_timing(answer))
    assert timing is not None
    assert float(timing[1]) >= 20


@pytest.mark.costly
def test_who_comes_while_all_servers_are_busy_waits(
    synthetic: FlaskClient, together: Callable[..., None]
) -> None:
    told: list[dict[str, float]] = []
    ready = threading.Barrier(3)

    def ask() -> None:
        client = synthetic.application.test_client()
        ready.wait()
        told.append(client.get("/synthetic?dist=det&mean=200&servers=2").get_json())

    together(ask, ask, ask)

    waits = sorted(each["wait_ms"] for each in told)
    assert waits[:2] == [0.0, 0.0]
    assert 0 < waits[2] <= 200
    assert sorted(each["seq"] for each in told) == [0, 1, 2]


def test_the_mean_of_the_option_stands_for_one_that_is_not_named(synthetic: FlaskClient) -> None:
    assert synthetic.get("/synthetic?dist=det").get_json()["service_ms"] == 1.0


def test_each_number_of_servers_has_a_queue_of_its_own(synthetic: FlaskClient) -> None:
    for servers in (1, 2, 1):
        told = synthetic.get(f"/synthetic?servers={servers}").get_json()
    assert told["seq"] == 1


@pytest.mark.parametrize(
    ("query", "where", "message"),
    [
        ("dist=pareto", "dist", "must be one of exp, det, erlang, hyper, lognormal"),
        ("mean=0", "mean", "must be a number from 0.1 to 500"),
        ("mean=501", "mean", "must be a number from 0.1 to 500"),
        ("mean=nan", "mean", "must be a number from 0.1 to 500"),
        ("mean=1e999", "mean", "must be a number from 0.1 to 500"),
        ("servers=0", "servers", f"must be a whole number from 1 to {SERVERS_MOST}"),
        ("servers=65", "servers", f"must be a whole number from 1 to {SERVERS_MOST}"),
        ("rate=3", "rate", "is unknown; allowed are dist, mean, servers"),
    ],
)
def test_what_it_does_not_serve_is_refused(
    synthetic: FlaskClient, query: str, where: str, message: str
) -> None:
    answer = synthetic.get(f"/synthetic?{query}")

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"path": where, "message": message}]


def test_it_is_not_there_unless_it_is_switched_on(stranger: FlaskClient) -> None:
    assert stranger.get("/synthetic").status_code == 404
