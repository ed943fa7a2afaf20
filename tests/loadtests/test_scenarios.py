"""Every scenario that comes with Trueload, run for some seconds against a real CRM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scenarios.loading import builtin_scenarios, load_scenario
from tests.support.harness import Harness

pytestmark = pytest.mark.slow

SHORT = ["target.customers=1000", 'load.warmup="1s"', 'load.settle="1s"', 'load.extend="0s"']
CLOSED = [
    *SHORT,
    'load.stages=[{users=6,hold="2s"},{users=12,hold="2s",ramp="1s"}]',
    "load.required=12",
    "load.think_scale=0.03",
]
OPEN = [
    *SHORT,
    'load.stages=[{rate=20,hold="2s"},{rate=50,hold="2s",ramp="1s"}]',
    "load.required=50",
]
FAULTS = (
    'faults=[{kind="freeze",at="2s",lasts="500ms"},{kind="kill",process="server",at="4s",'
    'lasts="500ms"}]'
)
HARMLESS = {"generator_saturated"}
"""What a busy machine may bring about; whatever else makes a run invalid is ours."""


@pytest.mark.parametrize("name", sorted(set(builtin_scenarios()) - {"smoke"}))
def test_it_runs_with_the_load_that_it_asks_for(name: str, harness: Harness) -> None:
    is_open = load_scenario(name).load.is_open
    settings = [*(OPEN if is_open else CLOSED), *([FAULTS] if name == "recovery" else [])]
    words = [word for setting in settings for word in ("--set", setting)]

    done = harness.run("run", name, "--no-report", *words)

    assert harness.runs(), done.err
    verdict, folder = harness.verdict(), harness.the_run()
    codes = {reason["code"] for stage in verdict["stages"] for reason in stage["reasons"]}
    assert done.code in {0, 97, 99, 96 if codes & HARMLESS else 0}, done.out
    assert codes <= HARMLESS, verdict["validity"]
    assert verdict["ended"]["complete"], verdict["ended"]
    if is_open:
        assert_every_arrival_is_a_click(folder)
    else:
        assert_users_run_within_a_second(folder)
    personas = pq.read_table(folder / "samples.parquet", columns=["persona"])["persona"]
    assert set(personas.to_pylist()) <= set(load_scenario(name).load.mix)


def assert_users_run_within_a_second(folder: Path) -> None:
    """Look at each second: as many users run as were asked for now, or a second ago."""
    lines = [line for line in timeline(folder) if line["phase"] != "drain"]
    for before, line in zip([lines[0], *lines], lines, strict=False):
        asked = sorted((before["asked"], line["asked"]))
        assert asked[0] - 1 <= line["running"] <= asked[1] + 1, (before, line)


def assert_every_arrival_is_a_click(folder: Path) -> None:
    """Hold the samples against the arrivals of the schedule, missed ones included."""
    lines = timeline(folder)
    samples = pq.read_table(folder / "samples.parquet").to_pylist()
    clicks = {row["transaction"] for row in samples if row["outcome"] != "missed"}
    missed = [row for row in samples if row["outcome"] == "missed"]
    assert sum(line["clicks"] for line in lines) == len(clicks)
    assert sum(line["missed"] for line in lines) == len(missed) == 0


def timeline(folder: Path) -> list[dict[str, Any]]:
    """The timeline's lines."""
    return [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]
