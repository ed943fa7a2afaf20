"""When load ends early: the rule of ``[stop]``, held against each second of the timeline.

::

    in a second                                                the rule
    requests finished, and the metric is above its limit       holds
    requests finished, and it is not                           is broken: it starts anew
    nothing finished, requests were open                       nobody knows; when that has lasted
                                                               `patience_s`, it held all the while
    nothing finished and nothing was open, or what finished
    has no such metric                                         nobody knows

Load ends in a second in which the rule holds, when nothing has broken it for as long
as it says. A corpse answers nothing: that is why silence must count, and a slow
target is silent for seconds too: that is why it must not count at once.

:class:`Stopping` is pure: lines in, a decision out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadtests.run_watch import RunState
from scenarios.schedule import Phase
from scenarios.stop_rule import StopRule

WHY = "stop_rule"
"""What a load that a rule has ended says of its end."""

_SECOND = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A rule that held for as long as it says.

    Attributes
    ----------
    since_s, until_s : float
        Seconds of run time.
    measured : float or None
        The metric in the last second: a ratio, or seconds; None where nothing finished.
    """

    since_s: float
    until_s: float
    measured: float | None


@dataclass(slots=True)
class _Second:
    """What all processes finished in one second, and left open."""

    processes: int = 0
    ok: float = 0.0
    bad: float = 0.0
    open: int = 0
    metric_s: float | None = None


class Stopping:
    """Holds a stop rule against the timeline as it is written.

    Parameters
    ----------
    rule : StopRule
        What ends the load.
    patience_s : float
        Silence of so long is no answer.
    processes : int
        Generator processes that write the timeline.
    """

    def __init__(self, rule: StopRule, *, patience_s: float, processes: int = 1) -> None:
        self._rule = rule
        self._key = {"p(50)": "p50_ms", "p(95)": "p95_ms"}.get(rule.metric)
        # an open request is as old as the silence: only one older than the limit is beyond it
        self._patience_s = max(patience_s, rule.above if self._key else 0.0)
        self._processes = processes
        self._number: int | None = None
        self._second = _Second()
        self._last_s: dict[int, float] = {}
        self.forget()

    def forget(self) -> None:
        """Start anew: what was seen so far has a cause that is known, such as a fault."""
        self._since_s: float | None = None
        self._silent_since_s: float | None = None

    def take(self, line: dict[str, Any]) -> Met | None:
        """Take the next line of the timeline.

        Parameters
        ----------
        line : dict
            As a generator process writes it.

        Returns
        -------
        Met or None
            When the load should end. A second is judged as soon as every process
            has written its line, or one has written of a later second.
        """
        number = round(float(line["t_s"]))
        met = None
        if self._number is not None and number > self._number and self._second.processes:
            met = self._judge()
        if self._number is None or number >= self._number:
            self._number = number
            self._add(line)
            if self._second.processes == self._processes:
                met = self._judge() or met
        return met

    def _add(self, line: dict[str, Any]) -> None:
        process, t_s = int(line.get("process", 0)), float(line["t_s"])
        length_s = t_s - self._last_s.get(process, t_s - _SECOND)
        self._last_s[process] = t_s
        second = self._second
        second.processes += 1
        second.ok += float(line["rate"]) * length_s
        second.bad += float(line["bad"])
        second.open += int(line["open"])
        value = line.get(self._key) if self._key else None
        if value is not None:
            # a percentile over processes is not in the timeline: it is at least the least of theirs
            value_s = float(value) / 1e3
            second.metric_s = min(value_s, value_s if second.metric_s is None else second.metric_s)

    def _judge(self) -> Met | None:
        """Judge the second that is complete."""
        second, self._second = self._second, _Second()
        assert self._number is not None  # noqa: S101 - a line was taken
        end_s = float(self._number)
        finished = second.ok + second.bad
        if finished > 0:
            self._silent_since_s = None
            return self._judge_finished(end_s, second, finished)
        if second.open == 0:
            self._silent_since_s = None
            return None
        if self._silent_since_s is None:
            self._silent_since_s = end_s - _SECOND
        if end_s - self._silent_since_s >= self._patience_s:
            return self._holds(end_s, self._silent_since_s, None)
        return None

    def _judge_finished(self, end_s: float, second: _Second, finished: float) -> Met | None:
        measured = second.metric_s if self._key else second.bad / finished
        if measured is None:
            return None
        if measured > self._rule.above:
            return self._holds(end_s, end_s - _SECOND, measured)
        self._since_s = None
        return None

    def _holds(self, end_s: float, since_s: float, measured: float | None) -> Met | None:
        self._since_s = since_s if self._since_s is None else self._since_s
        if end_s - self._since_s >= self._rule.for_s:
            return Met(since_s=self._since_s, until_s=end_s, measured=measured)
        return None


class StopsLoad:
    """Ends the load when the rule is met; one of the watchers of a run.

    Parameters
    ----------
    rule : StopRule
        Of the scenario.
    stopping : Stopping
        Holds it against the timeline.
    is_excused : callable
        Tells of a moment of run time whether a fault of the scenario explains the
        second before it: the rule is there for a target that fails by itself.
    """

    def __init__(
        self, rule: StopRule, stopping: Stopping, is_excused: Callable[[float], bool]
    ) -> None:
        self._rule = rule
        self._stopping = stopping
        self._is_excused = is_excused

    def look(self, run: RunState, t_s: float) -> None:  # noqa: ARG002 - lines have their times
        """Take the lines that have come."""
        for line in run.lines:
            if run.why is not None or line["phase"] == Phase.DRAIN:
                return
            if self._is_excused(float(line["t_s"])):
                self._stopping.forget()
                continue
            met = self._stopping.take(line)
            if met is not None:
                self._end(run, met)

    def _end(self, run: RunState, met: Met) -> None:
        words = f"the stop rule held from {met.since_s:g} s to {met.until_s:g} s: {self._rule.text}"
        run.event(run.now_s(), "warning", code=WHY, text=words)
        run.end(
            WHY,
            rule=self._rule.text,
            since_s=met.since_s,
            until_s=met.until_s,
            measured=None if met.measured is None else round(met.measured, 6),
        )

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""
