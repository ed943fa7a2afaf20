"""``trueload compare`` on what a real run leaves behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.conftest import SmokeRun

pytestmark = pytest.mark.slow


def test_a_real_run_is_compared_to_one_of_another_system(smoke: SmokeRun, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(smoke.folder, other, ignore=shutil.ignore_patterns("*.html", "figures"))
    for name in ("manifest.json", "verdict.json"):
        document = json.loads((other / name).read_text(encoding="utf-8"))
        document["run"] = "another"
        if name == "manifest.json":
            document["started"] = "2026-03-01T12:00:00.000+00:00"
            document["end"]["at"] = "2026-03-01T12:01:00.000+00:00"
            document["target"]["options"]["cache"] = "elsewhere"
        (other / name).write_text(json.dumps(document), encoding="utf-8")
    done = smoke.harness.run(
        "compare", "--json", "--base", str(smoke.folder), "--candidate", str(other)
    )
    assert done.code == 97, done
    found = json.loads(done.out)
    assert found["why"].startswith("one run a side")
    assert [each["key"] for each in found["changed"]] == ["target.options.cache"]
    assert found["differs"] == []
    known = found["same"]
    for key in ("dataset.hash", "dataset.customers", "machine.cpu", "processes", "load.stages"):
        assert known[key], key
    rows = {(row["subject"], row["indicator"]): row for row in found["rows"]}
    for row in rows.values():
        assert row["change"]["value"] in {1.0, None}, row
    rate = rows["all", "throughput"]["change"]
    assert rate["low"] < 1 < rate["high"]
    assert rate["covers"] == "this run"
