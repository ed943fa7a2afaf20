"""What levels of load count, in words: users or arrivals, and what makes users no real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def people(think_scale: float, unit: str = "users") -> str:
    """Name the unit of users, with what makes them no real users when it is so.

    Parameters
    ----------
    think_scale : float
        Factor on every think time.
    unit : str
        What levels count: ``"users"`` or ``"arrivals/s"``.

    Returns
    -------
    str
        ``"users"``, or ``"users (think times x 0.05)"``.
    """
    if think_scale == 1 or unit != "users":  # arrivals do not think
        return unit
    return f"{unit} (think times x {think_scale:g})"


def people_of(verdict: Mapping[str, Any]) -> str:
    """Name what the levels of a run count.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        As :func:`people`.
    """
    return people(verdict.get("think_scale", 1), unit_of(verdict))


def unit_of(verdict: Mapping[str, Any]) -> str:
    """Name what the levels of a run count, and nothing else.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        ``"users"`` or ``"arrivals/s"``.
    """
    return str(verdict.get("load_unit") or "users")


def unit_of_stage(stage: Mapping[str, Any]) -> str:
    """Name what a stage's level counts: one user, or several.

    Parameters
    ----------
    stage : mapping
        As verdict.json holds it.

    Returns
    -------
    str
        ``"user"``, ``"users"`` or ``"arrivals/s"``.
    """
    if stage.get("rate") is not None:
        return "arrivals/s"
    return "user" if stage.get("level") == 1 else "users"


def level_text(level: float) -> str:
    """Write a level of load without its unit.

    Parameters
    ----------
    level : float
        Users, or arrivals per second.

    Returns
    -------
    str
        As in ``"1,000"`` or ``"12.5"``.
    """
    return f"{level:,.10g}" if level else "0"
