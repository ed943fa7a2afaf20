from __future__ import annotations

from pathlib import Path

import pytest

from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.windows import Hold, availability_window, hold_of, hold_windows
from tests.analysis.synthetic import RunBuilder, scenario_of

STAGES = [(10, 10.0), (20, 10.0)]


def recorded(
    folder: Path, *, ended_s: float = 26.0, settle: str = "3s", add: list[tuple[float, float]]
) -> Recording:
    build = RunBuilder(folder / "run", scenario_of(STAGES, settle=settle))
    for intended_s, latency_s in add:
        build.add(intended_s, latency_s, name="GET /a")
    build.add(0.5, 0.1, name="POST /a")
    return read_run(build.finish(ended_s=ended_s))


def hold(recording: Recording, stage: int) -> Hold:
    window = hold_windows(recording.schedule, recording.ended_s)[stage]
    return hold_of(recording.samples, window)


def test_only_holds_are_windows(tmp_path: Path) -> None:
    run = recorded(tmp_path, add=[(1.0, 0.1)])
    windows = hold_windows(run.schedule, run.ended_s)
    assert [(w.start_s, w.end_s) for w in windows] == [(3.0, 13.0), (16.0, 26.0)]
    assert all(w.complete for w in windows)


@pytest.mark.parametrize(
    ("ended_s", "complete", "lengths"),
    [
        (26.0, [True, True], [10.0, 10.0]),
        (25.95, [True, True], [10.0, 9.95]),
        (20.0, [True, False], [10.0, 4.0]),
        (14.0, [True, False], [10.0, 0.0]),
        (1.0, [False, False], [0.0, 0.0]),
    ],
)
def test_a_window_is_cut_where_the_load_ended(
    tmp_path: Path, ended_s: float, complete: list[bool], lengths: list[float]
) -> None:
    run = recorded(tmp_path, ended_s=ended_s, add=[])
    windows = hold_windows(run.schedule, run.ended_s)
    assert [w.complete for w in windows] == complete
    assert [w.length_s for w in windows] == pytest.approx(lengths)


def test_a_request_belongs_to_the_window_of_its_intended_start(tmp_path: Path) -> None:
    run = recorded(tmp_path, add=[(2.99, 0.5), (3.0, 0.1), (12.999, 2.0), (13.0, 0.1), (16.0, 0.1)])
    assert hold(run, 0).samples["intended_s"].tolist() == pytest.approx([3.0, 12.999])
    assert hold(run, 1).samples["intended_s"].tolist() == pytest.approx([16.0])
    assert len(hold(run, 0).open) == 3, "one that began before was open in it"


def test_columns_of_what_was_open_are_those_of_whole_rows(tmp_path: Path) -> None:
    run = recorded(tmp_path, add=[(1.0, 13.0), (2.99, 0.5), (4.0, 0.1), (2.0, 0.5), (13.0, 0.1)])
    whole = hold(run, 0)
    some = whole.opened("intended_s", "good")

    assert some["intended_s"].tolist() == pytest.approx([1.0, 2.99, 4.0])
    assert some.equals(whole.open[["intended_s", "good"]])
    assert whole.about("GET /none").opened("name").empty


def test_samples_stand_in_intended_order(tmp_path: Path) -> None:
    run = recorded(tmp_path, add=[(9.0, 0.1), (4.0, 0.1), (6.0, 5.0)])
    assert hold(run, 0).samples["intended_s"].tolist() == pytest.approx([4.0, 6.0, 9.0])


def test_a_request_open_through_a_whole_hold_is_carried_into_it(tmp_path: Path) -> None:
    run = recorded(tmp_path, add=[(1.0, 13.0), (2.0, 10.9), (5.0, 0.1)])
    assert hold(run, 0).samples["intended_s"].tolist() == pytest.approx([1.0, 5.0])
    assert hold(run, 0).carried == 1
    assert hold(run, 1).carried == 0


def test_a_request_of_a_cut_run_is_open_to_its_end(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 10.0)], settle="3s"))
    build.add(1.0, None, seen_s=6.0, outcome=Outcome.OPEN)
    build.add(7.0, 0.1)
    run = read_run(build.finish(ended_s=None, closed=False))
    assert run.ended_s == pytest.approx(7.1)
    assert hold(run, 0).carried == 1, "although its own last row is older"


def test_a_hold_is_narrowed_to_an_endpoint_with_or_without_its_method(tmp_path: Path) -> None:
    run = recorded(tmp_path, settle="0s", add=[(1.0, 0.1), (2.0, 0.1)])
    assert len(hold(run, 0).about("all").samples) == 3
    assert len(hold(run, 0).about("GET /a").samples) == 2
    assert len(hold(run, 0).about("/a").samples) == 3
    assert len(hold(run, 0).about("GET /b").samples) == 0


def test_availability_spans_from_the_warmup_to_the_end_of_the_required_stage(
    tmp_path: Path,
) -> None:
    scenario = scenario_of(STAGES, settle="3s", warmup="5s", required=10)
    run = read_run(RunBuilder(tmp_path / "run", scenario).finish(ended_s=31.0))
    assert availability_window(run.schedule, 10, run.ended_s) == (5.0, 18.0)
    assert availability_window(run.schedule, 20, run.ended_s) == (5.0, 31.0)
    assert availability_window(run.schedule, 20, 7.0) == (5.0, 7.0)
    assert availability_window(run.schedule, 20, 2.0) == (5.0, 5.0)


def test_a_hold_split_by_name_is_each_subject_by_itself(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of(STAGES, settle="3s"))
    for number in range(40):
        build.add(2.0 + number / 4, 1.5, name=f"GET /{number % 3}")
    build.add(2.5, 30.0, name="GET /carried")
    whole = hold(read_run(build.finish(ended_s=26.0)), 0)
    parts = dict(whole.by_name())
    assert list(parts) == ["GET /0", "GET /1", "GET /2", "GET /carried"]
    for name, part in parts.items():
        about = whole.about(name)
        assert part.samples.equals(about.samples)
        assert part.open.equals(about.open)
        assert part.carried == about.carried == (name == "GET /carried")
