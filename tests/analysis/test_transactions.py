"""Clicks: all requests of a step together, from the first one's intended start to the last end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.recording.format import Outcome
from analysis.recording.reader import read_run
from analysis.transactions import clicks_of, in_window, transactions
from analysis.windows import Window
from tests.analysis.synthetic import RunBuilder, scenario_of

HOLD = Window(stage=0, level=2, start_s=10.0, end_s=20.0, planned_end_s=20.0)


class Clicks:
    """Builds a recording click by click."""

    def __init__(self, folder: Path) -> None:
        self.build = RunBuilder(folder / "run", scenario_of([(2, 20.0)]))
        self.count = 0

    def add(
        self,
        start_s: float,
        *lengths_s: float | None,
        click: str | None = "timeline",
        outcomes: tuple[Outcome, ...] = (),
        user: int = 0,
        persona: str | None = "sales_rep",
    ) -> None:
        """Requests one after the other; a length of None is an end that nobody saw."""
        self.count += 1
        at_s = start_s
        for step, length_s in enumerate(lengths_s):
            outcome = outcomes[step] if step < len(outcomes) else Outcome.OK
            self.build.add(
                at_s,
                length_s,
                sent_s=-1e-6 if outcome is Outcome.MISSED else None,  # as it is recorded
                seen_s=at_s + 3 if length_s is None else None,
                transaction=self.count,
                step=step,
                click=click,
                persona=persona,
                outcome=outcome,
                user=user,
            )
            at_s += length_s or 0.0

    def read(self) -> pd.DataFrame:
        return clicks_of(read_run(self.build.finish(ended_s=20.0)).samples)


@pytest.fixture
def made(tmp_path: Path) -> Clicks:
    return Clicks(tmp_path)


def kind(clicks: pd.DataFrame, name: str = "timeline") -> dict[str, Any]:
    """The figures of one kind of click."""
    return next(found for found in transactions(clicks) if found["click"] == name)


def test_a_click_lasts_from_its_first_requests_intention_to_its_last_ones_end(made: Clicks) -> None:
    made.add(11.0, 0.2)
    made.add(12.0, 0.1, 0.3, 0.1, click="create_order", user=1)
    clicks = made.read()
    order = kind(clicks, "create_order")

    assert clicks["click"].tolist() == ["timeline", "create_order"]
    assert clicks["requests"].tolist() == [1, 3]
    assert clicks["user"].tolist() == [0, 1]
    assert (order["count"], order["requests"], order["bad"]) == (1, 3, 0)
    assert order["latency"]["p50"]["value"] == pytest.approx(500.0)
    assert kind(clicks)["latency"]["p95"]["value"] == pytest.approx(200.0)


def test_one_bad_request_makes_its_click_bad_and_no_latency_of_it(made: Clicks) -> None:
    made.add(11.0, 0.1, 0.1)
    made.add(12.0, 0.001, 0.001, outcomes=(Outcome.OK, Outcome.HTTP_ERROR))
    found = kind(made.read())

    assert (found["count"], found["bad"]) == (2, 1)
    assert found["error_ratio"]["value"] == 0.5
    assert found["latency"]["p50"]["n"] == 1
    assert found["latency"]["p50"]["value"] == pytest.approx(200.0)


def test_a_click_whose_end_nobody_saw_is_at_least_as_old(made: Clicks) -> None:
    made.add(11.0, 0.1, None, outcomes=(Outcome.OK, Outcome.UNFINISHED))
    latency = kind(made.read())["latency"]["p99"]

    assert latency["value"] == latency["low"] == pytest.approx(3_100.0)
    assert latency["high"] is None


def test_a_click_that_the_harness_cut_off_is_neither_good_nor_bad(made: Clicks) -> None:
    made.add(11.0, 0.1)
    made.add(12.0, None, outcomes=(Outcome.CANCELLED,))
    found = kind(made.read())

    assert (found["count"], found["bad"]) == (2, 0)
    assert found["error_ratio"]["n"] == 1
    assert found["latency"]["p50"]["n"] == 1


def test_a_missed_arrival_is_a_click_without_requests(made: Clicks) -> None:
    made.add(11.0, None, outcomes=(Outcome.MISSED,))
    found = kind(made.read())

    assert (found["count"], found["requests"], found["bad"]) == (1, 0, 1)


def test_an_arrival_that_an_interrupt_cut_off_before_it_was_sent_is_no_request(
    made: Clicks,
) -> None:
    made.build.add(
        11.0,
        None,
        sent_s=-1e-6,
        seen_s=11.5,
        outcome=Outcome.CANCELLED,
        transaction=1,
        click="timeline",
        persona="sales_rep",
    )
    found = kind(made.read())

    assert (found["count"], found["requests"]) == (1, 0)


def test_a_hold_has_the_clicks_that_were_intended_in_it_to_their_ends(made: Clicks) -> None:
    made.add(9.9, 0.5)  # before
    made.add(10.0, 0.1)
    made.add(19.9, 0.05, 4.0, user=1)  # ends after the hold
    made.add(20.0, 0.1)  # after
    inside = in_window(made.read(), HOLD)

    assert inside["intended_s"].tolist() == [10.0, 19.9]
    assert inside["requests"].tolist() == [1, 2]
    assert inside["end_s"].tolist() == pytest.approx([10.1, 23.95])


def test_a_click_that_was_open_through_all_of_a_hold_is_in_it(made: Clicks) -> None:
    made.add(9.0, 0.5, 12.0)
    made.add(9.0, None, outcomes=(Outcome.OPEN,), user=1)
    made.add(9.0, 2.0, user=2)

    assert in_window(made.read(), HOLD)["user"].tolist() == [0, 1]


def test_requests_of_nobodys_journey_are_no_clicks(made: Clicks) -> None:
    made.add(11.0, 0.1, click=None)
    made.add(11.0, 0.1, persona=None)
    clicks = made.read()

    assert len(clicks) == 0
    assert transactions(clicks) == []


def test_a_recording_from_before_clicks_has_none(made: Clicks) -> None:
    made.add(11.0, 0.1)
    samples = read_run(made.build.finish(ended_s=20.0)).samples.drop(columns="click")

    assert transactions(in_window(clicks_of(samples), HOLD)) == []


@pytest.mark.parametrize("apart", [1, 1_000_003], ids=["dense", "sparse"])
def test_clicks_are_those_of_a_plain_grouping_however_they_are_numbered(
    tmp_path: Path, apart: int
) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(2, 20.0)]))
    rng = np.random.default_rng(3)
    for number in range(200):
        at_s = rng.uniform(0, 20)
        for step in range(int(rng.integers(1, 4))):
            length_s = rng.exponential(0.5)
            build.add(
                at_s,
                length_s,
                transaction=number * apart,
                step=step,
                click="search",
                persona="sales_rep",
                outcome=Outcome.HTTP_ERROR if rng.random() < 0.1 else Outcome.OK,
                user=number,
            )
            at_s += length_s
    samples = read_run(build.finish(ended_s=20.0)).samples
    clicks = clicks_of(samples).set_index("user")
    by_click = samples.groupby("transaction")

    found = clicks.loc[list(range(200))]  # in the order of the numbers
    assert found["intended_s"].tolist() == by_click["intended_s"].min().tolist()
    assert found["end_s"].tolist() == by_click["end_s"].max().tolist()
    assert found["requests"].tolist() == by_click.size().tolist()
    assert found["bad"].tolist() == by_click["bad"].any().tolist()

    there = (clicks["open_until_s"] > HOLD.start_s) & (clicks["intended_s"] < HOLD.end_s)
    within = clicks_of(samples, HOLD)
    assert 50 < len(within) < 200
    assert within.equals(clicks[there].reset_index()[within.columns.tolist()])
    assert in_window(within, HOLD)["user"].tolist() == in_window(clicks, HOLD).index.tolist()


def test_processes_number_their_clicks_each_by_itself(tmp_path: Path) -> None:
    frames = []
    for process in (0, 1):
        build = RunBuilder(tmp_path / str(process), scenario_of([(2, 20.0)]), process=process)
        build.add(11.0 + process, 0.1, transaction=1, click="search", persona="sales_rep")
        frames.append(read_run(build.finish(ended_s=20.0)).samples)
    clicks = clicks_of(pd.concat(frames, ignore_index=True))

    assert clicks["process"].tolist() == [0, 1]
    assert clicks["requests"].tolist() == [1, 1]
