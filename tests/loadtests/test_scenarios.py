"""Every scenario that comes with Trueload, in its own shape, run in seconds on a real CRM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.recording.reader import Recording, read_run
from scenarios.arrivals import arrivals, click_shares
from scenarios.loading import builtin_scenarios, load_scenario
from scenarios.model import Fault, Scenario
from scenarios.schedule import plan
from tests.support.harness import Harness

pytestmark = pytest.mark.slow

LOAD_S = 4.0
"""About what is left of a scenario; a hold takes a second at least..."""

RESTART_S = 4.0
"""...and after the last fault there must be time for a server to come back."""

USERS, RATE = 20, 60.0
"""As many as deal each persona of every mix a user of its own; far from what the CRM carries."""

THINK_SCALE = 0.02
HARMLESS = {"generator_saturated", "no_data"}
"""What a busy machine may bring about, and what a hold of a second is too short for; whatever
else makes a run invalid is ours."""


def in_short(scenario: Scenario) -> dict[str, str]:
    """The settings that make of a scenario a small and quick one of the same shape."""
    load, end_s = scenario.load, plan(scenario).end_s
    factor = end_s / LOAD_S
    most = max(stage.level for stage in load.stages)

    def level(value: float) -> float:
        if load.is_open:
            return value * min(1.0, RATE / most)
        return max(1, round(value * min(1.0, USERS / most)))

    key = "rate" if load.is_open else "users"
    stages = [
        f'{{{key}={level(stage.level)!r},hold="{max(stage.hold_s / factor, 1.0)}s",'
        f'ramp="{stage.ramp_s / factor}s"}}'
        for stage in load.stages
    ]
    if scenario.faults:  # nothing is so quick as to be in its place after a fiftieth of the time
        last = load.stages[-1]
        stages[-1] = f'{{{key}={level(last.level)!r},hold="{LOAD_S + RESTART_S}s"}}'
    settings = {
        "target.customers": "1000",
        "load.warmup": f'"{load.warmup_s / factor}s"',
        "load.settle": f'"{(load.settle_s or 3.0) / factor}s"',
        "load.extend": '"0s"',
        "load.stages": f"[{','.join(stages)}]",
        "load.required": repr(level(load.required)),
    }
    if not load.is_open:
        settings["load.think_scale"] = str(THINK_SCALE)
    if scenario.faults:
        faults = ",".join(fault_in_short(fault, factor) for fault in scenario.faults)
        settings["faults"] = f"[{faults}]"
    return settings


def fault_in_short(fault: Fault, factor: float) -> str:
    """A fault, sooner and shorter."""
    lasts = f',lasts="{max(fault.lasts_s / factor, 0.3)}s"' if fault.lasts_s else ""
    at = f'at="{fault.at_s / factor}s"'
    return f'{{kind="{fault.kind}",process="{fault.process}",{at}{lasts}}}'


@pytest.mark.parametrize("name", sorted(set(builtin_scenarios()) - {"smoke"}))
def test_it_runs_with_the_load_that_it_asks_for(name: str, harness: Harness) -> None:
    whole = load_scenario(name)
    words = [word for key, value in in_short(whole).items() for word in ("--set", f"{key}={value}")]

    done = harness.run("run", name, "--no-report", *words)

    assert harness.runs(), done.err
    verdict, folder = harness.verdict(), harness.the_run()
    recording = read_run(folder)
    codes = {reason["code"] for stage in verdict["stages"] for reason in stage["reasons"]}
    assert done.code in {0, 97, 99, 96 if codes & HARMLESS else 0}, done.out
    assert codes <= HARMLESS, verdict["validity"]
    assert verdict["ended"]["complete"], verdict["ended"]
    assert len(recording.schedule.spans) == len(whole.load.stages)
    if whole.load.is_open:
        assert_every_arrival_came_and_is_a_click(recording)
    else:
        assert_users_run_within_a_second(folder)
        assert set(recording.samples["persona"]) == set(whole.load.mix)
    injected = [event for event in recording.events if event["kind"] == "fault_injected"]
    assert [(event["what"], event["process"]) for event in injected] == [
        (fault.kind, fault.process) for fault in whole.faults
    ]


def assert_users_run_within_a_second(folder: Path) -> None:
    """Look at each second: as many users run as were asked for now, or a second ago."""
    lines = [line for line in timeline(folder) if line["phase"] != "drain"]
    for before, line in zip([lines[0], *lines], lines, strict=False):
        asked = sorted((before["asked"], line["asked"]))
        assert asked[0] - 1 <= line["running"] <= asked[1] + 1, (before, line)


def assert_every_arrival_came_and_is_a_click(recording: Recording) -> None:
    """Hold the samples against the schedule, its ramps too: none too many, none forgotten."""
    scenario = recording.scenario
    planned = list(
        arrivals(recording.schedule, scenario.load, click_shares(scenario), scenario.load_seed)
    )
    firsts: pd.DataFrame = recording.samples[(recording.samples["step"] == 0).to_numpy()]
    missed = (recording.samples["outcome"] == "missed").sum()

    assert sorted(round(1e6 * s) for s in firsts["intended_s"]) == [
        round(arrival.t_s * 1e9) // 1000 for arrival in planned
    ]
    if scenario.load.mix:  # else an arrival is whoever's of the locustfile takes it
        assert set(firsts["persona"]) == {arrival.persona for arrival in planned}
    assert sum(line["missed"] for line in recording.timeline) == missed
    assert sum(line["clicks"] for line in recording.timeline) == len(planned) - missed


def timeline(folder: Path) -> list[dict[str, Any]]:
    """The timeline's lines."""
    return [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]
