"""The memory of failures: their own, and the latencies' as far as they come with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.autocorrelation import autocorrelation_time, largest_autocorrelation_time
from analysis.failure_memory import failure_time
from tests.support.queues import mm1_responses

FloatArray = npt.NDArray[np.float64]


def queue(seed: int = 1, *, rho: float = 0.8, n: int = 5_000) -> FloatArray:
    return mm1_responses(np.random.default_rng(seed), rho, n)


def test_what_fails_because_the_queue_is_long_fades_as_the_queue_does() -> None:
    latencies = queue()
    bad = latencies > np.quantile(latencies, 0.99)
    own, borrowed = autocorrelation_time(bad), failure_time(bad, latencies)
    assert 1.3 * own < borrowed <= largest_autocorrelation_time(latencies, latencies.max())


def test_errors_that_know_nothing_of_the_latencies_keep_their_own_memory() -> None:
    # At two standard deviations chance opens 1 of 20 to the latencies; with s near 0 even that
    # is little.
    rng, latencies = np.random.default_rng(2), queue()
    times = []
    for _ in range(40):
        bad = rng.random(len(latencies)) < 0.05
        times.append(failure_time(bad, latencies) / autocorrelation_time(bad))
    assert np.mean(np.array(times) == 1) > 0.7  # of 95 %: missed less than once in 10,000
    assert max(times) < 5


def test_bursts_beside_the_queue_do_not_borrow_its_memory() -> None:
    latencies, borrowed = queue(), 0
    for seed in range(40):
        bad = np.zeros(len(latencies), dtype=bool)
        for at in np.random.default_rng([3, seed]).integers(0, 4_990, 25):
            bad[at : at + 10] = True
        borrowed += failure_time(bad, latencies) > 2 * autocorrelation_time(bad)
    assert borrowed <= 8  # of 1 in 20: more come less than once in 10,000


def test_errors_at_random_among_the_slow_borrow_a_part_of_the_memory() -> None:
    rng, latencies = np.random.default_rng(4), queue()
    slow = latencies > np.quantile(latencies, 0.85)
    some = slow & (rng.random(len(slow)) < 1 / 3)
    borrowed = failure_time(some, latencies)
    assert autocorrelation_time(some) <= borrowed < 0.6 * failure_time(slow, latencies)


@given(
    bad=st.lists(st.booleans(), max_size=60),
    seed=st.integers(0, 2**32 - 1),
    distinct=st.integers(1, 60),
)
def test_it_is_never_shorter_than_the_flags_own(bad: list[bool], seed: int, distinct: int) -> None:
    flags = np.array(bad, dtype=bool)
    latencies = np.random.default_rng(seed).integers(0, distinct, len(bad)).astype(float)
    found = failure_time(flags, latencies)
    assert autocorrelation_time(flags) <= found <= max(1, len(bad))


@pytest.mark.parametrize("bad", [[], [True], [False] * 9, [True] * 9])
def test_what_never_changes_remembers_nothing(bad: list[bool]) -> None:
    assert failure_time(bad, np.arange(len(bad))) == 1.0


def test_there_is_a_latency_for_each_flag() -> None:
    with pytest.raises(ValueError, match="found 1 latencies of 2 flags"):
        failure_time([True, False], [1.0])
