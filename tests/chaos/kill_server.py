"""Kill servers under load again and again: nothing that was acknowledged is lost.

Run as ``python tests/chaos/kill_server.py [--times 20] [--customers 1000] [sqlite|postgres]...``.
Each time a fresh copy of a dataset is served by two workers; one of them is killed while clients
write, and then the master, and with it PostgreSQL where that is the database. The server is started
again and asked what it has. Prints a row per repetition and ends with 1 when one is not right.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for tests.support, which is not installed

from target_app import seeding  # noqa: E402
from tests.support.accounts import Accounts  # noqa: E402
from tests.support.durability import Outcome, kill_and_look  # noqa: E402

_HEAD = (
    "database   #  acknowledged  lost  no answer  of these done  wrong  broken  "
    "worker back s  all gone s  again s"
)
_KINDS = ("sqlite", "postgres")
_CACHE = ROOT / ".cache" / "chaos"


def main() -> int:
    """Kill as often as asked; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=20, help="repetitions a database")
    parser.add_argument("--customers", type=int, default=1000, help="size of the dataset")
    parser.add_argument("kinds", nargs="*", default=_KINDS, metavar="sqlite|postgres")
    given = parser.parse_args()
    if set(given.kinds) - set(_KINDS):
        parser.error(f"unknown database; allowed are {', '.join(_KINDS)}")
    show(_HEAD)
    outcomes = [
        outcome
        for kind in given.kinds
        for outcome in repeat(kind, customers=given.customers, times=given.times)
    ]
    wrong = sum(not outcome.right for outcome in outcomes)
    acknowledged = sum(outcome.acknowledged for outcome in outcomes)
    show(f"{len(outcomes)} repetitions, {acknowledged} acknowledged writes, {wrong} not right")
    return 1 if wrong else 0


def repeat(kind: str, *, customers: int, times: int) -> list[Outcome]:
    """Kill servers on one kind of database, printing what comes of each."""
    data = _CACHE / f"{kind}-{customers}"
    seeding.seed(data, customers=customers, seed=1, database=kind)
    token = Accounts.of(data).of_role("manager")[0]["token"]
    outcomes = []
    for number in range(1, times + 1):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        keep = False
        try:
            seeding.reset(data, str(folder / "crm"))
            outcome = kill_and_look(folder / "crm", folder, token)
            show(row(kind, number, outcome))
            outcomes.append(outcome)
            if not outcome.right:
                keep = True
                show(f"  see {folder}: lost {outcome.lost[:5]}, wrong {outcome.wrong[:5]}")
        finally:
            if not keep:
                shutil.rmtree(folder)
    return outcomes


def row(kind: str, number: int, outcome: Outcome) -> str:
    """Write one row of the table."""
    broken = sum(outcome.broken.values())
    return (
        f"{kind:<9} {number:>2}  {outcome.acknowledged:>12}  {len(outcome.lost):>4}  "
        f"{outcome.unanswered:>9}  {outcome.done:>13}  {len(outcome.wrong):>5}  {broken:>6}  "
        f"{outcome.worker_back_s:>13.2f}  {outcome.gone_s:>10.2f}  {outcome.again_s:>7.2f}"
    )


def show(line: str) -> None:
    """Print a line at once: a repetition takes seconds."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
