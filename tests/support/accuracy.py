"""What the scripts of ``make accuracy`` share: runs on two cores, and bars that they hold."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from scipy import stats

Job = TypeVar("Job")
Found = TypeVar("Found")

CHANCE = 1e-4
"""With few runs a bar is missed only by what chance brings about less often than this."""


def over(function: Callable[[Job], Found], jobs: Iterable[Job]) -> list[Found]:
    """Run a function of this module's caller over jobs, on two cores, in order."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(function, list(jobs), chunksize=8)


def is_quick() -> bool:
    """Whether few runs were asked for with ``--quick``."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="few runs, and bars that allow for it")
    return bool(parser.parse_args().quick)


@dataclass
class Bars:
    """Shares of runs held against the bars of the issue; remembers those that are missed."""

    quick: bool = False
    missed: list[str] = field(default_factory=list)

    def hold(
        self, what: str, share: float, runs: int, *, least: float = 0.0, most: float = 1.0
    ) -> None:
        """Note a share of runs that lies below `least` or above `most`."""
        low, high = least, most
        if self.quick:
            low = float(stats.binom.ppf(CHANCE, runs, least)) / runs
            high = float(stats.binom.isf(CHANCE, runs, most)) / runs
        if not low <= share <= high:
            self.missed.append(
                f"{what}: {share:.1%} of {runs:,} runs; bar {least:.0%} to {most:.0%}"
            )

    def finish(self) -> int:
        """Print what was missed, and give the exit code."""
        for line in self.missed:
            sys.stdout.write(f"MISSED {line}\n")
        sys.stdout.write("no bar is missed\n" if not self.missed else "")
        return 1 if self.missed else 0


def say(line: str = "") -> None:
    """Print a line of a table at once: a full run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
