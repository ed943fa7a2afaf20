"""Real searches for the capacity of the queue of known truth: how often they hold what theory says.

``trueload capacity capacity --width 25%`` once for each seed, each beginning elsewhere, against the
CRM's ``/synthetic`` as M/M/4 with services of 25 ms. Each takes some ten minutes, and needs a quiet
machine; a search whose runs are invalid is made again. Results are kept as JSON lines in
``recorded/``, and a campaign that was stopped goes on where it was::

    python tests/accuracy/capacity_real.py --seeds 10

Without ``--seeds`` nothing is run: what is recorded is held against the bar, and fewer than ten
seeds miss it. Bar: at least 9 of 10 intervals hold the truth and are at most 25 % wide.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from tests.support.simulated_levels import TRUTH

WIDTH = 0.25
TRIES = 3
LONGEST_S = 3600.0
ENOUGH = 10
TOO_LONG: dict[str, Any] = {
    "capacity": {"value": None, "low": None, "high": None},
    "width": None,
    "ending": "too long",
    "took_s": LONGEST_S,
    "held_s": math.nan,
    "runs": [],
}
"""What is kept of a search that took more than an hour: it misses."""

RECORDED = Path(__file__).with_name("recorded") / "capacity_real.jsonl"
KEPT = ("capacity", "width", "ending", "took_s", "held_s", "not_monotone")
OF_A_RUN = ("level", "look", "why", "hold_s", "verdict")


def say(text: str) -> None:
    """Print a line now."""
    click.echo(text)
    sys.stdout.flush()


def search(seed: int) -> dict[str, Any] | None:
    """Search once; what was found, None when its runs were invalid each time."""
    low = round(random.Random(seed).uniform(25, 50), 1)
    command = [sys.executable, "-P", "-m", "loadtests.cli", "capacity", "capacity"]
    command += ["--width", f"{WIDTH:.0%}", "--low", str(low), "--no-report"]
    command += ["--set", f"load.seed={1000 * seed}"]
    for number in range(1, TRIES + 1):
        with tempfile.TemporaryDirectory(prefix="capacity-") as out:
            try:
                done = subprocess.run(
                    [*command, "--out", out], capture_output=True, check=False, timeout=LONGEST_S
                )
            except subprocess.TimeoutExpired:
                return {"seed": seed, "exit_code": None} | TOO_LONG
            found = list(Path(out).glob("group_*.json"))
            if done.returncode in {0, 97} and found:
                return {"seed": seed, "exit_code": done.returncode} | kept(found[0])
        if done.returncode == 130:
            sys.exit(130)
        say(f"{seed:4}  try {number}: exit code {done.returncode}")
    return None


def kept(group: Path) -> dict[str, Any]:
    """What is kept of a search."""
    document = json.loads(group.read_text(encoding="utf-8"))
    runs = [{key: run[key] for key in OF_A_RUN} for run in document["runs"]]
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **{key: document[key] for key in KEPT},
        "runs": runs,
    }


def recorded() -> dict[int, dict[str, Any]]:
    """The searches that were made, by seed; a line that was cut off is none."""
    found = {}
    for line in RECORDED.read_text().splitlines() if RECORDED.is_file() else []:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        found[document["seed"]] = document
    return found


def row(document: dict[str, Any]) -> tuple[str, bool]:
    """Write a search as a line, and tell whether it is what it should be."""
    capacity, width = document["capacity"], document["width"]
    low, high = capacity["low"], capacity["high"]
    holds = low is not None and high is not None and low <= TRUTH <= high
    narrow = width is not None and width <= WIDTH * (1 + 1e-9)
    ends = f"{low or math.nan:7.1f} to {high or math.nan:7.1f}"
    words = (
        f"{document['seed']:4}  {ends}  {capacity['value'] or math.nan:7.1f}  "
        f"{'holds' if holds else 'MISSES':6}  {width or math.nan:6.1%}  {document['ending']:10}  "
        f"{document['took_s']:6.0f} s  {document['held_s']:6.0f} s  {len(document['runs']):4}  "
        f"{sum(run['verdict'] == 'invalid' for run in document['runs']):7}"
    )
    return words, holds and narrow


@click.command(help=__doc__)
@click.option("--seeds", default=0, show_default=True, help="How many searches there shall be.")
@click.option("--quick", is_flag=True, help="Run nothing, as by default.")
def main(seeds: int, quick: bool) -> None:
    """Search, and tell."""
    say(f"truth: {TRUTH:.2f} arrivals/s")
    say("seed  interval            estimate  truth   width  ending       took     held  runs  void")
    there, good = recorded(), []
    for seed in sorted(there):
        words, is_good = row(there[seed])
        say(words)
        good.append(is_good)
    for seed in () if quick else sorted(set(range(1, seeds + 1)) - set(there)):
        document = search(seed)
        if document is None:
            say(f"{seed:4}  no search with valid runs in {TRIES} tries: is the machine quiet?")
            continue
        with RECORDED.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
        words, is_good = row(document)
        say(words)
        good.append(is_good)
    if len(good) < ENOUGH:
        say(f"MISSED  {len(good)} searches are recorded; bar {ENOUGH}")
    enough = sum(good) >= math.ceil(0.9 * max(len(good), ENOUGH))
    say(
        f"{'holds ' if enough else 'MISSED'}  {sum(good)} of {len(good)} hold the truth and are at "
        f"most {WIDTH:.0%} wide; at least 9 of 10 should"
    )
    sys.exit(0 if enough else 1)


if __name__ == "__main__":
    main()
