"""Drift over a hold: what is found, what is left alone, and what a budget makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.decision import Verdict
from analysis.drift import Drift
from analysis.drift_budget import judge_drift
from analysis.drift_series import DriftSeries, series_in
from analysis.drifts import drift_in, drifts_of
from analysis.phases import Label
from analysis.recording.format import RESOURCES
from analysis.recording.reader import Recording, read_run
from analysis.recording.writer import LineFile
from analysis.verdict import judge
from analysis.windows import Hold, hold_of, hold_windows
from scenarios.assertions import parse_assertion
from tests.analysis.synthetic import RunBuilder, scenario_of, watch

Floats = npt.NDArray[np.float64]
HOUR_S = 3600.0


def series_of(values: npt.ArrayLike, *, metric: str = "p(95)", **more: Any) -> DriftSeries:
    """Bins of ten seconds: 360 of them are an hour."""
    found = np.asarray(values, dtype=np.float64)
    fields: dict[str, Any] = {
        "metric": metric,
        "subject": "all",
        "unit": "ms",
        "width_s": 10.0,
    } | more
    start_s = np.arange(len(found)) * fields["width_s"]
    return DriftSeries(start_s=start_s, values=found, **fields)


def drift_of(values: npt.ArrayLike, **more: Any) -> Drift:
    found = series_of(values, **more)
    return drift_in(found, span_s=(0.0, len(found.values) * found.width_s))


def rising(to: float, *, n: int = 360, level: float = 100.0, noise: float = 0.02) -> Floats:
    """A line from `level` to `level * (1 + to)`, and a little noise."""
    rng = np.random.default_rng(1)
    at = (np.arange(n) + 0.5) / n
    return np.asarray(level * (1 + to * at) + rng.normal(0, noise * level, n))


def decided(text: str, drift: Drift) -> tuple[Verdict, str]:
    found = judge_drift(parse_assertion(text), "all", [drift])
    return found.verdict, found.why or ""


def test_growth_is_said_over_the_hold_and_in_an_hour() -> None:
    drift = drift_of(rising(0.2))

    assert drift.verdict is Verdict.FAILED
    assert drift.over_hold.value == pytest.approx(0.2, abs=0.01)
    assert drift.slope_per_h.value == pytest.approx(0.2, abs=0.01)
    assert drift.why == "grew by 19.8 % over the hold of 60 min (18.9 to 20.6 %), 19.8 % an hour"


def test_half_an_hour_of_it_is_twice_as_much_in_an_hour() -> None:
    drift = drift_of(rising(0.2, n=180))

    assert drift.slope_per_h.value == pytest.approx(0.4, abs=0.02)
    assert drift.why.endswith("% an hour")


def test_a_minute_gives_no_rate_per_hour_in_words() -> None:
    drift = drift_of(rising(0.2, n=60), width_s=1.0)

    assert drift.verdict is Verdict.FAILED
    assert "an hour" not in drift.why


@pytest.mark.parametrize("first", [True, False])
def test_growth_is_over_the_part_of_the_hold_that_was_looked_at(first: bool) -> None:
    """Half of the hold is left out, for a fault at half time was never recovered from."""
    series = series_of(rising(0.03, n=180, noise=0.001))
    if not first:
        series = replace(series, start_s=series.start_s + 1800)
    drift = drift_in(series, span_s=(0.0, HOUR_S))

    assert drift.over_hold.value == pytest.approx(0.03, abs=0.001)
    assert drift.slope_per_h.value == pytest.approx(0.06, abs=0.002)
    assert drift.verdict is Verdict.PASSED
    assert drift.why.endswith("over 30 min of the hold of 60 min")
    assert drift.as_dict()["span"] == ([0.0, 1800.0] if first else [1800.0, HOUR_S])


def test_a_line_begins_where_it_did_whatever_bins_are_left_out() -> None:
    series = series_of(rising(0.2, noise=0.0))
    kept = np.r_[0:36, 108:360]
    hole = replace(series, start_s=series.start_s[kept], values=series.values[kept])

    drift = drift_in(hole, span_s=(0.0, HOUR_S))
    assert drift.over_hold.value == pytest.approx(0.2, rel=1e-9)
    assert drift.why.startswith("grew by 20 % over the hold of 60 min")


def test_growth_that_is_certain_and_small_is_no_drift() -> None:
    drift = drift_of(rising(0.03, noise=0.005))

    assert drift.over_hold.low is not None
    assert drift.over_hold.low > 0
    assert drift.verdict is Verdict.PASSED
    assert drift.why == "no drift that matters: grew by less than 3.2 % over the hold of 60 min"


def test_what_falls_does_no_harm_but_for_throughput() -> None:
    falling = rising(-0.2)

    assert drift_of(falling).verdict is Verdict.PASSED
    assert drift_of(falling).why.endswith(": no harm")
    assert drift_of(falling, metric="throughput", unit="1/s").verdict is Verdict.FAILED
    assert drift_of(rising(0.2), metric="throughput", unit="1/s").verdict is Verdict.PASSED


def test_noise_in_which_a_drift_could_hide_is_undecided() -> None:
    drift = drift_of(rising(0.0, n=80, noise=0.3))

    assert drift.verdict is Verdict.INCONCLUSIVE
    assert drift.why.startswith("undecided: ")
    assert drift.why.endswith("5 % would matter")


def test_few_bins_are_said_and_give_no_rate() -> None:
    drift = drift_of(rising(3.0, n=20))

    assert drift.verdict is Verdict.INCONCLUSIVE
    assert drift.why == "not enough data: 20 bins, at least 60 are needed"
    assert drift.slope_per_h.value is None


def test_a_staircase_within_the_limit_passes_however_long_its_steps_are() -> None:
    steps = 100 + 1.3 * (np.arange(360) >= 150)
    drift = drift_of(steps, metric="memory", unit="MiB")

    assert drift.slope_per_h.low is None
    assert drift.verdict is Verdict.PASSED
    assert (
        drift.why == "no drift that matters: the highest bin lies less than 1.3 % above the lowest"
    )
    assert decided("drift(memory) < 5%", drift)[0] is Verdict.PASSED
    assert decided("drift(memory) < 1%", drift)[0] is Verdict.INCONCLUSIVE


def test_a_plateau_after_a_jump_is_no_leak_and_not_cleared_either() -> None:
    drift = drift_of(100 + 30.0 * (np.arange(360) >= 60), metric="memory", unit="MiB")

    assert drift.verdict is Verdict.INCONCLUSIVE
    assert "depend on each other" in drift.why


def test_a_leak_in_steps_is_found() -> None:
    drift = drift_of(100 + 4.0 * (np.arange(360) // 18), metric="memory", unit="MiB")

    assert drift.verdict is Verdict.FAILED
    assert drift.over_hold.value == pytest.approx(0.8, abs=0.05)


def test_one_file_more_is_no_leak_of_files() -> None:
    values = 10 + 0.9 * (np.arange(360) / 360)

    assert drift_of(values, metric="files", unit="files").verdict is Verdict.PASSED
    assert drift_of(2 * values, metric="files", unit="files").verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("begin", "end", "verdict"),
    [
        (0.6, 1.4, Verdict.PASSED),  # 133 % of a little
        (0.6, 1.7, Verdict.FAILED),
        (0.0, 0.1, Verdict.PASSED),
        (0.0, 1.1, Verdict.FAILED),
        (100.0, 102.0, Verdict.PASSED),  # two, and 2 %
    ],
)
def test_what_is_counted_matters_by_five_per_cent_and_one_at_least(
    begin: float, end: float, verdict: Verdict
) -> None:
    drift = drift_of(np.linspace(begin, end, 361)[:360], metric="connections", unit="connections")

    assert drift.verdict is verdict
    if end <= begin + 1:
        assert drift.why == "no drift that matters: grew by less than one over the hold of 60 min"


def test_a_counted_staircase_of_less_than_one_passes() -> None:
    drift = drift_of(0.5 + 0.8 * (np.arange(360) >= 150), metric="files", unit="files")

    assert drift.slope_per_h.low is None
    assert drift.verdict is Verdict.PASSED
    assert drift.why.endswith("the highest bin lies less than one above the lowest")


def test_what_is_left_divided_by_the_slope_is_when_it_is_used_up() -> None:
    leak = 40 + np.arange(360) / 6  # 60 files in the hour
    drift = drift_of(leak, metric="files", unit="files", headroom=924.0)

    assert drift.exhausted_s is not None
    assert drift.exhausted_s.value == pytest.approx(924 / 60 * HOUR_S)
    assert "used up in 15.4 h if it goes on like this" in drift.why
    assert drift_of(leak[::-1], metric="files", unit="files", headroom=924.0).exhausted_s is None
    assert drift_of(leak, metric="files", unit="files").exhausted_s is None


def test_what_began_at_nothing_has_no_percentage_and_fails() -> None:
    drift = drift_of(np.arange(360) / 6 - 1, metric="files", unit="files")

    assert drift.over_hold.value is None
    assert drift.verdict is Verdict.FAILED
    assert drift.why == "grew from about nothing over the hold of 60 min"
    assert decided("drift(files) < 900%", drift)[0] is Verdict.FAILED


def test_nothing_at_all_does_not_drift() -> None:
    drift = drift_of(np.zeros(100), metric="connections", unit="connections")

    assert drift.verdict is Verdict.PASSED
    assert drift.over_hold.value == 0


@pytest.mark.costly
@given(st.floats(0.01, 3.0), st.floats(0.1, 1e4), st.integers(0, 2**32 - 1))
def test_growth_does_not_know_the_unit(to: float, scale: float, seed: int) -> None:
    values = rising(to) + np.random.default_rng(seed).normal(0, 1, 360)
    one, other = drift_of(values), drift_of(values * scale)

    assert other.over_hold.value == pytest.approx(one.over_hold.value, rel=1e-6)
    assert other.verdict is one.verdict


@pytest.mark.parametrize(
    ("to", "limit", "verdict"),
    [
        (0.20, "10%", Verdict.FAILED),
        (0.20, "20%", Verdict.INCONCLUSIVE),
        (0.20, "30%", Verdict.PASSED),
        (0.03, "1%", Verdict.INCONCLUSIVE),
        (-0.20, "0%", Verdict.PASSED),
    ],
)
def test_a_budget_is_decided_per_hour_on_the_interval(
    to: float, limit: str, verdict: Verdict
) -> None:
    assert decided(f"drift(p(95)) < {limit}", drift_of(rising(to, noise=0.01)))[0] is verdict


def test_a_minute_decides_no_rate_per_hour_that_it_cannot_know() -> None:
    verdict, why = decided("drift(p(95)) < 10%", drift_of(rising(0.0, n=60), width_s=1.0))

    assert verdict is Verdict.INCONCLUSIVE
    assert why.endswith("an hour open")


def test_a_small_growth_in_a_minute_fails_no_budget_per_hour() -> None:
    drift = drift_of(rising(0.03, n=60, noise=0.001), width_s=1.0)

    assert drift.slope_per_h.low is not None
    assert drift.slope_per_h.low > 1.0, "more than 100 % an hour, and certain"
    assert decided("drift(p(95)) < 10%", drift) == (
        Verdict.INCONCLUSIVE,
        f"{drift.why}: too little to conclude on an hour",
    )


def test_a_throughput_falls_by_a_positive_drift() -> None:
    found = judge_drift(
        parse_assertion("drift(throughput) < 5%"),
        "all",
        [drift_of(rising(-0.2), metric="throughput", unit="1/s")],
    )

    assert found.verdict is Verdict.FAILED
    ends = [found.measured.low, found.measured.value, found.measured.high]
    assert ends == pytest.approx([0.19, 0.20, 0.21], abs=0.01)


def recorded(
    folder: Path,
    *,
    hold_s: float = 80.0,
    grows: float = 0.0,
    budgets: dict[str, list[str]] | None = None,
    lines: list[dict[str, Any]] | None = None,
) -> Recording:
    """Thirty requests a second whose latency grows by a ratio over the second stage's hold."""
    # 5 users at 30 a second: 157 ms of thinking and 10 ms of waiting
    stages = [(5, 10.0), (5, hold_s)]
    document = scenario_of(stages, budgets=budgets, timeout="9s", think_scale=0.0157)
    build = RunBuilder(folder / "run", document)
    rng = np.random.default_rng(1)
    for at_s in np.arange(0, 10 + hold_s, 1 / 30):
        slower = 1 + grows * max(0.0, at_s - 10) / hold_s
        build.add(float(at_s), float(rng.gamma(20, 0.010 / 20)) * slower, persona="sales_rep")
    watch(build, until_s=10 + hold_s)
    file = LineFile(build.folder / RESOURCES)
    for line in lines or ():
        file.write(line)
    file.close()
    return read_run(build.finish(ended_s=10 + hold_s))


def hold_in(recording: Recording) -> Hold:
    windows = hold_windows(recording.schedule, recording.ended_s)
    return hold_of(recording.samples, windows[-1])


def test_latency_stands_in_bins_of_the_hold_alone(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    found = series_in(recording, hold_in(recording), metric="p(95)")

    assert (found.start_s[0], found.start_s[-1], found.width_s) == (10.0, 89.0, 1.0)
    inside = recording.samples[recording.samples["intended_s"].between(12, 13, inclusive="left")]
    assert found.values[2] == pytest.approx(np.quantile(inside["latency_ms"], 0.95))


def test_bins_are_as_wide_as_a_percentile_needs(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    hold = hold_in(recording)

    assert series_in(recording, hold, metric="p(99)").width_s == 5.0  # 100 requests of 30 a second
    assert "not enough data" in (series_in(recording, hold, metric="p(99.99)").why or "")
    assert series_in(recording, hold, metric="avg").width_s == 1.0


def test_a_fault_and_its_recovery_are_left_out(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    over = [(Label.FAULT, 20.5, 22.0), (Label.RECOVERY, 22.0, 24.5)]
    found = series_in(recording, hold_in(recording), metric="throughput", disturbed=over)

    assert len(found.values) == 75
    assert not set(found.start_s) & {20.0, 21.0, 22.0, 23.0, 24.0}


def test_memory_and_files_are_those_of_all_processes_of_the_target(tmp_path: Path) -> None:
    lines = [
        {"t_s": second + 0.1, "role": role, "pid": pid, "rss": size << 20, "files": 10 + pid}
        | ({"files_limit": 1024} if second == 0 else {})
        for second in range(95)
        for role, pid, size in (("target", 1, 20), ("target", 2, 80), ("generator", 3, 99))
    ]
    recording = recorded(tmp_path, lines=lines)
    hold = hold_in(recording)
    memory, files = (series_in(recording, hold, metric=each) for each in ("memory", "files"))

    assert (memory.unit, set(memory.values)) == ("MiB", {100.0})
    assert set(files.values) == {23.0}
    assert files.headroom == 1024 - 12, "of the process that is nearest to its limit"
    assert series_in(recording, hold, metric="connections").why is not None


def test_files_are_used_up_where_one_process_reaches_its_own_limit(tmp_path: Path) -> None:
    # two workers, of which each leaks a file in ten seconds: together one in five
    lines = [
        {"t_s": second, "role": "target", "pid": pid, "files": 10 + second / 10}
        | ({"files_limit": 1000 + pid} if second == 0 else {})
        for second in range(95)
        for pid in (1, 2)
    ]
    recording = recorded(tmp_path, lines=lines)
    found = {drift.metric: drift for drift in drifts_of(recording, hold_in(recording))}["files"]

    assert found.exhausted_s is not None
    assert found.exhausted_s.value == pytest.approx((1001 - 18.9) * 10, rel=0.01)


def test_connections_are_those_that_the_crm_has_in_use(tmp_path: Path) -> None:
    lines = [
        {"t_s": float(second), "role": "crm", "pid": 2, "pool_used": 3, "pool_size": 8}
        for second in range(95)
    ]
    recording = recorded(tmp_path, lines=lines)
    found = series_in(recording, hold_in(recording), metric="connections")

    assert set(found.values) == {3.0}
    assert found.headroom == 5.0


def test_every_run_is_looked_at_and_what_nobody_saw_is_left_out(tmp_path: Path) -> None:
    recording = recorded(tmp_path, grows=0.5)
    found = {drift.metric: drift.verdict for drift in drifts_of(recording, hold_in(recording))}

    assert found == {
        "med": Verdict.FAILED,
        "p(95)": Verdict.FAILED,
        "throughput": Verdict.PASSED,
    }


def test_a_budget_on_drift_decides_a_run(tmp_path: Path) -> None:
    budgets = {"all": ["drift(p(95)) < 100%"], "GET /": ["drift(p(50)) < 100%"]}
    document = judge(recorded(tmp_path, grows=0.5, budgets=budgets))

    first, second = document["budgets"][:2]
    assert (document["verdict"], document["exit_code"]) == ("failed", 99)
    assert (first["verdict"], first["stage"], second["verdict"]) == ("failed", 1, "failed")
    assert first["measured"]["value"] == pytest.approx(0.5 * HOUR_S / 80, rel=0.3)
    assert "GET /" in {drift["subject"] for drift in document["stability"]["drift"]}


def test_a_budget_on_what_nobody_saw_is_inconclusive(tmp_path: Path) -> None:
    document = judge(recorded(tmp_path, budgets={"all": ["drift(memory) < 5%"]}))

    assert document["verdict"] == "inconclusive"
    assert document["budgets"][0]["why"] == "nobody saw the memory of the target"
