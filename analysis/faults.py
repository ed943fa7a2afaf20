"""The faults that were injected into a run: what is known to be true of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpan:
    """A fault from its injection until it was cleared.

    Attributes
    ----------
    number : int
        Its place in the order of time.
    what : str
        ``"freeze"`` or ``"kill"``.
    process : str
        ``"server"`` or ``"worker"``.
    planned_s, start_s : float
        When it was planned, and when it came: seconds of run time.
    end_s : float or None
        When it was over; None when the run ended before.
    """

    number: int
    what: str
    process: str
    planned_s: float
    start_s: float
    end_s: float | None


def fault_spans(events: Iterable[Mapping[str, Any]]) -> list[FaultSpan]:
    """Pair the events of faults.

    Parameters
    ----------
    events : iterable of mapping
        Of a run.

    Returns
    -------
    list of FaultSpan
        In the order of their injection.
    """
    told = list(events)
    ends = {each["fault"]: float(each["t_s"]) for each in told if each["kind"] == "fault_cleared"}
    return [
        FaultSpan(
            number=each["fault"],
            what=str(each["what"]),
            process=str(each["process"]),
            planned_s=float(each["planned_s"]),
            start_s=float(each["t_s"]),
            end_s=ends.get(each["fault"]),
        )
        for each in told
        if each["kind"] == "fault_injected"
    ]
