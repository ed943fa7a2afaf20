"""Real duels: the CRM against itself, and a queue against one whose service takes 15 % longer.

Each duel is a whole ``trueload duel``, minutes on two quiet cores; 20 of a kind take an hour or
two. They are kept as JSON lines in ``recorded/``, and a script that was stopped goes on where it
was::

    python tests/accuracy/duel_real.py --kind aa --repetitions 20
    python tests/accuracy/duel_real.py --kind slower --repetitions 20

Without ``--repetitions`` nothing is run: what is recorded is held against the bars, and fewer
than 20 of a kind miss them. Bars: no alarm between two that are the same; of 20 that are slower at
least 16 regressed and none "not regressed"; each within ten minutes.

A duel counts when it was answered or had all its pairs. One that was broken off (its runs were
invalid) says nothing about the answer: it is shown as void, not counted, and made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scipy.stats import beta

from analysis.sequential import PAIRS

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("recorded") / "duel_real.jsonl"
LONGEST_S = 600.0
ENOUGH = 20
LEAST_FOUND = 0.8
ANSWERS = frozenset({"regressed", "not regressed"})

SHORT = """[{rate=30,hold="6s"}]"""
"""Of a duel of the CRM against itself: half the scenario's rate and length, so that two go side by
side. Whether there is a false alarm does not depend on it; how often the answer is clear does."""

SLOWER = f"""
name = "slower"
title = "A queue of four servers"
question = "is it noticed when each service takes 15 % longer?"

[target]
app = "crm"
customers = 100
threads = 64
options = {{ synthetic = true }}

[load]
model = "open"
locustfile = "{ROOT / "loadtests" / "generator" / "synthetic_users.py"}"
warmup = "2s"
settle = "0s"
timeout = "5s"
max_users = 300
stages = [{{ rate = 80, hold = "15s" }}]

[budgets]
all = ["error_ratio < 1%"]
"""
MEAN_MS = 25.0


def command(kind: str, folder: Path) -> list[str]:
    """The duel of a kind."""
    trueload = [sys.executable, "-P", "-m", "loadtests.cli", "duel"]
    rest = ["--json", "--out", str(folder / "runs")]
    if kind == "aa":
        return [
            *(*trueload, "duel", "--base", "as-is", "--candidate", "as-is"),
            *("--set", f"load.stages={SHORT}", "--set", 'load.warmup="2s"', *rest),
        ]
    scenario = folder / "slower.toml"
    scenario.write_text(SLOWER)
    sides = [f"target.options.synthetic_mean_ms={factor * MEAN_MS:g}" for factor in (1.0, 1.15)]
    return [*trueload, str(scenario), "--base", sides[0], "--candidate", sides[1], *rest]


def fight(kind: str) -> dict[str, Any]:
    """Make one duel; its runs are not kept."""
    with tempfile.TemporaryDirectory(prefix="duel-") as name:
        began = time.monotonic()
        done = subprocess.run(
            command(kind, Path(name)), stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
        wall_s = time.monotonic() - began
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        document = {"verdict": "none", "why": f"exit {done.returncode}", "ratio": {}, "pairs": []}
    return {
        "kind": kind,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "exit_code": done.returncode,
        "wall_s": wall_s,
        "answer": document["verdict"],
        "why": document["why"],
        "ratio": document["ratio"],
        "ratios": [pair["ratio"] for pair in document["pairs"]],
        "sd": document.get("needs", {}).get("sd"),
        "runs": [
            {key: run[key] for key in ("pair", "role", "verdict", "value", "why")}
            for run in document.get("runs", [])
        ],
    }


def recorded(kind: str, path: Path) -> list[dict[str, Any]]:
    """The duels of a kind that were made; a line that was cut off is none."""
    found = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [duel for duel in found if duel["kind"] == kind]


def counts(duel: dict[str, Any]) -> bool:
    """Whether a duel was fought to its end; an alarm counts however it came about."""
    return duel["answer"] in ANSWERS or len(duel["ratios"]) >= PAIRS


def row(number: int, duel: dict[str, Any]) -> str:
    """A duel as a line of the table."""
    value, low, high = (duel["ratio"].get(key) for key in ("value", "low", "high"))
    ratio = "-" if value is None else f"{value:.3f}"
    ends = " to ".join("..." if end is None else f"{end:.3f}" for end in (low, high))
    sd = "-" if duel["sd"] is None else f"{duel['sd']:.1%}"
    tail = f"   {duel['why']}" if duel["answer"] not in ANSWERS else ""
    answer = duel["answer"] if counts(duel) else "void"
    return (
        f"{number:3}   {answer:<13}   {len(duel['ratios']):5}   {ratio:>6}   {ends:<16}   "
        f"{sd:>5}   {duel['wall_s']:5.0f} s{tail}"
    )


def at_most(count: int, of: int) -> float:
    """Clopper and Pearson's one-sided 95 % upper bound of a share."""
    return 1.0 if count == of else float(beta.ppf(0.95, count + 1, of - count))


def told(kind: str, duels: list[dict[str, Any]]) -> list[str]:
    """Print what the duels of a kind say; gives the bars that are missed."""
    void = sum(not counts(duel) for duel in duels)
    duels = [duel for duel in duels if counts(duel)]
    answers = [duel["answer"] for duel in duels]
    n, worse, same = len(duels), answers.count("regressed"), answers.count("not regressed")
    longest_s = max((duel["wall_s"] for duel in duels), default=0.0)
    title = "the CRM against itself" if kind == "aa" else "mean service time 15 % longer"
    sys.stdout.write(
        f"{title}: {n} duels; regressed {worse}, not regressed {same}, "
        f"neither {n - worse - same}; void {void}; the longest took {longest_s:.0f} s\n"
    )
    if n == 0:
        return [f"{kind}: none is recorded: --kind {kind} --repetitions {ENOUGH}"]
    missed = [f"{kind}: {n} recorded; bar {ENOUGH}"] if n < ENOUGH else []
    missed += [f"{kind}: {longest_s:.0f} s; bar {LONGEST_S:.0f} s"] if longest_s > LONGEST_S else []
    if kind == "aa":
        sys.stdout.write(f"  false alarms: at most {at_most(worse, n):.1%} (95 %)\n")
        return missed + ([f"{kind}: {worse} false alarms; bar 0"] if worse else [])
    sys.stdout.write(f"  overlooked: at most {at_most(n - worse, n):.1%} (95 %)\n")
    if worse < LEAST_FOUND * n:
        missed.append(f"{kind}: {worse} of {n} regressed; bar 16 of 20")
    missed += [f"{kind}: {same} called not regressed; bar 0"] if same else []
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("aa", "slower"), help="only these")
    parser.add_argument("--repetitions", type=int, default=0, help="until so many are recorded")
    parser.add_argument("--file", type=Path, default=RECORDED)
    parser.add_argument("--quick", action="store_true", help="run nothing, as by default")
    asked = parser.parse_args()
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    missed = []
    for kind in (asked.kind,) if asked.kind else ("aa", "slower"):
        duels = recorded(kind, asked.file)
        sys.stdout.write(
            "  n   answer          pairs    ratio   85 %                  sd      time\n"
        )
        for number, duel in enumerate(duels, start=1):
            sys.stdout.write(row(number, duel) + "\n")
        most = len(duels) + 2 * asked.repetitions
        while sum(map(counts, duels)) < asked.repetitions and len(duels) < most and not asked.quick:
            duels.append(fight(kind))
            if duels[-1]["exit_code"] == 130:  # interrupted: it does not count
                return 130
            with asked.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(duels[-1]) + "\n")
            sys.stdout.write(row(len(duels), duels[-1]) + "\n")
            sys.stdout.flush()
        missed += told(kind, duels)
    for line in missed:
        sys.stdout.write(f"MISSED {line}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
