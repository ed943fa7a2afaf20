"""Kill parts of runs again and again: what was recorded can be read, but for the last second.

Run as ``python tests/chaos/kill_run.py [--repetitions 30] [--seed 1]``. Each time a run loads the
reference CRM, and a generator process (or their master), the supervisor or the CRM's server is
killed with SIGKILL at a random moment of its load. What is left is judged again, and its samples
are held against the server's own log of the requests that it answered. Prints a row per
repetition and the worst loss, and ends with 1 when one is not right.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for tests.support, which is not installed

from tests.support.harness import Harness  # noqa: E402
from tests.support.run_kills import MOST_LOST_S, Killed, kill_once  # noqa: E402

_HEAD = " #  victim      processes  at s  answered  in no sample  lost s  gone s  verdict"
_CACHE = ROOT / ".cache" / "chaos"


def main() -> int:
    """Kill as often as asked; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1, help="of the first; the next have the next")
    given = parser.parse_args()
    show(_HEAD)
    outcomes = repeat(range(given.seed, given.seed + given.repetitions), kill_once)
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    worst = max((outcome.lost_s for outcome in outcomes), default=0.0)
    answered = sum(outcome.answered for outcome in outcomes)
    missing = sum(outcome.missing for outcome in outcomes)
    show(
        f"{len(outcomes)} repetitions, {answered:,} answers until the kill, {missing:,} of them in "
        f"no sample; worst loss {worst:.3f} s (allowed: {MOST_LOST_S:g} s); {wrong} not right"
    )
    return 1 if wrong else 0


def repeat(seeds: range, kill: Callable[[Harness, int], Killed]) -> list[Killed]:
    """Kill once for each seed, printing what comes of it; what is not right is kept."""
    outcomes = []
    for number, seed in enumerate(seeds, start=1):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        harness = Harness(folder, _CACHE)
        keep = False
        try:
            outcome = kill(harness, seed)
            show(row(number, outcome))
            outcomes.append(outcome)
            if outcome.wrong:
                keep = True
                show(f"    seed {seed}, see {folder}: {'; '.join(outcome.wrong)}")
        finally:
            harness.clean()
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
    return outcomes


def row(number: int, outcome: Killed) -> str:
    """Write one row of the table."""
    return (
        f"{number:>2}  {outcome.victim:<10}  {outcome.processes:>9}  {outcome.moment_s:>4.1f}  "
        f"{outcome.answered:>8}  {outcome.missing:>12}  {outcome.lost_s:>6.3f}  "
        f"{outcome.gone_s:>6.2f}  {outcome.verdict or '-'}"
    )


def show(line: str) -> None:
    """Print a line at once: a repetition takes seconds."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
