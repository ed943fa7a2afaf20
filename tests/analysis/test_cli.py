"""What the commands that read runs are given."""

from __future__ import annotations

from pathlib import Path

from analysis.cli import read_budgets


def test_budgets_of_an_editor_that_writes_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text('[budgets]\nall = ["max < 1s"]\n', encoding="utf-8-sig")

    assert read_budgets(path, timeout_s=10.0)[0].assertion.text == "max < 1s"
