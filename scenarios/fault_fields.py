"""Reads ``[[faults]]`` and ``[stop]``: what is done to the target, and when load ends early."""

from __future__ import annotations

import itertools

from scenarios.fields import Fields
from scenarios.model import Fault
from scenarios.stop_rule import StopRule, parse_stop_rule

KINDS = ("freeze", "kill")
PROCESSES = ("server", "worker")

WORKERS_APART_S = 6.0
"""The CRM's server ends when it loses two workers within 5.5 s."""


def read_faults(top: Fields) -> tuple[Fault, ...]:
    """Read and check ``[[faults]]``.

    Parameters
    ----------
    top : Fields
        The whole document; mistakes are noted there.

    Returns
    -------
    tuple of Fault
        In the order of their times.
    """
    if "faults" not in top or top.take("faults") == []:
        return ()
    faults = []
    for table in top.tables("faults", allowed='tables with kind = "freeze" or "kill"'):
        before = len(table.mistakes)
        fault = _fault(table)
        if len(table.mistakes) == before:
            faults.append(fault)
    faults.sort(key=lambda fault: fault.at_s)
    for first, second in itertools.pairwise(faults):
        if second.at_s < first.at_s + first.lasts_s:
            top.mistake(
                "faults",
                f"a {second.kind} at {second.at_s:g} s, while the {first.kind} of "
                f"{first.at_s:g} s lasts",
                "one fault at a time",
            )
    lost = [each.at_s for each in faults if (each.kind, each.process) == ("kill", "worker")]
    for one, another in itertools.pairwise(lost):
        if another - one < WORKERS_APART_S:
            top.mistake(
                "faults",
                f"workers killed at {one:g} s and {another:g} s",
                f"{WORKERS_APART_S:g} s between: a server that loses two sooner gives up",
            )
    return tuple(faults)


def _fault(table: Fields) -> Fault:
    kind = str(table.take("kind"))
    if kind not in KINDS:
        table.mistake("kind", repr(kind), "freeze or kill (the CRM has no faults of its own yet)")
    process = table.choice("process", PROCESSES, default="server")
    at_s = table.duration("at", default=None, required=True)
    is_whole = kind == "freeze" or process == "server"
    if not is_whole and "lasts" in table:
        table.mistake("lasts", "a duration", "nothing: the server starts its worker again")
    lasts_s = table.duration("lasts", default=None, low=0.1, required=is_whole)
    table.no_more()
    return Fault(kind=kind, process=process, at_s=at_s or 0.0, lasts_s=lasts_s or 0.0)


def check_faults(top: Fields, faults: tuple[Fault, ...], *, app: str | None, end_s: float) -> None:
    """Note faults that could not be brought about, or not be seen to end.

    Parameters
    ----------
    top : Fields
        The whole document; mistakes are noted there.
    faults : tuple of Fault
        Of the scenario.
    app : str or None
        What of the target is ours.
    end_s : float
        When the load ends, in seconds of run time.
    """
    if faults and app is None:
        top.mistake("faults", "faults beside a url", "with app alone: its processes are ours")
    for index, fault in enumerate(faults):
        if fault.at_s + fault.lasts_s >= end_s:
            top.mistake(
                f"faults[{index}].at",
                f"{fault.at_s:g} s, lasting {fault.lasts_s:g} s",
                f"a fault that ends before the load does, at {end_s:g} s",
            )


def read_stop(fields: Fields) -> StopRule | None:
    """Read and check ``[stop]``.

    Parameters
    ----------
    fields : Fields
        The table; mistakes are noted there.

    Returns
    -------
    StopRule or None
        None when load goes on to its end.
    """
    text = fields.text("when", default="")
    fields.no_more()
    if not text and fields.take("when") != "":
        return None
    try:
        return parse_stop_rule(text)
    except ValueError as error:
        fields.mistake("when", repr(text), str(error))
        return None
