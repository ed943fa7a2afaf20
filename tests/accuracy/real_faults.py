"""Real faults from outside: how far from their truth a real run's verdict finds them.

Each repetition is two runs of ``trueload run``, a minute and a half on a quiet machine:

- 20 users of the CRM, whose server is frozen, loses its worker, and is killed and started again.
  Truth: the supervisor's events, and the right answers themselves (``tests/support/outside.py``):
  *recovered* is when they came again, or by when they were as fast as before.
- A queue of four servers with services of 25 ms (``/synthetic``) that gets twice what it can serve
  for two seconds. *Recovered* is when as few requests were open as half of the time before.

Bars, of every fault: detected within a second, an outage's ends and its recovery found within a
second of their truth. A worker may be back before there was a second without an answer: its
outage is held to the bar where there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.harness import ROOT, Harness
from tests.support.outside import emptied_s, faults_from_outside, samples_of

NEAR_S = 1.0
NO_OUTAGE_S = 2.0
"""Of a gap that is shorter, no whole second is surely without an answer."""

USERS, FAULTED_S = 20, 46
FAULTS = (
    '{kind="freeze",at="9s",lasts="4s"}',
    '{kind="kill",process="worker",at="20s"}',
    '{kind="kill",at="28s",lasts="1s"}',
)
CALM_S, SPIKE_S, AFTER_S = 14.0, 2.0, 12.0
RATE, SPIKE_RATE = 60, 320

SPIKED = f"""
name = "spiked"
title = "A queue of four servers, and a spike"
question = "when has the backlog of a spike drained?"

[target]
app = "crm"
customers = 100
threads = 64
options = {{ synthetic = true }}

[load]
model = "open"
locustfile = "{ROOT / "loadtests" / "generator" / "synthetic_users.py"}"
warmup = "0s"
settle = "0s"
timeout = "8s"
max_users = 1000
required = {RATE}
stages = [
  {{ rate = {RATE}, hold = "{CALM_S:g}s" }},
  {{ rate = {SPIKE_RATE}, hold = "{SPIKE_S:g}s" }},
  {{ rate = {RATE}, hold = "{AFTER_S:g}s" }},
]

[budgets]
all = ["error_ratio < 1%"]
"""


@dataclass(frozen=True)
class Row:
    """A fault, when it was found and when it was; times in seconds of run time.

    Attributes
    ----------
    name : str
        What it was.
    injected_s, resumed_s : float
        Its truth: from when, and until when nobody was served.
    settled_s : float
        By when answers were as fast as before.
    detected_after, recovered_s : float or None
        What the verdict says.
    ends : tuple of (float, float)
        Errors of the outage's start and end, where there was one.
    """

    name: str
    injected_s: float
    resumed_s: float
    settled_s: float
    detected_after: float | None
    recovered_s: float | None
    ends: tuple[float, ...] = field(default=())

    @property
    def error_s(self) -> float | None:
        """Recovered minus its truth; 0 while answers came, and were not as fast as before."""
        if self.recovered_s is None:
            return None
        return self.recovered_s - min(max(self.recovered_s, self.resumed_s), self.settled_s)

    @property
    def near(self) -> bool:
        """Whether all of it is within a second."""
        errors = (self.detected_after, self.error_s, *self.ends)
        return all(error is not None and abs(error) <= NEAR_S for error in errors)

    def __str__(self) -> str:
        ends = ", ".join(f"{error:+.2f}" for error in self.ends) or "-"
        columns = (
            f"{self.name:<20}",
            f"{self.injected_s:8.2f} s",
            f"{_number(self.detected_after, '.2f'):>8} s",
            f"{_number(self.recovered_s, '.2f'):>9} s",
            f"{self.resumed_s:6.2f} s",
            f"{self.settled_s:6.2f} s",
            f"{_number(self.error_s, '+.2f'):>6} s",
            ends,
        )
        return "  ".join(columns) + ("" if self.near else "  MISSED")


HEAD = (
    "fault                   injected    detected    recovered  "
    " resumed   settled     error  outage"
)


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)


def recovery_at(verdict: dict[str, Any], start_s: float) -> dict[str, Any]:
    """What a verdict says of the disturbance that began then; nothing where it has none."""
    told = verdict["stability"]["recovery"]
    near = [each for each in told if abs(each["start_s"] - start_s) <= 1e-3]
    return near[0] if near else {"detected_after": {"value": None}, "recovered_s": None}


def faulted_rows(run: Path, verdict: dict[str, Any]) -> Iterator[Row]:
    """Hold the verdict on a run with faults against what is true of them."""
    for truth in faults_from_outside(run):
        told = recovery_at(verdict, truth.injected_s)
        outages = [
            each
            for each in verdict["stability"]["outages"]
            if each["start_s"] < truth.resumed_s and each["end_s"] > truth.stopped_s
        ]
        ends = tuple(
            error
            for each in outages
            for error in (each["start_s"] - truth.stopped_s, each["end_s"] - truth.resumed_s)
        )
        away_s = truth.resumed_s - truth.stopped_s
        missing = not outages and away_s >= NO_OUTAGE_S
        yield Row(
            name=truth.name,
            injected_s=truth.injected_s,
            resumed_s=truth.resumed_s,
            settled_s=truth.settled_s,
            detected_after=told["detected_after"]["value"],
            recovered_s=told["recovered_s"],
            ends=(away_s, away_s) if missing else ends,
        )


def spiked_row(run: Path, verdict: dict[str, Any]) -> Row:
    """Hold the verdict on a run with a spike against when its backlog was gone."""
    intended_s, done_s, _ = samples_of(run)
    told = recovery_at(verdict, CALM_S)
    drained_s = emptied_s(intended_s, done_s, CALM_S + SPIKE_S, (1.0, CALM_S))
    return Row(
        name=f"spike, {SPIKE_RATE}/s",
        injected_s=CALM_S,
        resumed_s=drained_s,
        settled_s=drained_s,
        detected_after=told["detected_after"]["value"],
        recovered_s=told["recovered_s"],
    )


def run_faulted() -> list[Row]:
    """Run the CRM with faults."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        harness = Harness(Path(folder), ROOT / ".cache")
        try:
            harness.run(
                "run",
                "smoke",
                "--no-report",
                *("--set", 'load.warmup="0s"'),
                *("--set", 'load.timeout="3s"'),
                *("--set", f'load.stages=[{{users={USERS},hold="{FAULTED_S}s"}}]'),
                *("--set", 'budgets.all=["p(95) < 2900ms"]'),
                *("--set", f"faults=[{','.join(FAULTS)}]"),
                timeout_s=240,
            )
            return list(faulted_rows(harness.the_run(), harness.verdict()))
        finally:
            harness.clean()


def run_spiked() -> list[Row]:
    """Run the queue with a spike."""
    with tempfile.TemporaryDirectory(prefix="spike-") as folder:
        harness = Harness(Path(folder), ROOT / ".cache")
        scenario = Path(folder) / "spiked.toml"
        scenario.write_text(SPIKED)
        try:
            harness.run("run", str(scenario), "--no-report", timeout_s=240)
            return [spiked_row(harness.the_run(), harness.verdict())]
        finally:
            harness.clean()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3, help="of each fault")
    parser.add_argument("--quick", action="store_true", help="one of each")
    asked = parser.parse_args()
    rows: list[Row] = []
    sys.stdout.write(HEAD + "\n")
    repetitions = 1 if asked.quick else asked.repetitions
    for _ in range(repetitions):
        for run in (run_faulted, run_spiked):
            for row in run():
                rows.append(row)
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
    expected = repetitions * (len(FAULTS) + 1)
    missed = sum(not row.near for row in rows)
    errors = [abs(row.error_s) for row in rows if row.error_s is not None]
    sys.stdout.write(
        f"{len(rows)} faults of {expected}; recoveries off by "
        f"{max(errors, default=float('nan')):.2f} s at most; {missed} beyond a second\n"
    )
    return 1 if missed or len(rows) != expected else 0


if __name__ == "__main__":
    raise SystemExit(main())
