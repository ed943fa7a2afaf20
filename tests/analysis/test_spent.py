"""Where the time goes: the parts add up to the whole, and what nobody told is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.spent import spent_by_stage, spent_rows, spent_words
from analysis.spent import NO_HEADER, spent, spent_in
from tests.analysis.sample_verdict import sample_verdict

TIMES = st.lists(
    st.tuples(st.floats(0, 1e4), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=300
)


@given(TIMES)
def test_the_parts_add_up_to_the_service_time(drawn: list[tuple[float, float, float]]) -> None:
    service = np.array([whole for whole, _, _ in drawn])
    server = service * np.array([share for _, share, _ in drawn])
    database = server * np.array([share for _, _, share in drawn])
    found = spent(service, server, database, np.full(len(drawn), 3.0))
    parts = [found.waiting.value, found.application.value, found.database.value]
    assert sum(part for part in parts if part is not None) == pytest.approx(service.mean())
    assert found.queries.value == 3
    for part in (found.waiting, found.application, found.database):
        if part.low is not None and part.high is not None:
            assert 0 <= part.low <= (part.value or 0) <= part.high


@pytest.mark.simulation
def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says() -> None:
    # 1,000 times 400 exponential waits: 95 % of Student's intervals over 20 batches hold the
    # mean; under 92 % happens to a right program less than once in 10,000 (binomial, -4.4 sd)
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(1000):
        waits = rng.exponential(10.0, 400)
        found = spent(waits + 5, np.full(400, 5.0), np.full(400, 1.0), np.full(400, 2.0)).waiting
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 10.0 <= found.high
    assert held >= 920


def test_few_answers_have_a_mean_and_no_interval() -> None:
    found = spent([9.0, 11.0], [4.0, 4.0], [1.0, 1.0], [2.0, 2.0])
    assert (found.waiting.value, found.waiting.low) == (6.0, None)
    assert "too few" in str(found.waiting.why)


def test_a_server_that_tells_nothing_of_its_database_has_application_time_alone() -> None:
    nothing = np.full(3, np.nan)
    found = spent([9.0, 9.0, 9.0], [4.0, 4.0, 4.0], nothing, nothing)
    assert (found.waiting.value, found.application.value) == (5.0, 4.0)
    assert (found.database.value, found.database.why) == (None, NO_HEADER)


def test_an_answer_that_does_not_tell_of_the_database_has_not_asked_it() -> None:
    some = np.arange(200) % 10 == 0  # one in ten asks, for 45 ms of its 50
    found = spent(
        np.where(some, 60.0, 15.0),
        np.where(some, 50.0, 5.0),
        np.where(some, 45.0, np.nan),
        np.where(some, 3.0, np.nan),
    )
    assert found.database.value == pytest.approx(4.5)
    assert found.database.n == 200
    assert found.application.value == pytest.approx(5.0)
    assert found.queries.value == pytest.approx(0.3)
    parts = [found.waiting.value, found.application.value, found.database.value]
    assert sum(part for part in parts if part is not None) == pytest.approx(19.5)


def test_only_right_answers_that_tell_are_looked_at() -> None:
    samples = pd.DataFrame(
        {
            "good": [True, True, False],
            "service_ms": [10.0, 99.0, 99.0],
            "server_us": [4000.0, np.nan, 4000.0],
            "database_us": [1000.0, np.nan, 1000.0],
            "queries": [2.0, np.nan, 9.0],
        }
    )
    found = spent_in(samples).as_dict()
    assert {name: part["value"] for name, part in found.items()} == {
        "waiting": 6.0,
        "application": 3.0,
        "database": 1.0,
        "queries": 2.0,
    }
    assert spent_in(samples[:0]).waiting.why == NO_HEADER


def test_rows_begin_with_what_takes_most_of_all_time() -> None:
    verdict: dict[str, Any] = sample_verdict()
    rows = spent_rows(verdict)
    weights = {
        part["name"]: part["requests"]
        * sum(part["spent"][name]["value"] for name in ("waiting", "application", "database"))
        for part in verdict["endpoints"]
    }
    assert [row.name for row in rows] == sorted(weights, key=lambda name: -weights[name])
    assert len(spent_by_stage(verdict)) == len(verdict["stages"])


def test_what_grew_most_with_load_is_said() -> None:
    assert spent_words(sample_verdict()).startswith(
        "From the lowest to the highest load waiting grew most: from 2.00 ms to "
    )
    silent = sample_verdict()
    for stage in silent["stages"]:
        stage["spent"] = spent([], [], [], []).as_dict()
    assert (spent_words(silent), spent_by_stage(silent)) == ("", [])
