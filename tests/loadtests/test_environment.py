"""What a run ran on."""

from __future__ import annotations

from pathlib import Path

from loadtests.environment import fingerprint, memory_limit


def test_the_least_limit_of_the_control_groups_counts(tmp_path: Path) -> None:
    inner = tmp_path / "slice" / "run"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (tmp_path / "slice" / "memory.max").write_text("536870912\n")
    (tmp_path / "memory.max").write_text("1073741824\n")

    assert memory_limit(tmp_path, "/slice/run") == 536_870_912
    assert memory_limit(tmp_path, "/") == 1_073_741_824


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path, "/somewhere") is None


def test_a_machine_is_described() -> None:
    found = fingerprint()

    assert found["memory_bytes"] > 0
    assert found["memory_limit_bytes"] is None or found["memory_limit_bytes"] > 0
