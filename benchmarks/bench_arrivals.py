"""How late arrivals of the open model are sent, and how many a second can be offered honestly.

Whole runs, with everything on that any run has: recorder, engine's statistics, timeouts.
First the generator's capacity. In the closed model, by users that think for no time: answers
come in crowds, and what wakes the process is shared by many. In the open model, by more
arrivals than it can send: each wakes it by itself, so it is less. Then arrivals at half of
the open model's: how late each was sent, in milliseconds after the moment that its schedule
says, as p50 and p99 of each second, and of these the median over the hold: a second in which
the machine was disturbed is one second. Then the rate is moved until the lateness leaves its
bars: the highest rate that stayed within them is what this machine can offer.

The server keeps to one core. The generator keeps to the others and goes before what else
runs there, as it does in a run that gives it cores of its own. ``--quick`` takes shorter
holds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from analysis.recording.reader import read_run

P50_MS, P99_MS = 0.5, 2.0
PRIORITY = -10
USERS = 200
HALVINGS = 4

LOCUSTFILE = """
from locust import constant, task
from loadtests.generator.client import LoadUser

class Somebody(LoadUser):
    wait_time = constant(0)

    @task
    def ask(self):
        self.client.get("/text")
"""


@dataclass(frozen=True)
class Offered:
    """What came of a run at a rate."""

    rate: float
    sent_rps: float
    p50_ms: float
    p99_ms: float
    whole_p99_ms: float
    missed: int
    cpu: float

    @property
    def honest(self) -> bool:
        """Whether every arrival was sent, and sent in time."""
        return self.missed == 0 and self.p50_ms <= P50_MS and self.p99_ms <= P99_MS

    def __str__(self) -> str:
        return (
            f"{self.rate:8,.0f}/s asked  {self.sent_rps:8,.0f}/s sent  "
            f"late by p50 {self.p50_ms:.3f} ms, p99 {self.p99_ms:.3f} ms "
            f"(of the whole hold {self.whole_p99_ms:.3f} ms)  "
            f"missed {self.missed}  CPU {self.cpu:.0%}  "
            f"{'within' if self.honest else 'beyond'} the bars"
        )


@contextmanager
def raw_server(core: int) -> Iterator[str]:
    """Serve on one core; its URL."""
    command = [sys.executable, str(Path(__file__).with_name("raw_server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def set_apart(supervisor: int, core: int) -> None:
    """Give the generator the cores but one, and priority there, as a run of the CRM does."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(supervisor).children():
                if "loadtests.generator.main" in child.cmdline():
                    rest = set(os.sched_getaffinity(0)) - {core} or {core}
                    for thread in child.threads():
                        os.sched_setaffinity(thread.id, rest)
                        os.setpriority(os.PRIO_PROCESS, thread.id, PRIORITY)
                    return
        time.sleep(0.05)


def run(url: str, load: str, hold_s: float, folder: Path) -> Path:
    """Run a load; its folder.

    Raises
    ------
    SystemExit
        When nothing was run, with what the command said.
    """
    folder.mkdir()
    (folder / "users.py").write_text(LOCUSTFILE)
    (folder / "bench.toml").write_text(
        f'[target]\nurl = "{url}"\n[load]\nlocustfile = "users.py"\nwarmup = "2s"\n'
        f'settle = "1s"\ntimeout = "5s"\n{load.replace("HOLD", f"{hold_s:g}s")}\n'
    )
    command = [sys.executable, "-P", "-m", "loadtests.cli", "run", "bench.toml", "--no-report"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        set_apart(process.pid, max(os.sched_getaffinity(0)))
        _, said = process.communicate()
    runs = list((folder / "runs").glob("*"))
    if not runs:
        raise SystemExit(said)
    return runs[0]


def capacity_rps(url: str, hold_s: float, folder: Path) -> float:
    """Measure the requests per second of users that do not think."""
    recording = read_run(
        run(url, f'stages = [{{ users = {USERS}, hold = "HOLD" }}]', hold_s, folder)
    )
    span = recording.schedule.spans[0]
    ended = recording.samples["end_s"][recording.samples["good"]]
    return float(ended.between(span.hold_s, span.end_s).sum()) / span.length_s


def offer(url: str, rate: float, hold_s: float, folder: Path) -> Offered:
    """Offer arrivals at a rate."""
    rate = max(round(rate), 1)
    load = f'model = "open"\nmax_users = {USERS}\nstages = [{{ rate = {rate:d}, hold = "HOLD" }}]'
    path = run(url, load, hold_s, folder)
    recording = read_run(path)
    span = recording.schedule.spans[0]
    samples = recording.samples[recording.samples["intended_s"].between(span.hold_s, span.end_s)]
    sent = samples[samples["sent_us"].notna()]
    late_ms = (sent["sent_us"] - sent["intended_us"]) / 1e3
    seconds = late_ms.groupby(sent["intended_us"] // 1_000_000)
    lines = [json.loads(line) for line in (path / "timeline.jsonl").read_text().splitlines()]
    cpu = [line["cpu"] for line in lines if span.hold_s < line["t_s"] <= span.end_s]
    return Offered(
        rate=rate,
        sent_rps=len(sent) / span.length_s,
        p50_ms=float(seconds.quantile(0.5).median()),
        p99_ms=float(seconds.quantile(0.99).median()),
        whole_p99_ms=float(late_ms.quantile(0.99)),
        missed=len(samples) - len(sent),
        cpu=float(np.mean(cpu)) if cpu else float("nan"),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    hold_s = 3.0 if parser.parse_args().quick else 8.0
    core = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, raw_server(core) as url:
        folders = (Path(name) / str(number) for number in range(1000))
        capacity = capacity_rps(url, hold_s, next(folders))
        print(
            f"capacity of the generator: {capacity:,.0f} requests/s (closed model, no think time)"
        )
        flood = offer(url, capacity, hold_s, next(folders))
        capacity = flood.sent_rps
        print(f"    in the open model: {capacity:,.0f} requests/s ({flood})")
        half = offer(url, capacity / 2, hold_s, next(folders))
        print(f"half of it: {half}")
        word = "met" if half.honest else "NOT MET"
        print(f"bars at half: p50 {P50_MS} ms, p99 {P99_MS} ms, none missed: {word}")
        low, high = (half.rate, capacity) if half.honest else (0.0, half.rate)
        honest = half if half.honest else None
        for _ in range(HALVINGS):
            found = offer(url, (low + high) / 2, hold_s, next(folders))
            print(f"            {found}")
            if found.honest:
                low, honest = found.rate, found
            else:
                high = found.rate
    if honest is None:
        print("this machine can offer no rate honestly that was tried")
    else:
        print(f"this machine can offer {honest.rate:,.0f} requests per second honestly")
    return 0 if half.honest else 1


if __name__ == "__main__":
    sys.exit(main())
