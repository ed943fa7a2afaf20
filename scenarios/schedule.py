"""When a run does what: the stages of a scenario as spans of run time.

::

    users
      |                                   ______________  stage 1
      |                        /|        |
      |  ______________________/ |settle |     hold
      | |warm-up|settle| hold    ramp
      +-+-------+------+---------+-------+--------------> run time
        0

Pure: the driver, the progress display and the analysis all read it, so that
they cannot disagree about where a hold begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from scenarios.mix import users_think_s
from scenarios.model import Scenario

MINIMUM_SETTLE_S = 3.0


class Phase(StrEnum):
    """What a moment of a run is."""

    WARMUP = "warmup"
    RAMP = "ramp"
    SETTLE = "settle"
    HOLD = "hold"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stage in run time: ramp, settle, hold, all in seconds from the start."""

    stage: int
    level: float
    before: float
    start_s: float
    ramped_s: float
    hold_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """Length of the hold in seconds."""
        return self.end_s - self.hold_s

    def shifted(self, by_s: float) -> Span:
        """Give the same stage so many seconds later."""
        return replace(
            self,
            start_s=self.start_s + by_s,
            ramped_s=self.ramped_s + by_s,
            hold_s=self.hold_s + by_s,
            end_s=self.end_s + by_s,
        )

    def level_at(self, t_s: float) -> float:
        """Level asked for at a moment of this span: users, or arrivals per second."""
        if t_s >= self.ramped_s:
            return self.level
        done = (t_s - self.start_s) / (self.ramped_s - self.start_s)
        return self.before + done * (self.level - self.before)

    def phase_at(self, t_s: float) -> Phase:
        """Phase at a moment of this span."""
        if t_s < self.ramped_s:
            return Phase.RAMP
        return Phase.SETTLE if t_s < self.hold_s else Phase.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is asked of the generator at one moment of the run."""

    level: float
    stage: int | None
    phase: Phase

    @property
    def users(self) -> int:
        """The level in whole virtual users (closed model)."""
        return round(self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All spans of a run, its warm-up, and what their levels count."""

    warmup_s: float
    spans: tuple[Span, ...]
    unit: str = "users"

    @property
    def end_s(self) -> float:
        """When the last hold ends, in seconds from the start."""
        return self.spans[-1].end_s

    def at(self, t_s: float) -> Moment:
        """Tell what is asked at a moment.

        Parameters
        ----------
        t_s : float
            Seconds from the start of the run.

        Returns
        -------
        Moment
            Level, stage (None in the warm-up and after the end) and phase.
        """
        if t_s < self.warmup_s:
            return Moment(level=self.spans[0].level, stage=None, phase=Phase.WARMUP)
        for span in self.spans:
            if t_s < span.end_s:
                return Moment(level=span.level_at(t_s), stage=span.stage, phase=span.phase_at(t_s))
        return Moment(level=0.0, stage=None, phase=Phase.DRAIN)

    def required_span(self, required: float) -> Span:
        """Find the hold in which the required load is decided: the last one at that level.

        Parameters
        ----------
        required : float
            The load that must be carried; a level of some stage.

        Returns
        -------
        Span
            That stage.
        """
        return next(span for span in reversed(self.spans) if span.level == required)

    def extended(self, stage: int, by_s: float) -> Schedule:
        """Prolong the hold of one stage; whatever comes after it comes later.

        Parameters
        ----------
        stage : int
            Whose hold.
        by_s : float
            Seconds, not negative.

        Returns
        -------
        Schedule
            The same up to the old end of that hold.
        """
        before = [span for span in self.spans if span.stage < stage]
        held = [
            replace(span, end_s=span.end_s + by_s) for span in self.spans if span.stage == stage
        ]
        after = [span.shifted(by_s) for span in self.spans if span.stage > stage]
        return replace(self, spans=(*before, *held, *after))

    def required_end_s(self, required: float) -> float:
        """When the last stage up to the required load ends.

        Parameters
        ----------
        required : float
            The load that must be carried.

        Returns
        -------
        float
            Seconds from the start of the run.
        """
        return max(span.end_s for span in self.spans if span.level <= required)


def settle_s(scenario: Scenario) -> float:
    """How long each stage settles after its ramp.

    Parameters
    ----------
    scenario : Scenario
        Its own setting wins; else 3 s or two mean think times, whichever is longer.

    Returns
    -------
    float
        Seconds.
    """
    load = scenario.load
    if load.settle_s is not None:
        return load.settle_s
    think_s = 0.0
    if load.mix and not load.is_open:
        think_s = users_think_s(scenario.personas, load.mix, load.think_scale)
    return max(MINIMUM_SETTLE_S, 2 * think_s)


def plan(scenario: Scenario) -> Schedule:
    """Lay a scenario's stages out in run time.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.

    Returns
    -------
    Schedule
        Spans in order; the first begins when the warm-up ends.
    """
    settle = settle_s(scenario)
    spans: list[Span] = []
    t_s, before = scenario.load.warmup_s, scenario.load.stages[0].level
    if scenario.load.warmup_s == 0:
        before = 0.0
    for index, stage in enumerate(scenario.load.stages):
        ramped = t_s + stage.ramp_s
        spans.append(
            Span(
                stage=index,
                level=stage.level,
                before=before,
                start_s=t_s,
                ramped_s=ramped,
                hold_s=ramped + settle,
                end_s=ramped + settle + stage.hold_s,
            )
        )
        t_s, before = spans[-1].end_s, stage.level
    return Schedule(warmup_s=scenario.load.warmup_s, spans=tuple(spans), unit=scenario.load.unit)


def as_extended(schedule: Schedule, events: Iterable[Mapping[str, object]]) -> Schedule:
    """Rebuild the schedule of a run in which the required stage was held on.

    Parameters
    ----------
    schedule : Schedule
        As it was planned.
    events : iterable of mapping
        Of the run; those of the kind ``extended`` say `stage` and `by_s`.

    Returns
    -------
    Schedule
        As it was run.
    """
    for event in events:
        if event.get("kind") == "extended":
            stage, by_s = int(str(event["stage"])), float(str(event["by_s"]))
            schedule = schedule.extended(stage, by_s)
    return schedule
