"""Judging and reporting runs of millions of samples.

Table: percentiles of latency by endpoint and stage of the largest run, against DuckDB's
``quantile_cont`` over the same Parquet file: same levels, same threads, rounds one after
the other, median of the ratios. The numbers must agree.

Commands: ``trueload check`` and ``trueload report`` on each run, each in a process of its
own: seconds, CPU seconds and the most memory that it had. What a million samples cost more
than the run before shows whether the cost grows in a straight line.

Bars: the ratio; of a report of ten million samples its seconds, on a machine that does nothing
else, and its memory; and that of thirty million each costs little more CPU than of ten.

The runs are made once, through our own writer, and kept in the temporary folder (about
40 MB a million); what consolidating their streams took is printed then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from analysis.percentile_table import LEVELS, Table, percentile_table
from analysis.percentiles_cli import read_windows
from analysis.recording.format import CENSORED, GOOD, PARQUET
from analysis.windows import Window
from benchmarks.big_run import make

VERSION = 2
"""Of the runs: another one makes them anew."""

MILLION = 1_000_000
ROUNDS = 5

MOST_RATIO = 1.5
MOST_S = 20.0
MOST_MIB = 1.2 * 1024
AT = 10
"""Millions of samples at which the bars hold."""

MOST_GROWTH = 1.5
"""What a million samples more may cost in the largest step, in terms of the step before."""

SAME = 1e-9
"""Relative difference of percentiles that are the same."""

Found = dict[tuple[str, int], npt.NDArray[np.float64]]

COMMANDS = ("percentiles", "check", "report")
"""In this order: a report is of a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took."""

    wall_s: float
    cpu_s: float
    mib: float


def measured(arguments: Sequence[str]) -> Cost:
    """Run something in a process of its own.

    Raises
    ------
    SystemExit
        When it has no verdict to tell.
    """
    # Started by a small process: the kernel counts what its parent held as a child's peak, too.
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    if found["code"] not in {0, 96, 97, 98}:  # a verdict is none of our business
        raise SystemExit(f"{' '.join(arguments)}: exit code {found['code']}")
    return Cost(wall_s=found["wall_s"], cpu_s=found["cpu_s"], mib=found["mib"])


_LAUNCH = """
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(json.dumps({
    "wall_s": time.perf_counter() - began,
    "cpu_s": used.ru_utime + used.ru_stime,
    "mib": used.ru_maxrss / 1024,
    "code": os.waitstatus_to_exitcode(status),
}))
"""


def run_of(millions: int, folder: Path) -> Path:
    """Give a run of so many samples; make it when it is not there yet."""
    run = folder / f"{millions}m"
    if run.is_dir():
        return run
    beside = folder / f"{millions}m.part"
    shutil.rmtree(beside, ignore_errors=True)
    make(beside, millions * MILLION)
    cost = measured(["-c", _CONSOLIDATE, str(beside)])
    print(
        f"{millions} million: streams consolidated in {cost.wall_s:.1f} s "
        f"({cost.cpu_s:.1f} s of CPU), {cost.mib:.0f} MiB at most"
    )
    shutil.rmtree(beside / "samples")
    beside.rename(run)
    return run


_CONSOLIDATE = (
    "import sys, pathlib; from analysis.finish import consolidated; "
    "consolidated(pathlib.Path(sys.argv[1]))"
)


class Duck:
    """The same table by DuckDB."""

    def __init__(self, run: Path, windows: Sequence[Window]) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
        stage = " ".join(
            f"WHEN intended_us >= {w.start_s * 1e6} AND intended_us < {w.end_s * 1e6} "
            f"THEN {w.stage}"
            for w in windows
        )
        outcomes = ", ".join(f"'{outcome.label}'" for outcome in sorted(GOOD | CENSORED))
        levels = ", ".join(str(level) for level in LEVELS)
        self.query = (
            f"SELECT method || ' ' || endpoint AS name, CASE {stage} END AS stage, "
            f"quantile_cont((coalesce(done_us, seen_us) - intended_us) / 1000.0, [{levels}]) "
            f"FROM '{run / PARQUET}' WHERE outcome IN ({outcomes}) AND stage IS NOT NULL "
            "GROUP BY ALL"
        )

    def table(self) -> Found:
        """Compute it."""
        rows = self.connection.execute(self.query).fetchall()
        return {(name, stage): np.array(found) for name, stage, found in rows}


def ratios(run: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Time ours by time DuckDB's, and DuckDB's in seconds, round by round."""
    windows = read_windows(run)
    duck = Duck(run, windows)
    compare(percentile_table(run, windows), duck.table())  # and both have met the file
    found, reference = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        duck.table()
        between = time.perf_counter()
        percentile_table(run, windows)
        reference.append(between - began)
        found.append((time.perf_counter() - between) / reference[-1])
    return found, reference


def compare(ours: Table, theirs: Found) -> None:
    """Hold two tables against each other.

    Raises
    ------
    SystemExit
        When they are not the same.
    """
    if ours.keys() != theirs.keys():
        raise SystemExit(f"{len(ours)} rows of ours, {len(theirs)} of DuckDB's")
    for key, values in ours.items():
        if not np.allclose(values.values, theirs[key], rtol=SAME, atol=0):
            raise SystemExit(f"{key}: found {values.values}, DuckDB found {theirs[key]}")


def costs(command: str, runs: dict[int, Path]) -> dict[int, Cost]:
    """Run a command on each run, and print what it cost."""
    found: dict[int, Cost] = {}
    for millions, run in runs.items():
        found[millions] = cost = measured(["-m", "loadtests.cli", command, str(run)])
        steps = per_million(found)
        more = f"{steps[-1]:.2f}" if steps else "-"
        print(
            f"{millions * MILLION:>10,}    {command:11} {cost.wall_s:>8.1f} "
            f"{cost.cpu_s:>7.1f} {cost.mib:>7.0f}   {more:>10}"
        )
    return found


def per_million(found: dict[int, Cost]) -> list[float]:
    """CPU seconds of a million samples more, from each size to the next."""
    return [
        (found[larger].cpu_s - found[smaller].cpu_s) / (larger - smaller)
        for smaller, larger in pairwise(found)
    ]


def held(report: dict[int, Cost]) -> bool:
    """Hold the cost of reports against its bars, as far as there are runs of the size."""
    fine = True
    if AT in report:
        cost = report[AT]
        print(f"bars of report at {AT} million: {MOST_S:g} s, {MOST_MIB:.0f} MiB")
        fine &= cost.wall_s <= MOST_S and cost.mib <= MOST_MIB
    if max(report) > AT:
        *_, before, last = per_million(report)
        print(
            f"a million more at the end costs x {last / before:.2f} of one before; "
            f"bar: {MOST_GROWTH:g}"
        )
        fine &= last <= MOST_GROWTH * before
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 million only, few rounds")
    asked = parser.parse_args()
    sizes = [1] if asked.quick else [1, 3, AT, 30]
    folder = Path(tempfile.gettempdir()) / f"trueload-bench-{os.getuid()}-{VERSION}"
    folder.mkdir(exist_ok=True)
    runs = {millions: run_of(millions, folder) for millions in sizes}

    largest = min(AT, sizes[-1])
    found, reference = ratios(runs[largest], 2 if asked.quick else ROUNDS)
    ratio = statistics.median(found)
    print(
        f"{largest} million samples: the table of percentiles takes x {ratio:.2f} of DuckDB's "
        f"quantile_cont ({min(found):.2f} to {max(found):.2f}; DuckDB took "
        f"{statistics.median(reference):.2f} s); bar: {MOST_RATIO:g}"
    )

    print("samples       command       seconds   CPU s     MiB   CPU s a million more")
    cost = {command: costs(command, runs) for command in COMMANDS}
    return int(ratio > MOST_RATIO or not held(cost["report"]))


if __name__ == "__main__":
    sys.exit(main())
