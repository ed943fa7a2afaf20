"""Which cores the generators and the target get."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Cores of the generators and of the target; None means whichever are free."""

    generator: frozenset[int] | None
    target: frozenset[int] | None

    def of_generator(self, process: int) -> frozenset[int] | None:
        """Tell which core one generator process gets.

        Parameters
        ----------
        process : int
            Its number.

        Returns
        -------
        frozenset of int or None
            One core of its own; None when cores are shared.
        """
        return None if self.generator is None else frozenset({sorted(self.generator)[process]})


def named(cores: frozenset[int] | None) -> list[int] | str:
    """Write cores as the manifest does: a list, or ``"shared"``."""
    return sorted(cores) if cores else "shared"


def share(workers: int, generators: int, available: frozenset[int] | None = None) -> Cores:
    """Share the machine's cores out.

    Disjoint cores keep the generator's load from being taken for the target's,
    but only while all processes together fit: else pinning would starve one side.

    Parameters
    ----------
    workers : int
        Processes of the target; 0 when it was not started by us.
    generators : int
        Generator processes that send load.
    available : frozenset of int, optional
        Cores that may be used; those of this process by default.

    Returns
    -------
    Cores
        Disjoint, or shared when they do not fit.
    """
    usable = sorted(os.sched_getaffinity(0) if available is None else available)
    if workers == 0 or workers + generators > len(usable):
        return Cores(generator=None, target=None)
    return Cores(generator=frozenset(usable[:generators]), target=frozenset(usable[-workers:]))
