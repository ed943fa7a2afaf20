"""Which cores the generator and the target get."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Cores of the generator and of the target; None means whichever are free."""

    generator: frozenset[int] | None
    target: frozenset[int] | None

    def as_dict(self) -> dict[str, list[int] | str]:
        """Write it as the manifest does."""
        return {
            "generator": sorted(self.generator) if self.generator else "shared",
            "target": sorted(self.target) if self.target else "shared",
        }


def share(workers: int, generators: int, available: frozenset[int] | None = None) -> Cores:
    """Share the machine's cores out.

    Disjoint cores keep the generator's load from being taken for the target's,
    but only while all processes together fit: else pinning would starve one side.

    Parameters
    ----------
    workers : int
        Processes of the target; 0 when it was not started by us.
    generators : int
        Generator processes.
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
