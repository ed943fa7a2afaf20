"""On which cores a run's processes ran: what every sentence about capacity must name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ran_on(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a manifest which cores the target and the generators had.

    Parameters
    ----------
    manifest : mapping
        Of the run.

    Returns
    -------
    dict
        ``target``: its cores, ``"shared"`` where it was started with none of its own, None
        where it was not started by the run; ``generators``: the same for each process that
        sent load.
    """
    target = manifest.get("target") or {}
    cores = target.get("cores") if target.get("app") else None
    return {
        "target": _cores(cores),
        "generators": [_cores(each.get("cores")) for each in manifest.get("generators") or ()],
    }


def _cores(found: Any) -> list[int] | str | None:
    if isinstance(found, list | tuple):
        return [int(core) for core in found] or None
    return "shared" if found == "shared" else None
