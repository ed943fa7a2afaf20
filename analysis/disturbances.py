r"""What disturbed a run: injected faults, spikes of load, outages that came by themselves.

::

    load                  ____
                         /    \
             ___________/      \______________        a spike begins where the load leaves
             baseline   |      |  the same load       its level, and is over where it is
                     start_s  end_s                   back at it: recovery counts from there

    a fault, an outage:  recovery counts from its beginning
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.availability import Outage
from analysis.faults import FaultSpan
from scenarios.model import named
from scenarios.schedule import Schedule, Span

NEAR_S = 1.0
"""An outage that begins so soon after something else was over is a part of it, and so near to
what brought it about.
"""

Times = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """Something after which a system has to come back.

    Attributes
    ----------
    kind : str
        ``"fault"``, ``"spike"`` or ``"outage"``.
    what : str
        In words: ``"freeze of the server"``.
    start_s : float
        When it began, in seconds of run time.
    end_s : float or None
        When it was over; None when it was not before the run ended.
    level : float or None
        The load under which it has to come back; None where the load was changing.
    """

    kind: str
    what: str
    start_s: float
    end_s: float | None
    level: float | None

    @property
    def since_s(self) -> float:
        """From when its recovery counts: from the moment the load is back after a spike."""
        return self.end_s if self.kind == "spike" and self.end_s is not None else self.start_s

    def lasts_beyond(self, t_s: float) -> bool:
        """Tell whether it is not over at a moment.

        Parameters
        ----------
        t_s : float
            Seconds of run time.

        Returns
        -------
        bool
            Also where it has not begun.
        """
        return self.end_s is None or self.end_s > t_s


def disturbances_of(
    schedule: Schedule,
    faults: Sequence[FaultSpan],
    outages: Sequence[Outage],
    *,
    required: float,
    ended_s: float,
) -> list[Disturbance]:
    """Collect what disturbed a run.

    Parameters
    ----------
    schedule : Schedule
        The stages as they were run.
    faults : sequence of FaultSpan
        Those that were injected.
    outages : sequence of Outage
        Those that were seen; one that a fault or a spike explains is none of its own.
    required : float
        The load that must be carried: a spike explains what began beyond it, and no outage
        at a lower stage on the way.
    ended_s : float
        When the load ended, in seconds of run time.

    Returns
    -------
    list of Disturbance
        In the order of their beginning.
    """
    known = [_fault(fault, schedule) for fault in faults]
    known += [spike for spike in _spikes(schedule) if spike.since_s < ended_s]
    alone = [
        Disturbance(
            kind="outage",
            what="outage",
            start_s=outage.start_s,
            end_s=None if outage.open else outage.end_s,
            level=level_at(schedule, outage.start_s),
        )
        for outage in outages
        if not any(_explains(each, outage, schedule, required) for each in known)
    ]
    return sorted([*known, *alone], key=lambda each: each.start_s)


def _fault(fault: FaultSpan, schedule: Schedule) -> Disturbance:
    return Disturbance(
        kind="fault",
        what=f"{fault.what} of the {fault.process}",
        start_s=fault.start_s,
        end_s=fault.end_s,
        level=level_at(schedule, fault.start_s),
    )


def _explains(known: Disturbance, outage: Outage, schedule: Schedule, required: float) -> bool:
    """Whether an outage overlaps a disturbance, or follows it at once.

    A spike lasts from where the load left its level until it is back, with every stage on the
    way: it explains only what began beyond the load that must be carried, or at once after it.
    """
    over_s = float("inf") if known.end_s is None else known.end_s + NEAR_S
    if outage.start_s > over_s or outage.end_s < known.start_s:
        return False
    near_s = (outage.start_s - NEAR_S, outage.start_s, outage.start_s + NEAR_S)
    return known.kind != "spike" or any(schedule.at(t_s).level > required for t_s in near_s)


def _spikes(schedule: Schedule) -> list[Disturbance]:
    """Find the stages after which the load falls back to a level that it had before them."""
    spans, found = schedule.spans, []
    for later in spans:
        if later.stage == 0 or spans[later.stage - 1].level <= later.level:
            continue
        before = next((s for s in spans[: later.stage][::-1] if s.level <= later.level), None)
        if before is None or before.level != later.level:
            continue  # it falls to a level that it never had: nothing to come back to
        top = max(span.level for span in spans[before.stage : later.stage])
        found.append(
            Disturbance(
                kind="spike",
                what=f"spike to {named(top, schedule.unit)}",
                start_s=before.end_s,
                end_s=later.ramped_s,
                level=later.level,
            )
        )
    return found


def level_at(schedule: Schedule, t_s: float) -> float | None:
    """Tell under which constant load a moment lies.

    Parameters
    ----------
    schedule : Schedule
        The stages as they were run.
    t_s : float
        Seconds of run time.

    Returns
    -------
    float or None
        The level; None in the warm-up, in a ramp between levels, and after the end.
    """
    span = next((s for s in schedule.spans if s.start_s <= t_s < s.end_s), None)
    if span is None or not _is_constant(span, t_s):
        return None
    return span.level


def _is_constant(span: Span, t_s: float) -> bool:
    return t_s >= span.ramped_s or span.before == span.level


def same_load_before(schedule: Schedule, level: float, t_s: float) -> list[Times]:
    """Find the time before a moment in which the load was at a level: holds only.

    Parameters
    ----------
    schedule : Schedule
        The stages as they were run.
    level : float
        Users, or arrivals per second.
    t_s : float
        Seconds of run time.

    Returns
    -------
    list of (float, float)
        Spans in order, cut at the moment.
    """
    return [
        (span.hold_s, min(span.end_s, t_s))
        for span in schedule.spans
        if span.level == level and span.hold_s < t_s
    ]


def same_load_until(schedule: Schedule, t_s: float, *, ended_s: float) -> float:
    """Tell until when the load stays as it is at a moment.

    Parameters
    ----------
    schedule : Schedule
        The stages as they were run.
    t_s : float
        Seconds of run time, at a constant load.
    ended_s : float
        When the load ended.

    Returns
    -------
    float
        Seconds of run time.
    """
    level = level_at(schedule, t_s)
    until_s = t_s
    for span in schedule.spans:
        if span.end_s > t_s:
            if span.level != level or (span.start_s > t_s and span.before != level):
                break
            until_s = span.end_s
    return min(until_s, ended_s)


def without(spans: Sequence[Times], taken: Sequence[Times]) -> list[Times]:
    """Take some spans out of others.

    Parameters
    ----------
    spans, taken : sequence of (float, float)
        From and until, in any order.

    Returns
    -------
    list of (float, float)
        What is left, in the order of `spans`.
    """
    left = list(spans)
    for begin, end in taken:
        parts: list[Times] = []
        for first, last in left:
            parts += [(first, min(last, begin)), (max(first, end), last)]
        left = [(first, last) for first, last in parts if last > first]
    return left
