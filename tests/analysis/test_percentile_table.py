from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.percentile_table import LEVELS, percentile_table, table_with_totals
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.recording.streams import consolidate
from analysis.windows import hold_of, hold_windows
from tests.analysis.synthetic import RunBuilder, scenario_of

NAMES = ("GET /a", "POST /a", "GET /b")


def recorded(folder: Path, samples: int = 3000) -> Recording:
    """A run of two stages with a settle each, some of it bad or without an end."""
    build = RunBuilder(folder, scenario_of([(1, 10.0), (2, 10.0)], settle="3s"))
    rng = np.random.default_rng(1)
    for index in range(samples):
        outcome = Outcome.HTTP_ERROR if index % 50 == 0 else Outcome.OK
        outcome = Outcome.TIMEOUT if index % 70 == 0 else outcome
        at_s, latency_s = rng.uniform(0, 26), rng.exponential(0.1)
        timed_out = outcome is Outcome.TIMEOUT
        build.add(
            at_s,
            None if timed_out else latency_s,
            seen_s=at_s + 0.5 if timed_out else None,
            name=NAMES[index % 3],
            outcome=outcome,
        )
    build.finish(ended_s=26.0)
    consolidate(folder)
    return read_run(folder)


def test_the_table_is_that_of_the_requests_intended_in_each_hold(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run")
    windows = hold_windows(run.schedule, run.ended_s)
    table = percentile_table(run.folder, windows)

    assert set(table) == {(name, stage) for name in NAMES for stage in (0, 1)}
    for window in windows:
        for name, part in hold_of(run.samples, window).by_name():
            rows = part.samples.iloc[part.carried :]
            counted = rows["latency_ms"][(rows["good"] | rows["censored"]).to_numpy()]
            found = table[name, window.stage]
            assert found.values == pytest.approx(np.quantile(counted, LEVELS), rel=1e-12)
            assert found.n == len(counted)
            unseen = rows["censored"][(rows["good"] | rows["censored"]).to_numpy()]
            later = np.quantile(np.where(unseen, 1e9, counted), LEVELS)
            assert found.is_bound.tolist() == (later > found.values * (1 + 1e-9)).tolist()


def test_all_requests_of_a_hold_are_one_row_computed_from_its_samples(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run")
    windows = hold_windows(run.schedule, run.ended_s)
    table, totals = table_with_totals(run.folder, windows)

    assert set(totals) == {0, 1}
    for window in windows:
        hold = hold_of(run.samples, window)
        rows = hold.samples.iloc[hold.carried :]
        counted = rows["latency_ms"][(rows["good"] | rows["censored"]).to_numpy()]
        found = totals[window.stage]
        assert found.values == pytest.approx(np.quantile(counted, LEVELS), rel=1e-12)
        assert found.n == len(counted) == sum(table[name, window.stage].n for name in NAMES)
    alone = percentile_table(run.folder, windows)
    assert list(alone) == list(table)
    assert all((alone[key].values == table[key].values).all() for key in table)


def test_clocks_of_processes_count_in_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    build = RunBuilder(folder, scenario_of([(1, 10.0)]))
    build.add(4.0, 0.2)
    build.finish(ended_s=10.0)
    manifest = (folder / "manifest.json").read_text()
    late = manifest.replace('"offset_us": 0', '"offset_us": 7000000')
    (folder / "manifest.json").write_text(late)
    consolidate(folder)
    windows = hold_windows(read_run(folder).schedule, 10.0)

    assert percentile_table(folder, windows) == {}, "4 s of the process are 11 s of the run"


def test_a_run_without_samples_has_an_empty_table(tmp_path: Path) -> None:
    folder = RunBuilder(tmp_path / "run", scenario_of([(1, 10.0)])).finish(ended_s=10.0)
    consolidate(folder)
    assert percentile_table(folder, hold_windows(read_run(folder).schedule, 10.0)) == {}
