"""The loads between which the limit lies, as one run saw it."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.capacity import capacity_of, judge_capacity
from analysis.decision import Verdict
from analysis.windows import Hold, Window
from scenarios.assertions import parse_assertion


def stage(number: int, level: float) -> Hold:
    window = Window(stage=number, level=level, start_s=0.0, end_s=9.0, planned_end_s=9.0)
    nothing = pd.DataFrame()
    return Hold(window=window, samples=nothing, earlier=nothing, carried=0)


@pytest.mark.parametrize(
    ("said", "last_pass", "first_fail", "of_twenty"),
    [
        ([(10, "passed"), (20, "passed"), (20, "passed")], 20, None, "passed"),
        ([(10, "passed"), (20, "passed"), (20, "inconclusive")], 10, None, "inconclusive"),
        ([(10, "passed"), (20, "invalid"), (20, "passed")], 10, None, "inconclusive"),
        ([(10, "passed"), (20, "passed"), (20, "failed")], 10, 20, "failed"),
        ([(10, "passed"), (20, "failed"), (20, "invalid")], 10, 20, "failed"),
        ([(10, "passed"), (20, "passed"), (10, "inconclusive")], 20, None, "passed"),
        ([(10, "passed"), (20, "passed"), (20, "unjudged")], 20, None, "passed"),
        ([(20, "inconclusive"), (20, "invalid")], None, None, "inconclusive"),
    ],
)
def test_a_load_has_passed_where_all_its_stages_did(
    said: list[tuple[float, str]],
    last_pass: float | None,
    first_fail: float | None,
    of_twenty: str,
) -> None:
    holds = [stage(number, level) for number, (level, _) in enumerate(said)]
    found = capacity_of({n: Verdict(word) for n, (_, word) in enumerate(said)}, holds)
    assert (found.last_pass, found.first_fail) == (last_pass, first_fail)
    assert judge_capacity(parse_assertion("capacity >= 20"), found).verdict == of_twenty
