"""On which cores a run's processes ran, in words."""

from __future__ import annotations

from typing import Any

from analysis.report.tables import Document
from analysis.report.typography import clean


def cores_of_target(verdict: Document) -> str:
    """Say where the target ran, as every sentence about capacity must.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        ``"on core 1 alone"``, ``"on any core, shared with the generator"``; empty where
        nobody knows.
    """
    ran = verdict.get("ran_on") or {}
    return _on(ran.get("target"), "the generator", len(ran.get("generators") or ()))


def generators_words(verdict: Document) -> str:
    """Say how many processes sent the load, and on which cores.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Empty where nobody knows.
    """
    found = (verdict.get("ran_on") or {}).get("generators") or []
    if not found:
        return ""
    own = [core for cores in found if isinstance(cores, list) for core in cores]
    head = "one generator process" if len(found) == 1 else f"{len(found)} generator processes"
    if own:
        return f"{head}, on {_named(own)}" + (" alone" if len(found) == 1 else ", one each")
    return f"{head}, on any core" if "shared" in found else head


def cores_words(cores: Any) -> str:
    """Write the cores of a manifest; a word such as "shared" means that none were set apart.

    Parameters
    ----------
    cores : list of int, str or None
        As the manifest holds them.

    Returns
    -------
    str
        Empty where nobody knows.
    """
    if isinstance(cores, list | tuple) and cores:
        return f"{_named(cores)} alone"
    return "any core, shared" if cores else ""


def _on(cores: Any, others: str, count: int) -> str:
    if isinstance(cores, list) and cores:
        return f"on {_named(cores)} alone"
    if cores == "shared":
        plural = "s" if count > 1 else ""
        return f"on any core, shared with {others}{plural}"
    return ""


def _named(cores: Any) -> str:
    names = [clean(core) for core in cores]
    if len(names) == 1:
        return f"core {names[0]}"
    return f"cores {', '.join(names[:-1])} and {names[-1]}"
