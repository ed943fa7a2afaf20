"""The program that kills servers leaves nothing behind that nobody is to look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos import kill_server
from tests.support.durability import Outcome

RIGHT = Outcome(
    acknowledged=1,
    lost=[],
    unanswered=0,
    done=0,
    wrong=[],
    broken={},
    worker_back_s=0.1,
    gone_s=0.1,
    again_s=0.1,
)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of the repetitions are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr(kill_server, "_CACHE", tmp_path / "cache")
    return folder


def repeat_with(monkeypatch: pytest.MonkeyPatch, outcome: Outcome | Exception) -> list[Outcome]:
    def killed(database: Path, folder: Path, token: str) -> Outcome:
        assert database.is_file()
        assert database.parent == folder
        assert token
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(kill_server, "kill_and_look", killed)
    return kill_server.repeat("sqlite", customers=2, times=2)


@pytest.mark.costly
def test_what_went_right_or_broke_off_is_removed(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repeat_with(monkeypatch, RIGHT) == [RIGHT, RIGHT]
    assert list(folders.iterdir()) == []
    with pytest.raises(AssertionError, match="it did not start"):
        repeat_with(monkeypatch, AssertionError("it did not start"))
    assert list(folders.iterdir()) == []


@pytest.mark.costly
def test_what_went_wrong_is_kept_to_be_looked_at(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeat_with(monkeypatch, replace(RIGHT, lost=["writer-1.1"]))

    assert len(list(folders.iterdir())) == 2
