"""Steady state: halves that differ are found, and a queue that only wanders is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.decision import Verdict
from analysis.phases import Label
from analysis.recording.reader import read_run
from analysis.steady import halves, mser5, steady, steady_in, unsteady
from analysis.windows import hold_of, hold_windows
from tests.analysis.synthetic import RunBuilder, scenario_of
from tests.support.queues import mm1_responses

Floats = npt.NDArray[np.float64]


def noisy(rng: np.random.Generator, n: int, level: float = 100.0) -> Floats:
    return rng.normal(level, 0.05 * level, n)


def stepped(rng: np.random.Generator, by: float, n: int = 100) -> Floats:
    return noisy(rng, n) * np.where(np.arange(n) < n / 2, 1.0, 1.0 + by)


def test_halves_that_are_alike_are_steady() -> None:
    rng = np.random.default_rng(1)
    found = steady(noisy(rng, 100), noisy(rng, 100), width_s=0.5)

    assert found.verdict is Verdict.PASSED
    assert found.why == "the halves of the hold differ by less than 10%"


@pytest.mark.parametrize("by", [-0.3, 0.3])
def test_halves_that_differ_are_found_whichever_way(by: float) -> None:
    rng = np.random.default_rng(1)
    found = steady(stepped(rng, by), noisy(rng, 100), width_s=0.5)

    assert found.verdict is Verdict.FAILED
    assert found.latency.value == pytest.approx(by, abs=0.05)
    assert f"median latency {'rose' if by > 0 else 'fell'} by" in found.why


@pytest.mark.parametrize("share", [0.1, 0.25, 0.75])
def test_a_warm_up_or_a_change_does_not_hide_itself_by_the_restlessness_that_it_makes(
    share: float,
) -> None:
    rng = np.random.default_rng(1)
    series = noisy(rng, 100) * np.where(np.arange(100) < 100 * share, 2.0, 1.0)
    found = steady(series, noisy(rng, 100), width_s=0.5)

    assert found.verdict is Verdict.FAILED
    if share < 0.5:
        assert found.warmup_s.value is not None
        assert 50 * share <= found.warmup_s.value <= 50 * share + 10


def test_a_drift_does_not_hide_itself_either() -> None:
    series = np.linspace(100, 150, 100) + np.random.default_rng(1).normal(0, 1, 100)
    found = steady(series, np.full(100, 50.0), width_s=0.5)

    assert found.verdict is Verdict.FAILED
    assert found.latency.value == pytest.approx(0.22, abs=0.01)
    assert found.throughput.low == found.throughput.high == 0


def test_a_difference_that_changes_no_answer_is_no_matter_however_certain() -> None:
    rng = np.random.default_rng(1)
    found = steady(stepped(rng, 0.05), noisy(rng, 100), width_s=0.5)

    assert found.latency.low is not None
    assert found.latency.low > 0
    assert found.verdict is Verdict.PASSED


def test_throughput_counts_too() -> None:
    rng = np.random.default_rng(1)
    found = steady(noisy(rng, 100), stepped(rng, -0.3), width_s=0.5)

    assert found.verdict is Verdict.FAILED
    assert "throughput fell by" in found.why


def test_a_hold_that_wanders_is_undecided() -> None:
    walk = 100 + 10 * np.cumsum(np.random.default_rng(3).standard_normal(100)) / 3
    found = steady(walk, np.full(100, 50.0), width_s=0.5)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "depend on each other" in found.why


def test_warm_up_is_measured_where_the_beginning_is_slow() -> None:
    # method page: 50 + noise + 30 exp(-t / 60) is cut after some three to five times 60
    rng = np.random.default_rng(5)
    at = np.arange(1_000)
    cuts = [mser5(50 + rng.normal(0, 1.15, len(at)) + 30 * np.exp(-at / 60)) for _ in range(50)]

    assert all(cut is not None and 120 <= cut <= 360 for cut in cuts)


def test_a_series_that_never_settles_has_no_cut() -> None:
    assert mser5(np.exp(-np.arange(100) / 300)) is None
    assert mser5([1.0, 2.0]) is None


@given(st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_halves_do_not_know_the_unit(scale: float, seed: int) -> None:
    series = noisy(np.random.default_rng(seed), 80)
    one, other = halves(series), halves(series * scale)

    assert other.value == pytest.approx(one.value, rel=1e-6, abs=1e-9)
    assert other.low == pytest.approx(one.low, rel=1e-6, abs=1e-9)


@pytest.mark.costly
def test_a_queue_at_eighty_percent_is_hardly_ever_called_unsteady() -> None:
    rng = np.random.default_rng(7)
    wolf = 0
    for _ in range(100):
        taken = mm1_responses(rng, 0.8, 12_000)
        medians = np.median(taken.reshape(120, 100), axis=1)
        wolf += steady(medians, rng.poisson(100, 120), width_s=1.0).verdict is Verdict.FAILED

    # measured 5 %: a right program fails this less than once in 10,000 times
    assert wolf <= binom.isf(1e-4, 100, 0.06)


def hold(folder: Path, *, hold_s: float = 20.0, slow_after_s: float = 10.0, rate: int = 60):  # type: ignore[no-untyped-def]
    """One stage in which every request takes 5 ms, and 10 ms after a while."""
    build = RunBuilder(folder / "run", scenario_of([(5, hold_s)]))
    rng = np.random.default_rng(1)
    for at_s in np.arange(0, hold_s, 1 / rate):
        build.add(at_s, rng.normal(0.010 if at_s >= slow_after_s else 0.005, 0.0005))
    recording = read_run(build.finish(ended_s=hold_s))
    (window,) = hold_windows(recording.schedule, recording.ended_s)
    return hold_of(recording.samples, window)


def test_the_hold_of_a_run_is_asked(tmp_path: Path) -> None:
    changed = hold(tmp_path)
    found = steady_in(changed)

    assert found.latency.value == pytest.approx(1.0, abs=0.1)
    (warning,) = unsteady(changed.window, found)
    assert warning.startswith("stage 1 (5 users) shows no steady state: the halves of the hold")


def test_what_was_done_to_the_target_is_left_out(tmp_path: Path) -> None:
    slow_at_the_end = hold(tmp_path, hold_s=40.0, slow_after_s=30.0)
    disturbed = [(Label.FAULT, 30.0, 35.0), (Label.RECOVERY, 35.0, 40.0)]

    assert steady_in(slow_at_the_end).verdict is Verdict.FAILED
    assert steady_in(slow_at_the_end, disturbed).verdict is Verdict.PASSED


def test_a_thin_hold_is_said_to_be(tmp_path: Path) -> None:
    found = steady_in(hold(tmp_path, rate=10))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.why == "not enough data: 200 requests, at least 600 are needed"
    assert unsteady(hold(tmp_path / "b", rate=10).window, found) == []
