"""What is taken for the truth of real faults, on queues whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.disturbed import (
    Freeze,
    arrivals,
    departures,
    drained_s,
    frozen_departures,
)
from tests.support.outside import emptied_s, faults_from_outside, gap, samples_of, settled_s

FREEZE = Freeze(start_s=30.2, end_s=33.2)


def frozen_queue(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrivals, services and departures of M/M/1 at 200/s of 400/s that stands still."""
    rng = np.random.default_rng(seed)
    at_s = arrivals(rng, 200, 60)
    service_s = rng.exponential(1 / 400, len(at_s))
    return at_s, service_s, frozen_departures(at_s, service_s, [FREEZE])


@pytest.mark.parametrize("seed", range(5))
def test_a_queue_has_as_few_open_as_before_when_it_has_drained(seed: int) -> None:
    at_s, service_s, end_s = frozen_queue(seed)
    drained = drained_s(at_s, service_s, [FREEZE])
    assert emptied_s(at_s, end_s, FREEZE.end_s, (1, 30)) == pytest.approx(drained, abs=0.1)


def test_a_queue_that_never_drains_has_no_such_moment() -> None:
    at_s = np.arange(0, 20, 0.01)
    end_s = np.where(at_s < 10, at_s + 0.001, np.inf)
    assert emptied_s(at_s, end_s, 11, (1, 9)) == float("inf")


def test_answers_stop_and_resume_at_the_ends_of_the_longest_time_without_one() -> None:
    right_s = np.array([1.0, 1.5, 2.0, 2.1, 6.1, 6.2, 9.0])
    assert gap(right_s, 2.05, 6.0) == (2.1, 6.1)
    assert gap(right_s[::-1], 2.11, 2.2) == (2.1, 6.1)  # over before anybody was served again
    with pytest.raises(ValueError, match=r"no right answer before 0\.5"):
        gap(right_s, 0.5, 3.0)
    with pytest.raises(ValueError, match=r"or after 9\.1"):
        gap(right_s, 8.0, 9.1)


def test_service_has_settled_when_slow_answers_no_longer_follow_each_other() -> None:
    intended = np.array([1.0, 2.0, 9.0, 9.5, 10.2, 10.5, 12.0])
    latency = np.array([0.1, 0.2, 1.0, 0.9, 0.1, 0.4, 0.5])  # from 10 s on: 10.0, 10.4, 10.9, 12.5
    done = intended + latency
    assert settled_s(intended, done, 10.0, (0.5, 3.0)) == pytest.approx(10.9)
    assert settled_s(intended, done, 11.2, (0.5, 3.0)) == pytest.approx(11.2)


@pytest.mark.costly
def test_a_run_is_read_as_its_events_and_samples_say(tmp_path: Path) -> None:
    at_s, service_s, end_s = frozen_queue(1)
    bad = (at_s > 31) & (at_s < 31.1)
    pd.DataFrame(
        {
            "intended_us": (at_s * 1e6).astype(int),
            "done_us": np.where(bad, np.nan, end_s * 1e6),
            "seen_us": (end_s * 1e6).astype(int),
            "outcome": np.where(bad, "timeout", "ok"),
        }
    ).to_parquet(tmp_path / "samples.parquet")
    told = {"fault": 0, "what": "freeze", "process": "server"}
    events = [
        {"kind": "fault_injected", "t_s": FREEZE.start_s, **told},
        {"kind": "fault_cleared", "t_s": FREEZE.end_s, **told},
        {"kind": "fault_injected", "t_s": 55.0, **told, "fault": 1},  # the run ended before
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)) + "\n")
    (fault,) = faults_from_outside(tmp_path)
    healthy = departures(at_s, service_s)
    assert fault.name == "freeze of the server"
    assert (fault.injected_s, fault.cleared_s) == (FREEZE.start_s, FREEZE.end_s)
    assert fault.stopped_s == pytest.approx(healthy[healthy < FREEZE.start_s].max(), abs=1e-5)
    assert fault.resumed_s == pytest.approx(end_s[end_s > FREEZE.end_s].min(), abs=1e-5)
    intended_s, done_s, right = samples_of(tmp_path)
    assert done_s == pytest.approx(end_s, abs=1e-5)
    assert right.tolist() == (~bad).tolist()
    assert intended_s == pytest.approx(at_s, abs=1e-5)
