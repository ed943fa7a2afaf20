"""Queues of known truth through the whole pipeline: their coverage is in tests/accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.quantiles import quantiles
from analysis.recording.reader import read_run
from analysis.verdict import judge
from tests.support.queue_runs import WARMUP_S, reference, write_queue_run

LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
QUEUES = {queue.name: queue for queue in reference()}


def test_the_verdicts_intervals_are_those_of_the_requests_in_intended_order(tmp_path: Path) -> None:
    queue = QUEUES["M/M/1 0.8"]
    recording = read_run(write_queue_run(tmp_path / "run", queue, np.random.default_rng(1), 5_000))
    samples = recording.samples
    assert set(samples["process"]) == {0, 1}
    inside = samples[samples["intended_s"] >= WARMUP_S].sort_values("intended_s")
    # What was written is in hand again: Poisson arrivals, merged from two clocks.
    gaps = np.diff(inside["intended_s"].to_numpy())
    assert gaps.mean() == pytest.approx(1 / queue.rate, rel=0.06)  # 4 sigma of 5,000
    expected = quantiles(inside["latency_ms"].to_numpy(dtype=float), LEVELS.values())
    (stage,) = judge(recording)["stages"]
    for name, level in LEVELS.items():
        assert stage["latency"][name] == expected[level].as_dict()
        assert stage["latency"][name]["n_eff"] < 1_000
        shuffled = np.random.default_rng(2).permutation(inside["latency_ms"].to_numpy(dtype=float))
        assert (quantiles(shuffled, [level])[level].n_eff or 0) > 3_000


def test_only_a_steady_server_answers_many_requests_in_exactly_one_time() -> None:
    atoms = {name for name, queue in QUEUES.items() if queue.is_atom(0.5)}
    assert atoms == {"M/D/1 0.3", "M/D/1 0.5"}
