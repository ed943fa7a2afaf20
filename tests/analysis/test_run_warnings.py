"""Warnings are said once, and cores are named as the manifest has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from analysis.ran_on import ran_on
from analysis.run_warnings import run_warnings, together

SHORT = "Little's law was not assessed: the hold is shorter than three cycles of a user"


def test_what_is_said_alike_of_several_stages_is_said_once() -> None:
    notes = [
        f"stage 1 (5 users): {SHORT} (9.1 s)",
        "generator 0 was killed with the run",
        f"stage 2 (10 users): {SHORT} (9.4 s)",
        f"stage 4 (40 users): {SHORT} (11 s)",
    ]

    assert together(notes) == [
        f"stages 1, 2 and 4: {SHORT}",
        "generator 0 was killed with the run",
    ]


def test_what_is_said_of_one_stage_stays_whole() -> None:
    notes = [f"stage 1 (5 users): {SHORT} (9.1 s)", "stage 2 (10 users): something else"]

    assert together(notes) == notes


@pytest.mark.parametrize(
    ("target", "cores"),
    [
        ({"app": "crm", "cores": [1, 2]}, [1, 2]),
        ({"app": "crm", "cores": "shared"}, "shared"),
        ({"url": "http://127.0.0.1:1", "cores": "shared"}, None),
        ({}, None),
    ],
)
def test_cores_are_known_of_a_target_that_we_started(
    target: dict[str, Any], cores: list[int] | str | None
) -> None:
    found = ran_on({"target": target, "generators": [{"process": 0, "cores": [0]}, {}]})

    assert found == {"target": cores, "generators": [[0], None]}


@pytest.mark.parametrize(("count", "said"), [(1, "once"), (2, "2 times"), (1200, "1,200 times")])
def test_how_often_a_task_failed_is_said_as_people_say_it(count: int, said: str) -> None:
    event = {"kind": "user_error", "text": "KeyError: 'x'", "count": count}
    recording: Any = SimpleNamespace(events=[event], scenario=SimpleNamespace(budgets=()))

    assert run_warnings(recording, []) == [f"a user's task failed {said}: KeyError: 'x'"]
