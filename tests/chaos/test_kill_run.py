"""Parts of runs are killed: what was recorded can be read, but for the last second.

``make chaos`` does it more often. Here a generator and the supervisor of a run that two
processes share are killed, and the target of a run that one process loads.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import kill_run
from tests.support.harness import Harness
from tests.support.run_kills import Killed, kill_once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "victim", "processes"),
    [(8, "target", 1), (12, "generator", 2), (13, "supervisor", 2)],
)
def test_a_run_can_be_read_whoever_was_killed(
    harness: Harness, seed: int, victim: str, processes: int
) -> None:
    killed = kill_once(harness, seed)

    assert (killed.victim, killed.processes) == (victim, processes)
    assert killed.answered > 10
    assert killed.wrong == [], killed


def test_what_went_right_is_removed_and_what_went_wrong_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def kill(harness: Harness, seed: int) -> Killed:
        wrong = ["1.250 s of answers are in no sample"] if seed == 2 else []
        return Killed("target", 1, 2.5, answered=100, lost_s=0.25, wrong=wrong)

    outcomes = kill_run.repeat(range(1, 4), kill)
    printed = capsys.readouterr().out

    assert [bool(outcome.wrong) for outcome in outcomes] == [False, True, False]
    assert len(list(tmp_path.iterdir())) == 1
    assert f"seed 2, see {next(tmp_path.iterdir())}: 1.250 s of answers" in printed
