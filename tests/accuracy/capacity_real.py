"""Real searches for the capacity of the queue of known truth: how often they hold what theory says.

``trueload capacity capacity --width 25%`` once for each seed, each beginning elsewhere, against the
CRM's ``/synthetic`` as M/M/4 with services of 25 ms. Each takes some ten minutes, and needs a quiet
machine; a search whose runs are invalid is made again. Results are kept as they come, in
``runs/accuracy_capacity``: ``--resume`` goes on where a campaign was interrupted. ``make accuracy``
runs two seeds, which is no proof; ``--seeds 10`` is.

Bar: at least 9 of 10 intervals hold the truth and are at most 25 % wide.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from tests.support.simulated_levels import TRUTH

WIDTH = 0.25
TRIES = 3
LONGEST_S = 3600.0
PARENT = Path("runs/accuracy_capacity")


def say(text: str) -> None:
    """Print a line now."""
    click.echo(text)
    sys.stdout.flush()


def search(seed: int) -> dict[str, Any] | None:
    """Search once; what was found, None when its runs were invalid each time."""
    low = round(random.Random(seed).uniform(25, 50), 1)
    for number in range(TRIES):
        out = PARENT / f"seed_{seed}_{number}_{round(time.time())}"
        command = [sys.executable, "-m", "loadtests.cli", "capacity", "capacity"]
        command += ["--width", f"{WIDTH:.0%}", "--low", str(low), "--no-report", "--out", str(out)]
        command += ["--set", f"load.seed={1000 * seed}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=LONGEST_S
            )
        except subprocess.TimeoutExpired:
            say(f"{seed:4}  took more than {LONGEST_S:.0f} s and was ended")
            continue
        found = list(out.glob("group_*.json"))
        if done.returncode in {0, 97} and found:
            document: dict[str, Any] = json.loads(found[0].read_text())
            return {"seed": seed, "exit_code": done.returncode, **document}
        if done.returncode == 130:
            sys.exit(130)
        say(f"{seed:4}  try {number + 1}: exit code {done.returncode}; {out}")
    return None


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
@click.option("--seeds", default=2, show_default=True, help="How many searches.")
@click.option("--quick", is_flag=True, help="One search.")
@click.option("--resume", is_flag=True, help="Keep the results that there are.")
def main(seeds: int, quick: bool, resume: bool) -> None:
    """Search, and tell."""
    PARENT.mkdir(parents=True, exist_ok=True)
    say(f"truth: {TRUTH:.2f} arrivals/s")
    say("seed  interval            estimate  truth   width  ending       took     held  runs  void")
    good: list[bool] = []
    for seed in range(1, (1 if quick else seeds) + 1):
        kept = PARENT / f"result_{seed}.json"
        if not (resume and kept.is_file()):
            document = search(seed)
            if document is None:
                good.append(False)
                say(f"{seed:4}  no search with valid runs in {TRIES} tries: is the machine quiet?")
                continue
            beside = kept.with_suffix(".part")
            beside.write_text(json.dumps(document))
            beside.rename(kept)
        words, is_good = row(json.loads(kept.read_text()))
        say(words)
        good.append(is_good)
    enough = sum(good) >= math.ceil(0.9 * len(good))
    say(
        f"{'holds ' if enough else 'MISSED'}  {sum(good)} of {len(good)} hold the truth and are at "
        f"most {WIDTH:.0%} wide; at least 9 of 10 should"
    )
    sys.exit(0 if enough else 1)


if __name__ == "__main__":
    main()
