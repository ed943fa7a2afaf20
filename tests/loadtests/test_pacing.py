"""Pacing keeps its grid: what a stall cost is measured, and what a task costs itself is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from loadtests.generator.pacing import Grid

MS = 1_000_000
S = 1_000 * MS
INTERVAL = 100 * MS


class Life:
    """A user on a grid, in simulated time: its tasks ask once, and may do something else."""

    def __init__(self, answer_ns: Callable[[int], int], *, own_ns: int = 0) -> None:
        self.grid = Grid(place_ns=0, started_ns=0, waited_ns=0, patience_ns=10 * S)
        self.answer_ns = answer_ns
        self.own_ns = own_ns
        self.now = self.waited = 0
        self.latencies: list[float] = []
        self.missed: list[int] = []

    def live(self, until_ns: int) -> None:
        place = 0
        while place < until_ns and self.now < until_ns:
            sent = max(self.now, place)
            self.now = sent + self.answer_ns(sent)
            self.waited += self.now - sent
            self.latencies.append((self.now - place) / MS)
            self.now += self.own_ns
            place, given_up = self.grid.find(INTERVAL, now=self.now, waited_ns=self.waited)
            self.missed += given_up
        self.grid.waiting = True
        self.missed += self.grid.finish(now=until_ns, waited_ns=self.waited)


def test_percentiles_after_a_stall_are_near_their_closed_form() -> None:
    """A stall of 3 s in 20 s: 15 % of the starts wait evenly between 0 and 3 s.

    So p95 lies at 1 - .05/.15 of the stall, 2.0 s, and p99 at 1 - .01/.15 of it, 2.8 s;
    the grid has one place in 100 ms, which is the error to expect.
    """

    def answer(sent: int) -> int:
        in_stall = 5 * S <= sent < 8 * S
        return (8 * S - sent if in_stall else 0) + MS

    lives = [Life(answer) for _ in range(10)]
    for life in lives:
        life.live(20 * S)
    latencies = np.concatenate([life.latencies for life in lives])

    assert len(latencies) == 10 * 200
    assert sum(len(life.missed) for life in lives) == 0
    assert np.quantile(latencies, 0.95) == pytest.approx(2_000, abs=110)
    assert np.quantile(latencies, 0.99) == pytest.approx(2_800, abs=110)
    assert np.quantile(latencies, 0.80) == pytest.approx(1, abs=1)


def test_what_a_task_does_of_its_own_moves_the_grid() -> None:
    life = Life(lambda _: 5 * MS, own_ns=300 * MS)
    life.live(20 * S)

    assert max(life.latencies) == 5
    assert len(life.latencies) == pytest.approx(20_000 / 305, abs=2)
    assert life.missed == []


def test_a_task_that_needs_less_than_the_interval_does_not_move_it() -> None:
    life = Life(lambda _: 5 * MS, own_ns=90 * MS)
    life.live(20 * S)

    assert max(life.latencies) == 5
    assert len(life.latencies) == 200


def test_own_time_beside_a_stall_is_not_the_targets() -> None:
    """Each task needs 50 ms itself: a start that is overdue catches up by 50 ms a task."""
    life = Life(lambda sent: 3 * S if sent == 5 * S else MS, own_ns=50 * MS)
    life.live(20 * S)

    assert len(life.latencies) == 200
    assert life.latencies[50] == 3_000
    # the next one was due at 5.1 s and started at 8.05 s
    assert life.latencies[51] == 2_951
    assert life.latencies[52] == 2_951 - 49
    assert life.latencies[-1] == 1


def test_a_target_slower_than_the_pacing_falls_behind_and_what_is_too_late_is_missed() -> None:
    life = Life(lambda _: 400 * MS)
    life.live(60 * S)
    places = len(life.latencies) + len(life.missed)

    assert places == 600  # none is silent, and there are no more than were asked for
    assert max(life.latencies) <= 10_000 + 400
    # behind by 300 ms of every 400, and 10 s are forgiven: so long nothing is missed
    assert min(life.missed) >= 10 * S / 0.75 * 0.25 - INTERVAL
    assert life.missed == sorted(set(life.missed))


def test_a_user_that_waits_for_an_answer_at_the_end_misses_what_was_due_meanwhile() -> None:
    grid = Grid(place_ns=0, started_ns=0, waited_ns=0, patience_ns=10 * S)
    assert grid.find(INTERVAL, now=20 * MS, waited_ns=20 * MS) == (100 * MS, [])
    # its task started at its place, and is still waiting for the answer
    missed = grid.finish(now=450 * MS, waited_ns=20 * MS + 350 * MS)

    assert missed == [200 * MS, 300 * MS, 400 * MS]


def test_a_user_that_sleeps_in_its_task_at_the_end_misses_nothing() -> None:
    grid = Grid(place_ns=0, started_ns=0, waited_ns=0, patience_ns=10 * S)
    grid.find(INTERVAL, now=20 * MS, waited_ns=20 * MS)

    assert grid.finish(now=450 * MS, waited_ns=20 * MS) == []


def test_a_user_that_waits_for_its_place_misses_nothing() -> None:
    grid = Grid(place_ns=0, started_ns=0, waited_ns=0, patience_ns=10 * S)
    grid.find(INTERVAL, now=20 * MS, waited_ns=20 * MS)
    grid.waiting = True

    assert grid.finish(now=90 * MS, waited_ns=20 * MS) == []
