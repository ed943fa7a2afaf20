"""A disturbed hold taken apart: each request in one part, each figure of one part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import analysis
from analysis.by_phase import by_phase
from analysis.phases import Label, Spell
from analysis.quantiles import quantile
from analysis.recording.format import Outcome
from analysis.report.by_phase import phase_rows, phase_words
from analysis.report.markdown import render_markdown
from analysis.verdict import judge
from analysis.windows import Hold, Window, hold_of
from tests.analysis.test_recoveries import frozen_run

MS = {Label.HOLD: 10.0, Label.FAULT: 400.0, Label.RECOVERY: 80.0}


def spells(*edges: tuple[Label, float]) -> list[Spell]:
    """Parts of a hold of stage 1 from 10 s on, by where each ends; a settle before them."""
    found = [Spell(label=Label.SETTLE, stage=1, start_s=7.0, end_s=10.0)]
    for label, end_s in edges:
        found.append(Spell(label=label, stage=1, start_s=found[-1].end_s, end_s=end_s))
    return found


def held(samples: pd.DataFrame, end_s: float) -> Hold:
    window = Window(stage=1, level=5.0, start_s=10.0, end_s=end_s, planned_end_s=end_s)
    return hold_of(samples, window)


def samples_at(intended_s: np.ndarray, latency_ms: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "intended_s": intended_s,
            "end_s": intended_s + latency_ms / 1e3,
            "latency_ms": latency_ms,
            "outcome": Outcome.OK.label,
            "good": True,
            "bad": False,
            "censored": False,
        }
    )


def test_each_part_has_its_own_quantiles_and_intervals() -> None:
    """Latency is another one in each part; the hold has two quiet stretches, one series."""
    rng = np.random.default_rng(4)
    parts = spells(
        (Label.HOLD, 20.0), (Label.FAULT, 25.0), (Label.RECOVERY, 27.0), (Label.HOLD, 40.0)
    )
    at_s = np.sort(rng.uniform(10, 40, 3_000))
    label = np.array([MS[next(p.label for p in parts if at < p.end_s)] for at in at_s])
    latency = label * rng.uniform(0.9, 1.1, len(at_s))
    end_s = at_s + latency / 1e3
    label[(at_s < 20) & (end_s > 20)] = MS[Label.FAULT]  # what was under way when it began

    found = {part["phase"]: part for part in by_phase(held(samples_at(at_s, latency), 40.0), parts)}

    assert {name: part["length_s"] for name, part in found.items()} == pytest.approx(
        {"hold": 23.0, "fault": 5.0, "recovery": 2.0}
    )
    for name, part in found.items():
        own = latency[label == MS[Label(name)]]
        assert part["requests"] == len(own)
        assert part["latency"]["p95"] == quantile(own, 0.95).as_dict()
        assert part["error_ratio"]["value"] == 0.0


@pytest.mark.costly
@settings(max_examples=20, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([Label.HOLD, Label.FAULT, Label.RECOVERY]), st.floats(0.5, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_every_request_and_every_second_of_a_hold_is_in_one_part(
    lengths: list[tuple[Label, float]],
) -> None:
    ends = 10 + np.cumsum([length for _, length in lengths])
    parts = spells(*((label, float(end)) for (label, _), end in zip(lengths, ends, strict=True)))
    at_s = np.linspace(5, float(ends[-1]) + 5, 100)
    hold = held(samples_at(at_s, np.full(100, 5.0)), float(ends[-1]))

    found = by_phase(hold, parts)

    if {label for label, _ in lengths} == {Label.HOLD}:
        assert found == []
    else:
        assert sum(part["requests"] for part in found) == len(hold.samples)
        assert sum(part["length_s"] for part in found) == pytest.approx(hold.window.length_s)


@pytest.mark.parametrize(
    ("intended_s", "latency_ms", "part"),
    [
        (9.0, 30_000.0, "fault"),  # carried into the hold and open through all of it
        (11.9, 50.0, "hold"),
        (11.9, 150.0, "fault"),
        (14.9, 5_000.0, "fault"),
        (15.5, 5_000.0, "recovery"),
        (17.0, 10.0, "hold"),
    ],
)
def test_a_request_belongs_to_the_worst_that_it_was_open_in(
    intended_s: float, latency_ms: float, part: str
) -> None:
    parts = spells(
        (Label.HOLD, 12.0), (Label.FAULT, 15.0), (Label.RECOVERY, 17.0), (Label.HOLD, 20.0)
    )
    hold = held(samples_at(np.array([intended_s]), np.array([latency_ms])), 20.0)

    assert [each["phase"] for each in by_phase(hold, parts) if each["requests"]] == [part]


def test_a_hold_that_was_not_run_has_no_parts() -> None:
    parts = [Spell(label=Label.WARMUP, stage=None, start_s=0.0, end_s=4.0)]

    assert by_phase(held(samples_at(np.array([1.0]), np.array([5.0])), 10.0), parts) == []


@pytest.mark.costly
def test_the_verdict_and_the_report_of_a_frozen_run_tell_its_parts(tmp_path: Path) -> None:
    run = frozen_run(tmp_path, injected=True)
    verdict = judge(run)
    path = Path(analysis.__file__).parent / "schema" / "verdict.schema.json"
    Draft202012Validator(json.loads(path.read_text(encoding="utf-8"))).validate(verdict)
    (stage,) = verdict["stages"]
    quiet, fault = stage["by_phase"]  # it is as before with the end of the freeze

    assert [part["phase"] for part in (quiet, fault)] == ["hold", "fault"]
    assert fault["length_s"] == pytest.approx(4.5, abs=0.01)
    assert sum(part["requests"] for part in stage["by_phase"]) == stage["requests"]
    assert quiet["latency"]["max"]["value"] < 500 < fault["latency"]["p50"]["value"]
    assert [row.phase for row in phase_rows(verdict)] == ["undisturbed", "under a fault"]
    (sentence,) = phase_words(verdict)
    assert sentence.startswith("Of the hold at 20 users (stage 1), 30.0 s long, 4.50 s were under")
    assert "### By phase" in render_markdown(run.manifest, verdict)


def test_a_run_that_nothing_disturbed_tells_no_parts() -> None:
    assert phase_rows({"stages": [{"stage": 0, "by_phase": []}, {"stage": 1}]}) == []
    assert phase_words({"stages": [{"stage": 0, "by_phase": []}, {"stage": 1}]}) == []
