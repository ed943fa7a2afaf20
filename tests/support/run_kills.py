"""Kills a part of a run at some moment, and looks at what is left of the recording."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from analysis.recording.streams import read_lines
from tests.support.harness import Harness, finish, wait_for_run

LOAD_S = 5
MOST_LOST_S = 1.0
GONE_S = 3.0
VICTIMS = ("generator", "supervisor", "target")
_JUDGED = {0, 96, 97, 99}
_SCENARIO = """
[target]
customers = 2000
[load]
mix = {{ sales_rep = 1, support_agent = 1, portal_customer = 2 }}
think_scale = 0.01
warmup = "1s"
settle = "0s"
stages = [{{ users = 12, hold = "{hold_s}s" }}]
[budgets]
all = ["p(95) < 2s"]
"""


@dataclass
class Killed:
    """What came of one repetition.

    Attributes
    ----------
    victim : str
        Who was killed.
    processes : int
        Generator processes of the run.
    moment_s : float
        Seconds of load before the kill.
    answered : int
        Answers in the server's own log until the kill.
    missing : int
        Of these, those that are in no sample.
    lost_s : float
        How long before the kill the oldest of them was answered.
    gone_s : float
        Seconds until nothing of the run was left beside its supervisor.
    verdict : str
        Of the run that was left, judged again.
    wrong : list of str
        What is not as it must be.
    """

    victim: str
    processes: int
    moment_s: float
    answered: int = 0
    missing: int = 0
    lost_s: float = 0.0
    gone_s: float = 0.0
    verdict: str = ""
    wrong: list[str] = field(default_factory=list)


def kill_once(harness: Harness, seed: int) -> Killed:
    """Start a run, kill whom the seed says when it says so, and judge what is left."""
    rng = random.Random(seed)
    killed = Killed(
        victim=VICTIMS[seed % len(VICTIMS)],
        processes=rng.choice((1, 2)),
        moment_s=rng.uniform(0.0, LOAD_S),
    )
    log = harness.folder / "access.log"
    harness.environment["CRM_ACCESS_LOG"] = str(log)
    scenario = harness.folder / "killed.toml"
    scenario.write_text(_SCENARIO.format(hold_s=LOAD_S))
    words = ["run", str(scenario), "--no-report", "--processes", str(killed.processes)]
    process = harness.start(*words)
    run = wait_for_run(harness)
    wait_for_start(run)
    time.sleep(killed.moment_s)
    killed_ns = time.monotonic_ns()
    kill(run, killed.victim, process.pid, rng)
    if killed.victim == "supervisor":
        gone_s = harness.all_gone_within(GONE_S)
        killed.gone_s = GONE_S if gone_s is None else gone_s
        if gone_s is None:
            killed.wrong.append(f"not gone: {[each.cmdline() for each in harness.processes()]}")
    done = finish(process)
    if killed.victim != "supervisor" and done.code not in _JUDGED:
        killed.wrong.append(f"exit code {done.code}: {done.err.strip()[-300:]}")
    judge(harness, run, killed)
    count(run, log, killed, killed_ns)
    return killed


def wait_for_start(run: Path, patience_s: float = 60) -> None:
    """Wait until the load of a run begins."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if any(event["kind"] == "run_started" for event in read_lines(run / "events.jsonl")):
            return
        time.sleep(0.01)
    raise AssertionError(f"no load within {patience_s} s")


def kill(run: Path, victim: str, supervisor: int, rng: random.Random) -> None:
    """End a process without a word."""
    manifest = json.loads((run / "manifest.json").read_text())
    if victim == "supervisor":
        pid = supervisor
    elif victim == "generator":
        master = manifest.get("generators_master")
        pid = rng.choice([*manifest["generators"], *([master] if master else [])])["pid"]
    else:
        pid = server_of(supervisor)
    os.kill(pid, signal.SIGKILL)


def server_of(supervisor: int) -> int:
    """Process id of the target's server: of granian's processes the first."""
    family = psutil.Process(supervisor).children(recursive=True)
    served = [each for each in family if "target_app" in " ".join(each.cmdline())]
    return min(served, key=lambda each: each.create_time()).pid


def judge(harness: Harness, run: Path, killed: Killed) -> None:
    """Judge again what is left: it must be readable."""
    judged = harness.run("check", str(run))
    if judged.code not in _JUDGED:
        killed.wrong.append(f"check ended with {judged.code}: {judged.err.strip()[-300:]}")
        return
    killed.verdict = str(harness.verdict(run)["verdict"])
    if killed.verdict == "passed":
        killed.wrong.append("a run that was killed has passed")
    if harness.processes():
        killed.wrong.append(f"left: {[each.cmdline() for each in harness.processes()]}")


def count(run: Path, log: Path, killed: Killed, killed_ns: int) -> None:
    """Hold the samples against the server's own log."""
    answered = answers_before(read_lines(log), run, killed_ns)
    recorded = ids(run)
    missing = {request: t_ns for request, t_ns in answered.items() if request not in recorded}
    killed.answered, killed.missing = len(answered), len(missing)
    killed.lost_s = max(((killed_ns - t_ns) / 1e9 for t_ns in missing.values()), default=0.0)
    if killed.lost_s > MOST_LOST_S:
        killed.wrong.append(f"{killed.lost_s:.3f} s of answers are in no sample")


def answers_before(lines: Iterable[dict[str, object]], run: Path, t_ns: int) -> dict[str, int]:
    """When each request of a run was answered, of those answered before a moment."""
    prefix = json.loads((run / "manifest.json").read_text())["id"]
    return {
        str(line["id"]): int(str(line["t"]))
        for line in lines
        if str(line["id"]).startswith(prefix) and int(str(line["t"])) < t_ns
    }


def ids(run: Path) -> set[str]:
    """Request ids of the samples of a run that was judged; none where nothing was recorded."""
    path = run / "samples.parquet"
    if not path.is_file():
        return set()
    prefix = json.loads((run / "manifest.json").read_text())["id"]
    table = pq.read_table(path, columns=["process", "request"]).to_pydict()
    return {
        f"{prefix}-{process}-{request}"
        for process, request in zip(table["process"], table["request"], strict=True)
    }
