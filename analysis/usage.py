"""What the processes of a run used, as time series: CPU, memory, and the CRM's own gauges.

From ``resources.jsonl``: a line a second for each process, with the role that it has.
Processes of one role are added up in each second, and seconds averaged in each bin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

ROLES = ("target", "database", "generator", "master")
"""Roles of processes that are watched from outside, in the order in which they are shown."""

_GAUGES = "crm"
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes of a run used, in equal bins of run time.

    Attributes
    ----------
    width_s : float
        Length of a bin in seconds.
    start_s : ndarray, shape (n,)
        Where each bin begins, in seconds of run time.
    cpu_cores : dict of str to ndarray, shape (n,)
        Cores that the processes of a role used, by role.
    memory_mib : dict of str to ndarray, shape (n,)
        Resident memory of the processes of a role, by role.
    pool_used, pool_size : ndarray, shape (n,)
        Database connections of the CRM in use, and those that its pools may hold.
    in_service : ndarray, shape (n,)
        Requests that the CRM was serving.

    NaN wherever nobody looked; a role without processes is left out.
    """

    width_s: float
    start_s: Floats
    cpu_cores: dict[str, Floats]
    memory_mib: dict[str, Floats]
    pool_used: Floats
    pool_size: Floats
    in_service: Floats

    @property
    def middle_s(self) -> Floats:
        """Middle of each bin in seconds of run time, shape (n,)."""
        return self.start_s + self.width_s / 2


def usage_of(resources: Sequence[Mapping[str, Any]], *, length_s: float, width_s: float) -> Usage:
    """Cut what was watched into bins.

    Parameters
    ----------
    resources : sequence of mapping
        Lines of ``resources.jsonl``.
    length_s : float
        Length of the run in seconds.
    width_s : float
        Length of a bin in seconds.

    Returns
    -------
    Usage
        Without roles where nobody watched.
    """
    bins = max(1, int(np.ceil(length_s / width_s)))
    frame = pd.DataFrame(
        [line for line in resources if line.get("role") and line.get("t_s") is not None]
    ).reindex(columns=["t_s", "role", "cpu", "rss", "pool_used", "pool_size", "in_flight"])
    frame = frame[pd.to_numeric(frame["t_s"]).between(0, bins * width_s, inclusive="left")]
    by_role = {role: frame[frame["role"] == role] for role in (*ROLES, _GAUGES)}

    def binned(role: str, column: str) -> Floats:
        return _binned(by_role[role], column, width_s, bins)

    there = [role for role in ROLES if len(by_role[role])]
    return Usage(
        width_s=width_s,
        start_s=np.arange(bins, dtype=np.float64) * np.float64(width_s),
        cpu_cores={role: binned(role, "cpu") for role in there},
        memory_mib={role: binned(role, "rss") / _MIB for role in there},
        pool_used=binned(_GAUGES, "pool_used"),
        pool_size=binned(_GAUGES, "pool_size"),
        in_service=binned(_GAUGES, "in_flight"),
    )


def _binned(lines: pd.DataFrame, column: str, width_s: float, bins: int) -> Floats:
    if lines.empty:
        return np.full(bins, np.nan)
    at_s = lines["t_s"].astype(float)
    values = pd.to_numeric(lines[column])
    # lines of one look have one time; a process that was met first has no CPU yet
    looks = values.groupby(at_s).sum(min_count=1)
    where = np.floor(looks.index.to_numpy(dtype=float) / width_s).astype(np.int64)
    per_bin = looks.groupby(where).mean()
    return per_bin.reindex(range(bins)).to_numpy(dtype=float)
