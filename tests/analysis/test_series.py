"""Series against sums that are done the slow way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.series import bin_width_s, binned_percentiles, series_of, tails_of
from tests.analysis.synthetic import RunBuilder, closed_queue, scenario_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    build = RunBuilder(tmp_path_factory.mktemp("runs") / "run", scenario_of([(20, 5), (40, 5)]))
    closed_queue(
        build,
        users=20,
        start_s=0,
        end_s=10,
        think_s=0.1,
        service_s=0.004,
        rng=np.random.default_rng(3),
    )
    build.timeline([{"t_s": t, "running": 20 if t < 5 else 40} for t in range(10)])
    return read_run(build.finish(ended_s=10.0))


def test_percentiles_of_a_bin_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    where = rng.integers(0, 7, 5000)
    latency = np.rint(rng.exponential(50, 5000) * 1000) / 1000

    found = binned_percentiles(where, latency, 8, (0.5, 0.95, 0.99))

    for level, values in found.items():
        for index in range(7):
            expected = np.quantile(latency[where == index], level, method="linear")
            assert values[index] == pytest.approx(expected, rel=1e-12)
        assert np.isnan(values[7])


@pytest.mark.parametrize(("n", "shown"), [(19, {0.5}), (20, {0.5, 0.95}), (100, {0.5, 0.95, 0.99})])
def test_a_percentile_that_too_few_requests_made_is_left_out(n: int, shown: set[float]) -> None:
    found = binned_percentiles(
        np.zeros(n, dtype=np.int64), np.arange(n, dtype=np.float64), 1, (0.5, 0.95, 0.99)
    )

    assert {level for level, values in found.items() if np.isfinite(values[0])} == shown


def test_no_request_is_counted_twice_or_lost(run: Recording) -> None:
    series = series_of(run)

    assert series.ok_rps.sum() * series.width_s == len(run.samples)
    assert series.bad_rps == {}


def test_wider_bins_hold_the_same_requests(run: Recording) -> None:
    fine, coarse = series_of(run), series_of(run, width_s=2.0)

    pairs = fine.ok_rps[: len(fine.ok_rps) // 2 * 2].reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(coarse.ok_rps[: len(pairs)], pairs)


def test_mean_in_flight_is_littles_law(run: Recording) -> None:
    series = series_of(run)

    seconds_open = run.samples["service_ms"].sum() / 1000
    assert series.in_flight.sum() * series.width_s == pytest.approx(seconds_open, rel=1e-9)


def test_users_come_from_the_schedule_and_from_the_timeline(run: Recording) -> None:
    series = series_of(run)

    assert series.asked[:10].tolist() == [20.0] * 5 + [40.0] * 5
    between = [30.0]  # at 4.5 s: lines are written at full seconds
    assert series.users_running[:10].tolist() == [20.0] * 4 + between + [40.0] * 5


def test_users_of_a_process_that_was_lost_run_no_more(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(20, 8)]))
    build.timeline([{"t_s": t, "running": 10} for t in range(8)])
    build.timeline([{"t_s": t, "running": 10, "process": 1} for t in range(4)])

    series = series_of(read_run(build.finish(ended_s=8.0)))

    assert series.users_running.tolist() == [20.0] * 4 + [10.0] * 4


def test_a_hang_shows_where_it_began_and_an_error_where_it_ended(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 10)]))
    for index in range(100):
        build.add(2 + index / 200, 3.0)
    build.add(2.0, 5.0, outcome=Outcome.HTTP_ERROR, status=500)
    build.add(3.0, None, seen_s=9.0, outcome=Outcome.TIMEOUT)

    series = series_of(read_run(build.finish(ended_s=10.0)))

    assert series.latency_ms[0.99][2] == pytest.approx(3000)
    assert series.ok_rps[5] == 100
    assert series.bad_rps["http_error"][7] == 1
    assert series.bad_rps["timeout"][9] == 1
    assert series.in_flight[4] == pytest.approx(102)


def test_a_run_without_samples_has_a_series(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 10)]))

    series = series_of(read_run(build.finish(ended_s=3.0)))

    assert series.ok_rps.tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(series.latency_ms[0.5]).all()
    assert np.isnan(series.users_running).all()


@pytest.mark.parametrize(("length", "width"), [(60, 1.0), (400, 1.0), (401, 2.0), (86_400, 300.0)])
def test_a_long_run_gets_wider_bins(length: float, width: float) -> None:
    assert bin_width_s(length) == width


def test_a_tail_begins_with_all_and_ends_with_the_slowest(run: Recording) -> None:
    (tail,) = tails_of(run, stage=0)

    slowest = run.samples.query("intended_s < 5")["latency_ms"]
    assert tail.share_slower[0] == 1.0
    assert tail.share_slower[-1] == 1 / tail.n
    assert tail.latency_ms[-1] == slowest.max()
    assert tail.n == len(slowest)
    assert np.all(np.diff(tail.latency_ms) >= 0)


def test_arrivals_are_counted_where_they_were_begun_or_due(tmp_path: Path) -> None:
    scenario = scenario_of([(1, 4)], model="open", max_users=5)
    scenario["load"]["stages"] = [{"rate": 10, "hold": "4s"}]
    build = RunBuilder(tmp_path / "run", scenario)
    build.add(0.5, 0.1)
    for index in range(6):
        build.add(2.1 + index / 10, None, sent_s=-1e-6, seen_s=4.0, outcome=Outcome.MISSED)
    build.timeline(
        [{"t_s": t + 0.0002, "clicks": 10 * t, "late": t} for t in (1, 2, 3, 4)]
        + [{"t_s": 2.0003, "clicks": 5, "late": 1, "process": 1}]
    )

    series = series_of(read_run(build.finish(ended_s=4.0)))

    assert series.asked.tolist() == [10.0] * 4
    assert series.arrivals is not None
    assert series.arrivals.begun.tolist() == [10.0, 25.0, 30.0, 40.0]
    assert series.arrivals.late.tolist() == [1.0, 3.0, 3.0, 4.0]
    assert series.arrivals.missed.tolist() == [0.0, 0.0, 6.0, 0.0]


def test_the_closed_model_has_no_arrivals(run: Recording) -> None:
    assert series_of(run).arrivals is None
